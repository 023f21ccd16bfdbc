import { ensure, kindOf } from "../errors.ts";
import { checkSize, type Picture } from "./picture.ts";

/** Pixels row by row, 1 (grey), 3 (red, green, blue) or 4 (and alpha) numbers of 0..255 each; `ImageData` is one. */
export interface PixelData {
  readonly data: ArrayLike<number>;
  readonly width: number;
  readonly height: number;
}

/** Pixels as a picture; alpha is composited on black. */
export function pictureOf(image: PixelData): Picture {
  const { data, width, height } = (Object(image) ?? {}) as PixelData;
  ensure(Number.isInteger(width) && Number.isInteger(height), "INVALID_INPUT", () => ({
    where: "image",
    expected: "pixels: ImageData, or an object with data, width and height",
    received: kindOf(image),
    hint: "Draw pictures on a canvas, and give what context.getImageData returns.",
  }));
  checkSize(width, height, "image");
  const channels = (data?.length ?? 0) / (width * height);
  ensure(channels === 1 || channels === 3 || channels === 4, "INVALID_INPUT", () => ({
    where: "image",
    expected: `1, 3 or 4 numbers for each of ${width}x${height} pixels`,
    received: `${data?.length} numbers`,
  }));
  const rgb = new Float32Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const at = i * channels;
    const weight = channels === 4 ? (data[at + 3] as number) / 255 : 1;
    for (let c = 0; c < 3; c++) rgb[i * 3 + c] = (data[channels === 1 ? at : at + c] as number) * weight;
  }
  return { width, height, data: rgb };
}
