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
