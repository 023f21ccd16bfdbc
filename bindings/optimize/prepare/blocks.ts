/** Dilated convolutions, written as convolutions of pixels that blocks have put into batches, as convolutions with a dilation. */
import { type AnyNode, type Graph, type Node, type TensorId, tensorOf } from "../../graph.ts";
import { dropDead } from "../../passes/fold.ts";
import { runPasses } from "../../passes/index.ts";
import { countReaders } from "../../passes/view.ts";
import type { Tensor } from "../../tensor.ts";
import { bytesOf, numbersOf } from "../constants.ts";

type Layer = Node<"conv2d"> | Node<"depthwiseConv2d">;

/**
 * The graph with SPACE_TO_BATCH_ND, a convolution that pads nothing, BATCH_TO_SPACE_ND, as Keras' converter writes them, in one: samples no longer
 * meet in a batch. Of sequences with EXPAND_DIMS and RESHAPE around the convolution.
 *
 *     o = i·block + phase:  Σ w[k] · x[phase + (i + k)·block]  =  Σ w[k] · x[o + k·block]
 */
export function foldBlocks(given: Graph): Graph {
  if (!given.nodes.some(({ kind }) => kind === "spaceToBatch")) return given;
  const graph = runPasses(given, { only: "none" });
  const tensors = [...graph.tensors];
  const readers = countReaders(graph);
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((id) => [id, node] as const)));
  const shapeOf = (id: TensorId) => tensorOf(graph, id).shape;
  /** What made a tensor that nobody else reads. */
  const maker = (id: TensorId | undefined) => (id !== undefined && readers[id] === 1 ? makers.get(id) : undefined);
  /** Past an operator that adds or takes a dimension of 1. */
  const past = (node: AnyNode | undefined, rank: number) => {
    const isView = node !== undefined && ["reshape", "expandDims", "squeeze"].includes(node.kind);
    const [x, y] = isView ? [node.inputs[0] as TensorId, node.outputs[0] as TensorId] : [];
    if (x === undefined || y === undefined || shapeOf(x).length !== rank) return node;
    const [few, more] = [shapeOf(x), shapeOf(y)].sort((a, b) => a.length - b.length) as [number[], number[]];
    const fits = ([1, 2] as const).some(
      (axis) => more[axis] === 1 && more.filter((_, d) => d !== axis).join() === few.join(),
    );
    return fits ? maker(x) : node;
  };
  const reshaped = (x: TensorId, shape: readonly number[], where: string, y?: TensorId): Node<"reshape"> => {
    const add = (tensor: Tensor) => (tensors.push(tensor) - 1) as TensorId;
    const data = bytesOf(Int32Array.from(shape));
    const target = add({ name: `blocks_${tensors.length}`, dtype: "int32", shape: [shape.length], data });
    const output = y ?? add({ name: `blocks_${tensors.length}`, dtype: "float32", shape });
    return { kind: "reshape", where, inputs: [x, target], outputs: [output], attributes: {} };
  };
  const numbers = (node: AnyNode, input: number) => numbersOf(tensors[node.inputs[input] as TensorId]);
  const nodes = graph.nodes.flatMap((last): readonly AnyNode[] => {
    if (last.kind !== "batchToSpace") return [last];
    const y = last.outputs[0] as TensorId;
    const rank = shapeOf(y).length;
    const layer = past(maker(last.inputs[0]), 4);
    if (layer?.kind !== "conv2d" && layer?.kind !== "depthwiseConv2d") return [last];
    const first = past(maker(layer.inputs[0]), 3);
    if (first?.kind !== "spaceToBatch") return [last];
    const [blocks, pads, crops] = [numbers(first, 1), numbers(first, 2), numbers(last, 2)];
    const edges = pads.map((pad, i) => pad - (crops[i] ?? 0));
    const { stride, dilation, padding } = layer.attributes;
    const inner = shapeOf(layer.inputs[0] as TensorId);
    const isPlain = [...stride, ...dilation].every((size) => size === 1) && padding === "valid";
    const fits = edges.every((edge) => edge >= 0) && numbers(last, 1).join() === blocks.join();
    if (!isPlain || !fits || blocks.length !== rank - 2) return [last];
    const x = first.inputs[0] as TensorId;
    if (rank === 4) return [dilated(layer, x, y, blocks, edges)];
    // The axis of the sequence: height where the width was added, else width.
    const axis = inner[2] === 1 && inner[1] !== 1 ? 1 : 2;
    const wide = (shape: readonly number[]) => [...shape.slice(0, 3 - axis), 1, ...shape.slice(3 - axis)];
    const before = reshaped(x, wide(shapeOf(x)), layer.where);
    const made = (tensors.push({ name: `blocks_${tensors.length}`, dtype: "float32", shape: wide(shapeOf(y)) }) -
      1) as TensorId;
    const both = (own: readonly number[], other: readonly number[]) =>
      axis === 1 ? [...own, ...other] : [...other, ...own];
    const conv = dilated(layer, before.outputs[0] as TensorId, made, both(blocks, [1]), both(edges, [0, 0]));
    return [before, conv, reshaped(made, shapeOf(y), layer.where, y)];
  });
  return dropDead({ ...graph, tensors, nodes });
}

function dilated(layer: Layer, x: TensorId, y: TensorId, blocks: readonly number[], edges: readonly number[]): AnyNode {
  const [top = 0, bottom = 0, left = 0, right = 0] = edges;
  const [high = 1, wide = 1] = blocks;
  const dilation = [high, wide] as const;
  const attributes = { ...layer.attributes, dilation, padding: { top, bottom, left, right } };
  return { ...layer, inputs: [x, ...layer.inputs.slice(1)], outputs: [y], attributes } as AnyNode;
}
