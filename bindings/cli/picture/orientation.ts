/** How a camera was held: EXIF 2.32, tag 0x0112 of the first image file directory in segment APP1. */
import type { Picture } from "../../values/picture.ts";

const ORIENTATION = 0x0112;

/** The orientation that a JPEG names, 1 (upright) where it names none. */
export function orientationOf(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // Segments: 0xFF, a marker, and a length that counts itself; pixels come after SOS, 0xDA.
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff && bytes[at + 1] !== 0xda; ) {
    const length = view.getUint16(at + 2);
    if (bytes[at + 1] === 0xe1) {
      const found = orientationIn(bytes.subarray(at + 4, at + 2 + length));
      if (found !== undefined) return found;
    }
    at += 2 + length;
  }
  return 1;
}

/** `Exif\0\0`, then a TIFF header in either byte order. */
function orientationIn(segment: Uint8Array): number | undefined {
  const tiff = segment.subarray(6);
  if (String.fromCharCode(...segment.subarray(0, 4)) !== "Exif" || tiff.length < 14) return undefined;
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const little = view.getUint16(0) === 0x4949;
  const directory = view.getUint32(4, little);
  if (directory + 2 > tiff.length) return undefined;
  const entries = view.getUint16(directory, little);
  for (let i = 0; i < entries; i++) {
    const at = directory + 2 + i * 12;
    if (at + 12 > tiff.length) return undefined;
    if (view.getUint16(at, little) !== ORIENTATION) continue;
    const value = view.getUint16(at + 8, little);
    return value >= 1 && value <= 8 ? value : undefined;
  }
  return undefined;
}

/** The picture as it was seen: orientations 5 to 8 exchange rows and columns. */
export function upright(picture: Picture, orientation: number): Picture {
  if (orientation === 1) return picture;
  const { width: w, height: h } = picture;
  const turned = orientation >= 5;
  const [width, height] = turned ? [h, w] : [w, h];
  const data = new Float32Array(picture.data.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [across, down] = turned ? [y, x] : [x, y];
      const column = [2, 3, 7, 8].includes(orientation) ? w - 1 - across : across;
      const row = [3, 4, 6, 7].includes(orientation) ? h - 1 - down : down;
      for (let c = 0; c < 3; c++) data[(y * width + x) * 3 + c] = picture.data[(row * w + column) * 3 + c] as number;
    }
  return { width, height, data };
}
