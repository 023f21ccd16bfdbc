/** What the file says of tensors inside of an operator: their scales and zero points, of which integer LSTMs are computed. */
import type { AnyNode } from "../../graph.ts";
import { scaleOf, type Tensor, zeroOf } from "../../tensor.ts";
import { type FlatTable, readTables } from "./flatbuffer.ts";
import { readIds } from "./nodes.ts";
import { OPERATOR, SUBGRAPH } from "./schema.ts";

/** The nodes, in the order of the file, with the types of their intermediate tensors. */
export function withIntermediates(
  nodes: readonly AnyNode[],
  subgraph: FlatTable,
  tensors: readonly Tensor[],
): readonly AnyNode[] {
  if (!nodes.some(({ kind }) => kind === "lstm")) return nodes;
  const tables = readTables(subgraph, SUBGRAPH.operators, (index) => `node ${index}`);
  return nodes.map((node, i) => {
    if (node.kind !== "lstm") return node;
    const where = `${node.where}, intermediates`;
    const ids = readIds(tables[i] as FlatTable, OPERATOR.intermediates, 0, tensors.length, where);
    if (ids.length === 0) return node;
    const intermediates = ids.map((id) => ({ scale: scaleOf(tensors[id]), zeroPoint: zeroOf(tensors[id]) }));
    return { ...node, attributes: { ...node.attributes, intermediates } };
  });
}
