import { decode } from "bmp-ts";
import { ensure } from "../../errors.ts";
import { checkSize, type Picture } from "../../values/picture.ts";

/** Compression of a BMP header: plain rows, or 16 and 32 bit pixels with masks. */
const PLAIN = 0;
const MASKS = [3, 6];

/**
 * Decodes an uncompressed BMP of 1, 4, 8, 16, 24 or 32 bits; alpha, where the header gives it a mask, is composited on
 * black. Refuses run-length compression and rows of an odd number of 4-bit pixels, which the decoder gets wrong.
 */
export function decodeBmp(bytes: Uint8Array, where: string): Picture {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [width, height] = [view.getInt32(18, true), Math.abs(view.getInt32(22, true))];
  checkSize(width, height, where);
  const bits = view.getUint16(28, true);
  const compression = view.getUint32(30, true);
  const plain = compression === PLAIN || MASKS.includes(compression);
  ensure(plain && !(bits === 4 && width % 2 === 1), "UNSUPPORTED", () => ({
    where,
    expected: "an uncompressed BMP, of an even width where it has 4 bits",
    received: `compression ${compression}, ${bits} bits, width ${width}`,
    hint: "Save the picture as PNG.",
  }));
  const { data } = decode(Buffer.from(contiguous(view, bits, compression)), { toRGBA: false });
  const alpha = bits === 32 && alphaMask(view, compression) !== 0;
  const rgb = new Float32Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const weight = alpha ? (data[i * 4] as number) / 255 : 1;
    for (let c = 0; c < 3; c++) rgb[i * 3 + c] = (data[i * 4 + 3 - c] as number) * weight;
  }
  return { width, height, data: rgb };
}

function alphaMask(view: DataView, compression: number): number {
  return view.getUint32(14, true) >= 56 || compression === 6 ? view.getUint32(66, true) : 0;
}

/** The file with its pixels right after its headers, where the decoder looks for them whatever the header says. */
function contiguous(view: DataView, bits: number, compression: number): Uint8Array {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const headerBytes = view.getUint32(14, true);
  const masks = headerBytes === 40 && MASKS.includes(compression) ? (compression === 6 ? 16 : 12) : 0;
  const colors = view.getUint32(46, true);
  const palette = bits <= 8 || colors > 0 ? (colors === 0 ? 2 ** bits : colors) : 0;
  const end = 14 + headerBytes + masks + palette * 4;
  const pixels = view.getUint32(10, true);
  if (pixels <= end || pixels >= bytes.length) return bytes;
  const packed = new Uint8Array(end + bytes.length - pixels);
  packed.set(bytes.subarray(0, end));
  packed.set(bytes.subarray(pixels), end);
  return packed;
}
