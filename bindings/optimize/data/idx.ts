/** IDX, the format of MNIST and its kin: `0 0 type rank`, sizes as big-endian u32, then the values, big-endian. */
import { elementCount, listText } from "../../tensor.ts";
import type { Rows } from "./arrays.ts";
import { invalid, unpacked } from "./bytes.ts";

/** Bytes of each element type, by number, and how one is read. */
const TYPES: {
  readonly [type: number]:
    | { readonly bytes: number; readonly read: (view: DataView, at: number) => number }
    | undefined;
} = {
  8: { bytes: 1, read: (view, at) => view.getUint8(at) },
  9: { bytes: 1, read: (view, at) => view.getInt8(at) },
  11: { bytes: 2, read: (view, at) => view.getInt16(at) },
  12: { bytes: 4, read: (view, at) => view.getInt32(at) },
  13: { bytes: 4, read: (view, at) => view.getFloat32(at) },
  14: { bytes: 8, read: (view, at) => view.getFloat64(at) },
};
const MAX_RANK = 8;

/** True for IDX files, gzip or not; of gzip only the unpacked bytes tell. */
export function isIdx(bytes: Uint8Array): boolean {
  return (
    bytes[0] === 0 &&
    bytes[1] === 0 &&
    TYPES[bytes[2] ?? 0] !== undefined &&
    (bytes[3] ?? 0) >= 1 &&
    (bytes[3] ?? 9) <= MAX_RANK
  );
}

/** The values of an IDX file, gzip too. Unsigned bytes are pixels. Errors: INVALID_INPUT. */
export function readIdx(file: Uint8Array, where = "readIdx"): Rows {
  const bytes = unpacked(file, where);
  if (!isIdx(bytes)) throw invalid(where, "an IDX file", `bytes ${[...bytes.subarray(0, 4)].join(" ")}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [code, rank] = [bytes[2] as number, bytes[3] as number];
  const { bytes: width, read } = TYPES[code] as { bytes: number; read: (view: DataView, at: number) => number };
  const start = 4 + 4 * rank;
  if (bytes.length < start) throw invalid(where, `${rank} sizes`, `${bytes.length} bytes`);
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const count = elementCount(shape);
  if (bytes.length !== start + count * width)
    throw invalid(
      where,
      `${start + count * width} bytes for ${listText(shape)}`,
      `${bytes.length}`,
      "The file is cut short or damaged.",
    );
  if (width === 1 && code === 8) return { shape, values: bytes.subarray(start), pixels: "pixels" };
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) values[i] = read(view, start + i * width);
  return { shape, values, pixels: "numbers" };
}
