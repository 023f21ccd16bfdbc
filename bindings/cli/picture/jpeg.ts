import jpeg from "jpeg-js";
import { checkSize, MAX_PIXELS, type Picture } from "../../values/picture.ts";

/** Decodes a baseline or progressive JPEG. The orientation tag is not applied, as in TensorFlow's decoder. */
export function decodeJpeg(bytes: Uint8Array, where: string): Picture {
  const { width, height, data } = jpeg.decode(bytes, {
    useTArray: true,
    formatAsRGBA: false,
    tolerantDecoding: false,
    maxResolutionInMP: MAX_PIXELS / 1e6,
    maxMemoryUsageInMB: 2048,
  });
  checkSize(width, height, where);
  return { width, height, data: Float32Array.from(data) };
}
