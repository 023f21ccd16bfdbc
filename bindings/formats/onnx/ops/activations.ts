/** Activations that other operators have as an attribute, by ONNX's names. */
import type { TensorId } from "../../../graph.ts";
import type { OnnxNode } from "../convert.ts";
import { adderOf } from "../elementwise.ts";
import { BOOL, FLOAT as float } from "../types.ts";
import { real } from "./cast.ts";
import { softplus } from "./functions.ts";

const unary = (n: OnnxNode, kind: "logistic" | "tanh" | "relu" | "abs" | "exp" | "elu", x: TensorId): TensorId =>
  n.add(kind, [x], {}, float)[0] as TensorId;

/** Functions by ONNX's names; affine ones take alpha and beta. */
export function activate(n: OnnxNode, name: string, x: TensorId, alpha?: number, beta?: number): TensorId {
  const number = (value: number) => n.b.float(value);
  const between = (id: TensorId, lo: number, hi: number) => {
    const [above] = n.add("maximum", [id, number(lo)], {}, float);
    return n.add("minimum", [above, number(hi)], {}, float)[0] as TensorId;
  };
  switch (name.toLowerCase()) {
    case "sigmoid":
      return unary(n, "logistic", x);
    case "tanh":
      return unary(n, "tanh", x);
    case "relu":
      return unary(n, "relu", x);
    case "affine":
      return real(n, "add", real(n, "mul", x, number(alpha ?? 0)), number(beta ?? 0));
    case "leakyrelu":
      return n.add("leakyRelu", [x], { alpha: alpha ?? 0.01 }, float)[0] as TensorId;
    case "thresholdedrelu": {
      const [isAbove] = n.add("greater", [x, number(alpha ?? 1)], {}, BOOL);
      return n.add("selectV2", [isAbove, x, number(0)], {}, float)[0] as TensorId;
    }
    case "scaledtanh":
      return real(n, "mul", unary(n, "tanh", real(n, "mul", x, number(beta ?? 1))), number(alpha ?? 1));
    case "hardsigmoid":
      return between(real(n, "add", real(n, "mul", x, number(alpha ?? 0.2)), number(beta ?? 0.5)), 0, 1);
    case "softsign":
      return real(n, "div", x, real(n, "add", unary(n, "abs", x), number(1)));
    case "elu": {
      if ((alpha ?? 1) === 1) return unary(n, "elu", x);
      const [below] = n.add("minimum", [x, number(0)], {}, float);
      return real(
        n,
        "add",
        unary(n, "relu", x),
        real(n, "mul", unary(n, "elu", below as TensorId), number(alpha ?? 1)),
      );
    }
    case "softplus":
      return softplus(x, adderOf(n), n);
    default:
      return n.refuse("a known activation", name);
  }
}

/** A function with its numbers, where it has any. */
export interface Activation {
  readonly name: string;
  readonly alpha?: number | undefined;
  readonly beta?: number | undefined;
}

/** What onnxruntime takes for the numbers of functions that have them, where a recurrent node gives none. */
const NUMBERS: { readonly [name: string]: readonly [alpha: number, beta?: number] | undefined } = {
  affine: [0, 0],
  leakyrelu: [0.01],
  thresholdedrelu: [0],
  scaledtanh: [0, 0],
  hardsigmoid: [0.2, 0.5],
  elu: [1],
};

/** The functions of a recurrent node: each takes the next of its numbers if it has any. */
export function activationsOf(n: OnnxNode, names: readonly string[]): readonly Activation[] {
  const alphas = [...(n.floats("activation_alpha") ?? [])];
  const betas = [...(n.floats("activation_beta") ?? [])];
  return names.map((name) => {
    const [alpha, beta] = NUMBERS[name.toLowerCase()] ?? [];
    return {
      name,
      alpha: alpha === undefined ? undefined : (alphas.shift() ?? alpha),
      beta: beta === undefined ? undefined : (betas.shift() ?? beta),
    };
  });
}
