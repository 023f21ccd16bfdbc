/** Which taps of a kernel lie on the input, in one dimension. */

/** First tap that lies at 0 or after, where the first of all lies at `start`. */
// @ts-ignore: decorator
@inline export function firstTap(start: i32, dilation: u32, taps: u32): u32 {
  return start >= 0 ? 0 : min((<u32>-start + dilation - 1) / dilation, taps);
}

/** The tap after the last one that lies below `size`. */
// @ts-ignore: decorator
@inline export function endTap(start: i32, dilation: u32, taps: u32, size: u32): u32 {
  const room = <i32>size - start;
  return room <= 0 ? 0 : min((<u32>room + dilation - 1) / dilation, taps);
}
