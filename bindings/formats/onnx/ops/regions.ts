/** Regions of pictures: cut and resized, or pooled. */
import type { TensorId } from "../../../graph.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import { BOOL, FLOAT } from "../types.ts";
import { cast, entries, reshapedTo, sized } from "./move.ts";
import { gathered, mathOf, type Real, type Tap } from "./sampled.ts";

/** Column i of rows. */
const column = (n: OnnxNode, rows: TensorId, count: number, i: number): Real => {
  const inputs = [rows, n.b.integers([0, i]), n.b.integers([count, 1])];
  return { id: n.add("slice", inputs, {}, FLOAT)[0] as TensorId };
};

/** com.microsoft's CropAndResize: regions by their corners, of 1 from edge to edge, and a value beyond the picture. */
function cropAndResize(n: OnnxNode): void {
  const [x, rois] = [n.input(0), n.input(1)];
  const [, channels, ...sizes] = sized(n, x.shape, 4);
  const [count] = sized(n, rois.shape, 2);
  const crop = n.numbers(3) ?? n.refuse("a crop_size", "none");
  const m = mathOf(n);
  const full = [count, ...crop];
  const isNearest = n.string("mode", "bilinear") === "nearest";
  const lines = sizes.map((size, d) => {
    const outputs = crop[d] as number;
    const [from, to] = [0, 2].map((side) => column(n, n.plain(rois), count, d + side)) as [Real, Real];
    const steps = Float32Array.from({ length: entries(n, outputs) }, (_, i) => i);
    const each: Real = { id: n.b.constant("float32", [1, outputs], steps) };
    const at =
      outputs > 1
        ? m.add(m.mul(from, size - 1), m.mul(each, m.div(m.mul(m.sub(to, from), size - 1), outputs - 1)))
        : m.mul(m.mul(m.add(from, to), 0.5), size - 1);
    const wide = reshapedTo(n, at.id, d === 0 ? [count, outputs, 1] : [count, 1, outputs]);
    return { id: n.add("broadcastTo", [wide, n.b.integers(full)], {}, FLOAT)[0] as TensorId };
  });
  const inside = lines.map((at, d) => m.inside(at, 0, (sizes[d] as number) - 1));
  const taps = lines.map((at, d): readonly Tap[] => {
    const held = (place: Real) => m.least(m.most(place, (sizes[d] as number) - 1), 0);
    if (isNearest) return [{ place: held(m.floor(m.add(at, 0.5))), weight: undefined }];
    const first = m.floor(at);
    const t = m.sub(at, first);
    return [
      { place: held(first), weight: m.sub(1, t) },
      { place: held(m.add(first, 1)), weight: t },
    ];
  });
  const read = gathered(n, n.last(x), taps, cast(n, n.plain(n.input(2)), "int32"));
  const isIn = reshapedTo(n, inside.reduce((a, b) => m.mul(a, b)).id, [...full, 1]);
  const [condition] = n.add("greater", [isIn, n.b.float(0)], {}, BOOL);
  const [y] = n.add("selectV2", [condition, read, n.b.float(n.float("extrapolation_value", 0))], {}, FLOAT);
  n.setLast(0, y as TensorId, [count, channels, ...crop]);
}

/** The greatest value of each bin of regions `[R,5]`, rows of a picture and two corners; of empty bins 0. */
function maxRoiPool(n: OnnxNode): void {
  const [x, rois] = [n.input(0), n.input(1)];
  const [, channels, height, width] = sized(n, x.shape, 4);
  const [count] = sized(n, rois.shape, 2);
  const pooled = n.ints("pooled_shape") ?? n.refuse("a pooled_shape", "none");
  const id = n.plain(rois);
  const m = mathOf(n);
  const images = reshapedTo(n, cast(n, column(n, id, count, 0).id, "int32"), [count]);
  const own = [n.last(x), images];
  let [y] = n.add("gather", own, { axis: 0, batchDims: 0 }, FLOAT) as readonly [TensorId];
  /** Corners are whole pixels, halves away from 0. */
  const corner = (i: number) => m.floor(m.add(m.mul(column(n, id, count, i), n.float("spatial_scale", 1)), 0.5));
  for (const [d, size] of [height, width].entries()) {
    const bins = pooled[d] as number;
    const from = corner(2 - d);
    const length = m.least(m.add(m.sub(corner(4 - d), from), 1), 1);
    const bin = m.div(length, bins);
    const line = (values: number, shape: readonly number[]): Real => ({
      id: n.b.constant(
        "float32",
        shape,
        Float32Array.from({ length: entries(n, values) }, (_, i) => i),
      ),
    });
    const step = line(bins, [1, bins]);
    const edge = (at: Real) => reshapedTo(n, m.least(m.most(m.add(at, from), size), 0).id, [count, bins, 1]);
    const begin = edge(m.floor(m.mul(step, bin)));
    const end = edge(m.sub(0, m.floor(m.sub(0, m.mul(m.add(step, 1), bin)))));
    const places = line(size, [1, 1, size]).id;
    const [above] = n.add("greaterEqual", [places, begin], {}, BOOL);
    const [below] = n.add("less", [places, end], {}, BOOL);
    const [both] = n.add("logicalAnd", [above, below], {}, BOOL);
    // [R,bins,size,W·C], then [R·bins of rows,bins,size,C]
    const rows = d === 0 ? 1 : (pooled[0] as number);
    const inner = d === 0 ? width * channels : channels;
    entries(n, count * rows * bins * size * inner);
    const mask = reshapedTo(n, both as TensorId, [count, 1, bins, size, 1]);
    const from4 = reshapedTo(n, y, [count, rows, 1, size, inner]);
    const [kept] = n.add("selectV2", [mask, from4, n.b.float(Number.NEGATIVE_INFINITY)], {}, FLOAT);
    [y] = n.add("reduceMax", [kept, n.b.integers([3])], { keepDims: false }, FLOAT) as readonly [TensorId];
  }
  const least = n.b.float(Number.NEGATIVE_INFINITY);
  const [isEmpty] = n.add("equal", [y, least], {}, BOOL);
  const [all] = n.add("selectV2", [isEmpty, n.b.float(0), y], {}, FLOAT);
  const [pH, pW] = pooled as readonly [number, number];
  n.setLast(0, reshapedTo(n, all as TensorId, [count, pH, pW, channels]), [count, channels, pH, pW]);
}

export const REGIONS: Conversions = { "com.microsoft.CropAndResize": cropAndResize, MaxRoiPool: maxRoiPool };
