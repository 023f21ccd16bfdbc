/** Operands and results whose scales and zero points are inputs of the node. */
import type { Rounding, TensorId } from "../../../graph.ts";
import type { DType, Quantization } from "../../../tensor.ts";
import type { Conversion, OnnxNode } from "../convert.ts";
import { setIn } from "../elementwise.ts";
import type { Twins, Value } from "../layout.ts";
import { dequantized, FULL, knownQuantization, quantizedValue, setQuantized } from "../quantized.ts";

/** What onnxruntime's own kernels of two operands round by. */
export const QLINEAR: Rounding = { ...FULL, rule: "qlinear" };

/** The quantization that inputs `scale` and `zero` state. */
export const stated = (n: OnnxNode, scale: number, zero: number, axis = 0): Quantization | undefined =>
  knownQuantization(n, n.inputs[scale], n.inputs[zero], axis);

/** Input i as floats, by its scale and zero point, the two inputs after it. */
export function operand(n: OnnxNode, i: number, axis = 0): Value | undefined {
  const quantization = stated(n, i + 1, i + 2, axis);
  return quantization && dequantized(n, n.input(i), quantization);
}

/** Tries the first; where scales are computed, or types have no kernels, takes the second. */
export const either =
  (known: (n: OnnxNode) => boolean, computed?: Conversion): Conversion =>
  (n) => {
    if (known(n)) return;
    if (computed === undefined) n.refuse("constant, finite scales of 8-bit integers", "others");
    else computed(n);
  };

export const typeOf = (n: OnnxNode, zero: number): DType => n.inputs[zero]?.dtype ?? n.input(0).dtype;
export const isByte = (dtype: DType): boolean => dtype === "int8" || dtype === "uint8";

/** A float tensor in one of the orders, quantized as output 0; false where it cannot be. */
export function give(n: OnnxNode, value: Value, y: Quantization, dtype: DType, rounding: Rounding = FULL): boolean {
  const quantized = quantizedValue(n, value, y, dtype, rounding);
  if (quantized) setQuantized(n, quantized);
  return quantized !== undefined;
}

export const plainValue = (n: OnnxNode, id: TensorId): Value => {
  const { dtype, shape } = n.b.tensor(id);
  return { name: "", dtype, shape, twins: { plain: id } };
};

/** A tensor of float32 in one of the orders as a value. */
export const inOrder = (n: OnnxNode, id: TensorId, isLast: boolean): Value =>
  captured(n, (inner) => setIn(inner, isLast, id));

/** The float32 value that `run` gives output 0 of the node, whose input 0 may be another. */
export function captured(n: OnnxNode, run: (inner: OnnxNode) => void, x?: Value): Value {
  const twins: Twins = {};
  let shape: readonly number[] = [];
  run({
    ...n,
    input: (i) => (i === 0 && x !== undefined ? x : n.input(i)),
    setPlain(_, id) {
      twins.plain = id;
      shape = n.b.tensor(id).shape;
    },
    setLast(_, id, own) {
      if (own.length < 3) twins.plain = id;
      else twins.last = id;
      shape = own;
    },
  });
  return { name: "", dtype: "float32", shape, twins };
}
