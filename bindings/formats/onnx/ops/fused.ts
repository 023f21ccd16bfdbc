/** com.microsoft's products with an activation behind them. */
import type { TensorId } from "../../../graph.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import { permuted } from "../layout.ts";
import { FLOAT as float } from "../types.ts";
import { activate } from "./activations.ts";
import { real } from "./cast.ts";
import { convolved, imageOf, setImage } from "./conv.ts";
import { gemmOf, product } from "./matmul.ts";
import { optional } from "./move.ts";

/** The activation that attributes name, with its parameters. */
function activated(n: OnnxNode, x: TensorId, [a, b]: readonly number[]): TensorId {
  const kind = n.string("activation", "");
  if (kind === "") return x;
  if (kind !== "Clip") return activate(n, kind, x, a, b);
  const [above] = n.add("maximum", [x, n.b.float(a ?? Number.NEGATIVE_INFINITY)], {}, float);
  return n.add("minimum", [above, n.b.float(b ?? Number.POSITIVE_INFINITY)], {}, float)[0] as TensorId;
}

/** A convolution, what is added to it, an activation. */
function fusedConv(n: OnnxNode): void {
  const x = n.input(0);
  const bias = optional(n, 2);
  let y = convolved(n, x, n.input(1), bias);
  if (n.inputs[3] !== undefined) y = real(n, "add", y, imageOf(n, n.input(3)));
  setImage(n, activated(n, y, n.floats("activation_params") ?? []), x);
}

function fusedGemm(n: OnnxNode): void {
  const parameter = (name: string) => n.attribute(name)?.float;
  const list = [parameter("activation_alpha"), parameter("activation_beta")];
  n.setPlain(
    0,
    activated(
      n,
      gemmOf(n),
      list.filter((each) => each !== undefined),
    ),
  );
}

/** alpha·A·B of matrices that may stand transposed; `transBatch` has the first dimension where rows stand. */
function fusedMatMul(n: OnnxNode): void {
  const side = (i: number, turned: boolean, batch: boolean) => {
    const value = n.input(i);
    const rank = value.shape.length;
    let order = value.shape.map((_, d) => d);
    if (batch && rank > 2) order = [...order.slice(1, -1), 0, rank - 1];
    if (turned && rank > 1) order = [...order.slice(0, -2), order[rank - 1] as number, order[rank - 2] as number];
    const id = permuted(n.b, n.where, n.plain(value), value.shape, order);
    return { id, shape: n.b.tensor(id).shape };
  };
  const is = (name: string) => n.int(name, 0) !== 0;
  const a = side(0, is("transA"), is("transBatchA"));
  const b = side(1, is("transB"), is("transBatchB"));
  const y = product(n, a.id, a.shape, b.id, b.shape);
  const alpha = n.float("alpha", 1);
  n.setPlain(0, alpha === 1 ? y : real(n, "mul", y, n.b.float(alpha)));
}

export const FUSED: Conversions = {
  "com.microsoft.FusedConv": fusedConv,
  "com.microsoft.FusedGemm": fusedGemm,
  "com.microsoft.FusedMatMul": fusedMatMul,
  "com.microsoft.TransposeMatMul": fusedMatMul,
};
