/** Networks that take channels before the places, as PyTorch's do. */
import type { AnyNode, Graph, TensorId } from "../../graph.ts";
import { runPasses } from "../../passes/index.ts";
import type { Tensor } from "../../tensor.ts";
import { bytesOf, numbersOf } from "../constants.ts";

type Shape = readonly number[];

/** `[1,3,32,32]` as `[1,32,32,3]`. */
export const channelsLast = ([n = 1, channels = 1, ...places]: Shape): Shape => [n, ...places, channels];

/** Operators with weights: what they take has channels last. */
const LAYERS: readonly string[] = ["conv2d", "depthwiseConv2d", "fullyConnected", "batchMatMul"];

/** Whether the first input has its channels before its places: before any layer reads it, or what is made of it number by number, they are moved behind. */
export function isPlanar(graph: Graph): boolean {
  const { tensors, nodes, inputs } = runPasses(graph, { only: "none" });
  const [{ tensor: input } = { tensor: -1 }] = inputs;
  const shapeOf = (id: number) => tensors[id]?.shape ?? [];
  const own = shapeOf(input);
  if (own.length < 3) return false;
  const known = new Set<number>([input]);
  for (const { kind, inputs: from, outputs } of nodes) {
    const x = from.find((id) => known.has(id));
    const y = outputs[0] as TensorId;
    if (x === undefined || LAYERS.includes(kind)) continue;
    const last = channelsLast(shapeOf(x));
    if (kind === "transpose") {
      const order = numbersOf(tensors[from[1] as TensorId]).join();
      if (order === channelsLast(own.map((_, i) => i)).join()) return true;
    } else if (kind === "reshape") {
      // Where there is one channel nothing needs to be moved.
      if (own[1] === 1 && own.at(-1) !== 1 && without1(shapeOf(y)) === without1(last) && shapeOf(y).at(-1) === 1)
        return true;
    } else if (kind === "pad" || shapeOf(y).join() === shapeOf(x).join()) known.add(y);
  }
  return false;
}

const without1 = (shape: Shape) => shape.filter((size) => size !== 1).join();

/** The graph, which takes channels last, as one that takes them first. */
export function fromPlanes(graph: Graph, shape: Shape): Graph {
  const tensors: Tensor[] = [...graph.tensors];
  const append = (tensor: Tensor) => (tensors.push(tensor) - 1) as TensorId;
  const order = channelsLast(shape.map((_, i) => i));
  const axes = append({ name: "order", dtype: "int32", shape: [order.length], data: bytesOf(Int32Array.from(order)) });
  const x = append({ name: "planes", dtype: "float32", shape });
  const [{ name, tensor }] = graph.inputs as readonly [Graph["inputs"][number]];
  const first = { kind: "transpose", where: "input", inputs: [x, axes], outputs: [tensor], attributes: {} } as AnyNode;
  return { ...graph, tensors, nodes: [first, ...graph.nodes], inputs: [{ name, tensor: x }] };
}
