/** Functions of each element, arithmetic and comparisons of two, choices. */
import type { Attributes, OpKind, TensorId } from "../../../graph.ts";
import type { DType } from "../../../tensor.ts";
import { type Conversion, type Conversions, numbersOf, type OnnxNode } from "../convert.ts";
import { type Adder, chain, elementwise } from "../elementwise.ts";
import { compared, isWhole, wholePrelu, wholeRelu } from "./wholes.ts";

const NONE = { activation: "none" } as const;

/** A function of one value that is an operator of the graph. */
function unary<K extends OpKind>(kind: K, attributes: (n: OnnxNode) => Attributes[K]): Conversion {
  return (n) => elementwise(n, kind, attributes(n), [n.input(0)], { dtype: n.input(0).dtype });
}

/** A function of two values that broadcast; comparisons give bool. */
function binary<K extends OpKind>(kind: K, attributes: Attributes[K], dtype?: DType): Conversion {
  return (n) => elementwise(n, kind, attributes, [n.input(0), n.input(1)], { dtype: dtype ?? n.input(0).dtype });
}

/** A formula of float32. */
function formula(build: (x: TensorId, add: Adder, n: OnnxNode) => TensorId): Conversion {
  return (n) => chain(n, [n.input(0)], ([x], add) => build(x as TensorId, add, n));
}

const scaled = (add: Adder, n: OnnxNode, x: TensorId, factor: number): TensorId =>
  add("mul", [x, n.b.float(factor)], NONE);
const shifted = (add: Adder, n: OnnxNode, x: TensorId, offset: number): TensorId =>
  add("add", [x, n.b.float(offset)], NONE);
const between = (add: Adder, n: OnnxNode, x: TensorId, lo: number, hi: number): TensorId =>
  add("minimum", [add("maximum", [x, n.b.float(lo)], {}), n.b.float(hi)], {});

/** The bounds that are an operator of their own, which others can take in. */
const CLAMPS = { "0": "relu", "0,6": "relu6" } as const;

/** max and min by what is given of both, constants or not. */
function clip(n: OnnxNode): void {
  const [x, lo, hi] = [n.input(0), n.inputs[1], n.inputs[2]];
  const bound = (name: string) => {
    const value = n.attribute(name)?.float;
    return value === undefined ? undefined : n.b.float(value);
  };
  chain(n, [x], ([id], add) => {
    const least = lo ? n.plain(lo) : bound("min");
    const most = hi ? n.plain(hi) : bound("max");
    const bounds = [least, most].map((each) => (each === undefined ? undefined : n.b.tensor(each)));
    const known = bounds.map((each) => (each?.data === undefined ? each && "computed" : numbersOf(each)[0]));
    const clamp = CLAMPS[known.filter((each) => each !== undefined && each !== Infinity).join() as keyof typeof CLAMPS];
    if (clamp !== undefined && least !== undefined && x.dtype === "float32") return add(clamp, [id as TensorId], {});
    let y = id as TensorId;
    if (least !== undefined) y = add("maximum", [y, least], {}, x.dtype);
    if (most !== undefined) y = add("minimum", [y, most], {}, x.dtype);
    return y;
  });
}

/** Powers in the type of both, or in float32; the result has the type of x. */
function pow(n: OnnxNode): void {
  const [x, e] = [n.input(0), n.input(1)];
  if (e.dtype === x.dtype) return elementwise(n, "pow", {}, [x, e], { dtype: x.dtype });
  const type = isWhole(x.dtype) && isWhole(e.dtype) ? x.dtype : "float32";
  const as = (id: TensorId, dtype: DType, add: Adder) =>
    n.b.tensor(id).dtype === dtype ? id : add("cast", [id], {}, dtype);
  chain(n, [x, e], ([a, b], add) =>
    as(add("pow", [as(a as TensorId, type, add), as(b as TensorId, type, add)], {}, type), x.dtype, add),
  );
}

/** Where(condition, a, b). */
function where(n: OnnxNode): void {
  const values = [n.input(0), n.input(1), n.input(2)];
  elementwise(n, "selectV2", {}, values, { dtype: n.input(1).dtype });
}

/** Slopes broadcast from the right; one slope a channel. */
function prelu(n: OnnxNode): void {
  const x = n.input(0);
  if (isWhole(x.dtype)) return wholePrelu(n);
  elementwise(n, "prelu", {}, [x, n.input(1)], { dtype: x.dtype });
}

/** alpha·(exp(x) − 1) below 0. */
function elu(n: OnnxNode): void {
  const alpha = n.float("alpha", 1);
  chain(n, [n.input(0)], ([x], add) => {
    const id = x as TensorId;
    if (alpha === 1) return add("elu", [id], {});
    const zero = n.b.float(0);
    const negative = add("mul", [add("elu", [add("minimum", [id, zero], {})], {}), n.b.float(alpha)], NONE);
    return add("add", [add("maximum", [id, zero], {}), negative], NONE);
  });
}

/** GELU of x plus a bias, where there is one. */
function biased(approximate: boolean): Conversion {
  return (n) => {
    const values = n.inputs.flatMap((value) => (value === undefined ? [] : [value]));
    chain(n, values, ([x, bias], add) => {
      const sum = bias === undefined ? (x as TensorId) : add("add", [x as TensorId, bias], NONE);
      return add("gelu", [sum], { approximate });
    });
  };
}

/** Whole numbers that a function has no kernel for are widened, and wrap when narrowed. */
function whole(kind: "abs" | "sign" | "relu"): Conversion {
  const plain = unary(kind, () => ({}));
  return (n) => {
    const { dtype } = n.input(0);
    if (/^int(32|64)$/.test(dtype)) return kind === "relu" ? wholeRelu(n) : plain(n);
    if (!/int/.test(dtype)) return plain(n);
    chain(n, [n.input(0)], ([x], add) => {
      const wide = add("cast", [x as TensorId], {}, "int32");
      const y =
        kind === "relu" ? add("maximum", [wide, n.b.integers([0], [])], {}, "int32") : add(kind, [wide], {}, "int32");
      return add("cast", [y], {}, dtype);
    });
  };
}

const logistic = unary("logistic", () => ({}));

/** onnxruntime's is 0 from −18 down, which a logarithm shows. */
function sigmoid(n: OnnxNode): void {
  const isSeen = n.scope.readers(n.outputs[0] ?? "").some(({ operator }) => operator === "Log");
  if (!isSeen || n.input(0).dtype !== "float32") return logistic(n);
  chain(n, [n.input(0)], ([x], add) => {
    const isAbove = add("greater", [x as TensorId, n.b.float(-18)], {}, "bool");
    return add("selectV2", [isAbove, add("logistic", [x as TensorId], {}), n.b.float(0)], {});
  });
}

/** x·sigmoid(alpha·x). */
const gated = (usual: number): Conversion =>
  formula((x, add, n) => {
    const alpha = n.float("alpha", usual);
    return add("mul", [x, add("logistic", [alpha === 1 ? x : scaled(add, n, x, alpha)], {})], NONE);
  });

export const ELEMENTWISE: Conversions = {
  Pow: pow,
  Equal: compared("equal"),
  Less: compared("less"),
  LessOrEqual: compared("lessEqual"),
  Greater: compared("greater"),
  GreaterOrEqual: compared("greaterEqual"),
  And: binary("logicalAnd", {}),
  Or: binary("logicalOr", {}),
  Xor: binary("notEqual", {}, "bool"),
  Where: where,
  Clip: clip,
  PRelu: prelu,
  Relu: whole("relu"),
  LeakyRelu: unary("leakyRelu", (n) => ({ alpha: n.float("alpha", 0.01) })),
  Sigmoid: sigmoid,
  Tanh: unary("tanh", () => ({})),
  Swish: gated(1),
  HardSigmoid: formula((x, add, n) =>
    between(add, n, shifted(add, n, scaled(add, n, x, n.float("alpha", 0.2)), n.float("beta", 0.5)), 0, 1),
  ),
  HardSwish: formula((x, add, n) => {
    const gate = between(add, n, shifted(add, n, scaled(add, n, x, Math.fround(1 / 6)), 0.5), 0, 1);
    return add("mul", [x, gate], NONE);
  }),
  Reciprocal: formula((x, add, n) => add("div", [n.b.float(1), x], NONE)),
  Abs: whole("abs"),
  Neg: unary("neg", () => ({})),
  Exp: unary("exp", () => ({})),
  Log: unary("log", () => ({})),
  Sqrt: unary("sqrt", () => ({})),
  Sin: unary("sin", () => ({})),
  Cos: unary("cos", () => ({})),
  Floor: unary("floor", () => ({})),
  Ceil: unary("ceil", () => ({})),
  Round: unary("round", () => ({})),
  Sign: whole("sign"),
  Not: unary("logicalNot", () => ({})),
  Elu: elu,
  Gelu: unary("gelu", (n) => ({ approximate: n.string("approximate", "none") === "tanh" })),
  "com.microsoft.Gelu": unary("gelu", () => ({ approximate: false })),
  "com.microsoft.FastGelu": biased(true),
  "com.microsoft.BiasGelu": biased(false),
  Softsign: formula((x, add, n) => add("div", [x, shifted(add, n, add("abs", [x], {}), 1)], NONE)),
  Selu: formula((x, add, n) => {
    const [alpha, gamma] = [n.float("alpha", 1.6732632), n.float("gamma", 1.050701)];
    const negative = scaled(add, n, add("elu", [add("minimum", [x, n.b.float(0)], {})], {}), alpha);
    return scaled(add, n, add("add", [add("maximum", [x, n.b.float(0)], {}), negative], NONE), gamma);
  }),
  Celu: formula((x, add, n) => {
    const alpha = n.float("alpha", 1);
    const zero = n.b.float(0);
    const negative = scaled(add, n, add("elu", [scaled(add, n, add("minimum", [x, zero], {}), 1 / alpha)], {}), alpha);
    return add("add", [add("maximum", [x, zero], {}), negative], NONE);
  }),
  "com.microsoft.QuickGelu": gated(1.702),
};
