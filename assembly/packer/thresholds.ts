/** The steps of one channel's output that a proof looks at. */

/** Accumulators at which the output steps up by one: 255 f64, and what pairs of them write beyond. */
export const THRESHOLDS = memory.data(2064, 16);

/** The first output that a threshold leads to; thresholds begin at `start`. */
export let first: i32 = 0;
export let start: usize = 0;

/** Of the thresholds for outputs from lo + 1 to hi, how many some accumulator reaches; sets `start` and `first` to these. */
export function found(lo: i32, hi: i32, least: f64, most: f64): i32 {
  const end = THRESHOLDS + (<usize>(hi - lo) << 3);
  start = THRESHOLDS;
  first = lo + 1;
  while (start < end && load<f64>(start) <= least) {
    start += 8;
    first++;
  }
  let last = end;
  while (last > start && load<f64>(last - 8) > most) last -= 8;
  return <i32>((last - start) >>> 3);
}

export function setFirst(output: i32): void {
  first = output;
}

export function clamp(value: i32, lo: i32, hi: i32): i32 {
  return min(max(value, lo), hi);
}
