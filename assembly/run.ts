/** The step loop: a list of pairs (kernel number, parameter block) becomes calls. */
import * as k from "./kernels";
import * as portable from "./portable/index";
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

function step(kernel: u32, params: usize, part: u32, parts: u32): void {
  switch (kernel) {
    case 0: return k.gemm(params, part, parts);
    case 1: return k.gemv(params, part, parts);
    case 2: return k.conv2d(params, part, parts);
    case 3: return k.dwconv(params, part, parts);
    case 4: return portable.lookup(params, part, parts);
    case 5: return portable.add(params, part, parts);
    case 6: return portable.mul(params, part, parts);
    case 7: return portable.averagePool(params, part, parts);
    case 8: return portable.maxPool(params, part, parts);
    case 9: return portable.mean(params, part, parts);
    case 10: return portable.softmax(params, part, parts);
    case 11: return portable.copy(params, part, parts);
    case 12: return portable.permute(params, part, parts);
    case 13: return portable.pad(params, part, parts);
    case 14: return portable.quantize(params, part, parts);
    case 15: return portable.dequantize(params, part, parts);
    default: unreachable();
  }
}

/** What the relaxed dot product does here: 0 no such instruction in this module, 1 usdot, 2 sdot, −1 inexact. */
export function dotProduct(): i32 {
  return ASC_FEATURE_RELAXED_SIMD ? dotProductKind() : 0;
}
