/** Operators of opsets from 24 on. */
import type { TensorId } from "../../../graph.ts";
import { elementCount } from "../../../tensor.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import { chain, operands, setIn } from "../elementwise.ts";
import { permuted } from "../layout.ts";
import { BOOL, INT32, NONE } from "../types.ts";
import { reversed } from "./extremes.ts";
import { axisIn, axisOf, cast, entries, reshapedTo, typeOf } from "./move.ts";

function bitCast(n: OnnxNode): void {
  const { ids, isLast } = operands(n, [n.input(0)]);
  const [y] = n.add("bitcast", [ids[0]], {}, [{ dtype: n.typeOf(n.int("to", 0)) }]);
  setIn(n, isLast, y as TensorId);
}

/** Products of 2, 4, 8 … elements up to each. */
function cumulativeProduct(n: OnnxNode): void {
  const x = n.input(0);
  const axis = axisOf(n, n.number(1, 0), x.shape.length);
  const isBackward = n.int("reverse", 0) !== 0;
  const size = x.shape[axis] as number;
  const type = [{ dtype: x.dtype }] as const;
  const one = n.add("cast", [n.b.integers([1], [])], {}, type)[0] as TensorId;
  /** Later by so many places, ones before. */
  const shifted = (id: TensorId, by: number): TensorId => {
    const kept = x.shape.map((all, d) => (d === axis ? all - by : all));
    const begin = n.b.integers(x.shape.map(() => 0));
    const [first] = n.add("slice", [id, begin, n.b.integers(kept)], {}, type);
    const pairs = x.shape.flatMap((_, d) => (d === axis ? [by, 0] : [0, 0]));
    return n.add("pad", [first, n.b.integers(pairs, [x.shape.length, 2]), one], {}, type)[0] as TensorId;
  };
  let y = isBackward ? reversed(n, n.plain(x), axis) : n.plain(x);
  if (n.int("exclusive", 0) !== 0) y = shifted(y, Math.min(1, size));
  for (let by = 1; by < size; by *= 2) y = n.add("mul", [y, shifted(y, by)], NONE, type)[0] as TensorId;
  n.setPlain(0, isBackward ? reversed(n, y, axis) : y);
}

/** a·sigmoid(alpha·a)·b. */
function swiglu(n: OnnxNode): void {
  chain(n, [n.input(0), n.input(1)], (ids, add) => {
    const [a, b] = ids as [TensorId, TensorId];
    const gate = add("logistic", [add("mul", [a, n.b.float(n.float("alpha", 1))], NONE)], {});
    return add("mul", [add("mul", [a, gate], NONE), b], NONE);
  });
}

/** Updates written into a cache from a place of each sample on. */
function tensorScatter(n: OnnxNode): void {
  const [past, update] = [n.input(0), n.input(1)];
  const rank = past.shape.length;
  const axis = axisIn(n, -2, rank);
  const [batch, all, count] = [past.shape[0], past.shape[axis], update.shape[axis]] as [number, number, number];
  if (axis === 0 || count < 1) n.refuse("an axis behind the samples, and updates", `axis ${axis}, ${count} updates`);
  // samples, places, and all other dimensions as one
  const order = [0, axis, ...past.shape.map((_, d) => d).filter((d) => d > 0 && d !== axis)];
  const inner = elementCount(past.shape) / (batch * all);
  const turned = (id: TensorId, shape: readonly number[], size: number) =>
    reshapedTo(n, permuted(n.b, n.where, id, shape, order), [batch, size, inner]);
  const places = n.b.integers([...Array(entries(n, all)).keys()], [1, all]);
  const whole = n.inputs[2] && reshapedTo(n, cast(n, n.plain(n.input(2)), "int32"), [batch, 1]);
  const from = whole ?? n.b.integers(new Array(batch).fill(0), [batch, 1]);
  let [at] = n.add("sub", [places, from], NONE, INT32) as readonly [TensorId];
  if (n.string("mode", "linear") === "circular")
    [at] = n.add("floorMod", [at, n.b.integers([all], [])], {}, INT32) as readonly [TensorId];
  const [above] = n.add("greaterEqual", [at, n.b.integers([0], [])], {}, BOOL);
  const [below] = n.add("less", [at, n.b.integers([count], [])], {}, BOOL);
  const [isNew] = n.add("logicalAnd", [above, below], {}, BOOL);
  const [least] = n.add("maximum", [at, n.b.integers([0], [])], {}, INT32);
  const [held] = n.add("minimum", [least, n.b.integers([count - 1], [])], {}, INT32);
  const [before, news] = [turned(n.plain(past), past.shape, all), turned(n.plain(update), update.shape, count)];
  const type = [typeOf(n, before)] as const;
  const [chosen] = n.add("gather", [news, held], { axis: 1, batchDims: 1 }, type);
  const mask = reshapedTo(n, isNew as TensorId, [batch, all, 1]);
  const [y] = n.add("selectV2", [mask, chosen, before], {}, type);
  const shape = order.map((d) => past.shape[d] as number);
  const back = past.shape.map((_, d) => order.indexOf(d));
  n.setPlain(0, permuted(n.b, n.where, reshapedTo(n, y as TensorId, shape), shape, back));
}

export const NEWEST: Conversions = {
  BitCast: bitCast,
  CumProd: cumulativeProduct,
  SwiGLU: swiglu,
  TensorScatter: tensorScatter,
};
