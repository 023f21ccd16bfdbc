/** Functions of each element that ordinary networks have. */
import type { Attributes, OpKind, TensorId } from "../../../graph.ts";
import { type DType, GREATEST_FLOAT } from "../../../tensor.ts";
import { type Conversion, type Conversions, numbersOf, type OnnxNode } from "../convert.ts";
import { type Adder, chain, elementwise } from "../elementwise.ts";
import { NONE } from "../types.ts";
import { isWhole } from "./wholes.ts";

/** A function of one value that is an operator of the graph. */
export function unary<K extends OpKind>(kind: K, attributes: (n: OnnxNode) => Attributes[K]): Conversion {
  return (n) => elementwise(n, kind, attributes(n), [n.input(0)], { dtype: n.input(0).dtype });
}

/** A formula of float32. */
export function formula(build: (x: TensorId, add: Adder, n: OnnxNode) => TensorId): Conversion {
  return (n) => chain(n, [n.input(0)], ([x], add) => build(x as TensorId, add, n));
}

export const scaled = (add: Adder, n: OnnxNode, x: TensorId, factor: number): TensorId =>
  add("mul", [x, n.b.float(factor)], NONE);
export const shifted = (add: Adder, n: OnnxNode, x: TensorId, offset: number): TensorId =>
  add("add", [x, n.b.float(offset)], NONE);
/** Bounds stand first: of a NaN and another the kernels take the second. */
const between = (add: Adder, n: OnnxNode, x: TensorId, lo: number, hi: number): TensorId =>
  add("minimum", [n.b.float(hi), add("maximum", [n.b.float(lo), x], {})], {});

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
    // Without another bound infinities come out as the greatest numbers.
    const own = (value: number) => (x.dtype === "float32" ? n.b.float(value) : undefined);
    const [lower, upper] = [least ?? own(-GREATEST_FLOAT), most ?? own(GREATEST_FLOAT)];
    if (lower !== undefined) y = add("maximum", [lower, y], {}, x.dtype);
    if (upper !== undefined) y = add("minimum", [upper, y], {}, x.dtype);
    return y;
  });
}

/** Of whole numbers it takes other kernels. */
const relu: Conversion = (n) =>
  /int/.test(n.input(0).dtype) ? n.rarely("whole relu", n) : unary("relu", () => ({}))(n);

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

export const ELEMENTWISE: Conversions = {
  Pow: pow,
  Clip: clip,
  Relu: relu,
  LeakyRelu: /* @__PURE__ */ unary("leakyRelu", (n) => ({ alpha: n.float("alpha", 0.01) })),
  Sigmoid: sigmoid,
  Tanh: /* @__PURE__ */ unary("tanh", () => ({})),
  HardSigmoid: /* @__PURE__ */ formula((x, add, n) =>
    between(add, n, shifted(add, n, scaled(add, n, x, n.float("alpha", 0.2)), n.float("beta", 0.5)), 0, 1),
  ),
  HardSwish: /* @__PURE__ */ formula((x, add, n) => {
    const gate = between(add, n, shifted(add, n, scaled(add, n, x, Math.fround(1 / 6)), 0.5), 0, 1);
    return add("mul", [x, gate], NONE);
  }),
  Neg: /* @__PURE__ */ unary("neg", () => ({})),
  Exp: /* @__PURE__ */ unary("exp", () => ({})),
  Sqrt: /* @__PURE__ */ unary("sqrt", () => ({})),
  Round: /* @__PURE__ */ unary("round", () => ({})),
};
