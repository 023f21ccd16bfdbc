/** The best of boxes that have one score each. @full */
import { expF32 } from "../common/float";
import { overlapOf } from "../common/overlap";

/** Keeps of x `[boxes,4]` up to `most` by falling score; overlaps from the threshold on are dropped, below it scores fall by sigma. */
@unmanaged
export class Suppress {
  x: u32;
  scores: u32;
  /** Addresses of one number each: int32, float32, float32; sigma's is 0 where there is none. */
  limit: u32;
  overlap: u32;
  threshold: u32;
  sigma: u32;
  /** int32 places, float32 scores or 0, and the int32 count. */
  y: u32;
  yScores: u32;
  yCount: u32;
  scratch: u32;
  scratchStride: u32;
  boxes: u32;
  most: u32;
}

/**
 * NON_MAX_SUPPRESSION. Candidates wait by falling score, of equals the first; one whose score has fallen waits again. A
 * candidate that was taken waits again, too, and is dropped then for overlapping itself, as in the reference. Scratch: 8
 * bytes a box, its score and how many of the taken it was compared with.
 */
export function suppress(p: Suppress, part: u32, parts: u32): void {
  if (part) return;
  const boxes = <usize>p.x;
  const waiting = <usize>p.scratch;
  const threshold = load<f32>(p.threshold);
  const overlap = load<f32>(p.overlap);
  const sigma = p.sigma ? load<f32>(p.sigma) : 0;
  const scale: f32 = sigma > 0 ? -0.5 / sigma : 0;
  const gone: f32 = -Infinity;
  let candidates: u32 = 0;
  for (let i: u32 = 0; i < p.boxes; i++) {
    const value = load<f32>(<usize>p.scores + (<usize>i << 2));
    const waits = value > threshold;
    if (waits) candidates++;
    store<f32>(waiting + (<usize>i << 3), waits ? value : gone);
    store<u32>(waiting + (<usize>i << 3), 0, 4);
  }
  const limit = min(min(candidates, <u32>max(load<i32>(p.limit), 0)), p.most);
  let found: u32 = 0;
  while (found < limit) {
    let box: i32 = -1;
    let first = gone;
    for (let i: u32 = 0; i < p.boxes; i++) {
      const value = load<f32>(waiting + (<usize>i << 3));
      if (value > first) {
        first = value;
        box = i;
      }
    }
    if (box < 0) break;
    const entry = waiting + (<usize>box << 3);
    let value = first;
    let dropped = false;
    for (let k = <i32>found - 1; k >= load<i32>(entry, 4); k--) {
      const common = overlapOf(boxes, box, load<u32>(<usize>p.y + (<usize>k << 2)));
      if (common >= overlap) {
        dropped = true;
        break;
      }
      if (sigma > 0) value *= expF32<f32>(scale * common * common);
      if (value <= threshold) break;
    }
    store<u32>(entry, found, 4);
    if (!dropped && value == first) {
      store<u32>(<usize>p.y + (<usize>found << 2), box);
      if (p.yScores) store<f32>(<usize>p.yScores + (<usize>found << 2), value);
      found++;
    }
    store<f32>(entry, dropped || !(value > threshold) ? gone : value);
  }
  store<u32>(p.yCount, found);
  for (let k = found; k < p.most; k++) {
    store<u32>(<usize>p.y + (<usize>k << 2), 0);
    if (p.yScores) store<u32>(<usize>p.yScores + (<usize>k << 2), 0);
  }
}
