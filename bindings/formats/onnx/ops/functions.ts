/** Functions of each element that are formulas of others, and operators on whole numbers and bits. */
import type { Attributes, OpKind, TensorId } from "../../../graph.ts";
import { BITS, type DType } from "../../../tensor.ts";
import type { Conversion, Conversions, OnnxNode } from "../convert.ts";
import { type Adder, chain, elementwise } from "../elementwise.ts";
import { FLOAT, INT64, NONE } from "../types.ts";
import { castAs, toFloat } from "./cast.ts";
import { longs, MOVES } from "./move.ts";

/** A formula of the inputs that are there, all in one order. */
function formula(build: (ids: readonly TensorId[], add: Adder, n: OnnxNode) => TensorId): Conversion {
  return (n) => {
    const values = n.inputs.flatMap((value) => (value === undefined ? [] : [value]));
    chain(n, values, (ids, add) => build(ids, add, n));
  };
}

/** A function of one float32 that is an operator of the graph. */
function one<K extends OpKind>(kind: K, attributes: Attributes[K]): Conversion {
  return (n) => elementwise(n, kind, attributes, [n.input(0)], { dtype: "float32" });
}

/** a − b·⌊a / b⌋, or with `fmod` the remainder that has a's sign. */
function mod(n: OnnxNode): void {
  const { dtype } = n.input(0);
  const wide: DType = dtype === "float32" || dtype === "int32" ? dtype : "int64";
  chain(n, [n.input(0), n.input(1)], (ids, add) => {
    const [a, b] = ids.map((id) => (dtype === wide ? id : add("cast", [id], {}, wide))) as [TensorId, TensorId];
    const zero = wide === "float32" ? n.b.float(0) : n.add("cast", [n.b.integers([0], [])], {}, [{ dtype: wide }])[0];
    const size = (x: TensorId) => add("maximum", [x, add("sub", [zero as TensorId, x], NONE, wide)], {}, wide);
    let y: TensorId;
    if (n.int("fmod", 0) === 0) y = add("floorMod", [a, b], {}, wide);
    else {
      const rest = add("floorMod", [size(a), size(b)], {}, wide);
      const isNegative = add("less", [a, zero as TensorId], {}, "bool");
      y = add("selectV2", [isNegative, add("sub", [zero as TensorId, rest], NONE, wide), rest], {}, wide);
    }
    return dtype === wide ? y : add("cast", [y], {}, dtype);
  });
}

/** ±∞, one sign or both. */
const isInf = formula(([x], add, n) => {
  const [up, down] = [n.int("detect_positive", 1) !== 0, n.int("detect_negative", 1) !== 0];
  const id = x as TensorId;
  const from = up && down ? add("abs", [id], {}) : id;
  if (!up && !down)
    return add("logicalAnd", [add("equal", [id, id], {}, "bool"), add("notEqual", [id, id], {}, "bool")], {}, "bool");
  return add("equal", [from, n.b.float(up ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY)], {}, "bool");
});

/** log(1 + exp(x)) = max(x, 0) + log(1 + exp(−|x|)). */
export function softplus(x: TensorId, add: Adder, n: OnnxNode): TensorId {
  const small = add("exp", [add("neg", [add("abs", [x], {})], {})], {});
  const tail = add("log", [add("add", [small, n.b.float(1)], NONE)], {});
  return add("add", [add("maximum", [x, n.b.float(0)], {}), tail], NONE);
}

/** x − bias above lambd, x + bias below −lambd, else 0; of whole numbers computed in floats, as onnxruntime does. */
const shrink = formula(([x], add, n) => {
  const [bias, lambd] = [n.float("bias", 0), n.float("lambd", 0.5)];
  const id = toFloat(n, x as TensorId);
  const low = add("less", [id, n.b.float(-lambd)], {}, "bool");
  const high = add("greater", [id, n.b.float(lambd)], {}, "bool");
  const above = add("selectV2", [high, add("sub", [id, n.b.float(bias)], NONE), n.b.float(0)], {});
  return castAs(n, add("selectV2", [low, add("add", [id, n.b.float(bias)], NONE), above], {}), n.input(0).dtype);
});

/** Bits of whole numbers: and, or by xor and sums; complement by −1 − x. */
function bits(kind: "and" | "or" | "xor"): Conversion {
  return (n) => {
    const { dtype } = n.input(0);
    if (dtype === "uint64")
      return chain(n, [n.input(0), n.input(1)], (ids, add) => {
        const [a, b] = ids.map((id) => add("bitcast", [id], {}, "int64")) as [TensorId, TensorId];
        const y =
          kind === "xor" ? add("bitwiseXor", [a, b], {}, "int64") : add("bitwise", [a, b], { form: kind }, "int64");
        return add("bitcast", [y], {}, "uint64");
      });
    if (kind === "xor") return elementwise(n, "bitwiseXor", {}, [n.input(0), n.input(1)], { dtype });
    chain(n, [n.input(0), n.input(1)], ([a, b], add) =>
      add("bitwise", [a as TensorId, b as TensorId], { form: kind }, dtype),
    );
  };
}

/** The same of 64 bits without a sign: to the right by one without the sign that comes in, then by the rest. */
function shiftUnsigned(n: OnnxNode): void {
  const long = (value: bigint) => longs(n, [value], []);
  chain(n, [n.input(0), n.input(1)], (ids, add) => {
    const [x, s] = ids.map((id) => add("bitcast", [id], {}, "int64")) as [TensorId, TensorId];
    if (n.string("direction", "") !== "RIGHT")
      return add("bitcast", [add("mul", [x, add("pow", [long(2n), s], {}, "int64")], NONE, "int64")], {}, "uint64");
    const half = add(
      "bitwise",
      [add("rightShift", [x, long(1n)], {}, "int64"), long(2n ** 63n - 1n)],
      { form: "and" },
      "int64",
    );
    const rest = add("maximum", [add("sub", [s, long(1n)], NONE, "int64"), long(0n)], {}, "int64");
    const isNone = add("equal", [s, long(0n)], {}, "bool");
    return add(
      "bitcast",
      [add("selectV2", [isNone, x, add("rightShift", [half, rest], {}, "int64")], {}, "int64")],
      {},
      "uint64",
    );
  });
}

/** x·2^s, or x shifted right. */
function bitShift(n: OnnxNode): void {
  const { dtype } = n.input(0);
  if (dtype === "uint64") return shiftUnsigned(n);
  chain(n, [n.input(0), n.input(1)], ([a, b], add) => {
    if (n.string("direction", "") === "RIGHT") {
      if (!dtype.startsWith("int")) return add("rightShift", [a as TensorId, b as TensorId], {}, dtype);
      // a negative number of bits is a very large one
      const isNegative = add("less", [add("cast", [b as TensorId], {}, "int32"), n.b.integers([0], [])], {}, "bool");
      const most = add("cast", [n.b.integers([BITS[dtype] - 1], [])], {}, dtype);
      const by = add("selectV2", [isNegative, most, b as TensorId], {}, dtype);
      return add("rightShift", [a as TensorId, by], {}, dtype);
    }
    const wide = (x: TensorId) => add("cast", [x], {}, "int64");
    const two = n.add("cast", [n.b.integers([2], [])], {}, INT64)[0] as TensorId;
    const power = add("pow", [two, wide(b as TensorId)], {}, "int64");
    return add("cast", [add("mul", [wide(a as TensorId), power], NONE, "int64")], {}, dtype);
  });
}

/** alpha·x + beta, the latter a number or one for each channel. */
function affine(factor: string, term?: string): Conversion {
  return formula(([x], add, n) =>
    add(
      "add",
      [add("mul", [x as TensorId, n.b.float(n.float(factor, 1))], NONE), n.b.float(term ? n.float(term, 0) : 0)],
      NONE,
    ),
  );
}

/** alpha·f(beta·x): f of an operator from before opset 7. */
const within = (f: (x: TensorId, add: Adder, n: OnnxNode) => TensorId): Conversion =>
  formula(([x], add, n) => {
    const [alpha, beta] = [n.b.float(n.float("alpha", 1)), n.b.float(n.float("beta", 1))];
    return add("mul", [f(add("mul", [x as TensorId, beta], NONE), add, n), alpha], NONE);
  });

export const FUNCTIONS: Conversions = {
  Affine: affine("alpha", "beta"),
  Scale: affine("scale"),
  ParametricSoftplus: within(softplus),
  ScaledTanh: within((x, add) => add("tanh", [x], {})),
  ImageScaler: (n) => {
    const x = n.input(0);
    const add = (kind: "add" | "mul", a: TensorId, b: TensorId) => n.add(kind, [a, b], NONE, FLOAT)[0] as TensorId;
    const bias = n.b.constant("float32", [x.shape[1] as number], Float32Array.from(n.floats("bias") ?? []));
    n.setLast(0, add("add", add("mul", n.last(x), n.b.float(n.float("scale", 1))), bias), x.shape);
  },
  DynamicSlice: MOVES.Slice,
  Crop: (n) => {
    const x = n.input(0);
    const [left = 0, top = 0, right = 0, bottom = 0] = n.ints("border") ?? [];
    const [height = 0, width = 0] = x.shape.slice(2);
    const [rows = height - top - bottom, columns = width - left - right] = n.ints("scale") ?? [];
    const sizes = [x.shape[0] as number, rows, columns, x.shape[1] as number];
    const inputs = [n.last(x), n.b.integers([0, top, left, 0]), n.b.integers(sizes)];
    const [y] = n.add("slice", inputs, {}, [{ dtype: x.dtype }]);
    n.setLast(0, y as TensorId, [sizes[0], sizes[3], rows, columns] as number[]);
  },
  Mean: formula((ids, add, n) => {
    const sum = ids.reduce((total, id) => add("add", [total, id], NONE));
    return add("div", [sum, n.b.float(ids.length)], NONE);
  }),
  Erf: one("erf", {}),
  Tan: one("trigonometric", { form: "tan" }),
  Asin: one("trigonometric", { form: "asin" }),
  Acos: one("trigonometric", { form: "acos" }),
  Sinh: one("trigonometric", { form: "sinh" }),
  Cosh: one("trigonometric", { form: "cosh" }),
  Asinh: one("trigonometric", { form: "asinh" }),
  Acosh: one("trigonometric", { form: "acosh" }),
  Atanh: one("trigonometric", { form: "atanh" }),
  Atan: formula(([x], add, n) => add("atan2", [x as TensorId, n.b.float(1)], {})),
  IsNaN: formula(([x], add) => add("notEqual", [x as TensorId, x as TensorId], {}, "bool")),
  IsInf: isInf,
  Mod: mod,
  BitShift: bitShift,
  BitwiseAnd: bits("and"),
  BitwiseOr: bits("or"),
  BitwiseXor: bits("xor"),
  BitwiseNot: (n) => {
    const { dtype } = n.input(0);
    const ones = n.add("cast", [n.b.integers([-1], [])], {}, [{ dtype }])[0] as TensorId;
    chain(n, [n.input(0)], ([x], add) => add("bitwiseXor", [x as TensorId, ones], {}, dtype));
  },
  Mish: formula(([x], add, n) => add("mul", [x as TensorId, add("tanh", [softplus(x as TensorId, add, n)], {})], NONE)),
  Softplus: formula(([x], add, n) => softplus(x as TensorId, add, n)),
  Shrink: shrink,
  ThresholdedRelu: formula(([x], add, n) => {
    const isAbove = add("greater", [x as TensorId, n.b.float(n.float("alpha", 1))], {}, "bool");
    return add("selectV2", [isAbove, x as TensorId, n.b.float(0)], {});
  }),
};
