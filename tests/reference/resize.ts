/** Resizing images as TensorFlow Lite's reference kernels do, pixel by pixel. x is `[N,H,W,C]`. */

export interface Alignment {
  readonly alignCorners: boolean;
  readonly halfPixelCenters: boolean;
}

type Shape = readonly [number, number, number, number];

function nearest(i: number, input: number, output: number, { alignCorners, halfPixelCenters }: Alignment): number {
  const f = Math.fround;
  const scale = alignCorners && output > 1 ? f((input - 1) / (output - 1)) : f(input / output);
  const at = f(f(i + (halfPixelCenters ? 0.5 : 0)) * scale);
  const position = alignCorners ? Math.floor(at + 0.5) : Math.floor(at);
  return Math.max(0, Math.min(position, input - 1));
}

/** Elements are `size` bytes. */
export function resizeNearest(
  x: Uint8Array,
  [n, h, w, c]: Shape,
  [height, width]: readonly [number, number],
  alignment: Alignment,
  size: number,
): Uint8Array {
  const y: number[] = [];
  for (let b = 0; b < n; b++)
    for (let i = 0; i < height; i++)
      for (let j = 0; j < width; j++) {
        const row = nearest(i, h, height, alignment);
        const column = nearest(j, w, width, alignment);
        const at = ((b * h + row) * w + column) * c * size;
        y.push(...x.subarray(at, at + c * size));
      }
  return Uint8Array.from(y);
}

function between(i: number, input: number, output: number, { alignCorners, halfPixelCenters }: Alignment) {
  const corners = alignCorners && output > 1;
  const scale = corners
    ? Math.trunc((1024 * (input - 1) + Math.trunc((output - 1) / 2)) / (output - 1))
    : Math.trunc((1024 * input + Math.trunc(output / 2)) / output);
  const at = halfPixelCenters ? i * scale + Math.trunc(scale / 2) - 512 : i * scale;
  const low = Math.max(Math.trunc(at / 1024), 0);
  const high = Math.min(Math.trunc((at + 1023) / 1024), input - 1);
  return { at, low, high };
}

export function resizeBilinear(
  x: Int8Array,
  [n, h, w, c]: Shape,
  [height, width]: readonly [number, number],
  alignment: Alignment,
): Int8Array {
  const y: number[] = [];
  for (let b = 0; b < n; b++)
    for (let i = 0; i < height; i++)
      for (let j = 0; j < width; j++)
        for (let k = 0; k < c; k++) {
          const v = between(i, h, height, alignment);
          const u = between(j, w, width, alignment);
          const pixel = (row: number, column: number) => BigInt(x[((b * h + row) * w + column) * c + k] as number);
          const down = BigInt(v.at - 1024 * v.low);
          const across = BigInt(u.at - 1024 * u.low);
          const sum =
            pixel(v.low, u.low) * (1024n - down) * (1024n - across) +
            pixel(v.high, u.low) * down * (1024n - across) +
            pixel(v.low, u.high) * (1024n - down) * across +
            pixel(v.high, u.high) * down * across;
          y.push(Number((sum + (sum > 0n ? 1n << 19n : -(1n << 19n))) / (1n << 20n)));
        }
  return Int8Array.from(y);
}

/** The place between two pixels as a float32, as TensorFlow Lite's floats have it. */
function placed(i: number, input: number, output: number, { alignCorners, halfPixelCenters }: Alignment) {
  const f = Math.fround;
  const scale = alignCorners && output > 1 ? f((input - 1) / (output - 1)) : f(input / output);
  const at = halfPixelCenters ? f(f(f(i + 0.5) * scale) - 0.5) : f(i * scale);
  const low = Math.max(Math.floor(at), 0);
  return { low, high: Math.min(Math.ceil(at), input - 1), part: f(at - low) };
}

/** Of real numbers: every product and sum is a float32. */
export function resizeReal(
  x: ArrayLike<number>,
  [n, h, w, c]: Shape,
  [height, width]: readonly [number, number],
  alignment: Alignment,
): Float32Array {
  const f = Math.fround;
  const y: number[] = [];
  for (let b = 0; b < n; b++)
    for (let i = 0; i < height; i++)
      for (let j = 0; j < width; j++)
        for (let k = 0; k < c; k++) {
          const v = placed(i, h, height, alignment);
          const u = placed(j, w, width, alignment);
          const [up, back] = [f(1 - v.part), f(1 - u.part)];
          const pixel = (row: number, column: number, down: number, across: number) =>
            f(f((x[((b * h + row) * w + column) * c + k] as number) * down) * across);
          const left = f(pixel(v.low, u.low, up, back) + pixel(v.high, u.low, v.part, back));
          y.push(f(f(left + pixel(v.low, u.high, up, u.part)) + pixel(v.high, u.high, v.part, u.part)));
        }
  return Float32Array.from(y);
}
