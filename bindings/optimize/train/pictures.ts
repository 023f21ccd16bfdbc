/** Other pictures of the same things: moved, turned, lit otherwise. */
import type { Augmentation } from "./augment.ts";
import type { Random } from "./random.ts";

export interface Picture {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** One plane after the other. */
  readonly planar: boolean;
}

/** What is left of the changes where what is to be learned would not follow a picture that is moved, turned or mirrored. */
export function inPlace({ invert = 0, contrast = 0, brightness = 0, noise = 0 }: Augmentation): Augmentation {
  return { invert, contrast, brightness, noise };
}

/** Writes a changed picture `[height][width][channels]`, or `[channels][height][width]`, of values from `lo` to `hi` into `to`. Pixels outside are those of the edge. */
export function augment(
  from: Float32Array,
  to: Float32Array,
  { height, width, channels, planar }: Picture,
  [lo, hi]: readonly [number, number],
  kinds: Augmentation,
  random: Random,
): void {
  const around = evenly(random);
  const source = sourceOf(height, width, kinds, random);
  const invert = random.uniform() < (kinds.invert ?? 0);
  const contrast = Math.exp(around(kinds.contrast));
  const range = hi - lo;
  const shift = around(kinds.brightness) * range;
  const noise = random.uniform() * (kinds.noise ?? 0) * range;
  const middle = (lo + hi) / 2;
  const [pixel, plane] = planar ? [1, height * width] : [channels, 1];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [sx, sy] = source(x, y);
      const [x0, y0] = [Math.floor(sx), Math.floor(sy)];
      const [fx, fy] = [sx - x0, sy - y0];
      const right = x0 + 1 < width ? pixel : 0;
      const below = y0 + 1 < height ? width * pixel : 0;
      const at = (y0 * width + x0) * pixel;
      for (let c = 0; c < channels; c++) {
        const i = at + c * plane;
        const top = (from[i] as number) * (1 - fx) + (from[i + right] as number) * fx;
        const bottom = (from[i + below] as number) * (1 - fx) + (from[i + below + right] as number) * fx;
        let value = top * (1 - fy) + bottom * fy;
        if (invert) value = lo + hi - value;
        value = (value - middle) * contrast + middle + shift + (noise > 0 ? random.normal() * noise : 0);
        to[(y * width + x) * pixel + c * plane] = value < lo ? lo : value > hi ? hi : value;
      }
    }
}

/** Writes the classes of a picture's places `[rows][columns]`, coarser than its pixels or as fine, as the changed picture has them: those of the nearest place. */
export function augmentPlaces(
  from: Int32Array,
  to: Int32Array,
  [rows, columns]: readonly [number, number],
  { height, width }: Picture,
  kinds: Augmentation,
  random: Random,
): void {
  const source = sourceOf(height, width, kinds, random);
  const [down, across] = [height / rows, width / columns];
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      const [x, y] = source((column + 0.5) * across - 0.5, (row + 0.5) * down - 0.5);
      const [r, c] = [Math.floor((y + 0.5) / down), Math.floor((x + 0.5) / across)];
      to[row * columns + column] = from[r * columns + c] as number;
    }
}

const evenly =
  (random: Random) =>
  (most = 0) =>
    (2 * random.uniform() - 1) * most;

/** Where a changed picture's pixels come from: drawn once for each picture. */
function sourceOf(height: number, width: number, kinds: Augmentation, random: Random) {
  const around = evenly(random);
  const angle = around(kinds.rotation);
  const zoom = 1 + around(kinds.scale);
  const shear = around(kinds.shear);
  const [dx, dy] = [around(kinds.shift), around(kinds.shift)];
  const mirror = random.uniform() < (kinds.flip ?? 0) ? -1 : 1;
  const [cos, sin] = [Math.cos(angle) / zoom, Math.sin(angle) / zoom];
  const [cx, cy] = [(width - 1) / 2, (height - 1) / 2];
  return (x: number, y: number): readonly [number, number] => {
    const [u, v] = [(x - cx - dx) * mirror, y - cy - dy];
    const sx = Math.min(Math.max(cos * u - sin * v + shear * v + cx, 0), width - 1);
    return [sx, Math.min(Math.max(sin * u + cos * v + cy, 0), height - 1)];
  };
}
