/** Graphs as importers give them → float graphs with as few nodes as say the same: what quantizing and pruning begin with. */
import { ensure } from "../../errors.ts";
import { type AnyNode, type Graph, NONE, type Padding, type TensorId, tensorOf } from "../../graph.ts";
import { dropDead } from "../../passes/fold.ts";
import { runPasses } from "../../passes/index.ts";
import { countReaders } from "../../passes/view.ts";
import { dequantizeConstant } from "../../primitives/table/constants.ts";
import { placeWindow } from "../../primitives/window.ts";
import type { Tensor } from "../../tensor.ts";
import { isProduct } from "../layers.ts";
import { foldAffine } from "./affine.ts";
import { foldBlocks } from "./blocks.ts";
import { nameClips } from "./clips.ts";
import { nameCurves } from "./curves.ts";
import { foldFlatten } from "./flatten.ts";
import { dropGuards } from "./guards.ts";
import { nameLengths } from "./lengths.ts";

/**
 * The graph with its types, constants folded, weights of half precision or of integers as float32, pads and activations in
 * the products they belong to, and factors of each channel in the weights. It computes the same within float32's rounding.
 *
 * Errors: those of `runPasses`; INVALID_GRAPH for a network whose activations are quantized already.
 */
export function prepareFloat(graph: Graph): Graph {
  const typed = runPasses(graph);
  refuseQuantized(typed);
  const folded = foldAffine(runPasses(nameClips(nameCurves(floatWeights(nameLengths(foldBlocks(dropGuards(typed))))))));
  return compact(dropDead(joinReshapes(foldFlatten(namePadding(runPasses(folded))))));
}

/** Refuses a network whose activations are quantized. Errors: INVALID_GRAPH. */
export function refuseQuantized({ tensors, nodes }: Graph, where = "model"): void {
  const made = nodes.flatMap(({ outputs }) => outputs).map((id) => tensors[id] as Tensor);
  const found = made.find(({ dtype, quantization }) => quantization?.scale.length && /^u?int(8|16)$/.test(dtype));
  ensure(found === undefined, "INVALID_GRAPH", () => ({
    where,
    expected: "a network of floats",
    received: `"${found?.name}" of ${found?.dtype} with a scale`,
    hint: "The model is quantized already; begin with the one that it was made from.",
  }));
}

/** Weights of layers as float32, whatever they are stored as. */
function floatWeights(graph: Graph): Graph {
  const tensors: Tensor[] = [...graph.tensors];
  for (const node of graph.nodes) {
    if (!isProduct(node)) continue;
    const id = node.inputs[1] as TensorId;
    const w = tensors[id] as Tensor;
    if (w.data === undefined || w.dtype === "float32") continue;
    const { quantization: _, storedBits: _bits, ...rest } = w;
    tensors[id] = { ...rest, dtype: "float32", data: dequantizeConstant(w) };
  }
  return { ...graph, tensors };
}

/** Explicit paddings that are what SAME or VALID would be get that name. */
function namePadding(graph: Graph): Graph {
  const nodes = graph.nodes.map((node): AnyNode => {
    if (node.kind !== "conv2d" && node.kind !== "depthwiseConv2d") return node;
    const { padding, stride, dilation } = node.attributes;
    if (typeof padding === "string") return node;
    const x = tensorOf(graph, node.inputs[0] as TensorId).shape;
    const w = tensorOf(graph, node.inputs[1] as TensorId).shape;
    const fits = (rule: Padding) =>
      ([1, 2] as const).every((d) => {
        const axis = d === 1 ? "height" : "width";
        const place = (each: Padding) =>
          placeWindow(x[d] as number, w[d] as number, stride[d - 1] as number, dilation[d - 1] as number, each, axis);
        return JSON.stringify(place(rule)) === JSON.stringify(place(padding));
      });
    const named = fits("valid") ? "valid" : fits("same") ? "same" : padding;
    return { ...node, attributes: { ...node.attributes, padding: named } } as AnyNode;
  });
  return { ...graph, nodes };
}

/** A RESHAPE of a RESHAPE reads what the first one reads. */
function joinReshapes(graph: Graph): Graph {
  const sources = new Map<TensorId, TensorId>();
  const readers = countReaders(graph);
  const nodes = graph.nodes.map((node): AnyNode => {
    if (node.kind !== "reshape") return node;
    const x = node.inputs[0] as TensorId;
    const source = readers[x] === 1 ? (sources.get(x) ?? x) : x;
    sources.set(node.outputs[0] as TensorId, source);
    return { ...node, inputs: [source, ...node.inputs.slice(1)] } as AnyNode;
  });
  return { ...graph, nodes };
}

/** The graph without tensors that nothing uses, ids in the order of their first use. Graphs inside of nodes are left alone. */
export function compact(graph: Graph): Graph {
  const ids = new Map<TensorId, TensorId>();
  const tensors: Tensor[] = [];
  const keep = (id: TensorId): TensorId => {
    if (id === NONE) return NONE;
    const known = ids.get(id);
    if (known !== undefined) return known;
    const next = (tensors.push(tensorOf(graph, id)) - 1) as TensorId;
    ids.set(id, next);
    return next;
  };
  const inputs = graph.inputs.map((port) => ({ ...port, tensor: keep(port.tensor) }));
  const nodes = graph.nodes.map(
    (node) => ({ ...node, inputs: node.inputs.map(keep), outputs: node.outputs.map(keep) }) as AnyNode,
  );
  const outputs = graph.outputs.map((port) => ({ ...port, tensor: keep(port.tensor) }));
  const lengths = tensors.map((tensor) =>
    tensor.length === undefined ? tensor : { ...tensor, length: keep(tensor.length as TensorId) },
  );
  const { batch } = graph;
  return {
    ...graph,
    tensors: [...lengths, ...tensors.slice(lengths.length)],
    nodes,
    inputs,
    outputs,
    ...(batch === undefined ? {} : { batch: { ...batch, inputs: batch.inputs.map(keep) } }),
  };
}
