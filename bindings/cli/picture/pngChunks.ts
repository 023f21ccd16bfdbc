import { Unzlib } from "fflate";
import { ensure } from "../../errors.ts";

const SIGNATURE_BYTES = 8;
/** A chunk's length and name before its data, and its checksum after. */
const AROUND = 12;
/** What pixels are made of. Texts, colour profiles and animations stay behind, however much they would inflate to. */
const NEEDED: ReadonlySet<string> = new Set(["IHDR", "PLTE", "tRNS", "IDAT", "IEND"]);
const SAMPLES_BY_COLOUR: readonly number[] = [1, 0, 3, 1, 2, 0, 4];
/** Compressed bytes that are given to the inflater at a time: what comes out before it is looked at is a thousand times as much. */
const SLICE = 4096;

/** A PNG file's chunks that pixels need, as a file; refuses pixel data that inflates to more than the header says. */
export function pixelChunks(png: Uint8Array, where: string): Uint8Array {
  const chunks = [...chunksOf(png)].filter(({ name }) => NEEDED.has(name));
  const most = rowsBytes(png);
  let inflated = 0;
  const inflater = new Unzlib((data) => {
    inflated += data.length;
  });
  for (const { name, start, end } of chunks)
    for (let at = start + 8; name === "IDAT" && at < end - 4; at += SLICE) {
      inflater.push(png.subarray(at, Math.min(at + SLICE, end - 4)));
      ensure(inflated <= most, "INVALID_INPUT", () => ({
        where,
        expected: `pixels of ${most} bytes`,
        received: "data that inflates to more",
      }));
    }
  const parts = [png.subarray(0, SIGNATURE_BYTES), ...chunks.map(({ start, end }) => png.subarray(start, end))];
  const file = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}

function* chunksOf(png: Uint8Array) {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  for (let start = SIGNATURE_BYTES, end: number; start + AROUND <= png.length; start = end) {
    end = Math.min(start + AROUND + view.getUint32(start), png.length);
    yield { name: String.fromCharCode(...png.subarray(start + 4, start + 8)), start, end };
  }
}

/** Bytes of all rows, each with its filter; at most, with the rows of seven passes where pixels are interlaced. */
function rowsBytes(png: Uint8Array): number {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const [width, height, depth, colour] = [view.getUint32(16), view.getUint32(20), view.getUint8(24), view.getUint8(25)];
  const row = Math.ceil((width * depth * (SAMPLES_BY_COLOUR[colour] ?? 4)) / 8) + 1;
  return row * height + 7 * (2 * height + width);
}
