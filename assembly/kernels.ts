/**
 * Every kernel under one name. Kernels that are the same everywhere come from portable/; for the others the module's
 * own loops are chosen when compiling, by the features that it is built for.
 */
import * as portable from "./portable/index";
import * as scalar from "./scalar/index";
import * as simd from "./simd/index";

export { resizeBilinear, resizeNearest, softmax } from "./portable/index";

export function gemm(params: usize, part: u32, parts: u32): void {
  if (ASC_FEATURE_SIMD) simd.gemm(params, part, parts);
  else scalar.gemm(params, part, parts);
}

export function gemv(params: usize, part: u32, parts: u32): void {
  if (ASC_FEATURE_SIMD) simd.gemv(params, part, parts);
  else scalar.gemv(params, part, parts);
}

export function conv2d(params: usize, part: u32, parts: u32): void {
  if (ASC_FEATURE_SIMD) simd.conv2d(params, part, parts);
  else scalar.conv2d(params, part, parts);
}

export function dwconv(params: usize, part: u32, parts: u32): void {
  if (ASC_FEATURE_SIMD) simd.dwconv(params, part, parts);
  else scalar.dwconv(params, part, parts);
}

export function requantize(params: usize, part: u32, parts: u32): void {
  if (ASC_FEATURE_SIMD) simd.requantize(params, part, parts);
  else scalar.requantize(params, part, parts);
}

export function add(params: usize, part: u32, parts: u32): void {
  if (ASC_FEATURE_SIMD) simd.add(params, part, parts);
  else portable.add(params, part, parts);
}

export function spmm(params: usize, part: u32, parts: u32): void {
  if (ASC_FEATURE_SIMD) simd.spmm(params, part, parts);
  else scalar.spmm(params, part, parts);
}

export function sparseConv2d(params: usize, part: u32, parts: u32): void {
  if (ASC_FEATURE_SIMD) simd.sparseConv2d(params, part, parts);
  else scalar.sparseConv2d(params, part, parts);
}

export function mul(params: usize, part: u32, parts: u32): void {
  if (ASC_FEATURE_SIMD) simd.mul(params, part, parts);
  else portable.mul(params, part, parts);
}

export function averagePool(params: usize, part: u32, parts: u32): void {
  if (ASC_FEATURE_SIMD) simd.averagePool(params, part, parts);
  else portable.averagePool(params, part, parts);
}

export function maxPool(params: usize, part: u32, parts: u32): void {
  if (ASC_FEATURE_SIMD) simd.maxPool(params, part, parts);
  else portable.maxPool(params, part, parts);
}

export function mean(params: usize, part: u32, parts: u32): void {
  if (ASC_FEATURE_SIMD) simd.mean(params, part, parts);
  else portable.mean(params, part, parts);
}

export function lookup(params: usize, part: u32, parts: u32): void {
  if (ASC_FEATURE_SIMD) simd.lookup(params, part, parts);
  else portable.lookup(params, part, parts);
}

export function copy(params: usize, part: u32, parts: u32): void {
  if (ASC_FEATURE_SIMD) simd.copy(params, part, parts);
  else portable.copy(params, part, parts);
}

export function permute(params: usize, part: u32, parts: u32): void {
  if (ASC_FEATURE_SIMD) simd.permute(params, part, parts);
  else portable.permute(params, part, parts);
}

export function pad(params: usize, part: u32, parts: u32): void {
  if (ASC_FEATURE_SIMD) simd.pad(params, part, parts);
  else portable.pad(params, part, parts);
}

export function quantize(params: usize, part: u32, parts: u32): void {
  if (ASC_FEATURE_SIMD) simd.quantize(params, part, parts);
  else portable.quantize(params, part, parts);
}

export function dequantize(params: usize, part: u32, parts: u32): void {
  if (ASC_FEATURE_SIMD) simd.dequantize(params, part, parts);
  else portable.dequantize(params, part, parts);
}

export function directConv2d(params: usize, part: u32, parts: u32): void {
  if (ASC_FEATURE_SIMD) simd.directConv2d(params, part, parts);
  else scalar.conv2d(params, part, parts);
}

export function gemvWide(params: usize, part: u32, parts: u32): void {
  if (ASC_FEATURE_SIMD) simd.gemvWide(params, part, parts);
  else scalar.gemvWide(params, part, parts);
}

export function spmmColumns(params: usize, part: u32, parts: u32): void {
  if (ASC_FEATURE_SIMD) simd.spmmColumns(params, part, parts);
  else scalar.spmm(params, part, parts);
}

export function dwconv3x3(params: usize, part: u32, parts: u32): void {
  if (ASC_FEATURE_SIMD) simd.dwconv(params, part, parts);
  else scalar.dwconv3x3(params, part, parts);
}
