/** ONNX says a clamp by MAXIMUM and MINIMUM with constants; convolutions take only the clamps that have names. */
import type { AnyNode, Graph, TensorId } from "../../graph.ts";
import { tensorOf } from "../../graph.ts";
import { countReaders } from "../../passes/view.ts";
import { elementCount, GREATEST_FLOAT } from "../../tensor.ts";
import { floatsOf, isFloatConstant } from "../constants.ts";

interface Clip {
  readonly x: TensorId;
  readonly low: number;
  readonly high: number;
}

/** Pairs of MAXIMUM and MINIMUM with 0 and 6 become RELU6, with −1 and 1 RELU_N1_TO_1; a MAXIMUM with 0 alone RELU. What clips nothing goes. */
export function nameClips(graph: Graph): Graph {
  const readers = countReaders(graph);
  const clips = new Map<TensorId, Clip>();
  const same = new Map<TensorId, TensorId>();
  const ends = new Set(graph.outputs.map(({ tensor }) => tensor));
  const nodes = graph.nodes.flatMap((given): AnyNode | [] => {
    const node = { ...given, inputs: given.inputs.map((id) => same.get(id) ?? id) } as AnyNode;
    const own = clipOf(graph, node);
    if (own === undefined) return node;
    if (own.low === -Infinity && own.high === Infinity && !ends.has(node.outputs[0] as TensorId)) {
      same.set(node.outputs[0] as TensorId, own.x);
      return [];
    }
    const before = readers[own.x] === 1 ? clips.get(own.x) : undefined;
    const clip =
      before === undefined
        ? own
        : { x: before.x, low: Math.max(before.low, own.low), high: Math.min(before.high, own.high) };
    const y = node.outputs[0] as TensorId;
    clips.set(y, clip);
    const kind = nameOf(clip);
    if (kind === undefined) return node;
    return { kind, where: node.where, inputs: [clip.x], outputs: [y], attributes: {} } as AnyNode;
  });
  return { ...graph, nodes };
}

function nameOf({ low, high }: Clip): "relu" | "relu6" | "reluN1To1" | undefined {
  if (low === 0 && high === Infinity) return "relu";
  if (low === 0 && high === 6) return "relu6";
  return low === -1 && high === 1 ? "reluN1To1" : undefined;
}

/** A clamp by one constant number that leaves the shape as it is. */
function clipOf(graph: Graph, node: AnyNode): Clip | undefined {
  if (node.kind === "relu") return { x: node.inputs[0] as TensorId, low: 0, high: Infinity };
  if (node.kind !== "maximum" && node.kind !== "minimum") return undefined;
  const [a, b] = node.inputs as readonly [TensorId, TensorId];
  const [x, bound] = isFloatConstant(tensorOf(graph, a)) ? [b, a] : [a, b];
  const constant = tensorOf(graph, bound);
  const shape = (id: TensorId) => tensorOf(graph, id).shape.join();
  if (!isFloatConstant(constant) || elementCount(constant.shape) !== 1) return undefined;
  if (shape(x) !== shape(node.outputs[0] as TensorId)) return undefined;
  const given = floatsOf(constant)[0] as number;
  const value = Math.abs(given) >= GREATEST_FLOAT ? Math.sign(given) * Infinity : given;
  return node.kind === "maximum" ? { x, low: value, high: Infinity } : { x, low: -Infinity, high: value };
}
