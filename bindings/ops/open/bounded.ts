/**
 * Bounds that data can exceed: numbers that say how much there is of an open tensor are marked with the most that there is room
 * for. When lowered, each is kept beside the steps where it is the greatest so far, so that a run that asked for more is known.
 */
import { ensure } from "../../errors.ts";
import { type AnyNode, bodiesOf, type Graph, type OpKind, type TensorId } from "../../graph.ts";
import { AT_MOST, elementCount, type Tensor } from "../../tensor.ts";
import { callPairsInt } from "../elementwise/pairs.ts";
import type { Lowering, Rows } from "../types.ts";
import { bytesOfNumbers } from "../values.ts";
import { countsOf } from "./counts.ts";

/** Operators whose own length may be more than their bound: all others are as long at most as what they are given. */
const EXCEEDING: ReadonlySet<OpKind> = new Set<OpKind>(["fill", "pad", "range", "resizeNearestNeighbor", "segmentSum"]);

/** Nodes of a turn or branch that a run may not take, with the condition of it, a bool scalar: what they ask for counts where it holds. */
export const GUARDS = new WeakMap<AnyNode, TensorId>();

/** Lists of tensors of graphs with such nodes. */
export const GUARDED = new WeakSet<readonly Tensor[]>();

/** The nodes, which count where a condition holds, if there is one. */
export function under<T extends readonly AnyNode[] | undefined>(guard: TensorId | undefined, nodes: T): T {
  if (guard !== undefined) for (const node of nodes ?? []) GUARDS.set(node, guard);
  return nodes;
}

/** More than this in the tensor, an int32 scalar, is more than there is room for. */
export function limit(id: TensorId, most: number, tensors: Tensor[]): TensorId {
  tensors[id] = { ...(tensors[id] as Tensor), most };
  return id;
}

/** That a condition holds, or does not, and what is around it is taken. */
export function guardOf(
  tensors: readonly Tensor[],
  counts: ReturnType<typeof countsOf>,
  condition: TensorId,
  around: TensorId | undefined,
  not?: "logicalNot",
): TensorId {
  GUARDED.add(tensors);
  const plain = counts.append("reshape", [condition, counts.ints([0], [])], { shape: [] }, "bool");
  const own = not === undefined ? plain : counts.append(not, [plain], {}, "bool");
  return around === undefined ? own : counts.append("logicalAnd", [around, own], {}, "bool");
}

/** A node that gives a marked number, and what makes it 0 where its turn is not taken; undefined where nothing does. */
export function guardedNumber(node: AnyNode, guard: TensorId, tensors: Tensor[]): readonly AnyNode[] | undefined {
  const [output] = node.outputs as readonly [TensorId];
  const { most } = tensors[output] ?? {};
  if (most === undefined || node.kind === "selectV2") return undefined;
  const counts = countsOf(node.where, tensors);
  const inner = (tensors.push({ name: "", dtype: "int32", shape: [] }) - 1) as TensorId;
  counts.append("selectV2", [guard, inner, counts.int(0)], {}, "int32", output);
  return [{ ...node, outputs: [inner] }, ...counts.taken()];
}

/**
 * What is passed on, and marks of the node's own length.
 *
 * Errors: UNSUPPORTED where a turn that may not be taken has such numbers in graphs of its own.
 */
export function withLimits(node: AnyNode, tensors: Tensor[], rows: Rows | undefined): Rows | undefined {
  const guard = GUARDS.get(node);
  if (guard !== undefined)
    ensure(!bodiesOf(node).some(isLimited), "UNSUPPORTED", () => ({
      where: node.where,
      expected: "sizes without bounds in loops and branches of a loop that grows",
      received: "others",
    }));
  if (!EXCEEDING.has(node.kind)) return rows;
  return {
    before: rows?.before ?? [],
    mark() {
      const after = rows?.mark() ?? [];
      const [output] = node.outputs as readonly [TensorId];
      const { open, length, shape } = tensors[output] as Tensor;
      if (open === undefined || length === undefined) return after;
      const counts = countsOf(node.where, tensors);
      const own = length as TensorId;
      const seen = guard === undefined ? own : counts.append("selectV2", [guard, own, counts.int(0)]);
      limit(seen, elementCount(shape), tensors);
      tensors[output] = { ...(tensors[output] as Tensor), length: seen };
      return [...after, ...counts.taken()];
    },
  };
}

const isLimited = ({ tensors, nodes }: Graph): boolean =>
  tensors.some(({ most }) => most !== undefined) || nodes.some((node) => bodiesOf(node).some(isLimited));

/** After the steps of a node: the greatest of each marked number that it gives. Its place holds the bound when a run begins. */
export function watched(to: Lowering, placeOwn: (bytes: Uint8Array) => number): void {
  for (const { address, most } of to.outputs) {
    if (most === undefined) continue;
    const greatest = { shape: [], address: placeOwn(bytesOfNumbers("int32", [most])) };
    const call: Lowering["call"] = (each) => to.call({ ...each, note: `${AT_MOST}${most}` });
    callPairsInt({ ...to, call }, "maximum", "int32", { a: { shape: [], address }, b: greatest, y: greatest });
  }
}
