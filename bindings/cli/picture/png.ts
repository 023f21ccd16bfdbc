import { type DecodedPng, decode } from "fast-png";
import { ensure } from "../../errors.ts";
import { checkSize, type Picture } from "../../values/picture.ts";
import { pixelChunks } from "./pngChunks.ts";

type Rgba = readonly [r: number, g: number, b: number, alpha: number];

/**
 * Decodes a PNG of any colour type and depth; alpha and transparent colours are composited on black. Refuses interlaced
 * files of fewer than 8 bits, which the decoder gets wrong.
 */
export function decodePng(bytes: Uint8Array, where: string): Picture {
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [width, height] = [header.getUint32(16), header.getUint32(20)];
  checkSize(width, height, where);
  const interlaced = bytes[28] === 1;
  ensure(!interlaced || (bytes[24] as number) >= 8, "UNSUPPORTED", () => ({
    where,
    expected: "interlaced pixels of 8 or 16 bits",
    received: `${bytes[24]} bits`,
    hint: "Save the picture without interlacing.",
  }));
  const png = decode(pixelChunks(bytes, where), { checkCrc: true });
  const samples = unpack(png, interlaced);
  const top = png.depth === 16 ? 65535 : png.palette ? 255 : 2 ** png.depth - 1;
  const data = new Float32Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const [r, g, b, alpha] = pixel(png, samples, i, top);
    const weight = ((255 / top) * alpha) / top;
    data[i * 3] = r * weight;
    data[i * 3 + 1] = g * weight;
    data[i * 3 + 2] = b * weight;
  }
  return { width, height, data };
}

/** Red, green, blue and alpha of pixel `i`, each 0..top. */
function pixel(png: DecodedPng, samples: ArrayLike<number>, i: number, top: number): Rgba {
  const sample = (at: number) => samples[at] as number;
  if (png.palette) {
    const color = png.palette[sample(i)];
    if (color === undefined) throw new RangeError(`palette index ${sample(i)} of ${png.palette.length}`);
    return [color[0] as number, color[1] as number, color[2] as number, color[3] ?? top];
  }
  const at = i * png.channels;
  const [r, g, b] = png.channels < 3 ? [at, at, at] : [at, at + 1, at + 2];
  if (png.channels % 2 === 0) return [sample(r), sample(g), sample(b), sample(at + png.channels - 1)];
  const key = png.transparency;
  const keyed = key !== undefined && [r, g, b].every((s, c) => sample(s) === key[Math.min(c, key.length - 1)]);
  return [sample(r), sample(g), sample(b), keyed ? 0 : top];
}

/** One number per sample: rows of fewer than 8 bits start at a whole byte, highest bits first. */
function unpack({ data, width, height, depth }: DecodedPng, interlaced: boolean): ArrayLike<number> {
  if (depth >= 8 || interlaced) return data;
  const rowBytes = Math.ceil((width * depth) / 8);
  const samples = new Uint8Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const bit = x * depth;
      const byte = data[y * rowBytes + (bit >> 3)] as number;
      samples[y * width + x] = (byte >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
    }
  return samples;
}
