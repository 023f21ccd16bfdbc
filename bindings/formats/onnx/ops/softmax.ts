/** Softmax and its logarithm. */
import type { TensorId } from "../../../graph.ts";
import type { Conversion, Conversions } from "../convert.ts";
import { operands, setIn } from "../elementwise.ts";
import { lastAxis, permuted } from "../layout.ts";
import { FLOAT } from "../types.ts";
import { axisIn, reshapedTo } from "./move.ts";

/** A function of the last dimension, along any axis; before opset 13 along all dimensions from it on. */
function alongAxis(kind: "softmax" | "logSoftmax"): Conversion {
  return (n) => {
    const x = n.input(0);
    const rank = x.shape.length;
    const isOld = n.opset < 13;
    const axis = axisIn(n, isOld ? 1 : -1, rank);
    const run = (id: TensorId): TensorId =>
      (kind === "softmax"
        ? n.add("softmax", [id], { beta: 1 }, FLOAT)
        : n.add("logSoftmax", [id], {}, FLOAT))[0] as TensorId;
    if (isOld) {
      const count = (sizes: readonly number[]) => sizes.reduce((all, size) => all * size, 1);
      const flat = reshapedTo(n, n.plain(x), [count(x.shape.slice(0, axis)), count(x.shape.slice(axis))]);
      return n.setPlain(0, reshapedTo(n, run(flat), x.shape));
    }
    const { ids, isLast } = operands(n, [x]);
    const id = ids[0] as TensorId;
    const own = isLast ? lastAxis(axis, rank) : axis;
    if (own === rank - 1) return setIn(n, isLast, run(id));
    // the axis goes last, and back
    const order = x.shape.map((_, i) => (i === own ? rank - 1 : i === rank - 1 ? own : i));
    const moved = permuted(n.b, n.where, id, n.b.tensor(id).shape, order);
    const y = run(moved);
    setIn(n, isLast, permuted(n.b, n.where, y, n.b.tensor(y).shape, order));
  };
}

export const SOFTMAX: Conversions = { Softmax: alongAxis("softmax"), LogSoftmax: alongAxis("logSoftmax") };
