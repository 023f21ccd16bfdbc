/** Boxes with scores, thinned out: the best first, and none that overlaps a better one too much. @full */
import { expF32 } from "../common/float";
import { overlapOf } from "../common/overlap";

/**
 * Decodes `boxes` boxes from centres, sizes and anchors, and keeps the best. Inputs are float32 (type 0), int8 (1) or
 * uint8 (2) with a scale and a zero point each. Boxes are y, x of a corner, y, x of the other. Scratch: 28 bytes a box,
 * then 8 for each of `most`. One thread does it all.
 */
@unmanaged
export class Detect {
  encodings: u32;
  scores: u32;
  anchors: u32;
  yBoxes: u32;
  yClasses: u32;
  yScores: u32;
  yCount: u32;
  scratch: u32;
  scratchStride: u32;
  boxes: u32;
  /** Numbers to an encoding, of which the first four count; scores to a box; the first class among them; classes. */
  encodingSize: u32;
  scoreSize: u32;
  offset: u32;
  classes: u32;
  /** Detections in all, classes to one of them; rows of the outputs, `most` times `perBox`. */
  most: u32;
  perBox: u32;
  rows: u32;
  /** Detections to a class where each class is thinned out by itself, 0 where boxes are by their best class. */
  perClass: u32;
  threshold: f32;
  overlap: f32;
  yScale: f32;
  xScale: f32;
  hScale: f32;
  wScale: f32;
  encodingType: u32;
  encodingZero: f32;
  encodingScale: f32;
  scoreType: u32;
  scoreZero: f32;
  scoreScale: f32;
  anchorType: u32;
  anchorZero: f32;
  anchorScale: f32;
}

// @ts-ignore: decorator
@inline function number(base: u32, i: u32, type: u32, zero: f32, scale: f32): f32 {
  if (type == 0) return load<f32>(<usize>base + (<usize>i << 2));
  const q = type == 1 ? <f32>load<i8>(<usize>base + i) : <f32>load<u8>(<usize>base + i);
  return (q - zero) * scale;
}

/** TFLite_Detection_PostProcess. */
export function detect(p: Detect, part: u32, parts: u32): void {
  if (part) return;
  const boxes = <usize>p.scratch;
  decode(p, boxes);
  const all = <usize>p.rows;
  for (let i: usize = 0; i < all * 4; i++) store<u32>(<usize>p.yBoxes + (i << 2), 0);
  for (let i: usize = 0; i < all; i++) {
    store<u32>(<usize>p.yClasses + (i << 2), 0);
    store<u32>(<usize>p.yScores + (i << 2), 0);
  }
  const count = p.perClass ? everyClass(p, boxes) : bestClass(p, boxes);
  store<f32>(p.yCount, <f32>count);
}

function decode(p: Detect, boxes: usize): void {
  for (let i: u32 = 0; i < p.boxes; i++) {
    const e = i * p.encodingSize;
    const a = i * 4;
    const anchorH = anchor(p, a + 2);
    const anchorW = anchor(p, a + 3);
    const y = <f32>(<f64>encoding(p, e) / <f64>p.yScale * <f64>anchorH + <f64>anchor(p, a));
    const x = <f32>(<f64>encoding(p, e + 1) / <f64>p.xScale * <f64>anchorW + <f64>anchor(p, a + 1));
    const h = <f32>(0.5 * <f64>expF32<f32>(encoding(p, e + 2) / p.hScale) * <f64>anchorH);
    const w = <f32>(0.5 * <f64>expF32<f32>(encoding(p, e + 3) / p.wScale) * <f64>anchorW);
    const box = boxes + (<usize>i << 4);
    store<f32>(box, y - h);
    store<f32>(box, x - w, 4);
    store<f32>(box, y + h, 8);
    store<f32>(box, x + w, 12);
  }
}

function encoding(p: Detect, i: u32): f32 {
  return number(p.encodings, i, p.encodingType, p.encodingZero, p.encodingScale);
}

function anchor(p: Detect, i: u32): f32 {
  return number(p.anchors, i, p.anchorType, p.anchorZero, p.anchorScale);
}

function score(p: Detect, box: u32, column: u32): f32 {
  return number(p.scores, box * p.scoreSize + column + p.offset, p.scoreType, p.scoreZero, p.scoreScale);
}

/** Boxes are thinned out by their best class; each that is left gives its best classes. */
function bestClass(p: Detect, boxes: usize): u32 {
  const scores = boxes + (<usize>p.boxes << 4);
  for (let i: u32 = 0; i < p.boxes; i++) {
    let best = score(p, i, 0);
    for (let c: u32 = 1; c < p.classes; c++) best = max(best, score(p, i, c));
    store<f32>(scores + (<usize>i << 2), best);
  }
  const chosen = scores + (<usize>p.boxes << 3);
  const count = thin(boxes, scores, p.boxes, p.threshold, p.overlap, p.most, scores + (<usize>p.boxes << 2), chosen);
  const classes = min(p.perBox, p.classes);
  for (let k: u32 = 0; k < count; k++) {
    const box = load<u32>(chosen + (<usize>k << 2));
    let last: u32 = 0;
    let lastScore: f32 = 0;
    for (let j: u32 = 0; j < classes; j++) {
      // the next in falling score, of equals the first class first
      let best: i32 = -1;
      let bestScore: f32 = 0;
      for (let c: u32 = 0; c < p.classes; c++) {
        const value = score(p, box, c);
        const after = j == 0 || value < lastScore || (value == lastScore && c > last);
        if (after && (best < 0 || value > bestScore)) {
          best = c;
          bestScore = value;
        }
      }
      if (best < 0) break;
      emit(p, boxes, k * p.perBox + j, box, best, bestScore);
      last = best;
      lastScore = bestScore;
    }
  }
  return count;
}

/** Each class is thinned out by itself, and the best of all classes are kept. */
function everyClass(p: Detect, boxes: usize): u32 {
  const scores = boxes + (<usize>p.boxes << 4);
  const order = scores + (<usize>p.boxes << 2);
  const chosen = order + (<usize>p.boxes << 2);
  const best = chosen + (<usize>p.boxes << 2);
  let count: u32 = 0;
  for (let c: u32 = 0; c < p.classes; c++) {
    for (let i: u32 = 0; i < p.boxes; i++) store<f32>(scores + (<usize>i << 2), score(p, i, c));
    const found = thin(boxes, scores, p.boxes, p.threshold, p.overlap, p.perClass, order, chosen);
    for (let k: u32 = 0; k < found; k++) {
      const box = load<u32>(chosen + (<usize>k << 2));
      const value = load<f32>(scores + (<usize>box << 2));
      let at = count;
      if (count < p.most) count++;
      else if (!(value > load<f32>(best + (<usize>(count - 1) << 3), 4))) continue;
      else at = count - 1;
      for (; at > 0; at--) {
        const before = load<u64>(best + (<usize>(at - 1) << 3));
        if (!(value > load<f32>(best + (<usize>(at - 1) << 3), 4))) break;
        store<u64>(best + (<usize>at << 3), before);
      }
      store<u32>(best + (<usize>at << 3), box * p.classes + c);
      store<f32>(best + (<usize>at << 3), value, 4);
    }
  }
  for (let k: u32 = 0; k < count; k++) {
    const place = load<u32>(best + (<usize>k << 3));
    const box = place / p.classes;
    emit(p, boxes, k, box, place - box * p.classes, load<f32>(best + (<usize>k << 3), 4));
  }
  return count;
}

function emit(p: Detect, boxes: usize, row: u32, box: u32, label: u32, value: f32): void {
  const from = boxes + (<usize>box << 4);
  const to = <usize>p.yBoxes + (<usize>row << 4);
  store<u64>(to, load<u64>(from));
  store<u64>(to, load<u64>(from, 8), 8);
  store<f32>(<usize>p.yClasses + (<usize>row << 2), <f32>label);
  store<f32>(<usize>p.yScores + (<usize>row << 2), value);
}

/**
 * Boxes with scores from `threshold` on, the best first and of equals the first, without those that overlap one taken by
 * more than `overlap`; up to `most` into `chosen`. `heap` has room for all.
 */
function thin(boxes: usize, scores: usize, count: u32, threshold: f32, overlap: f32, most: u32, heap: usize, chosen: usize): u32 {
  let size: u32 = 0;
  for (let i: u32 = 0; i < count; i++)
    if (load<f32>(scores + (<usize>i << 2)) >= threshold) {
      store<u32>(heap + (<usize>size << 2), i);
      size++;
    }
  for (let i = size >> 1; i > 0; i--) sink(heap, scores, i - 1, size);
  let found: u32 = 0;
  while (size > 0 && found < most) {
    const top = load<u32>(heap);
    size--;
    store<u32>(heap, load<u32>(heap + (<usize>size << 2)));
    sink(heap, scores, 0, size);
    let free = true;
    for (let k: u32 = 0; k < found && free; k++)
      free = !(overlapOf(boxes, load<u32>(chosen + (<usize>k << 2)), top) > overlap);
    if (!free) continue;
    store<u32>(chosen + (<usize>found << 2), top);
    found++;
  }
  return found;
}

/** Puts the entry at `i` where it belongs below. */
function sink(heap: usize, scores: usize, i: u32, size: u32): void {
  const entry = load<u32>(heap + (<usize>i << 2));
  for (;;) {
    let child: u32 = 2 * i + 1;
    if (child >= size) break;
    if (child + 1 < size && precedes(scores, load<u32>(heap + (<usize>(child + 1) << 2)), load<u32>(heap + (<usize>child << 2)))) child++;
    const below = load<u32>(heap + (<usize>child << 2));
    if (!precedes(scores, below, entry)) break;
    store<u32>(heap + (<usize>i << 2), below);
    i = child;
  }
  store<u32>(heap + (<usize>i << 2), entry);
}

function precedes(scores: usize, a: u32, b: u32): bool {
  const left = load<f32>(scores + (<usize>a << 2));
  const right = load<f32>(scores + (<usize>b << 2));
  return left > right || (left == right && a < b);
}
