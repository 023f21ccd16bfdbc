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
  /** 1: of equal scores the first box comes first; 0: in the heap's order. */
  inOrder: u32;
}

/**
 * NON_MAX_SUPPRESSION. Candidates wait in a binary heap by score; one whose score has fallen waits again. A candidate that
 * was taken waits again, too, and is dropped then for overlapping itself, as in the reference. Which of equals comes first
 * is the heap's doing unless they are to come in order: it moves as the one of the GNU C++ library that the reference is built with. Scratch: 12 bytes a
 * box, its score, how many of the taken it was compared with, and a place in the heap.
 */
export function suppress(p: Suppress, part: u32, parts: u32): void {
  if (part) return;
  const boxes = <usize>p.x;
  const waiting = <usize>p.scratch;
  const heap = waiting + (<usize>p.boxes << 3);
  const threshold = load<f32>(p.threshold);
  const overlap = load<f32>(p.overlap);
  const sigma = p.sigma ? load<f32>(p.sigma) : 0;
  const scale: f32 = sigma > 0 ? -0.5 / sigma : 0;
  let count: u32 = 0;
  for (let i: u32 = 0; i < p.boxes; i++) {
    const value = load<f32>(<usize>p.scores + (<usize>i << 2));
    store<f32>(waiting + (<usize>i << 3), value);
    store<u32>(waiting + (<usize>i << 3), 0, 4);
    if (value > threshold) rise(p, heap, count++, i);
  }
  const limit = min(min(count, <u32>max(load<i32>(p.limit), 0)), p.most);
  let found: u32 = 0;
  while (found < limit && count) {
    const box = load<u32>(heap);
    let hole: u32 = 0;
    count--;
    for (let child: u32 = 2; child <= count; child = 2 * hole + 2) {
      if (child == count || isBehind(p, boxAt(heap, child), boxAt(heap, child - 1))) child--;
      store<u32>(heap + (<usize>hole << 2), load<u32>(heap + (<usize>child << 2)));
      hole = child;
    }
    rise(p, heap, hole, load<u32>(heap + (<usize>count << 2)));
    const entry = waiting + (<usize>box << 3);
    const first = load<f32>(entry);
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
    if (dropped) continue;
    if (value == first) {
      store<u32>(<usize>p.y + (<usize>found << 2), box);
      if (p.yScores) store<f32>(<usize>p.yScores + (<usize>found << 2), value);
      found++;
    }
    store<f32>(entry, value);
    if (value > threshold) rise(p, heap, count++, box);
  }
  store<u32>(p.yCount, found);
  for (let k = found; k < p.most; k++) {
    store<u32>(<usize>p.y + (<usize>k << 2), 0);
    if (p.yScores) store<u32>(<usize>p.yScores + (<usize>k << 2), 0);
  }
}

function boxAt(heap: usize, at: u32): u32 {
  return load<u32>(heap + (<usize>at << 2));
}

/** True of a box that waits for another. */
function isBehind(p: Suppress, a: u32, b: u32): bool {
  const left = load<f32>(<usize>p.scratch + (<usize>a << 3));
  const right = load<f32>(<usize>p.scratch + (<usize>b << 3));
  return left < right || (left == right && p.inOrder && a > b);
}

/** Puts a box into the heap from a hole on upwards, before those that are behind it. */
function rise(p: Suppress, heap: usize, hole: u32, box: u32): void {
  while (hole) {
    const parent = (hole - 1) >>> 1;
    if (!isBehind(p, boxAt(heap, parent), box)) break;
    store<u32>(heap + (<usize>hole << 2), boxAt(heap, parent));
    hole = parent;
  }
  store<u32>(heap + (<usize>hole << 2), box);
}
