import type { Patches } from "../../primitives/params.ts";

/** A kernel, `[n][kH][kW][inC]`, and where its windows stand. */
interface Kernel {
  readonly data: Int8Array;
  readonly patches: Patches;
}

/**
 * The kernel without its outer rows and columns that stand on padding for every output, where they add nothing: 3×3 on one pixel is
 * 1×1, and on 2×2 with stride 2 it is 2×2.
 */
export function reached(data: Int8Array, n: number, g: Patches): Kernel {
  const rows = reachedTaps(g.inH, g.kH, g.strideH, g.dilationH, g.padTop, g.outH);
  const columns = reachedTaps(g.inW, g.kW, g.strideW, g.dilationW, g.padLeft, g.outW);
  if (rows.count === g.kH && columns.count === g.kW) return { data, patches: g };
  const line = columns.count * g.inC;
  const kept = new Int8Array(n * rows.count * line);
  for (let i = 0; i < n * rows.count; i++) {
    const row = Math.floor(i / rows.count) * g.kH + rows.first + (i % rows.count);
    const from = (row * g.kW + columns.first) * g.inC;
    kept.set(data.subarray(from, from + line), i * line);
  }
  const patches = { ...g, kH: rows.count, kW: columns.count, padTop: rows.before, padLeft: columns.before };
  return { data: kept, patches };
}

/** The first tap along an axis that some output has inside of the image, how many there are from there on, and the padding before it. */
function reachedTaps(
  size: number,
  kernel: number,
  stride: number,
  dilation: number,
  before: number,
  out: number,
): { readonly first: number; readonly count: number; readonly before: number } {
  const furthest = (out - 1) * stride - before;
  let [first, last] = [0, kernel - 1];
  while (first < last && furthest + first * dilation < 0 && before >= (first + 1) * dilation) first++;
  while (last > first && last * dilation - before >= size) last--;
  return { first, count: last - first + 1, before: before - first * dilation };
}
