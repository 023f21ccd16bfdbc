/** GridSample and RoiAlign. */
import type { TensorId } from "../../../graph.ts";
import { elementCount, listText } from "../../../tensor.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import { BOOL as bool, FLOAT as float } from "../types.ts";
import { real } from "./cast.ts";
import { cast, channelled, entries, reshapedTo, sized } from "./move.ts";
import { gathered, type Maths, mathOf, type Real, type Tap, tapInside } from "./sampled.ts";

/** Places beyond lo and hi thrown back at them, as often as it takes. */
function reflected(m: Maths, x: Real, lo: number, hi: number): Real {
  const range = hi - lo;
  if (range <= 0) return m.add(m.mul(x, 0), lo);
  const turn = m.mod(m.sub(x, lo), 2 * range);
  return m.add(m.most(turn, m.sub(2 * range, turn)), lo);
}

/** A cubic kernel's weights of four neighbours at distance t from the second. */
function cubic(m: Maths, t: Real): readonly Real[] {
  const a = -0.75;
  const near = (d: Real) => m.add(m.mul(m.mul(m.sub(m.mul(d, a + 2), a + 3), d), d), 1);
  const far = (d: Real) => m.sub(m.mul(m.add(m.mul(m.sub(m.mul(d, a), 5 * a), d), 8 * a), d), 4 * a);
  const rest = m.sub(1, t);
  return [far(m.add(t, 1)), near(t), near(rest), far(m.add(rest, 1))];
}

function gridSample(n: OnnxNode): void {
  const [x, grid] = [n.input(0), n.input(1)];
  const mode = n.string("mode", "linear").replace("bilinear", "linear").replace("bicubic", "cubic");
  const padding = n.string("padding_mode", "zeros");
  const isAligned = n.int("align_corners", 0) !== 0;
  const m = mathOf(n);
  const sizes = x.shape.slice(2);
  const rank = sizes.length;
  const outputs = grid.shape.slice(0, -1);
  if (grid.shape.at(-1) !== rank || grid.shape.length !== rank + 2 || elementCount(x.shape) === 0)
    n.refuse(`a grid of ${rank} coordinates`, listText(grid.shape));
  if (mode === "cubic" && rank !== 2) n.refuse("cubic sampling of pictures", `${rank} dimensions`);
  const id = n.plain(grid);
  const taps = sizes.map((size, d) => {
    // the grid's last dimension begins with the width
    const begins = n.b.integers(grid.shape.map((_, i) => (i === rank + 1 ? rank - 1 - d : 0)));
    const lengths = n.b.integers([...outputs, 1]);
    const [slice] = n.add("slice", [id, begins, lengths], {}, float);
    const own: Real = { id: reshapedTo(n, slice as TensorId, outputs) };
    const at = isAligned ? m.mul(m.div(m.add(own, 1), 2), size - 1) : m.div(m.sub(m.mul(m.add(own, 1), size), 1), 2);
    const [lo, hi] = isAligned ? [0, size - 1] : [-0.5, size - 0.5];
    const held = (place: Real) => m.least(m.most(place, size - 1), 0);
    const tap = (place: Real, weight?: Real): Tap => {
      if (padding === "border") return { place: held(place), weight };
      if (padding === "reflection") return { place: held(reflected(m, place, lo, hi)), weight };
      return tapInside(m, place, size, weight);
    };
    if (mode === "nearest") return [tap(m.round(at))];
    const first = m.floor(at);
    const t = m.sub(at, first);
    if (mode === "linear") return [tap(first, m.sub(1, t)), tap(m.add(first, 1), t)];
    return cubic(m, t).map((weight, i) => tap(m.add(first, i - 1), weight));
  });
  const y = gathered(n, n.last(x), taps);
  n.setLast(0, y, [...outputs.slice(0, 1), x.shape[1] as number, ...outputs.slice(1)]);
}

/** Samples along one dimension of `[R]` regions: places `[R, outputs·ratio]`, the weights of those that count, and 0 or NaN for each region. */
interface Samples {
  readonly at: Real;
  readonly weight?: Real;
  readonly isIn?: Real;
}

/** One dimension of regions: where they begin, how long they are, bins and the most samples of each. */
interface Side {
  readonly from: Real;
  readonly length: Real;
  readonly outputs: number;
  readonly ratio: number;
  /** Samples of each bin as the model says; 0 where the bin's length does. */
  readonly given: number;
  readonly isMax: boolean;
}

function samplesAlong(n: OnnxNode, m: Maths, { from, length, outputs, ratio, given, isMax }: Side): Samples {
  const count = outputs * ratio;
  const bin = m.div(length, outputs);
  const each = (make: (i: number) => number): Real => ({
    id: n.b.constant(
      "float32",
      [1, count],
      Float32Array.from({ length: entries(n, count) }, (_, i) => make(i)),
    ),
  });
  const begins = each((i) => Math.floor(i / ratio));
  const begin = m.add(from, m.mul(begins, bin));
  const middles = each((i) => (i % ratio) + 0.5);
  const inner = m.mul(middles, bin);
  if (given > 0) return { at: m.add(begin, m.div(inner, ratio)) };
  const samples = m.least(m.sub(0, m.floor(m.sub(0, bin))), 0);
  const held = (x: Real) => m.most(m.least(x, 0), 1);
  const places = each((i) => i % ratio);
  const counts = held(m.sub(samples, places));
  const weight = isMax ? counts : m.div(m.mul(counts, ratio), m.least(samples, 1));
  const isIn = m.div(0, held(m.sub(ratio + 1, samples)));
  return { at: m.add(begin, m.div(inner, m.least(samples, 1))), weight, isIn };
}

/** The two neighbours of a place, the last of a dimension its own. */
function tapsBetween(m: Maths, at: Real, size: number): readonly Tap[] {
  const from = m.least(at, 0);
  const first = m.most(m.floor(from), size - 1);
  const t = m.most(m.least(m.sub(from, first), 0), 1);
  const isEnd = m.inside(first, size - 1, size);
  const weight = m.mul(t, m.sub(1, isEnd));
  return [
    { place: first, weight: m.sub(1, weight) },
    { place: m.most(m.add(first, 1), size - 1), weight },
  ];
}

/** Means or maxima of a grid of samples in each of `[R]` regions. */
function roiAlign(n: OnnxNode): void {
  const [x, rois, batches] = [n.input(0), n.input(1), n.input(2)];
  const m = mathOf(n);
  const [height, width] = [n.int("output_height", 1), n.int("output_width", 1)];
  const given = n.int("sampling_ratio", 0);
  const scale = n.float("spatial_scale", 1);
  const isHalf = n.opset >= 16 && n.string("coordinate_transformation_mode", "half_pixel") === "half_pixel";
  const isMax = n.string("mode", "avg") === "max";
  const [count] = sized(n, rois.shape, 2);
  const [, channels, ...sizes] = channelled(n, x.shape);
  const id = n.plain(rois);
  if (count === 0) n.refuse("a region", "none");
  const corner = (i: number) => {
    const inputs = [id, n.b.integers([0, i]), n.b.integers([count, 1])];
    const [own] = n.add("slice", inputs, {}, float);
    const scaled = m.mul({ id: own as TensorId }, scale);
    return isHalf ? m.sub(scaled, 0.5) : scaled;
  };
  // without a ratio as many samples as a bin has pixels, of regions that are not larger than the picture; of others NaN
  const ratios = [height, width].map((size, d) =>
    given > 0 ? given : Math.max(1, Math.ceil((sizes[d] as number) / size)),
  ) as [number, number];
  const [ratioH, ratioW] = ratios;
  const full = [count, height * ratioH, width * ratioW];
  const spread = (coordinate: Real, shape: readonly number[]): Real => {
    const wide = reshapedTo(n, coordinate.id, shape);
    return { id: n.add("broadcastTo", [wide, n.b.integers(full)], {}, float)[0] as TensorId };
  };
  const shapes = [
    [count, height * ratioH, 1],
    [count, 1, width * ratioW],
  ] as const;
  const lines = ([0, 1] as const).map((d) => {
    const [from, to] = [corner(1 - d), corner(3 - d)];
    const length = isHalf ? m.sub(to, from) : m.least(m.sub(to, from), 1);
    return samplesAlong(n, m, { from, length, outputs: d === 0 ? height : width, ratio: ratios[d], given, isMax });
  });
  const places = shapes.map((shape, d) => spread((lines[d] as Samples).at, shape));
  const weights = shapes.flatMap((shape, d) => (lines[d]?.weight ? [spread(lines[d].weight, shape)] : []));
  const inside = places.map((at, d) => m.inside(at, -1, sizes[d] as number));
  const outside = [...inside, ...weights].reduce((a, b) => m.mul(a, b));
  const taps = places.map((at, d) => tapsBetween(m, at, sizes[d] as number));
  const [image, images] = [n.last(x), cast(n, n.plain(batches), "int32")];
  const join = (a: TensorId, b: TensorId): TensorId => m.least({ id: a }, { id: b }).id;
  const parts = isMax
    ? apart(taps).map((list) => gathered(n, image, list, images))
    : [gathered(n, image, taps, images)];
  let values = real(n, "mul", parts.reduce(join), reshapedTo(n, outside.id, [...full, 1]));
  const least = n.b.float(Number.NEGATIVE_INFINITY);
  if (isMax && given < 1) {
    const counted = weights.reduce((a, b) => m.mul(a, b));
    const [beyond] = n.add("less", [reshapedTo(n, counted.id, [...full, 1]), n.b.float(0.5)], {}, bool);
    values = n.add("selectV2", [beyond, least, values], {}, float)[0] as TensorId;
  }
  const grid = reshapedTo(n, values, [count, height, ratioH, width, ratioW * channels]);
  const [overRows] = n.add(
    isMax ? "reduceMax" : "mean",
    [grid, n.b.integers([2])],
    { keepDims: false } as never,
    float,
  );
  const rows = reshapedTo(n, overRows as TensorId, [count, height, width, ratioW, channels]);
  const [y] = n.add(isMax ? "reduceMax" : "mean", [rows, n.b.integers([3])], { keepDims: false } as never, float);
  const shape = [count, channels, height, width];
  if (given > 0) return n.setLast(0, y as TensorId, shape);
  // a bin without samples is 0, a region that is larger than the picture NaN
  const [isEmpty] = n.add("equal", [y, least], {}, bool);
  const [all] = n.add("selectV2", [isEmpty, n.b.float(0), y], {}, float);
  const isIn = lines.flatMap((line) => line.isIn ?? []).reduce(m.add);
  n.setLast(0, real(n, "add", all as TensorId, reshapedTo(n, isIn.id, [count, 1, 1, 1])), shape);
}

/** Every combination of taps by itself. */
function apart(taps: readonly (readonly Tap[])[]): readonly (readonly (readonly Tap[])[])[] {
  return taps.reduce<readonly (readonly (readonly Tap[])[])[]>(
    (all, list) => all.flatMap((before) => list.map((tap) => [...before, [tap]])),
    [[]],
  );
}

export const SAMPLES: Conversions = { GridSample: gridSample, RoiAlign: roiAlign };
