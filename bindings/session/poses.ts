/**
 * PosenetDecoderOp on the host: people in heatmaps, from the keypoint that is surest on along the skeleton. Source: what
 * libcoral's posenet decoder computes, in float32, ties as its C++ library breaks them.
 */
import type { TypedArray } from "../tensor.ts";

const KEYPOINTS = 17;
/** Ends of the skeleton's edges, forward; each is walked backward, too. */
const EDGES: readonly (readonly [number, number])[] = [
  ...([
    [0, 1],
    [1, 3],
    [0, 2],
    [2, 4],
    [0, 5],
    [5, 7],
    [7, 9],
    [5, 11],
  ] as const),
  ...([
    [11, 13],
    [13, 15],
    [0, 6],
    [6, 8],
    [8, 10],
    [6, 12],
    [12, 14],
    [14, 16],
  ] as const),
];
/** Times that a place is moved by the offsets at it. */
const [REFINEMENTS, MASK_REFINEMENTS] = [5, 2];
/** Height and width of masks. */
const MASK = 33;
const f = Math.fround;

interface Keypoint {
  readonly y: number;
  readonly x: number;
  readonly id: number;
  readonly score: number;
}

/** `[h, w, channels]`. */
interface Field {
  readonly data: Float32Array;
  readonly h: number;
  readonly w: number;
  readonly channels: number;
}

const held = (x: number, most: number) => (x < 0 ? 0 : most < x ? most : x);

/** A channel between the four places around (y, x), which lies inside. */
function sample({ data, h, w, channels }: Field, y: number, x: number, channel: number): number {
  const along = (at: number, size: number) => {
    const inside = held(at, size - 1);
    const first = Math.floor(inside);
    return { first, second: Math.ceil(inside), share: f(at - first) };
  };
  const [row, column] = [along(y, h), along(x, w)];
  const value = (i: number, j: number) => data[(i * w + j) * channels + channel] as number;
  const across = (i: number) =>
    f(f(f(1 - column.share) * value(i, column.first)) + f(column.share * value(i, column.second)));
  return f(f(f(1 - row.share) * across(row.first)) + f(row.share * across(row.second)));
}

/** A place moved by the offsets at it, as often as asked; those of y and x stand in two channels. */
function follow(field: Field, y: number, x: number, [down, across]: readonly [number, number], times: number) {
  let place = { y, x };
  for (let i = 0; i < times; i++) {
    const by = [sample(field, place.y, place.x, down), sample(field, place.y, place.x, across)] as const;
    place = { y: held(f(place.y + by[0]), field.h - 1), x: held(f(place.x + by[1]), field.w - 1) };
  }
  return place;
}

/** A binary heap with the greatest score on top; equal ones leave in the order in which C++'s std::priority_queue lets them. */
export class Queue {
  readonly #items: Keypoint[] = [];

  get size(): number {
    return this.#items.length;
  }

  push(item: Keypoint): void {
    this.#items.push(item);
    this.#rise(this.#items.length - 1, item);
  }

  pop(): Keypoint {
    const items = this.#items;
    const top = items[0] as Keypoint;
    const last = items.pop() as Keypoint;
    const length = items.length;
    if (length === 0) return top;
    let hole = 0;
    let child = 2;
    for (; child < length; child = 2 * hole + 2) {
      if ((items[child] as Keypoint).score < (items[child - 1] as Keypoint).score) child--;
      items[hole] = items[child] as Keypoint;
      hole = child;
    }
    if (child === length) {
      items[hole] = items[child - 1] as Keypoint;
      hole = child - 1;
    }
    this.#rise(hole, last);
    return top;
  }

  #rise(from: number, item: Keypoint): void {
    const items = this.#items;
    let hole = from;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (!((items[parent] as Keypoint).score < item.score)) break;
      items[hole] = items[parent] as Keypoint;
      hole = parent;
    }
    items[hole] = item;
  }
}

/** Keypoints that are the surest around them, moved by their own short offsets. */
function candidates(heatmaps: Field, shorts: Field, least: number): Queue {
  const { data, h, w } = heatmaps;
  const queue = new Queue();
  const isLargest = (y: number, x: number, id: number, score: number) => {
    for (let i = Math.max(y - 1, 0); i < Math.min(y + 2, h); i++)
      for (let j = Math.max(x - 1, 0); j < Math.min(x + 2, w); j++)
        if ((data[(i * w + j) * KEYPOINTS + id] as number) > score) return false;
    return true;
  };
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++)
      for (let id = 0; id < KEYPOINTS; id++) {
        const score = data[(y * w + x) * KEYPOINTS + id] as number;
        if (!(score >= least) || !isLargest(y, x, id, score)) continue;
        const at = 2 * (y * w + x) * KEYPOINTS + id;
        const [down, across] = [shorts.data[at] as number, shorts.data[at + KEYPOINTS] as number];
        queue.push({ y: held(f(y + down), h - 1), x: held(f(x + across), w - 1), id, score });
      }
  return queue;
}

/** y, x of each keypoint, and its score. */
interface Pose {
  readonly places: Float32Array;
  readonly scores: Float32Array;
}

const sigmoid = (x: number) => f(1 / f(1 + f(Math.exp(f(-x)))));

/** A whole pose from one keypoint on: the surest that is next to a known one comes next. */
function decode(heatmaps: Field, shorts: Field, mids: Field, root: Keypoint): Pose {
  const pose: Pose = {
    places: new Float32Array(2 * KEYPOINTS).fill(-1),
    scores: new Float32Array(KEYPOINTS).fill(-1e5),
  };
  const known = new Set<number>();
  const queue = new Queue();
  queue.push({ ...root, score: sample(heatmaps, root.y, root.x, root.id) });
  while (queue.size > 0) {
    const { y, x, id, score } = queue.pop();
    if (known.has(id)) continue;
    known.add(id);
    pose.places.set([y, x], 2 * id);
    pose.scores[id] = score;
    for (let edge = 0; edge < 2 * EDGES.length; edge++) {
      const [parent, child] = EDGES[edge % EDGES.length] as readonly [number, number];
      const [from, to] = edge < EDGES.length ? [parent, child] : [child, parent];
      if (from !== id || known.has(to)) continue;
      // Channels are y and x forward, then y and x backward; the source's bound leaves the first edge backward out.
      const channel = edge > EDGES.length ? edge + EDGES.length : edge;
      const near = follow(mids, y, x, [channel, channel + EDGES.length], 1);
      const place = follow(shorts, near.y, near.x, [to, KEYPOINTS + to], REFINEMENTS);
      queue.push({ ...place, id: to, score: sample(heatmaps, place.y, place.x, to) });
    }
  }
  for (const [id, score] of pose.scores.entries()) pose.scores[id] = sigmoid(score);
  return pose;
}

function squaredDistance(a: Float32Array, b: Float32Array, id: number): number {
  const [dy, dx] = [0, 1].map((d) => f((b[2 * id + d] as number) - (a[2 * id + d] as number))) as [number, number];
  return f(f(dy * dy) + f(dx * dx));
}

const byScore = (scores: ArrayLike<number>) =>
  Array.from({ length: scores.length }, (_, i) => i).sort((i, j) => (scores[j] as number) - (scores[i] as number));

/** The mean of the scores, the largest first, of those keypoints that are taken. */
function meanScore(scores: Float32Array, isTaken: (id: number) => boolean): number {
  let sum = 0;
  for (const id of byScore(scores)) if (isTaken(id)) sum = f(sum + (scores[id] as number));
  return f(sum / KEYPOINTS);
}

/** Which pose each place belongs to, by where the long offsets lead from it. */
function fillMasks(longs: Field, places: Float32Array, count: number, stride: number, masks: Float32Array): void {
  const { h, w } = longs;
  const led = new Float32Array(2 * KEYPOINTS);
  for (let y = 0; y < h && count > 0; y++)
    for (let x = 0; x < w; x++) {
      for (let id = 0; id < KEYPOINTS; id++) {
        const place = follow(longs, y, x, [id, id + KEYPOINTS], MASK_REFINEMENTS + 1);
        led.set([f(place.y * stride), f(place.x * stride)], 2 * id);
      }
      let best = 0;
      let least = Number.POSITIVE_INFINITY;
      for (let pose = 0; pose < count; pose++) {
        const own = places.subarray(pose * 2 * KEYPOINTS);
        let sum = 0;
        for (let id = 0; id < KEYPOINTS; id++) sum = f(sum + squaredDistance(led, own, id));
        if (sum < least) [best, least] = [pose, sum];
      }
      masks[(best * w + y) * h + x] = 1;
    }
}

/**
 * Inputs: float32 heatmaps `[h, w, 17]` (log-odds), short and middle offsets and, for masks, long ones, of pixels. Options:
 * float32 most detections, least score, stride, radius of suppression, h and w. Outputs: places `[most, 17, 2]`, their
 * scores, scores of poses, their count, and masks.
 */
export function run(inputs: readonly TypedArray[], outputs: readonly TypedArray[], options: Uint8Array): void {
  const [most, least, stride, radius, h, w] = new Float32Array(options.slice().buffer) as unknown as number[] as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const field = (i: number, scale: number, sizes = { h, w }): Field => {
    const data = Float32Array.from(inputs[i] as Float32Array, (value) => f(value * f(scale)));
    return { data, ...sizes, channels: data.length / (sizes.h * sizes.w) };
  };
  const [heatmaps, shorts, mids] = [field(0, 1), field(1, 1 / stride), field(2, 1 / stride)];
  const squaredRadius = f(f(radius / stride) * f(radius / stride));
  const queue = candidates(heatmaps, shorts, f(-Math.log(1 / (least + 1e-6) - 1)));
  const poses: Pose[] = [];
  while (poses.length < most && queue.size > 0) {
    const root = queue.pop();
    const own = new Float32Array(2 * KEYPOINTS);
    own.set([root.y, root.x], 2 * root.id);
    if (poses.some(({ places }) => squaredDistance(own, places, root.id) <= squaredRadius)) continue;
    const pose = decode(heatmaps, shorts, mids, root);
    if (meanScore(pose.scores, () => true) >= least) poses.push(pose);
  }
  const order = byScore(poses.map(({ scores }) => meanScore(scores, () => true)));
  const scores = new Float32Array(poses.length);
  for (const [rank, i] of order.entries()) {
    const { places, scores: own } = poses[i] as Pose;
    const surer = order.slice(0, rank).map((j) => (poses[j] as Pose).places);
    scores[rank] = meanScore(own, (id) => !surer.some((other) => squaredDistance(places, other, id) <= squaredRadius));
  }
  const [places, keypointScores, poseScores, counts, masks] = outputs as readonly Float32Array[];
  for (const output of outputs as readonly Float32Array[]) output.fill(0);
  let count = 0;
  for (const rank of byScore(scores)) {
    if ((scores[rank] as number) < least) break;
    const pose = poses[order[rank] as number] as Pose;
    places?.set(
      pose.places.map((at) => f(at * stride)),
      count * 2 * KEYPOINTS,
    );
    keypointScores?.set(pose.scores, count * KEYPOINTS);
    if (poseScores) poseScores[count] = scores[rank] as number;
    count++;
  }
  if (counts) counts[0] = count;
  const sizes = { h: MASK, w: MASK };
  if (masks && places) fillMasks(field(3, 1 / stride, sizes), places, count, stride, masks);
}
