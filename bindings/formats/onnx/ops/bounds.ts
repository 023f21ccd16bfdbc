/** The greatest that computed numbers can be, from the nodes that make them. */
import type { AnyNode, TensorId } from "../../../graph.ts";
import { elementCount } from "../../../tensor.ts";
import type { Builder } from "../builder.ts";
import { numbersOf, type OnnxNode } from "../convert.ts";

/** Nodes that are looked at for a bound. */
const MOST_STEPS = 32;

/** The node that makes a tensor. */
export const writerOf = ({ nodes }: Builder, id: TensorId | undefined): AnyNode | undefined =>
  nodes.find(({ outputs }) => outputs.includes(id as TensorId));

/** True of truths as numbers. */
function areTruths(b: Builder, id: TensorId): boolean {
  const writer = writerOf(b, id);
  const [from] = writer?.inputs ?? [];
  if (from === undefined || (writer?.kind !== "cast" && writer?.kind !== "reshape")) return false;
  return b.tensor(from).dtype === "bool" || areTruths(b, from);
}

/** The most that a computed number can be, where that is seen from what it is the least of, or the truths that it counts. */
export function mostOf({ b }: OnnxNode, id: TensorId): number | undefined {
  let left = MOST_STEPS;
  const most = (of: TensorId): number | undefined => {
    const tensor = b.tensor(of);
    if (tensor.data !== undefined) return elementCount(tensor.shape) === 1 ? numbersOf(tensor)[0] : undefined;
    const writer = left-- > 0 ? writerOf(b, of) : undefined;
    const [from, other] = writer?.inputs ?? [];
    if (writer === undefined || from === undefined) return undefined;
    if (["reshape", "cast", "squeeze", "expandDims"].includes(writer.kind)) return most(from);
    if (writer.kind === "sum") return areTruths(b, from) ? elementCount(b.tensor(from).shape) : undefined;
    if (writer.kind !== "minimum" && writer.kind !== "reduceMin") return undefined;
    const joined = writer.kind === "reduceMin" ? writerOf(b, from) : undefined;
    const list = joined === undefined ? [from, other as TensorId] : joined.kind === "concat" ? joined.inputs : [];
    const known = list.map(most).filter((each) => each !== undefined);
    return known.length === 0 ? undefined : Math.min(...known);
  };
  return most(id);
}
