/** Weights summed and packed, as `bindings/primitives/requantize/packer.ts` and `gemm.ts` do it. */

/**
 * Of n rows of k int8 weights: each row's sum, and the sum of sizes (i32). Returns how many weights are zero.
 */
export function sumRows(weights: usize, n: u32, k: u32, sum: usize, size: usize): u32 {
  let zeros: u32 = 0;
  for (; n; n--) {
    let sums = i32x4.splat(0);
    let sizes = i32x4.splat(0);
    let i: u32 = 0;
    for (; i + 16 <= k; i += 16) {
      const w = v128.load(weights);
      sums = i32x4.add(sums, i32x4.extadd_pairwise_i16x8_s(i16x8.extadd_pairwise_i8x16_s(w)));
      sizes = i32x4.add(sizes, i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(i8x16.abs(w))));
      zeros += popcnt(i8x16.bitmask(i8x16.eq(w, i8x16.splat(0))));
      weights += 16;
    }
    let total = total4(sums);
    let totalSize = total4(sizes);
    for (; i < k; i++) {
      const w = <i32>load<i8>(weights++);
      total += w;
      totalSize += abs(w);
      zeros += i32(w == 0);
    }
    store<i32>(sum, total);
    store<i32>(size, totalSize);
    sum += 4;
    size += 4;
  }
  return zeros;
}

// @ts-ignore: decorator
@inline function total4(v: v128): i32 {
  return i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1) + i32x4.extract_lane(v, 2) + i32x4.extract_lane(v, 3);
}

/** Panels [n/8][k/KR][8][KR] of n rows of k weights, KR 2 or 4 of which k is a multiple; the target holds zeros. */
export function packPanels(target: usize, weights: usize, n: u32, k: u32, kr: u32): void {
  const panel = <usize>k << 3;
  for (let column: u32 = 0; column < n; column++) {
    let t = target + <usize>(column >>> 3) * panel + (column & 7) * kr;
    if (kr == 4) {
      for (const end = weights + k; weights < end; weights += 4) {
        store<u32>(t, load<u32>(weights));
        t += 32;
      }
    } else {
      for (const end = weights + k; weights < end; weights += 2) {
        store<u16>(t, load<u16>(weights));
        t += 16;
      }
    }
  }
}
