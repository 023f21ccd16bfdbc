/** What all readers do with bytes. */
import { Gunzip } from "fflate";
import { type ErrorDetail, Pint8Error, textOf } from "../../errors.ts";
import { requireBytes } from "../../given.ts";

/** Bytes that a packed file may become: they are held as a whole. */
const MOST_UNPACKED = 2 ** 31;
/** Deflate makes no more of a byte. */
const MOST_OF_A_BYTE = 1032;
/** Packed bytes that are unpacked before what came out is looked at. */
const SLICE = 1 << 15;

/** Refuses sizes that packed bytes claim and cannot have, and those that nobody could hold, before memory is taken for them. */
export function requireRoom(size: number, packed: number, where: string): void {
  if (size > packed * MOST_OF_A_BYTE)
    throw invalid(where, `at most ${packed * MOST_OF_A_BYTE} bytes of ${packed} packed ones`, `${size}`, DAMAGED);
  if (size > MOST_UNPACKED)
    throw invalid(where, `at most ${MOST_UNPACKED} bytes, unpacked`, `${size}`, "Cut the data into several files.");
}

/** What may be wrong with a file that contradicts itself. */
const DAMAGED = "The file is cut short or damaged.";

/** The file, unpacked where it is gzip, of several members too. Errors: INVALID_INPUT where it is damaged or too large. */
export function unpacked(bytes: Uint8Array, where: string): Uint8Array {
  requireBytes(where, bytes);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const damaged = (received: string) => invalid(where, "a whole gzip file", received, DAMAGED);
  if (bytes.length < 18) throw damaged(`${bytes.length} bytes`);
  // What the end states is the size of the last member.
  const claimed = new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - 4, true);
  const most = Math.min(bytes.length * MOST_OF_A_BYTE, MOST_UNPACKED);
  let [all, size, last] = [new Uint8Array(Math.min(claimed, most)), 0, 0];
  const gunzip = new Gunzip((part) => {
    const end = size + part.length;
    if (end > all.length) {
      requireRoom(end, bytes.length, where);
      const more = new Uint8Array(Math.min(2 * end, most));
      more.set(all);
      all = more;
    }
    all.set(part, size);
    size = end;
  });
  gunzip.onmember = () => {
    last = size;
  };
  try {
    for (let at = 0; at < bytes.length; at += SLICE)
      gunzip.push(bytes.subarray(at, at + SLICE), at + SLICE >= bytes.length);
  } catch (cause) {
    throw cause instanceof Pint8Error ? cause : damaged(textOf(cause));
  }
  if ((size - last) % 2 ** 32 !== claimed) throw damaged(`${size - last} bytes where its end says ${claimed}`);
  return all.subarray(0, size);
}

/** INVALID_INPUT. */
export function invalid(where: string, expected: string, received: string, hint?: string): Pint8Error {
  const detail: ErrorDetail = { where: String(where), expected, received, ...(hint === undefined ? {} : { hint }) };
  return new Pint8Error("INVALID_INPUT", detail);
}

/** First letters of kinds of files that nothing here reads: where they stand, and what they are. */
const FOREIGN: readonly (readonly [at: number, letters: RegExp, what: string])[] = [
  [0, /^GIF8/, "a GIF picture"],
  [8, /^WEBP/, "a WebP picture"],
  [4, /^ftypavi/, "an AVIF picture"],
  [4, /^ftyp(he|mif)/, "a HEIC picture"],
  [0, /^(II\*|MM\0)/, "a TIFF picture"],
];

/** INVALID_INPUT for a file of a kind that is not read, which it names where many have it. */
export function foreign(where: string, expected: string, bytes: Uint8Array, hint?: string): Pint8Error {
  const start = String.fromCharCode(...bytes.subarray(0, 16));
  const picture = FOREIGN.find(([at, letters]) => letters.test(start.slice(at)))?.[2];
  if (picture !== undefined) return invalid(where, expected, picture, "Convert it to PNG or JPEG.");
  return invalid(where, expected, bytes.length === 0 ? "an empty file" : "another kind of file", hint);
}
