/**
 * Every kernel under one name. Kernels that are the same everywhere come from portable/; for the others the module's
 * own loops are chosen when compiling, by the features that it is built for.
 */
import * as relaxed from "./relaxed/index";
import * as scalar from "./scalar/index";
import * as simd from "./simd/index";

export * from "./portable/index";

export function gemm(params: usize, part: u32, parts: u32): void {
  if (ASC_FEATURE_RELAXED_SIMD) relaxed.gemm(params, part, parts);
  else if (ASC_FEATURE_SIMD) simd.gemm(params, part, parts);
  else scalar.gemm(params, part, parts);
}

export function gemv(params: usize, part: u32, parts: u32): void {
  if (ASC_FEATURE_RELAXED_SIMD) relaxed.gemv(params, part, parts);
  else if (ASC_FEATURE_SIMD) simd.gemv(params, part, parts);
  else scalar.gemv(params, part, parts);
}

export function conv2d(params: usize, part: u32, parts: u32): void {
  if (ASC_FEATURE_RELAXED_SIMD) relaxed.conv2d(params, part, parts);
  else if (ASC_FEATURE_SIMD) simd.conv2d(params, part, parts);
  else scalar.conv2d(params, part, parts);
}

export function dwconv(params: usize, part: u32, parts: u32): void {
  if (ASC_FEATURE_RELAXED_SIMD) relaxed.dwconv(params, part, parts);
  else if (ASC_FEATURE_SIMD) simd.dwconv(params, part, parts);
  else scalar.dwconv(params, part, parts);
}
