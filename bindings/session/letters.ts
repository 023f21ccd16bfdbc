/** wasm files that the builder put into scripts: deflated bytes as letters, two for 13 bits. */
import { inflateSync } from "fflate";

/** A data URL of the file. */
export function urlOf(deflated: string): string {
  const bytes = inflateSync(bytesOf(deflated));
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return `data:application/wasm;base64,${btoa(text)}`;
}

/** The bytes of letters of which two, the higher digit first, are a number of 13 bits, lowest first; digits are `#` to `~` without the backslash. */
function bytesOf(letters: string): Uint8Array {
  const digit = (at: number) => letters.charCodeAt(at) - (letters.charCodeAt(at) > 92 ? 36 : 35);
  const bytes = new Uint8Array(Math.floor((letters.length * 13) / 16));
  let held = 0;
  let bits = 0;
  let count = 0;
  for (let at = 0; at < letters.length; at += 2) {
    held |= (digit(at) * 91 + digit(at + 1)) << bits;
    for (bits += 13; bits >= 8; bits -= 8) {
      bytes[count++] = held;
      held >>>= 8;
    }
  }
  return bytes;
}
