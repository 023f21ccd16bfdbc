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

/** The trailing dimensions that stay in their places are a row; the largest other one is gone through by the kernel, the rest here. */
function copiesOf(node: Node, view: NodeView<"transpose">): readonly Copy[] {
  const { shape } = inputOf(view, 0);
  const axes = inputOf(view, 1);
  const order = axes.data === undefined ? [] : Array.from(typedCopy(axes.dtype, axes.data), Number);
  const sizes = order.map((axis) => shape[axis] ?? 1);
  const stridesOf = (all: readonly number[]) => all.map((_, axis) => 4 * elementCount(all.slice(axis + 1)));
  const [own, xStrides] = [stridesOf(sizes), stridesOf(shape)];
  const strides = order.map((axis) => xStrides[axis] ?? 4);
  let rank = order.length;
  while (rank > 0 && order[rank - 1] === rank - 1) rank--;
  const bytes = 4 * elementCount(shape.slice(rank));
  const outer = Array.from({ length: rank }, (_, d) => d);
  const inner = outer.reduce((best, d) => ((sizes[d] ?? 1) > (sizes[best] ?? 1) ? d : best), 0);
  const rest = outer.filter((d) => d !== inner);
  const calls = rest.reduce((product, d) => product * (sizes[d] ?? 1), 1);
  ensure(calls <= MOST_CALLS, "UNSUPPORTED", () => ({
    where: node.where,
    expected: `a transposition of at most ${MOST_CALLS} rows to train`,
    received: `${calls}`,
    hint: "Take a smaller batch, or a model of pictures with their channels last.",
  }));
  const starts = rest.reduce<readonly (readonly [number, number])[]>(
    (found, d) =>
      found.flatMap(([from, to]) =>
        Array.from(
          { length: sizes[d] ?? 1 },
          (_, i) => [from + i * (strides[d] ?? 0), to + i * (own[d] ?? 0)] as const,
        ),
      ),
    [[0, 0]],
  );
  const row = { rows: rank === 0 ? 1 : (sizes[inner] ?? 1), bytes };
  return starts.map(([from, to]) => ({
    ...row,
    from,
    to,
    xStride: rank === 0 ? bytes : (strides[inner] ?? bytes),
    yStride: rank === 0 ? bytes : (own[inner] ?? bytes),
  }));
}
