import { Softmax } from "./params";
import { highMul, reciprocalOfOnePlus, roundingShift } from "../common/fixedpoint";
import { share } from "../common/split";

/**
 * int8 softmax, output scale 1/256 and zero point −128. expTable[d] is exp(−d·scale·beta) in Q0.31. The sum is Q12.19;
 * from 512.0 on every output rounds to zero (TFLite stops there), which also bounds what the sum can hold.
 */
export function softmax(p: Softmax, part: u32, parts: u32): void {
  const depth = p.depth;
  const last = share(p.rows, part + 1, parts);
  const first = share(p.rows, part, parts);
  let x = <usize>p.x + <usize>(first * depth);
  let y = <usize>p.y + <usize>(first * depth);
  for (let row = first; row < last; row++) {
    const end = x + <usize>depth;
    let largest: i32 = -128;
    for (let i = x; i < end; i++) largest = max(largest, <i32>load<i8>(i));
    let sum: i64 = 0;
    for (let i = x; i < end; i++) sum += roundingShift(exp(p, largest, i), 12);
    if (sum >= 1 << 28) {
      for (; x < end; x++) {
        store<i8>(y, -128);
        y++;
      }
    } else {
      const headroom = clz(<u32>sum);
      const scale = reciprocalOfOnePlus((<i32>sum << headroom) ^ i32.MIN_VALUE);
      const shift = 35 - <i32>headroom;
      for (; x < end; x++) {
        store<i8>(y, min(roundingShift(highMul(scale, exp(p, largest, x)), shift) - 128, 127));
        y++;
      }
    }
  }
}

// @ts-ignore: decorator
@inline function exp(p: Softmax, largest: i32, x: usize): i32 {
  return load<i32>(<usize>p.expTable + (<usize>(largest - <i32>load<i8>(x)) << 2));
}
