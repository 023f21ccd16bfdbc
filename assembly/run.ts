/** The step loop: a list of pairs (kernel number, parameter block) becomes calls. */
import * as k from "./kernels";
import { dotProductKind } from "./relaxed/probe";

/**
 * Runs `count` steps of the list at `steps`, this thread doing share `part` of `parts` of each. Kernel numbers are
 * positions in the registry (`bindings/kernels/registry.ts`).
 */
export function run(steps: usize, count: u32, part: u32, parts: u32): void {
  for (const end = steps + (<usize>count << 3); steps < end; steps += 8) {
    step(load<u32>(steps), load<u32>(steps, 4), part, parts);
  }
}

/** One kernel by its number. */
export function step(kernel: u32, params: usize, part: u32, parts: u32): void {
  switch (kernel) {
    case 0: return k.gemm(params, part, parts);
    case 1: return k.gemv(params, part, parts);
    case 2: return k.conv2d(params, part, parts);
    case 3: return k.dwconv(params, part, parts);
    case 4: return k.lookup(params, part, parts);
    case 5: return k.add(params, part, parts);
    case 6: return k.mul(params, part, parts);
    case 7: return k.averagePool(params, part, parts);
    case 8: return k.maxPool(params, part, parts);
    case 9: return k.mean(params, part, parts);
    case 10: return k.softmax(params, part, parts);
    case 11: return k.copy(params, part, parts);
    case 12: return k.permute(params, part, parts);
    case 13: return k.pad(params, part, parts);
    case 14: return k.quantize(params, part, parts);
    case 15: return k.dequantize(params, part, parts);
    case 16: return k.requantize(params, part, parts);
    case 17: return k.spmm(params, part, parts);
    case 18: return k.sparseConv2d(params, part, parts);
    case 19: return k.directConv2d(params, part, parts);
    case 20: return k.gemvWide(params, part, parts);
    case 21: return k.spmmColumns(params, part, parts);
    case 22: return k.dwconv3x3(params, part, parts);
    case 23: return k.resizeNearest(params, part, parts);
    case 24: return k.resizeBilinear(params, part, parts);
    default: unreachable();
  }
}

/** What the relaxed dot product does here: 0 no such instruction in this module, 1 usdot, 2 sdot, −1 inexact. */
export function dotProduct(): i32 {
  return ASC_FEATURE_RELAXED_SIMD ? dotProductKind() : 0;
}
