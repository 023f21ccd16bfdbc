/** LSTM of kernel type BASIC: one step of a cell whose states are inputs and outputs, as the operators that it is made of. */
import type { Activation, AnyNode, TensorId } from "../../graph.ts";
import type { Tensor } from "../../tensor.ts";

/** x, h, weights, bias and c; next h and c, and two tensors that only the kernel uses. */
const isBasic = ({ kind, inputs, outputs }: AnyNode, tensors: readonly Tensor[]) =>
  kind === "lstm" &&
  inputs.length === 5 &&
  inputs.every((id) => id >= 0) &&
  outputs.length === 4 &&
  tensors[inputs[0] as TensorId]?.dtype === "float32";

/**
 * The nodes with float32 cells of kernel type BASIC taken apart: `[x, h] · weightsᵀ + bias` are the input gate, what is
 * new, the forget gate and the output gate. Source: TFLite's reference_ops::LstmCell.
 */
export function withoutBasicCells(nodes: readonly AnyNode[], tensors: Tensor[]): readonly AnyNode[] {
  return nodes.flatMap((node) => (isBasic(node, tensors) ? cell(node, tensors) : [node]));
}

function cell({ where, inputs, outputs }: AnyNode, tensors: Tensor[]): readonly AnyNode[] {
  const [x, h, weights, bias, c] = inputs as unknown as readonly [TensorId, TensorId, TensorId, TensorId, TensorId];
  const [nextH, nextC, joined, sums] = outputs as unknown as readonly [TensorId, TensorId, TensorId, TensorId];
  const { dtype, shape } = tensors[c] as Tensor;
  const add = (tensor: Tensor) => (tensors.push(tensor) - 1) as TensorId;
  const part = () => add({ name: "gate", dtype, shape });
  const axis = add({ name: "axis", dtype: "int32", shape: [], data: Uint8Array.of(1, 0, 0, 0) });
  const activation: Activation = "none";
  const nodes: AnyNode[] = [
    { kind: "concat", where, inputs: [x, h], outputs: [joined], attributes: { axis: 1, activation } },
    {
      kind: "fullyConnected",
      where,
      inputs: [joined, weights, bias],
      outputs: [sums],
      attributes: { activation, keepDims: false, asymmetric: false },
    },
  ];
  const gates = [part(), part(), part(), part()];
  nodes.push({ kind: "split", where, inputs: [axis, sums], outputs: gates, attributes: { count: 4 } });
  const [input, fresh, forget, output] = gates.map((gate, i) => {
    const id = part();
    nodes.push({ kind: i === 1 ? "tanh" : "logistic", where, inputs: [gate], outputs: [id], attributes: {} });
    return id;
  }) as [TensorId, TensorId, TensorId, TensorId];
  const [taken, kept, squashed] = [part(), part(), part()];
  nodes.push(
    { kind: "mul", where, inputs: [input, fresh], outputs: [taken], attributes: { activation } },
    { kind: "mul", where, inputs: [forget, c], outputs: [kept], attributes: { activation } },
    { kind: "add", where, inputs: [taken, kept], outputs: [nextC], attributes: { activation } },
    { kind: "tanh", where, inputs: [nextC], outputs: [squashed], attributes: {} },
    { kind: "mul", where, inputs: [output, squashed], outputs: [nextH], attributes: { activation } },
  );
  return nodes;
}
