import { ensure } from "../../../errors.ts";
import type { Node, TensorId } from "../../../graph.ts";
import { inputOf } from "../../../ops/constraints.ts";
import type { NodeView } from "../../../ops/types.ts";
import { elementCount, typedCopy } from "../../../tensor.ts";
import { NO_SUMS } from "./pair.ts";
import type { Gradient } from "./types.ts";

/** Copies of rows that one transposition may take. */
const MOST_CALLS = 16_384;

/** Dimensions in another order; the gradient goes back in the first one. */
export const transpose: Gradient<"transpose"> = {
  forward(node, view, tape) {
    const [x, y] = [tape.value(node.inputs[0] as TensorId), tape.value(node.outputs[0] as TensorId)];
    for (const { from, to, ...rows } of copiesOf(node, view))
      tape.call(
        { kernel: "copyRowsF32", params: { ...paramsOf(rows), x: x + from, y: y + to, accumulate: 0 } },
        { elements: (rows.rows * rows.bytes) / 4 },
      );
  },
  backward(node, view, tape) {
    const target = tape.give(node.inputs[0] as TensorId);
    if (target === undefined) return;
    const dy = tape.gradient(node.outputs[0] as TensorId);
    const { address, accumulate } = target;
    for (const { from, to, ...rows } of copiesOf(node, view)) {
      const { rows: count, bytes, xStride, yStride } = rows;
      const params = {
        ...NO_SUMS,
        rows: count,
        bytes,
        xStride: yStride,
        yStride: xStride,
        x: dy + to,
        y: address + from,
        accumulate,
      };
      tape.call({ kernel: "copyRowsF32", params }, { elements: (count * bytes) / 4 });
    }
  },
};

/** Rows of `bytes` each, from `from` on in x and `to` on in y. */
interface Copy {
  readonly rows: number;
  readonly bytes: number;
  readonly xStride: number;
  readonly yStride: number;
  readonly from: number;
  readonly to: number;
}

const paramsOf = ({ rows, bytes, xStride, yStride }: Omit<Copy, "from" | "to">) => ({
  ...NO_SUMS,
  rows,
  bytes,
  xStride,
  yStride,
});

/** Dimensions that stay side by side, as one: elements, and the bytes from one to the next in x and in y. */
interface Group {
  size: number;
  xStride: number;
  yStride: number;
}

function groupsOf(shape: readonly number[], order: readonly number[]): readonly Group[] {
  const stridesOf = (all: readonly number[]) => all.map((_, axis) => 4 * elementCount(all.slice(axis + 1)));
  const sizes = order.map((axis) => shape[axis] ?? 1);
  const [xStrides, yStrides] = [stridesOf(shape), stridesOf(sizes)];
  const groups: Group[] = [];
  for (const [d, axis] of order.entries()) {
    const own = { size: sizes[d] ?? 1, xStride: xStrides[axis] ?? 4, yStride: yStrides[d] ?? 4 };
    const before = d > 0 && order[d - 1] === axis - 1 ? groups.pop() : undefined;
    groups.push(before === undefined ? own : { ...own, size: before.size * own.size });
  }
  return groups;
}

/** What stands together at the end of both is a row; the largest other group is gone through by the kernel, the rest here. */
function copiesOf(node: Node, view: NodeView<"transpose">): readonly Copy[] {
  const axes = inputOf(view, 1);
  const order = axes.data === undefined ? [] : Array.from(typedCopy(axes.dtype, axes.data), Number);
  const groups = groupsOf(inputOf(view, 0).shape, order);
  const last = groups.at(-1);
  const isRow = last !== undefined && last.xStride === 4 && last.yStride === 4;
  const bytes = isRow ? 4 * last.size : 4;
  const outer = isRow ? groups.slice(0, -1) : groups;
  const inner = outer.reduce<Group | undefined>(
    (best, group) => (group.size > (best?.size ?? 0) ? group : best),
    undefined,
  );
  const rest = outer.filter((group) => group !== inner);
  const calls = rest.reduce((product, { size }) => product * size, 1);
  ensure(calls <= MOST_CALLS, "UNSUPPORTED", () => ({
    where: node.where,
    expected: `a transposition of at most ${MOST_CALLS} rows to train`,
    received: `${calls}`,
    hint: "Take a smaller batch, or a model of pictures with their channels last.",
  }));
  const starts = rest.reduce<readonly (readonly [number, number])[]>(
    (found, { size, xStride, yStride }) =>
      found.flatMap(([from, to]) =>
        Array.from({ length: size }, (_, i) => [from + i * xStride, to + i * yStride] as const),
      ),
    [[0, 0]],
  );
  const { size: rows, xStride, yStride } = inner ?? { size: 1, xStride: bytes, yStride: bytes };
  return starts.map(([from, to]) => ({ rows, bytes, from, to, xStride, yStride }));
}
