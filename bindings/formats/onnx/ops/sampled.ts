/** Pictures read at computed places, as gathered neighbours with weights. */
import type { TensorId } from "../../../graph.ts";
import { sizeOf } from "../../../tensor.ts";
import type { OnnxNode } from "../convert.ts";
import { BOOL as bool, FLOAT as float, INT32 } from "../types.ts";
import { real } from "./cast.ts";
import { reshapedTo } from "./move.ts";

/** A tensor under arithmetic: ids are numbers, too, which these functions take as such. */
export interface Real {
  readonly id: TensorId;
}

/** Elementwise arithmetic on tensors of one shape and on numbers. */
export function mathOf(n: OnnxNode) {
  type Operand = Real | number;
  const idOf = (value: Operand): TensorId => (typeof value === "number" ? n.b.float(value) : value.id);
  const two =
    (kind: "add" | "sub" | "mul" | "div") =>
    (a: Operand, b: Operand): Real => ({ id: real(n, kind, idOf(a), idOf(b)) });
  const bound =
    (kind: "minimum" | "maximum") =>
    (a: Operand, b: Operand): Real => ({ id: n.add(kind, [idOf(a), idOf(b)], {}, float)[0] as TensorId });
  const one =
    (kind: "floor" | "round") =>
    (x: Real): Real => ({ id: n.add(kind, [x.id], {}, float)[0] as TensorId });
  return {
    add: two("add"),
    sub: two("sub"),
    mul: two("mul"),
    div: two("div"),
    floor: one("floor"),
    round: one("round"),
    most: bound("minimum"),
    least: bound("maximum"),
    mod: (x: Real, y: number): Real => ({
      id: n.add("floorMod", [x.id, n.b.float(y)], {}, float)[0] as TensorId,
    }),
    inside: (x: Real, lo: number, hi: number): Real => {
      const above = n.add("greaterEqual", [x.id, n.b.float(lo)], {}, bool)[0] as TensorId;
      const below = n.add("lessEqual", [x.id, n.b.float(hi)], {}, bool)[0] as TensorId;
      const both = n.add("logicalAnd", [above, below], {}, bool)[0] as TensorId;
      return { id: n.add("cast", [both], {}, float)[0] as TensorId };
    },
  };
}
export type Maths = ReturnType<typeof mathOf>;

/** A neighbour along one dimension: its place, held inside, and its weight. */
export interface Tap {
  readonly place: Real;
  readonly weight: Real | undefined;
}

/**
 * Pixels `[N,…,C]` at places `[N, …outputs]` of each dimension, every combination of taps with the product of its weights;
 * `images`: which of the pictures each of the outputs is of.
 */
export function gathered(
  n: OnnxNode,
  image: TensorId,
  taps: readonly (readonly Tap[])[],
  images = n.b.integers([...Array(sizeOf(n.b.tensor(image), 0)).keys()]),
): TensorId {
  const outputs = n.b.tensor(taps[0]?.[0]?.place.id as TensorId).shape;
  const each = reshapedTo(n, images, outputs.map((size, d) => (d === 0 ? size : 1)).concat(1));
  const samples = n.add("broadcastTo", [each, n.b.integers([...outputs, 1])], {}, INT32)[0] as TensorId;
  const column = (id: TensorId) => {
    const [whole] = n.add("cast", [id], {}, INT32);
    return reshapedTo(n, whole as TensorId, [...outputs, 1]);
  };
  const count = taps.reduce((all, list) => all * list.length, 1);
  let total: TensorId | undefined;
  for (let k = 0; k < count; k++) {
    let rest = k;
    const chosen = taps.map((list) => {
      const tap = list[rest % list.length] as Tap;
      rest = Math.floor(rest / list.length);
      return tap;
    });
    const columns = [samples, ...chosen.map(({ place }) => column(place.id))];
    const axis = outputs.length;
    const [places] = n.add("concat", columns, { axis, activation: "none" }, INT32);
    let value = n.add("gatherNd", [image, places], {}, float)[0] as TensorId;
    const weights = chosen.flatMap(({ weight }) => (weight === undefined ? [] : [weight.id]));
    if (weights.length > 0) {
      const weight = weights.reduce((a, b) => real(n, "mul", a, b));
      value = real(n, "mul", value, reshapedTo(n, weight, [...outputs, 1]));
    }
    total = total === undefined ? value : real(n, "add", total, value);
  }
  return total as TensorId;
}

/** Places held inside of a dimension of this size, of which those that are not count nothing. */
export function tapInside(m: Maths, place: Real, size: number, weight?: Real): Tap {
  const inside = m.inside(place, 0, size - 1);
  const held = m.least(m.most(place, size - 1), 0);
  return { place: held, weight: weight === undefined ? inside : m.mul(weight, inside) };
}
