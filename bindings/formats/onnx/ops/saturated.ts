/** Floats as integers, node by node as onnxruntime rounds: half to even, saturating; and the range of x as a scale. */
import type { TensorId } from "../../../graph.ts";
import type { DType } from "../../../tensor.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import { operands, setIn } from "../elementwise.ts";
import { BOUNDS } from "../rounding.ts";
import { BOOL, FLOAT } from "../types.ts";
import { real, toFloat } from "./cast.ts";

/** sat(rint(x / s) + z). */
function quantized(n: OnnxNode, x: TensorId, s: TensorId, z: TensorId | undefined, dtype: DType): TensorId {
  return saturated(n, real(n, "div", x, s), z, dtype);
}

/** sat(rint(x) + z), within other bounds than the type's where they are given. */
export function saturated(
  n: OnnxNode,
  x: TensorId,
  z: TensorId | undefined,
  dtype: DType,
  bounds: readonly [number, number] | undefined = BOUNDS[dtype],
): TensorId {
  let y = n.add("round", [x], {}, FLOAT)[0] as TensorId;
  if (z !== undefined) y = real(n, "add", y, z);
  const [lo, hi] = bounds ?? n.refuse("8- or 16-bit results", dtype);
  y = n.add("maximum", [y, n.b.float(lo)], {}, FLOAT)[0] as TensorId;
  y = n.add("minimum", [y, n.b.float(hi)], {}, FLOAT)[0] as TensorId;
  return n.add("cast", [y], {}, [{ dtype }])[0] as TensorId;
}

/** Scale and zero point at the range of x, which holds 0. */
function dynamicQuantizeLinear(n: OnnxNode): void {
  const x = n.input(0);
  const { ids, isLast } = operands(n, [x]);
  const one = <K extends "reduceMax" | "reduceMin">(kind: K): TensorId =>
    n.add(kind, [ids[0], n.b.integers(x.shape.map((_, i) => i))], { keepDims: false } as never, FLOAT)[0] as TensorId;
  const zero = n.b.float(0);
  const hi = n.add("maximum", [one("reduceMax"), zero], {}, FLOAT)[0] as TensorId;
  const lo = n.add("minimum", [one("reduceMin"), zero], {}, FLOAT)[0] as TensorId;
  const raw = real(n, "div", real(n, "sub", hi, lo), n.b.float(255));
  // all zeros have the scale 1
  const isZero = n.add("equal", [raw, zero], {}, BOOL)[0] as TensorId;
  const scale = n.add("selectV2", [isZero, n.b.float(1), raw], {}, FLOAT)[0] as TensorId;
  const z = saturated(n, real(n, "div", real(n, "sub", zero, lo), scale), undefined, "uint8");
  setIn(n, isLast, quantized(n, ids[0] as TensorId, scale, toFloat(n, z), "uint8"));
  n.setPlain(1, scale);
  n.setPlain(2, z);
}

export const RANGES: Conversions = { DynamicQuantizeLinear: dynamicQuantizeLinear };
