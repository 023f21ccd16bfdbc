/** WAV: sound as numbers from −1 to 1. */
import { requireBytes } from "../../given.ts";
import { foreign, invalid } from "./bytes.ts";

/** A sound, as its file has it. */
export interface Sound {
  /** Samples a second. */
  readonly rate: number;
  /** One channel: the mean of all. */
  readonly values: Float32Array;
}

const [PCM, FLOAT, EXTENSIBLE] = [1, 3, 0xfffe];
const tag = (view: DataView, at: number) => String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(at + i)));

export const isWav = (bytes: Uint8Array): boolean =>
  bytes.length >= 12 && /^RIFF....WAVE$/s.test(String.fromCharCode(...bytes.subarray(0, 12)));

/** The sound of a WAV file of PCM (8, 16, 24 or 32 bits) or floats. Errors: INVALID_INPUT. */
export function readWav(bytes: Uint8Array, where = "readWav"): Sound {
  requireBytes(where, bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!isWav(bytes)) throw foreign(where, "a WAV file", bytes);
  let format:
    | { readonly kind: number; readonly channels: number; readonly rate: number; readonly bits: number }
    | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const [name, size] = [tag(view, at), view.getUint32(at + 4, true)];
    const start = at + 8;
    if (name === "fmt " && size >= 16 && start + size <= bytes.length) {
      const kind = view.getUint16(start, true);
      format = {
        kind: kind === EXTENSIBLE && size >= 26 ? view.getUint16(start + 24, true) : kind,
        channels: view.getUint16(start + 2, true),
        rate: view.getUint32(start + 4, true),
        bits: view.getUint16(start + 14, true),
      };
    }
    if (name === "data") {
      if (format === undefined) throw invalid(where, "a format before the sound", "none");
      if (start + size > bytes.length && size !== 0xffffffff)
        throw invalid(where, `${size} bytes of sound`, `${bytes.length - start}`, "The file is cut short.");
      return { rate: format.rate, values: soundOf(view, start, Math.min(size, bytes.length - start), format, where) };
    }
    at = start + size + (size % 2);
  }
  throw invalid(where, "a chunk of sound", "none");
}

function soundOf(
  view: DataView,
  start: number,
  size: number,
  { kind, channels, bits }: { readonly kind: number; readonly channels: number; readonly bits: number },
  where: string,
): Float32Array {
  const read = READERS[`${kind} ${bits}`];
  if (read === undefined || channels < 1)
    throw invalid(
      where,
      "PCM of 8, 16, 24 or 32 bits, or floats",
      `format ${kind}, ${bits} bits, ${channels} channels`,
    );
  const width = bits / 8;
  const values = new Float32Array(Math.floor(size / (width * channels)));
  for (let i = 0; i < values.length; i++) {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += read(view, start + (i * channels + c) * width);
    values[i] = sum / channels;
  }
  return values;
}

const READERS: { readonly [format: string]: ((view: DataView, at: number) => number) | undefined } = {
  [`${PCM} 8`]: (view, at) => (view.getUint8(at) - 128) / 128,
  [`${PCM} 16`]: (view, at) => view.getInt16(at, true) / 32768,
  [`${PCM} 24`]: (view, at) => ((view.getInt8(at + 2) << 16) | view.getUint16(at, true)) / 2 ** 23,
  [`${PCM} 32`]: (view, at) => view.getInt32(at, true) / 2 ** 31,
  [`${FLOAT} 32`]: (view, at) => view.getFloat32(at, true),
  [`${FLOAT} 64`]: (view, at) => view.getFloat64(at, true),
};
