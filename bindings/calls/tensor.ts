import { ensure, kindOf } from "../errors.ts";
import { byteLength, checkShape, type Tensor, typeText } from "../tensor.ts";
import { requireAffine } from "./arguments.ts";
import type { Region, Stack } from "./memory.ts";

/** Element types that tensors of kernels have: activations and accumulators. */
export type ElementType = "int8" | "int32";

/** `real = scale · (q − zeroPoint)`. */
export interface Affine {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** A tensor in wasm memory. */
export interface KernelTensor<D extends ElementType = ElementType> extends Affine {
  readonly dtype: D;
  /** Row-major; `[N,H,W,C]` for images. */
  readonly shape: readonly number[];
  /** The elements themselves: write inputs here, read outputs from here. Valid until the tensor is released. */
  readonly data: D extends "int8" ? Int8Array : Int32Array;
  /** Byte address in `Kernels.memory`, 16-byte aligned. */
  readonly address: number;
}

/** Regions of tensors: a released one is refused. */
const regions = new WeakMap<KernelTensor, Region>();

/** Allocates a tensor; its elements are zero. */
export function allocateTensor<D extends ElementType>(
  stack: Stack,
  memory: WebAssembly.Memory,
  dtype: D,
  shape: readonly number[],
  affine: Affine,
): KernelTensor<D> {
  requireAffine("tensor", affine);
  const { scale, zeroPoint } = affine;
  ensure(dtype === "int8" || dtype === "int32", "INVALID_OPTION", () => ({
    where: "tensor",
    expected: "int8 or int32",
    received: kindOf(dtype),
  }));
  ensure(Array.isArray(shape), "INVALID_OPTION", () => ({
    where: "tensor",
    expected: "a shape, for example [1, 28, 28, 1]",
    received: kindOf(shape),
  }));
  checkShape(shape, dtype, "tensor");
  const bytes = byteLength({ dtype, shape });
  const address = stack.allocate(bytes, `tensor ${typeText({ dtype, shape })}`);
  const view =
    dtype === "int8" ? new Int8Array(memory.buffer, address, bytes) : new Int32Array(memory.buffer, address, bytes / 4);
  view.fill(0);
  const data = view as KernelTensor<D>["data"];
  const tensor: KernelTensor<D> = Object.freeze({
    dtype,
    shape: Object.freeze([...shape]),
    scale,
    zeroPoint,
    data,
    address,
  });
  regions.set(tensor, stack.region);
  return tensor;
}

/** Refuses what is not a live tensor of this type in this memory. */
export function requireTensor<D extends ElementType>(
  where: string,
  memory: WebAssembly.Memory,
  tensor: KernelTensor<D>,
  dtype: D,
): void {
  const region = typeof tensor === "object" && tensor !== null ? regions.get(tensor) : undefined;
  const own = region !== undefined && tensor.data.buffer === memory.buffer && tensor.dtype === dtype;
  ensure(own, "INVALID_INPUT", () => ({
    where,
    expected: `an ${dtype} tensor that these kernels allocated`,
    received: region === undefined ? "something else" : `one of ${tensor.dtype}, or of other kernels`,
    hint: 'Make it with kernels.tensor("int8", shape, { scale, zeroPoint }).',
  }));
  ensure(region.live, "CLOSED", () => ({ where, expected: "a tensor in use", received: "one that was released" }));
}

/** The tensor as operators see it. */
export function asTensor(name: string, { dtype, shape, scale, zeroPoint }: KernelTensor): Tensor {
  return { name, dtype, shape, quantization: { scale: [scale], zeroPoint: [zeroPoint], axis: 0 } };
}
