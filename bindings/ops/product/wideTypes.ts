/** Which products do not fit the int8 kernels: of 16-bit activations, and of weights with a zero point, or that a run computes. */
import type { Tensor } from "../../tensor.ts";
import { type Constrained, inputOf } from "../constraints.ts";
import { roundingOf } from "./weights.ts";

/** True where the int8 kernels do not do. */
export function isWide(node: Constrained): boolean {
  return (
    inputOf(node, 0).dtype === "int16" ||
    inputOf(node, 1).data === undefined ||
    isComputed(node.inputs[2]) ||
    isPackedMatrix(node) ||
    weightZeroPoints(node).some((zeroPoint) => zeroPoint !== 0)
  );
}

/** True of what only a run knows. */
export const isComputed = (tensor: Tensor | undefined): boolean => tensor !== undefined && tensor.data === undefined;

/** int4 weights of a fully-connected layer: TFLite Micro has no rule for them, TensorFlow's rounds once. */
export function isPackedMatrix(node: Constrained): boolean {
  const w = inputOf(node, 1);
  return w.storedBits === 4 && w.shape.length === 2;
}

/** Zero points of the weights, `[0]` for none: TensorFlow Lite's convolutions of int8 take none, whatever the file says. */
export function weightZeroPoints(node: Constrained): readonly number[] {
  const { quantization, shape, unsigned } = inputOf(node, 1);
  const ignored = shape.length === 4 && !unsigned && roundingOf(node) === undefined;
  return ignored || quantization === undefined ? [0] : quantization.zeroPoint;
}
