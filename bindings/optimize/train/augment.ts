/** Other pictures of the same things: moved, turned, lit otherwise. */
import type { Random } from "./random.ts";

/** How far pictures are changed; each is drawn evenly from − to +, and absent is 0. Defaults: `AUGMENTATION`. */
export interface Augmentation {
  /** Radians. */
  readonly rotation?: number;
  /** Of the size, as a part. */
  readonly scale?: number;
  readonly shear?: number;
  /** Pixels. */
  readonly shift?: number;
  /** How often dark and light change places, 0 to 1. */
  readonly invert?: number;
  /** Logarithm of the contrast. */
  readonly contrast?: number;
  /** Part of the range of values. */
  readonly brightness?: number;
  /** Standard deviation, of the range of values; drawn from 0 up. */
  readonly noise?: number;
  /** Mirrored left to right, 0 to 1. */
  readonly flip?: number;
}

/** What small grey pictures of things without a given place, size and light bear. */
export const AUGMENTATION: Augmentation = {
  rotation: 0.17,
  scale: 0.12,
  shear: 0.12,
  shift: 2,
  contrast: 0.25,
  brightness: 20 / 255,
  noise: 8 / 255,
};

export interface Picture {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Writes a changed picture `[height][width][channels]` of values from `lo` to `hi` into `to`. Pixels outside are those of the edge. */
export function augment(
  from: Float32Array,
  to: Float32Array,
  { height, width, channels }: Picture,
  [lo, hi]: readonly [number, number],
  kinds: Augmentation,
  random: Random,
): void {
  const around = (most = 0) => (2 * random.uniform() - 1) * most;
  const angle = around(kinds.rotation);
  const zoom = 1 + around(kinds.scale);
  const shear = around(kinds.shear);
  const [dx, dy] = [around(kinds.shift), around(kinds.shift)];
  const mirror = random.uniform() < (kinds.flip ?? 0) ? -1 : 1;
  const invert = random.uniform() < (kinds.invert ?? 0);
  const contrast = Math.exp(around(kinds.contrast));
  const range = hi - lo;
  const shift = around(kinds.brightness) * range;
  const noise = random.uniform() * (kinds.noise ?? 0) * range;
  const [cos, sin] = [Math.cos(angle) / zoom, Math.sin(angle) / zoom];
  const [cx, cy] = [(width - 1) / 2, (height - 1) / 2];
  const middle = (lo + hi) / 2;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [u, v] = [(x - cx - dx) * mirror, y - cy - dy];
      const sx = Math.min(Math.max(cos * u - sin * v + shear * v + cx, 0), width - 1);
      const sy = Math.min(Math.max(sin * u + cos * v + cy, 0), height - 1);
      const [x0, y0] = [Math.floor(sx), Math.floor(sy)];
      const [fx, fy] = [sx - x0, sy - y0];
      const right = x0 + 1 < width ? channels : 0;
      const below = y0 + 1 < height ? width * channels : 0;
      const at = (y0 * width + x0) * channels;
      for (let c = 0; c < channels; c++) {
        const i = at + c;
        const top = (from[i] as number) * (1 - fx) + (from[i + right] as number) * fx;
        const bottom = (from[i + below] as number) * (1 - fx) + (from[i + below + right] as number) * fx;
        let value = top * (1 - fy) + bottom * fy;
        if (invert) value = lo + hi - value;
        value = (value - middle) * contrast + middle + shift + (noise > 0 ? random.normal() * noise : 0);
        to[(y * width + x) * channels + c] = value < lo ? lo : value > hi ? hi : value;
      }
    }
}
