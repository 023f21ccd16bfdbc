import { chosen, ensure } from "../errors.ts";

/** A picture as pixels: `data` is `[height, width, 3]`, red, green, blue in 0..255, fractions where the file has 16 bits. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

/** Pictures beyond this are refused before they are decoded; 64 megapixels take 768 MB as a `Picture`. */
const MAX_PIXELS = 64 * 2 ** 20;

/** What to do with a picture of other proportions than its target. */
export type Fit = "stretch" | "cover" | "contain";
const FITS: readonly string[] = ["stretch", "cover", "contain"];

/** The picture cut to the proportions of the target, or with black beside it. */
export function fitted(picture: Picture, width: number, height: number, fit: Fit): Picture {
  chosen("fit", fit, FITS);
  if (fit === "stretch" || picture.width * height === picture.height * width) return picture;
  const choose = fit === "cover" ? Math.min : Math.max;
  const scale = choose(picture.width / width, picture.height / height);
  return crop(picture, Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
}

/** The middle of a picture, black where it is smaller. */
function crop(picture: Picture, width: number, height: number): Picture {
  const data = new Float32Array(width * height * 3);
  const [left, top] = [Math.floor((picture.width - width) / 2), Math.floor((picture.height - height) / 2)];
  for (let y = Math.max(0, -top); y < Math.min(height, picture.height - top); y++) {
    const from = Math.max(0, left);
    const row = ((y + top) * picture.width + from) * 3;
    const pixels = Math.min(width, picture.width - left) - (from - left);
    data.set(picture.data.subarray(row, row + pixels * 3), (y * width + from - left) * 3);
  }
  return { width, height, data };
}

/** Refuses sizes of 0 and beyond MAX_PIXELS. */
export function checkSize(width: number, height: number, where: string): void {
  ensure(
    Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0 && width * height <= MAX_PIXELS,
    "INVALID_INPUT",
    () => ({
      where,
      expected: `a picture of 1 to ${MAX_PIXELS} pixels`,
      received: `${width}x${height}`,
      hint: "Scale the picture down first.",
    }),
  );
}

/**
 * Bilinear resize with half-pixel centres: output pixel x samples the input at `(x + 0.5)·width/newWidth − 0.5`, edges
 * repeat. No prefilter, as in TensorFlow's `resize_bilinear` with `half_pixel_centers`; equal sizes copy exactly.
 */
export function resize(picture: Picture, width: number, height: number): Picture {
  if (picture.width === width && picture.height === height) return picture;
  const data = new Float32Array(width * height * 3);
  const columns = samples(picture.width, width);
  const rows = samples(picture.height, height);
  let at = 0;
  for (const row of rows) {
    const upper = row.low * picture.width;
    const lower = row.high * picture.width;
    for (const column of columns)
      for (let c = 0; c < 3; c++) {
        const top = mix(picture.data, upper + column.low, upper + column.high, c, column.fraction);
        const bottom = mix(picture.data, lower + column.low, lower + column.high, c, column.fraction);
        data[at++] = top + (bottom - top) * row.fraction;
      }
  }
  return { width, height, data };
}

interface Sample {
  readonly low: number;
  readonly high: number;
  readonly fraction: number;
}

function samples(from: number, to: number): Sample[] {
  return Array.from({ length: to }, (_, i) => {
    const centre = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
    const low = Math.floor(centre);
    return { low, high: Math.min(low + 1, from - 1), fraction: centre - low };
  });
}

function mix(data: Float32Array, left: number, right: number, channel: number, fraction: number): number {
  const a = data[left * 3 + channel] as number;
  const b = data[right * 3 + channel] as number;
  return a + (b - a) * fraction;
}

/** Luma of ITU-R BT.601, `[height, width]` in 0..255; grey pixels keep their value exactly. */
export function grey({ data }: Picture): Float32Array {
  return Float32Array.from({ length: data.length / 3 }, (_, i) => {
    const [r, g, b] = [data[i * 3] as number, data[i * 3 + 1] as number, data[i * 3 + 2] as number];
    return r === g && g === b ? r : 0.299 * r + 0.587 * g + 0.114 * b;
  });
}
