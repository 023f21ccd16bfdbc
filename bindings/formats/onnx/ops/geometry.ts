/**
 * Grids of affine maps, columns back to images, cutting and padding to sizes, powers of windows, maxima put back, inverses of small
 * matrices.
 */
import type { TensorId } from "../../../graph.ts";
import { elementCount, listText } from "../../../tensor.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import { permuted } from "../layout.ts";
import { FLOAT as float } from "../types.ts";
import { outputSizes, poolWindowsOf, windowsOf } from "../window.ts";
import { real } from "./cast.ts";
import { product } from "./matmul.ts";
import { axisOf, entries, reshapedTo, typeOf } from "./move.ts";
import { zeroOf } from "./wholes.ts";
import { sums } from "./windows.ts";

/** theta `[N,2,3]` or `[N,3,4]`, size `[N,C,(D,)H,W]`: places `[N,(D,)H,W,2 or 3]`, x first. */
function affineGrid(n: OnnxNode): void {
  const theta = n.input(0);
  const sizes = (n.numbers(1) ?? []).slice(2);
  const spatial = sizes.length;
  const isCorner = n.int("align_corners", 0) !== 0;
  if (theta.shape.length !== 3 || theta.shape[2] !== spatial + 1)
    n.refuse("maps of two or three dimensions", listText(theta.shape));
  const count = elementCount(sizes);
  const at = (i: number, size: number) =>
    isCorner ? (size < 2 ? 0 : (2 * i) / (size - 1) - 1) : (2 * i + 1) / size - 1;
  const places = Float32Array.from({ length: entries(n, count * (spatial + 1)) }, (_, i) => {
    const d = spatial - 1 - (i % (spatial + 1));
    const inner = elementCount(sizes.slice(d + 1));
    return d < 0 ? 1 : at(Math.floor(Math.floor(i / (spatial + 1)) / inner) % (sizes[d] as number), sizes[d] as number);
  });
  const grid = n.b.constant("float32", [1, count, spatial + 1], places);
  const turned = permuted(n.b, n.where, n.plain(theta), theta.shape, [0, 2, 1]);
  const y = product(n, grid, [1, count, spatial + 1], turned, n.b.tensor(turned).shape);
  n.setPlain(0, reshapedTo(n, y, [theta.shape[0] as number, ...sizes, spatial]));
}

/** Columns `[N, C·k, L]` added up where their windows stand in images of `image_shape`. */
function col2Im(n: OnnxNode): void {
  const x = n.input(0);
  const [image, kernel] = [n.numbers(1) ?? [], n.numbers(2) ?? []];
  const windows = windowsOf(n, image, kernel);
  const outputs = outputSizes(image, windows);
  const [batch = 0, rows = 0, columns = 0] = x.shape;
  const [taps, count] = [elementCount(kernel), elementCount(outputs)];
  if (x.shape.length !== 3 || rows % taps !== 0 || columns !== count)
    n.refuse(`columns [N,C·${taps},${count}]`, listText(x.shape));
  const digit = (i: number, sizes: readonly number[], d: number) =>
    Math.floor(i / elementCount(sizes.slice(d + 1))) % (sizes[d] as number);
  const ids = Array.from({ length: entries(n, taps * count) }, (_, i) => {
    const [tap, window] = [Math.floor(i / count), i % count];
    const place = image.map(
      (_, d) =>
        digit(tap, kernel, d) * (windows.dilation[d] as number) +
        digit(window, outputs, d) * (windows.stride[d] as number) -
        (windows.before[d] as number),
    );
    if (place.some((p, d) => p < 0 || p >= (image[d] as number))) return -1;
    return place.reduce((all, p, d) => all * (image[d] as number) + p, 0);
  });
  const channels = batch * (rows / taps);
  const shape = [channels, taps * count];
  const turned = permuted(n.b, n.where, reshapedTo(n, n.plain(x), shape), shape, [1, 0]);
  const pixels = elementCount(image);
  const inputs = [turned, n.b.integers(ids), n.b.integers([pixels], [])];
  const [added] = n.add("unsortedSegmentSum", inputs, {}, float);
  const y = permuted(n.b, n.where, added as TensorId, [pixels, channels], [1, 0]);
  n.setPlain(0, reshapedTo(n, y, [batch, rows / taps, ...image]));
}

/** The middle of what is too long, zeros around what is too short. */
function centerCropPad(n: OnnxNode): void {
  const x = n.input(0);
  const wanted = n.numbers(1) ?? [];
  const axes = (n.ints("axes") ?? x.shape.map((_, d) => d)).map((axis) => axisOf(n, axis, x.shape.length));
  const to = [...x.shape];
  for (const [i, axis] of axes.entries()) to[axis] = wanted[i] as number;
  const less = (d: number) => Math.max(0, (x.shape[d] as number) - (to[d] as number));
  const more = (d: number) => Math.max(0, (to[d] as number) - (x.shape[d] as number));
  const id = n.plain(x);
  const type = typeOf(n, id);
  const cut = [
    id,
    n.b.integers(to.map((_, d) => Math.floor(less(d) / 2))),
    n.b.integers(to.map((size, d) => size - more(d))),
  ];
  const [middle] = n.add("slice", cut, {}, [type]);
  const pads = to.flatMap((_, d) => [Math.floor(more(d) / 2), Math.ceil(more(d) / 2)]);
  const around = [middle, n.b.integers(pads, [to.length, 2])];
  n.setPlain(0, n.add("pad", around, {}, [type])[0] as TensorId);
}

/** (Σ |x|^p)^(1/p), where `sum` adds up. */
function norm(n: OnnxNode, sum: (powers: TensorId) => TensorId): TensorId {
  const p = n.opset < 2 ? n.float("p", 2) : n.int("p", 2);
  const power = (id: TensorId, exponent: number) =>
    exponent === 1 ? id : (n.add("pow", [id, n.b.float(exponent)], {}, float)[0] as TensorId);
  const x = n.plain(n.input(0));
  const [size] = n.add("abs", [x], {}, float);
  const total = sum(p === 2 ? real(n, "mul", x, x) : power(size as TensorId, p));
  return p === 2 ? (n.add("sqrt", [total], {}, float)[0] as TensorId) : power(total, 1 / p);
}

function lpPool(n: OnnxNode): void {
  const { shape } = n.input(0);
  const windows = poolWindowsOf(n, shape.slice(2), n.ints("kernel_shape") ?? n.refuse("a kernel_shape", "none"));
  n.setPlain(
    0,
    norm(n, (id) => sums(n, id, windows)),
  );
}

function globalLpPool(n: OnnxNode): void {
  const axes = n
    .input(0)
    .shape.slice(2)
    .map((_, i) => i + 2);
  const attributes = { keepDims: true, activation: "none" as const };
  n.setPlain(
    0,
    norm(n, (id) => n.add("sum", [id, n.b.integers(axes)], attributes as never, float)[0] as TensorId),
  );
}

/** Maxima back at the places that MaxPool took them from, counted over all of the output; 0 elsewhere. */
function maxUnpool(n: OnnxNode): void {
  const [x, places] = [n.input(0), n.input(1)];
  const kernel = n.ints("kernel_shape") ?? n.refuse("a kernel_shape", "none");
  const rank = kernel.length;
  const pads = n.ints("pads") ?? kernel.flatMap(() => [0, 0]);
  const strides = n.ints("strides") ?? kernel.map(() => 1);
  const sizes = kernel.map((size, i) => {
    const reach = ((x.shape[i + 2] as number) - 1) * (strides[i] as number) + size;
    return reach - (pads[i] as number) - (pads[i + rank] as number);
  });
  const shape = n.numbers(2) ?? [...x.shape.slice(0, 2), ...sizes];
  const fits = x.shape.length === rank + 2 && shape.length === rank + 2 && shape.every((size) => size > 0);
  if (!fits || `${places.shape}` !== `${x.shape}`) n.refuse("places of all maxima", listText(places.shape));
  const count = elementCount(x.shape);
  const values = n.plain(x);
  const type = typeOf(n, values);
  const zeros = n.add("fill", [n.b.integers([entries(n, elementCount(shape))]), zeroOf(n, type.dtype)], {}, [type]);
  const flat = [zeros[0] as TensorId, reshapedTo(n, n.plain(places), [count, 1]), reshapedTo(n, values, [count])];
  const [y] = n.add("scatterUpdate", flat, { mode: "set" }, [type]);
  n.setPlain(0, reshapedTo(n, y as TensorId, shape));
}

/** Determinants, and inverses by cofactors, of matrices of up to four rows. */
function cofactors(isInverse: boolean) {
  return (n: OnnxNode): void => {
    const { shape } = n.input(0);
    const size = shape.at(-1) ?? 0;
    if (shape.length < 2 || shape.at(-2) !== size || size < 1 || size > 4)
      n.refuse("square matrices of at most four rows", listText(shape));
    const outer = shape.slice(0, -2);
    const flat = reshapedTo(n, n.plain(n.input(0)), [elementCount(outer), size * size]);
    const entry = (row: number, column: number) => {
      const sizes = [n.b.integers([0, row * size + column]), n.b.integers([elementCount(outer), 1])];
      return n.add("slice", [flat, ...sizes], {}, float)[0] as TensorId;
    };
    const known = new Map<string, TensorId>();
    const minor = (rows: readonly number[], columns: readonly number[]): TensorId => {
      const [first, ...rest] = rows;
      if (first === undefined) return n.b.float(1);
      const key = `${rows}|${columns}`;
      const terms =
        known.get(key) ??
        (columns
          .map((column, i) => {
            const below =
              rest.length === 0
                ? undefined
                : minor(
                    rest,
                    columns.filter((each) => each !== column),
                  );
            const term = below === undefined ? entry(first, column) : real(n, "mul", entry(first, column), below);
            return { term, i };
          })
          .reduce<TensorId | undefined>(
            (sum, { term, i }) => (sum === undefined ? term : real(n, i % 2 === 0 ? "add" : "sub", sum, term)),
            undefined,
          ) as TensorId);
      known.set(key, terms);
      return terms;
    };
    const all = Array.from({ length: size }, (_, i) => i);
    const determinant = minor(all, all);
    if (!isInverse) return n.setPlain(0, reshapedTo(n, determinant, outer));
    const but = (i: number) => all.filter((each) => each !== i);
    const ones = real(n, "add", real(n, "mul", determinant, n.b.float(0)), n.b.float(1));
    const parts = all.flatMap((row) =>
      all.map((column) => {
        const own = size === 1 ? ones : minor(but(column), but(row));
        const ratio = real(n, "div", own, determinant);
        return (row + column) % 2 === 0 ? ratio : real(n, "mul", ratio, n.b.float(-1));
      }),
    );
    const joint = { axis: 1, activation: "none" as const };
    const [y] = parts.length === 1 ? parts : n.add("concat", parts, joint, float);
    n.setPlain(0, reshapedTo(n, y as TensorId, shape));
  };
}

export const GEOMETRY: Conversions = {
  AffineGrid: affineGrid,
  Col2Im: col2Im,
  CenterCropPad: centerCropPad,
  LpPool: lpPool,
  MaxUnpool: maxUnpool,
  GlobalLpPool: globalLpPool,
  Det: cofactors(false),
  "com.microsoft.Inverse": cofactors(true),
};
