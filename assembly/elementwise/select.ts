/** y = condition ? a : b with broadcasting, for elements of any whole size. @full */
import { runEnd, runStart, walkOperand } from "./broadcast";
import { Select } from "./params";

export function select(p: Select, part: u32, parts: u32): void {
  const end = runEnd(p, part, parts);
  let i = runStart(p, part, parts);
  let y = <usize>p.y + <usize>i * p.size;
  while (i < end) {
    const a = walkOperand(p, i, true);
    const b = walkOperand(p, i, false);
    const c = conditionAt(p, i);
    const count = min(p.d5 - (i % p.d5), end - i);
    i += count;
    switch (p.size) {
      case 1: { line<u8>(p, a, b, c, y, count); break; }
      case 2: { line<u16>(p, a, b, c, y, count); break; }
      case 4: { line<u32>(p, a, b, c, y, count); break; }
      default: line<u64>(p, a, b, c, y, count);
    }
    y += <usize>count * p.size;
  }
}

// @ts-ignore: decorator
@inline function line<T>(p: Select, a: usize, b: usize, c: usize, y: usize, count: u32): void {
  for (; count; count--) {
    store<T>(y, load<T>(load<u8>(c) ? a : b));
    a += p.a5;
    b += p.b5;
    c += p.c5;
    y += sizeof<T>();
  }
}

function conditionAt(p: Select, i: u32): usize {
  let rest = i / p.d5;
  let at = (i - rest * p.d5) * p.c5;
  let next = rest / p.d4;
  at += (rest - next * p.d4) * p.c4;
  rest = next / p.d3;
  at += (next - rest * p.d3) * p.c3;
  next = rest / p.d2;
  at += (rest - next * p.d2) * p.c2;
  rest = next / p.d1;
  at += (next - rest * p.d1) * p.c1 + rest * p.c0;
  return <usize>p.condition + at;
}
