/** The greatest and least of tensors, what looks for extremes along an axis, or sums up to each place. */
import type { TensorId } from "../../../graph.ts";
import type { Conversion, Conversions, OnnxNode } from "../convert.ts";
import { chain } from "../elementwise.ts";
import type { Value } from "../layout.ts";
import { isDequantized } from "../quantized.ts";
import { FLOAT, INT64, NONE } from "../types.ts";
import { arithmetic } from "./arithmetic.ts";
import { axisIn, axisOf, longs, reshapedTo, typeOf } from "./move.ts";

/** Max and Min. Of a NaN and another the kernels take the second: constants stand first, and others are looked at. */
function extremum(kind: "maximum" | "minimum"): Conversion {
  const whole = arithmetic(kind, {});
  return (n) => {
    const values = n.inputs.map((_, i) => n.input(i));
    if (n.input(0).dtype !== "float32" || values.some((value) => isDequantized(n, value))) return whole(n);
    const isKnown = (value: Value) => n.b.isConstant(n.plain(value));
    const ordered = [...values.filter(isKnown), ...values.filter((value) => !isKnown(value))];
    chain(n, ordered, (ids, add) =>
      ids.reduce((a, b) => {
        const y = add(kind, [a, b], {});
        return n.b.isConstant(a) ? y : add("selectV2", [add("notEqual", [a, a], {}, "bool"), a, y], {});
      }),
    );
  };
}

/** x with its elements along an axis in the other direction. */
export function reversed(n: OnnxNode, id: TensorId, axis: number): TensorId {
  return n.add("reverse", [id, n.b.integers([axis])], {}, [typeOf(n, id)])[0] as TensorId;
}

/** ArgMax and ArgMin: int64 places, of equals the first or the last. */
function extreme(kind: "argMax" | "argMin"): Conversion {
  return (n) => {
    const x = n.input(0);
    const axis = axisIn(n, 0, x.shape.length);
    const isLast = n.int("select_last_index", 0) !== 0;
    const from = isLast ? reversed(n, n.plain(x), axis) : n.plain(x);
    let [y] = n.add(kind, [from, n.b.integers([axis])], {}, INT64);
    if (isLast) {
      const end = longs(n, [(x.shape[axis] as number) - 1], []);
      [y] = n.add("sub", [end, y], NONE, INT64);
    }
    const shape = x.shape.map((size, i) => (i === axis ? 1 : size));
    n.setPlain(0, n.int("keepdims", 1) === 1 ? reshapedTo(n, y as TensorId, shape) : (y as TensorId));
  };
}

/** 1 at the first greatest along an axis, 0 elsewhere. */
function hardmax(n: OnnxNode): void {
  const x = n.input(0);
  const rank = x.shape.length;
  const isOld = n.opset < 13;
  const axis = axisIn(n, isOld ? 1 : -1, rank);
  const count = (sizes: readonly number[]) => sizes.reduce((all, size) => all * size, 1);
  const shape = isOld ? [count(x.shape.slice(0, axis)), count(x.shape.slice(axis))] : x.shape;
  const own = isOld ? 1 : axis;
  const id = isOld ? reshapedTo(n, n.plain(x), shape) : n.plain(x);
  const [places] = n.add("argMax", [id, n.b.integers([own])], {}, INT64);
  const inputs = [places, n.b.integers([shape[own] as number], []), n.b.float(1), n.b.float(0)];
  const [y] = n.add("oneHot", inputs, { axis: own }, FLOAT);
  n.setPlain(0, reshapedTo(n, y as TensorId, x.shape));
}

function cumulative(n: OnnxNode): void {
  const x = n.input(0);
  const axis = axisOf(n, n.number(1, 0), x.shape.length);
  const attributes = { exclusive: n.int("exclusive", 0) !== 0, reverse: n.int("reverse", 0) !== 0 };
  const [y] = n.add("cumsum", [n.plain(x), n.b.integers([axis], [])], attributes, [{ dtype: x.dtype }]);
  n.setPlain(0, y as TensorId);
}

export const EXTREMES: Conversions = {
  Max: extremum("maximum"),
  Min: extremum("minimum"),
  Hardmax: hardmax,
  ArgMax: extreme("argMax"),
  ArgMin: extreme("argMin"),
  CumSum: cumulative,
};
