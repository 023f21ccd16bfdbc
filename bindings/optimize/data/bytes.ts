/** What all readers do with bytes. */
import { gunzipSync } from "fflate";
import { type ErrorDetail, Pint8Error } from "../../errors.ts";
import { requireBytes } from "../../given.ts";

/** The file, unpacked where it is gzip. Errors: INVALID_INPUT where it is damaged. */
export function unpacked(bytes: Uint8Array, where: string): Uint8Array {
  requireBytes(where, bytes);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (cause) {
    throw new Pint8Error(
      "INVALID_INPUT",
      { where, expected: "a whole gzip file", received: cause instanceof Error ? cause.message : "damaged bytes" },
      { cause },
    );
  }
}

/** INVALID_INPUT. */
export function invalid(where: string, expected: string, received: string, hint?: string): Pint8Error {
  const detail: ErrorDetail = { where, expected, received, ...(hint === undefined ? {} : { hint }) };
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
