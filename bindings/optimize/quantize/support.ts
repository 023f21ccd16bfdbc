/** Which nodes the engine can run on integers: asked of the operators themselves. */
import { Pint8Error } from "../../errors.ts";
import type { OpKind } from "../../graph.ts";
import { type AnyNode, type Graph, NONE, type TensorId, tensorOf } from "../../graph.ts";
import { operators } from "../../ops/index.ts";
import type { NodeView, Operator } from "../../ops/types.ts";
import type { Affine } from "../../primitives/requantize/quantization.ts";
import { elementCount, sizeOf, type Tensor } from "../../tensor.ts";
import { isFloatConstant } from "../constants.ts";
import { activationAt, CHANNEL_AXIS, isProduct } from "../layers.ts";
import { fixedAffine, ruleOf, takes } from "./operators.ts";
import { type Activations, asQuantization } from "./scales.ts";

/** A scale and zero point that no operator minds. */
const ANY = { scale: 2 ** -6, zeroPoint: 0 };

/** Whether the node can run on activations of that type, and of these scales where they are known. */
export function supports(
  graph: Graph,
  node: AnyNode,
  type: Activations,
  affineOf: (id: TensorId) => Affine = () => ANY,
): boolean {
  const rule = ruleOf(node);
  if (rule === undefined || !takes(node, type)) return false;
  const tensors = (ids: AnyNode["inputs"]) => ids.map((id) => (id === NONE ? undefined : tensorOf(graph, id)));
  const [inputs, outputs] = [tensors(node.inputs), tensors(node.outputs) as Tensor[]];
  if (![...inputs, ...outputs].some((tensor) => tensor?.dtype === "float32")) return false;
  const fixed = fixedAffine(node, type);
  if (rule === "fixed" && fixed === undefined) return false;
  const view: NodeView<OpKind> = {
    where: node.where,
    attributes: node.attributes as NodeView<OpKind>["attributes"],
    inputs: inputs.map((tensor, i) => {
      if (rule !== "product" || i === activationAt(node))
        return tensor && like(tensor, type, affineOf(node.inputs[i] as TensorId));
      if (tensor === undefined || !isFloatConstant(tensor)) return tensor;
      return i === 1 ? weights(node, tensor) : like(tensor, type === "int8" ? "int32" : "int64", ANY);
    }),
    outputs: outputs.map((tensor, i) => like(tensor, type, fixed ?? affineOf(node.outputs[i] as TensorId))),
  };
  try {
    const operator = operators[node.kind] as unknown as Operator<OpKind>;
    const types = operator.infer(view);
    return outputs.every(({ dtype }, i) => types[i]?.dtype === (dtype === "float32" ? type : dtype));
  } catch (error) {
    if (error instanceof Pint8Error) return false;
    throw error;
  }
}

/** A tensor of floats as one of integers; others as they are. */
function like(tensor: Tensor, dtype: Activations | "int32" | "int64", affine: Affine): Tensor {
  if (tensor.dtype !== "float32") return tensor;
  const bytes = { int8: 1, int16: 2, int32: 4, int64: 8 }[dtype];
  const data = tensor.data && { data: new Uint8Array(bytes * elementCount(tensor.shape)) };
  return { ...tensor, dtype, quantization: asQuantization(affine), ...data };
}

function weights(node: AnyNode, tensor: Tensor): Tensor {
  const axis = isProduct(node) ? CHANNEL_AXIS[node.kind] : 0;
  const scale = Array.from({ length: sizeOf(tensor, axis) }, () => ANY.scale);
  const quantization = { scale, zeroPoint: scale.map(() => 0), axis };
  return { ...tensor, dtype: "int8", quantization, data: new Uint8Array(elementCount(tensor.shape)) };
}
