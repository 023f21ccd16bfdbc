/** Rows of int32 accumulators to int8: the epilogue of a GEMM as a kernel of its own. */
import { Requantize } from "./params";
import { share } from "../common/split";
import { RECORD, requantize as one } from "./requantize.scalar";

/** y[m,n] = requantize(x[m,n] + bias[n]); shares are rows. */
export function requantize(p: Requantize, part: u32, parts: u32): void {
  const n = p.n;
  const end = share(p.m, part + 1, parts);
  let row = share(p.m, part, parts);
  let x = <usize>p.x + ((<usize>row * n) << 2);
  let y = <usize>p.y + <usize>row * n;
  for (; row < end; row++) {
    let q = <usize>p.q;
    for (const last = y + n; y < last; y++) {
      store<u8>(y, one(load<i32>(x), q, p.lo, p.hi, p.yZeroPoint));
      x += 4;
      q += RECORD;
    }
  }
}
