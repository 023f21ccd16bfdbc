/** The `batch` option: run a network of batch size 1 on several samples at once. */
import { ensure, kindOf } from "../errors.ts";
import type { AnyNode, Graph, TensorId } from "../graph.ts";
import { checkShape, type Tensor, typeText } from "../tensor.ts";
import { shorten } from "./text.ts";

/**
 * Gives every input whose leading size is 1 (open sizes were imported as 1) the leading size `batch`, and multiplies the
 * leading size of each constant reshape target that depends on such an input: the batch is the outermost dimension, so
 * row-major order keeps samples apart. All other shapes stay as they are; inferring them again is up to the passes.
 */
export function setBatch(graph: Graph, batch: number | undefined): Graph {
  if (batch === undefined) return graph;
  ensure(Number.isInteger(batch) && batch >= 1 && batch < 2 ** 31, "INVALID_OPTION", () => ({
    where: "option batch",
    expected: "a whole number from 1",
    received: kindOf(batch),
  }));
  const changed = graph.inputs.filter(({ tensor }) => graph.tensors[tensor]?.shape[0] === 1);
  ensure(
    changed.length > 0 || graph.inputs.some(({ tensor }) => graph.tensors[tensor]?.shape[0] === batch),
    "INVALID_OPTION",
    () => ({
      where: "option batch",
      expected: "a model with inputs of batch size 1 or open",
      received: graph.inputs.map(({ tensor }) => typeText(graph.tensors[tensor])).join(", ") || "no inputs",
      hint: "Leave the option out: this model's batch size is fixed.",
    }),
  );
  if (batch === 1) return graph;

  const tensors = [...graph.tensors];
  for (const { tensor: id, name } of changed) {
    const tensor = tensors[id] as Tensor;
    const shape = [batch, ...tensor.shape.slice(1)];
    checkShape(shape, tensor.dtype, `input "${shorten(name)}"`);
    tensors[id] = { ...tensor, shape };
  }
  const batched = new Set<TensorId>(changed.map(({ tensor }) => tensor));
  const targets = new Map<TensorId, TensorId>();
  const nodes = graph.nodes.map((node) => {
    if (!node.inputs.some((id) => batched.has(id))) return node;
    for (const id of node.outputs) batched.add(id);
    const at = SIZES_AT[node.kind];
    return at === undefined ? node : withSizes(node, at, batch, tensors, targets);
  });
  return { ...graph, tensors, nodes, batch: { size: batch, inputs: changed.map(({ tensor }) => tensor) } };
}

/** Bytes of the longest target that is a shape: more sizes than these no operator takes. */
const LONGEST = 64;

/** Where operators have sizes of their results, or ends of ranges, of which the leading one names the samples. */
const SIZES_AT: { readonly [kind: string]: number } = {
  reshape: 1,
  broadcastTo: 1,
  slice: 2,
  stridedSlice: 2,
  transposeConv: 0,
  conv3dTranspose: 0,
};

/** A node with the leading one of its sizes multiplied; a new constant, one for all that share the old one. */
function withSizes(
  raw: AnyNode,
  at: number,
  batch: number,
  tensors: Tensor[],
  targets: Map<TensorId, TensorId>,
): AnyNode {
  const shape = raw.kind === "reshape" ? raw.attributes.shape : undefined;
  const node = shape === undefined ? raw : ({ ...raw, attributes: { shape: multiplied(shape, batch) } } as AnyNode);
  const target = node.inputs[at];
  const constant = target === undefined ? undefined : tensors[target];
  if (
    constant?.data === undefined ||
    constant.dtype !== "int32" ||
    constant.data.length === 0 ||
    constant.data.length > LONGEST
  )
    return node;
  const replaced = (by: TensorId) => ({ ...node, inputs: node.inputs.map((id, i) => (i === at ? by : id)) }) as AnyNode;
  const known = targets.get(target as TensorId);
  if (known !== undefined) return replaced(known);
  const data = constant.data.slice();
  const view = new DataView(data.buffer, data.byteOffset, 4);
  const leading = times(view.getInt32(0, true), batch);
  ensure(leading < 2 ** 31, "OUT_OF_MEMORY", () => ({
    where: node.where,
    expected: "sizes below 2^31",
    received: `${leading}`,
    hint: "Use a smaller batch.",
  }));
  view.setInt32(0, leading, true);
  const id = (tensors.push({ ...constant, data }) - 1) as TensorId;
  targets.set(target as TensorId, id);
  return replaced(id);
}

/** The leading size of so many; −1 is computed when the graph is inferred and stays. */
const times = (leading: number, batch: number): number => (leading > 0 ? leading * batch : leading);

function multiplied([leading, ...rest]: readonly number[], batch: number): readonly number[] {
  return leading === undefined ? [] : [times(leading, batch), ...rest];
}
