/** Windows, Fourier transforms as products with constant matrices, and filters by mel. */
import type { TensorId } from "../../../graph.ts";
import { elementCount, listText } from "../../../tensor.ts";
import type { Conversion, Conversions, OnnxNode } from "../convert.ts";
import { permuted } from "../layout.ts";
import { real, toFloat } from "./cast.ts";
import { product } from "./matmul.ts";
import { axisOf, channelled, entries, optional, reshapedTo, sized, typeOf } from "./move.ts";
import { axisLast } from "./select.ts";

/** Σ aᵢ·cos(2πik / N) for N of the window's size, or one less where it is symmetric. */
function window(factors: readonly number[]): Conversion {
  return (n) => {
    const size = n.number(0, 0);
    const round = n.int("periodic", 1) !== 0 ? size : size - 1;
    const values = Float32Array.from({ length: entries(n, 16 * size) / 16 }, (_, k) =>
      factors.reduce((sum, a, i) => sum + a * Math.cos((2 * Math.PI * i * k) / Math.max(1, round)), 0),
    );
    const id = n.b.constant("float32", [size], values);
    const dtype = n.typeOf(n.int("output_datatype", 1));
    n.setPlain(0, dtype === "float32" ? id : (n.add("cast", [id], {}, [{ dtype }])[0] as TensorId));
  };
}

/**
 * The matrix of a transform of `length` as rows of `parts` for each of `rows` inputs, and two columns for each of `columns`
 * outputs: real and imaginary part. `isMirrored`: the rows are half of a spectrum, the other half mirrors them.
 */
function fourier(
  n: OnnxNode,
  {
    rows,
    parts,
    columns,
    length,
    sign,
    isMirrored,
  }: { rows: number; parts: number; columns: number; length: number; sign: 1 | -1; isMirrored: boolean },
): TensorId {
  const wide = 2 * columns;
  const matrix = new Float32Array(entries(n, rows * parts * wide));
  const most = isMirrored ? Math.floor(length / 2) + 1 : length;
  for (let t = 0; t < Math.min(rows, most); t++) {
    const scale = (sign > 0 ? 1 / length : 1) * (isMirrored && t > 0 && 2 * t !== length ? 2 : 1);
    for (let k = 0; k < columns; k++) {
      const angle = (2 * Math.PI * ((t * k) % length)) / length;
      const [re, im] = [Math.cos(angle) * scale, sign * Math.sin(angle) * scale];
      const at = t * parts * wide + 2 * k;
      matrix[at] = re;
      matrix[at + 1] = im;
      if (parts < 2) continue;
      matrix[at + wide] = -im;
      matrix[at + wide + 1] = re;
    }
  }
  return n.b.constant("float32", [rows * parts, wide], matrix);
}

/** x `[…, rows, parts]` transformed: `[…, columns, 2]`. */
function transformed(
  n: OnnxNode,
  x: TensorId,
  length: number,
  isHalf: boolean,
  sign: 1 | -1,
  isMirrored = false,
): TensorId {
  const { shape } = n.b.tensor(x);
  const [rows, parts] = sized(n, shape.slice(-2), 2);
  if (parts !== 1 && parts !== 2) n.refuse("real or complex numbers in the last dimension", listText(shape));
  const columns = isHalf ? Math.floor(length / 2) + 1 : length;
  const outer = shape.slice(0, -2);
  const flat = [elementCount(outer), rows * parts];
  const w = fourier(n, { rows, parts, columns, length, sign, isMirrored });
  const y = product(n, reshapedTo(n, x, flat), flat, w, n.b.tensor(w).shape);
  return reshapedTo(n, y, [...outer, columns, 2]);
}

/** x `[…, 1 or 2]`, perhaps a length; the axis is an attribute before opset 20. */
function dft(n: OnnxNode): void {
  const x = n.input(0);
  const rank = x.shape.length;
  const given = n.opset < 20 ? n.int("axis", 1) : n.number(2, -2);
  const axis = axisOf(n, given, rank);
  const isInverse = n.int("inverse", 0) !== 0;
  const isHalf = n.int("onesided", 0) !== 0;
  const isMirrored = isInverse && isHalf;
  const size = x.shape[axis] as number;
  const length = n.number(1, isMirrored ? 2 * (size - 1) : size);
  if (axis === rank - 1 || length < 1) n.refuse("an axis before the last and a length from 1", `${axis}, ${length}`);
  const order = axisLast(rank - 1, axis).concat(rank - 1);
  const moved = permuted(n.b, n.where, n.plain(x), x.shape, order);
  let y = transformed(n, moved, length, isHalf && !isInverse, isInverse ? 1 : -1, isMirrored);
  if (isMirrored) {
    const { shape } = n.b.tensor(y);
    const inputs = [y, n.b.integers(shape.map(() => 0)), n.b.integers([...shape.slice(0, -1), 1])];
    [y] = n.add("slice", inputs, {}, [typeOf(n, y)]) as [TensorId];
  }
  n.setPlain(0, permuted(n.b, n.where, y, n.b.tensor(y).shape, order));
}

/** signal `[B, L, 1 or 2]`, step, window, length of frames: `[B, frames, bins, 2]`. */
function stft(n: OnnxNode): void {
  const x = n.input(0);
  const [batch, total, parts = 1] = channelled(n, x.shape);
  const step = n.number(1, 1);
  const own = optional(n, 2);
  const length = n.number(3, own === undefined ? 0 : (n.b.tensor(own).shape[0] as number));
  if (step < 1 || length < 1 || length > total)
    n.refuse("a step from 1 and frames within the signal", `${step}, ${length}`);
  const frames = Math.floor((total - length) / step) + 1;
  const at = Array.from(
    { length: entries(n, frames * length) },
    (_, i) => Math.floor(i / length) * step + (i % length),
  );
  const signal = reshapedTo(n, n.plain(x), [batch, total, parts]);
  const [cut] = n.add("gather", [signal, n.b.integers(at, [frames, length])], { axis: 1, batchDims: 0 }, [
    typeOf(n, signal),
  ]);
  let framed = cut as TensorId;
  if (own !== undefined) framed = real(n, "mul", framed, reshapedTo(n, toFloat(n, own), [length, 1]));
  n.setPlain(0, transformed(n, framed, length, n.int("onesided", 1) !== 0, -1));
}

/** Triangles over the bins of a spectrum, evenly spaced by mel. */
function mel(n: OnnxNode): void {
  const [bands, length, rate, low, high] = [
    n.number(0, 0),
    n.number(1, 0),
    n.number(2, 0),
    n.number(3, 0),
    n.number(4, 0),
  ];
  const bins = Math.floor(length / 2) + 1;
  const toMel = (hertz: number) => 2595 * Math.log10(1 + hertz / 700);
  const step = (toMel(high) - toMel(low)) / (bands + 2);
  const edges = Array.from({ length: entries(n, bands + 2) }, (_, i) =>
    Math.floor(((length + 1) * (700 * (10 ** ((i * step + toMel(low)) / 2595) - 1))) / rate),
  );
  const weights = new Float32Array(entries(n, bins * bands));
  for (let band = 0; band < bands; band++) {
    const [from, middle, to] = edges.slice(band, band + 3) as [number, number, number];
    if (middle === from) weights[middle * bands + band] = 1;
    for (let bin = Math.max(0, from); bin <= middle && middle > from && bin < bins; bin++)
      weights[bin * bands + band] = (bin - from) / (middle - from);
    for (let bin = Math.max(0, middle); bin < to && bin < bins; bin++)
      weights[bin * bands + band] = (to - bin) / (to - middle);
  }
  n.setPlain(0, n.b.constant("float32", [bins, bands], weights));
}

export const SIGNALS: Conversions = {
  HannWindow: window([0.5, -0.5]),
  HammingWindow: window([25 / 46, -21 / 46]),
  BlackmanWindow: window([0.42, -0.5, 0.08]),
  DFT: dft,
  STFT: stft,
  MelWeightMatrix: mel,
};
