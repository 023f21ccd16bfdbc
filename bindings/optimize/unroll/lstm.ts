/** UNIDIRECTIONAL_SEQUENCE_LSTM of floats as the dense layers of its gates, step by step. */
import { type AnyNode, NONE, type Node, type TensorId } from "../../graph.ts";
import { bytesOf, isFloatConstant } from "../constants.ts";
import { type Draft, MOST_NODES } from "./draft.ts";

const TANH = 4;
/** First inputs of the four gates (input, forget, cell, output): weights of x, weights of the state before, biases. */
export const WEIGHTS = 1;
export const RECURRENT = 5;
export const BIASES = 12;
const GATES = ["input", "forget", "cell", "output"] as const;

/** Where the layer of a gate stands in some step. */
export const whereOfGate = ({ where }: AnyNode, gate: number, of: "x" | "state", step: number) =>
  `${where}, ${GATES[gate]} by ${of}, step ${step}`;

/** Nodes of a step. */
const STEP = 24;

/**
 * Whether it is a plain one: four gates of constants, no peepholes, projection or normalization, of not too many steps. `shape` is that of
 * its input.
 */
export function isPlainLstm(node: AnyNode, shape: readonly number[], draft: Draft): node is Node<"lstm"> {
  if (node.kind !== "lstm") return false;
  const { activation, sequence } = node.attributes;
  const given = (i: number) => (node.inputs[i] ?? NONE) !== NONE;
  const weights = [1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 14, 15];
  return (
    sequence &&
    (shape[node.attributes.timeMajor ? 0 : 1] ?? Infinity) * STEP <= MOST_NODES &&
    activation === TANH &&
    weights.every((i) => isFloatConstant(draft.tensors[node.inputs[i] ?? NONE])) &&
    ![9, 10, 11, 16, 17, 20, 21, 22, 23].some(given)
  );
}

/** Appends its steps; `shape` is that of its input. */
export function unrollLstm(node: Node<"lstm">, shape: readonly number[], draft: Draft): void {
  const { timeMajor, cellClip } = node.attributes;
  const [batch = 1, steps = 1] = timeMajor ? [shape[1], shape[0]] : shape;
  const units = draft.tensors[node.inputs[RECURRENT] as TensorId]?.shape[1] ?? 0;
  const axis = timeMajor ? 0 : 1;
  const tensor = (sizes: readonly number[], data?: Uint8Array) =>
    draft.append({ name: `steps_${draft.tensors.length}`, dtype: "float32", shape: sizes, ...(data && { data }) });
  const put = (
    kind: AnyNode["kind"],
    inputs: readonly TensorId[],
    attributes: object,
    where = node.where,
    size = units,
  ) => {
    const y = tensor([batch, size]);
    draft.nodes.push({ kind, where, inputs, outputs: [y], attributes } as unknown as AnyNode);
    return y;
  };
  const none = { activation: "none" };
  const dense = (x: TensorId, weights: number, bias: TensorId, where: string) =>
    put("fullyConnected", [x, node.inputs[weights] as TensorId, bias], { ...none, keepDims: false }, where);
  const parts = Array.from({ length: steps }, () => tensor([batch, shape[2] ?? 0]));
  const [x = NONE] = node.inputs;
  draft.nodes.push({
    kind: "unpack",
    where: node.where,
    inputs: [x],
    outputs: parts,
    attributes: { axis, count: steps },
  });
  const limits = [cellClip, -cellClip].map((limit) => tensor([], bytesOf(Float32Array.of(limit)))) as [
    TensorId,
    TensorId,
  ];
  const clipped = (x: TensorId) =>
    cellClip > 0 ? put("maximum", [put("minimum", [x, limits[0]], {}), limits[1]], {}) : x;
  // The state's layers begin with zeros, by which their biases are those of every step.
  let h = tensor([batch, units], new Uint8Array(4 * batch * units));
  let c = NONE;
  const outputs = parts.map((part, step) => {
    const [i, f, g, o] = GATES.map((name, gate) => {
      const bias = node.inputs[BIASES + gate] as TensorId;
      const fresh = dense(part, WEIGHTS + gate, bias, whereOfGate(node as AnyNode, gate, "x", step));
      const kept = dense(h, RECURRENT + gate, NONE, whereOfGate(node as AnyNode, gate, "state", step));
      const sum = put("add", [fresh, kept], none);
      return put(name === "cell" ? "tanh" : "logistic", [sum], {});
    }) as [TensorId, TensorId, TensorId, TensorId];
    const fresh = put("mul", [i, g], none);
    c = clipped(c === NONE ? fresh : put("add", [put("mul", [f, c], none), fresh], none));
    h = put("mul", [o, put("tanh", [c], {})], none);
    return h;
  });
  draft.nodes.push({ kind: "pack", where: node.where, inputs: outputs, outputs: node.outputs, attributes: { axis } });
}
