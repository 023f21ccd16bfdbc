/** Casts to element types of few bits, and to the type of another tensor. */
import type { TensorId } from "../../../graph.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import { operands, setIn } from "../elementwise.ts";
import { E8M0, FEW_BITS, type FewBits, SMALL_FLOATS, type SmallFloat } from "../small.ts";
import { BOOL as bool, FLOAT as float, INT32 as int32, NONE } from "../types.ts";
import { castAs, real, toFloat } from "./cast.ts";

/** 2^⌊log2 |x|⌋: the exponent's bits alone. */
function powerOf(n: OnnxNode, x: TensorId): TensorId {
  const [bits] = n.add("bitcast", [x], {}, int32);
  const [exponent] = n.add("bitwise", [bits, n.b.integers([0x7f800000], [])], { form: "and" }, int32);
  return n.add("bitcast", [exponent], {}, float)[0] as TensorId;
}

const choose = (n: OnnxNode, condition: TensorId, a: TensorId, b: TensorId): TensorId =>
  n.add("selectV2", [condition, a, b], {}, float)[0] as TensorId;

/** float32 rounded half to even to what a format holds; beyond its largest value that one, or what is not finite. */
function rounded(
  n: OnnxNode,
  x: TensorId,
  { mantissa, bias, most, special }: SmallFloat,
  saturates: boolean,
): TensorId {
  const bound = (kind: "maximum" | "minimum", a: TensorId, b: number) =>
    n.add(kind, [a, n.b.float(b)], {}, float)[0] as TensorId;
  const step = bound("maximum", real(n, "mul", powerOf(n, x), n.b.float(2 ** -mantissa)), 2 ** (1 - bias - mantissa));
  const [whole] = n.add("round", [real(n, "div", x, step)], {}, float);
  const near = real(n, "mul", whole as TensorId, step);
  const [size] = n.add("abs", [near], {}, float);
  const [isBeyond] = n.add("greater", [size, n.b.float(most)], {}, bool);
  const isBounded = special === "none" || (saturates && special !== "ieee") || (saturates && bias < 127);
  const [isNegative] = n.add("less", [x, n.b.float(0)], {}, bool);
  const far = isBounded ? most : special === "ieee" ? Number.POSITIVE_INFINITY : Number.NaN;
  const edge = choose(n, isNegative as TensorId, n.b.float(-far), n.b.float(far));
  // ±∞ has no step of its own
  const [magnitude] = n.add("abs", [x], {}, float);
  const [isInfinite] = n.add("equal", [magnitude, n.b.float(Number.POSITIVE_INFINITY)], {}, bool);
  const [isOver] = n.add("logicalOr", [isBeyond, isInfinite], {}, bool);
  const y = choose(n, isOver as TensorId, edge, near);
  if (special === "uz") return real(n, "add", y, n.b.float(0));
  if (special !== "none") return y;
  const [isNumber] = n.add("equal", [x, x], {}, bool);
  return choose(n, isNumber as TensorId, y, n.b.float(0));
}

/** The power of two above, below or nearest, whichever the node says. */
function power(n: OnnxNode, x: TensorId): TensorId {
  const own = powerOf(n, x);
  const mode = n.string("round_mode", "up");
  if (mode === "down") return own;
  const from = mode === "up" ? own : real(n, "mul", own, n.b.float(1.5));
  const kind = mode === "up" ? "greater" : "greaterEqual";
  const [isMore] = n.add(kind, [x, from], {}, bool);
  return choose(n, isMore as TensorId, real(n, "mul", own, n.b.float(2)), own);
}

/** Floats rounded to whole numbers, half away from zero. */
function halfAway(n: OnnxNode, x: TensorId): TensorId {
  const [size] = n.add("abs", [x], {}, float) as [TensorId];
  const [below] = n.add("floor", [size], {}, float) as [TensorId];
  const [isMore] = n.add("greaterEqual", [real(n, "sub", size, below), n.b.float(0.5)], {}, bool);
  const near = choose(n, isMore as TensorId, real(n, "add", below, n.b.float(1)), below);
  return real(n, "mul", near, n.add("sign", [x], {}, float)[0] as TensorId);
}

/** The lowest bits of a whole number: what does not fit wraps. */
function lowest(n: OnnxNode, id: TensorId, { bits, signed }: FewBits): TensorId {
  const number = (value: number) => n.b.integers([value], []);
  const { dtype } = n.b.tensor(id);
  const whole = /^float/.test(dtype) ? halfAway(n, toFloat(n, id)) : id;
  let x = dtype === "int32" ? id : (n.add("cast", [whole], {}, int32)[0] as TensorId);
  x = n.add("bitwise", [x, number((1 << bits) - 1)], { form: "and" }, int32)[0] as TensorId;
  if (!signed) return x;
  const sign = 1 << (bits - 1);
  x = n.add("bitwiseXor", [x, number(sign)], {}, int32)[0] as TensorId;
  return n.add("sub", [x, number(sign)], NONE, int32)[0] as TensorId;
}

/** Numbers as the type of this code. */
export function castTo(n: OnnxNode, id: TensorId, code: number): TensorId {
  const format = SMALL_FLOATS[code];
  if (format !== undefined) return rounded(n, toFloat(n, id), format, n.int("saturate", 1) !== 0);
  if (code === E8M0) return power(n, toFloat(n, id));
  const few = FEW_BITS[code];
  return castAs(n, few === undefined ? id : lowest(n, id, few), n.typeOf(code));
}

/** Cast to a type of few bits. */
export function castToFew(n: OnnxNode): void {
  const { ids, isLast } = operands(n, [n.input(0)]);
  setIn(n, isLast, castTo(n, ids[0] as TensorId, n.int("to", 1)));
}

/** The type of another tensor. */
function castLike(n: OnnxNode): void {
  const { ids, isLast } = operands(n, [n.input(0)]);
  const id = ids[0] as TensorId;
  const { code, dtype } = n.input(1);
  setIn(n, isLast, code === undefined ? castAs(n, id, dtype) : castTo(n, id, code));
}

export const FEWS: Conversions = { CastLike: castLike };
