/** Constants of float graphs as typed arrays, and typed arrays as constants. */
import { type Tensor, type TypedArray, typedCopy } from "../tensor.ts";

/** The float32 values of a constant; a copy, since files need not align them. */
export const floatsOf = ({ data = new Uint8Array(0) }: Tensor): Float32Array =>
  typedCopy("float32", data) as Float32Array;

/** The numbers of a constant of any type; none of what is no constant. */
export function numbersOf(tensor: Tensor | undefined): readonly number[] {
  return tensor?.data === undefined ? [] : Array.from(typedCopy(tensor.dtype, tensor.data), Number);
}

/** The bytes of an array. */
export function bytesOf({ buffer, byteOffset, byteLength }: TypedArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** True for a float32 constant. */
export const isFloatConstant = (tensor: Tensor | undefined): tensor is Tensor =>
  tensor?.dtype === "float32" && tensor.data !== undefined && tensor.variable !== true;

/** True for float32 values that a run computes. */
export const isFloatValue = (tensor: Tensor | undefined): tensor is Tensor =>
  tensor?.dtype === "float32" && tensor.data === undefined;
