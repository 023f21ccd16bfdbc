import { Permute } from "./params";
import { copyBytes } from "../common/bytes";
import { share } from "../common/split";

/** y dense in order, x by strides in bytes; elements of 1, 2, 4, 8 or 16 bytes. Contiguous runs are copied whole. */
export function permute(p: Permute, part: u32, parts: u32): void {
  const size = p.size;
  const total = p.d0 * p.d1 * p.d2 * p.d3 * p.d4 * p.d5;
  const end = share(total, part + 1, parts);
  let i = share(total, part, parts);
  while (i < end) {
    const count = min(p.d5 - (i % p.d5), end - i);
    const x = source(p, i);
    const y = <usize>p.y + i * size;
    if (p.x5 == size) copyBytes(y, x, count * size);
    else gather(y, x, count, p.x5, size);
    i += count;
  }
}

export function gather(y: usize, x: usize, count: u32, step: u32, size: u32): void {
  const end = y + count * size;
  if (size == 1) {
    for (; y < end; y++, x += step) store<u8>(y, load<u8>(x));
  } else if (size == 2) {
    for (; y < end; y += 2, x += step) store<u16>(y, load<u16>(x));
  } else if (size == 4) {
    for (; y < end; y += 4, x += step) store<u32>(y, load<u32>(x));
  } else {
    for (; y < end; y += size, x += step) {
      store<u64>(y, load<u64>(x));
      if (size == 16) store<u64>(y, load<u64>(x, 8), 8);
    }
  }
}

/** Address in x of output element i. */
export function source(p: Permute, i: u32): usize {
  let rest = i / p.d5;
  let at = (i - rest * p.d5) * p.x5;
  let next = rest / p.d4;
  at += (rest - next * p.d4) * p.x4;
  rest = next / p.d3;
  at += (next - rest * p.d3) * p.x3;
  next = rest / p.d2;
  at += (rest - next * p.d2) * p.x2;
  rest = next / p.d1;
  at += (next - rest * p.d1) * p.x1;
  return <usize>p.x + at + rest * p.x0;
}
