/** The operators' version that a file is written with. */
import { type AnyNode, bodiesOf, type Graph } from "../../../graph.ts";
import type { Tensor } from "../../../tensor.ts";

/** Operators as they stand since 2022, and since 2024, which know int4, int16 and scales of blocks. */
const PLAIN = 17;
export const WIDE = 21;

const isWide = ({ dtype, quantization }: Tensor) =>
  dtype === "int4" || (quantization !== undefined && (/^u?int16$/.test(dtype) || quantization.block !== undefined));

/** Operators, and modes of them, that there are not in those of 2022. */
const isNew = (node: AnyNode) =>
  ["bitwise", "bitwiseXor", "unsortedSegmentMin", "unsortedSegmentMax"].includes(node.kind) ||
  (node.kind === "scatterUpdate" && ["min", "max"].includes(node.attributes.mode));

const needsWide = ({ tensors, nodes }: Graph): boolean =>
  tensors.some(isWide) || nodes.some((node) => isNew(node) || bodiesOf(node).some(needsWide));

/** The version that has all operators and types of a graph, and of those that its nodes run. */
export const opsetOf = (graph: Graph): number => (needsWide(graph) ? WIDE : PLAIN);
