/** Functions of each element that few networks have. */
import type { TensorId } from "../../../graph.ts";
import { asValue, type Conversion, type Conversions, type OnnxNode } from "../convert.ts";
import { chain, elementwise } from "../elementwise.ts";
import { NONE } from "../types.ts";
import { reshapedTo } from "./move.ts";
import { formula, scaled, shifted, unary } from "./unary.ts";
import { isWhole, whole, wholePrelu } from "./wholes.ts";

/** Slopes broadcast from the right; before opset 7 a list of them had one for each channel. */
function prelu(n: OnnxNode): void {
  const [x, slope] = [n.input(0), n.input(1)];
  if (isWhole(x.dtype)) return wholePrelu(n);
  const isListed = n.opset < 7 && slope.shape.length === 1 && slope.shape[0] === x.shape[1];
  const places = [slope.shape[0] as number, ...x.shape.slice(2).map(() => 1)];
  const own = isListed ? asValue(n.b, "", reshapedTo(n, n.plain(slope), places)) : slope;
  elementwise(n, "prelu", {}, [x, own], { dtype: x.dtype });
}

/** alpha·(exp(x) − 1) below 0. */
function elu(n: OnnxNode): void {
  const alpha = n.float("alpha", 1);
  chain(n, [n.input(0)], ([x], add) => {
    const id = x as TensorId;
    if (alpha === 1) return add("elu", [id], {});
    const zero = n.b.float(0);
    const negative = add("mul", [add("elu", [add("minimum", [zero, id], {})], {}), n.b.float(alpha)], NONE);
    return add("add", [add("maximum", [zero, id], {}), negative], NONE);
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

/** x·sigmoid(alpha·x). */
const gated = (usual: number): Conversion =>
  formula((x, add, n) => {
    const alpha = n.float("alpha", usual);
    return add("mul", [x, add("logistic", [alpha === 1 ? x : scaled(add, n, x, alpha)], {})], NONE);
  });

export const CURVES: Conversions = {
  Reciprocal: formula((x, add, n) => add("div", [n.b.float(1), x], NONE)),
  Abs: whole("abs"),
  Log: unary("log", () => ({})),
  Floor: unary("floor", () => ({})),
  Ceil: unary("ceil", () => ({})),
  PRelu: prelu,
  Swish: gated(1),
  Sin: unary("sin", () => ({})),
  Cos: unary("cos", () => ({})),
  Sign: whole("sign"),
  Elu: elu,
  Gelu: unary("gelu", (n) => ({ approximate: n.string("approximate", "none") === "tanh" })),
  "com.microsoft.Gelu": unary("gelu", () => ({ approximate: false })),
  "com.microsoft.FastGelu": biased(true),
  "com.microsoft.BiasGelu": biased(false),
  Softsign: formula((x, add, n) => add("div", [x, shifted(add, n, add("abs", [x], {}), 1)], NONE)),
  Selu: formula((x, add, n) => {
    const [alpha, gamma] = [n.float("alpha", 1.6732632), n.float("gamma", 1.050701)];
    const negative = scaled(add, n, add("elu", [add("minimum", [n.b.float(0), x], {})], {}), alpha);
    return scaled(add, n, add("add", [add("maximum", [n.b.float(0), x], {}), negative], NONE), gamma);
  }),
  Celu: formula((x, add, n) => {
    const alpha = n.float("alpha", 1);
    const zero = n.b.float(0);
    const negative = scaled(add, n, add("elu", [scaled(add, n, add("minimum", [zero, x], {}), 1 / alpha)], {}), alpha);
    return add("add", [add("maximum", [zero, x], {}), negative], NONE);
  }),
  "com.microsoft.QuickGelu": gated(1.702),
};
