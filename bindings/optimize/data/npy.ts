/** NumPy's .npy and .npz. */
import { unzipSync } from "fflate";
import { Pint8Error, textOf } from "../../errors.ts";
import { requireBytes } from "../../given.ts";
import { BITS, elementCount, halfToFloat, type TypedArray, typedCopy, typeText } from "../../tensor.ts";
import type { Rows } from "./arrays.ts";
import { foreign, invalid, requireRoom } from "./bytes.ts";
import { isNpy, npyHeader, npyText, SAVED_OTHERWISE } from "./npyHeader.ts";

export const isZip = (bytes: Uint8Array): boolean => bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3;

/** The array of a .npy file. Unsigned bytes are pixels. Errors: INVALID_INPUT. */
export function readNpy(bytes: Uint8Array, where = "readNpy"): Rows {
  requireBytes(where, bytes);
  if (!isNpy(bytes)) throw foreign(where, "a NumPy array", bytes);
  const header = npyHeader(bytes);
  const { dtype, ordered, shape, data } = header;
  if (dtype === undefined || shape === undefined || !ordered)
    throw invalid(where, "numbers in C order", npyText(header), SAVED_OTHERWISE);
  const expected = (elementCount(shape) * BITS[dtype]) / 8;
  if (data.length !== expected)
    throw invalid(
      where,
      `${expected} bytes for ${typeText({ dtype, shape })}`,
      `${data.length}`,
      "The file is cut short or damaged.",
    );
  const values = typedCopy(dtype, data);
  const reals: TypedArray = dtype === "float16" ? Float32Array.from(values as Uint16Array, halfToFloat) : values;
  return { shape, values: reals as ArrayLike<number | bigint>, pixels: dtype === "uint8" ? "pixels" : "numbers" };
}

/** The arrays of a .npz file, by name. Errors: INVALID_INPUT. */
export function readNpz(bytes: Uint8Array, where = "readNpz"): ReadonlyMap<string, Rows> {
  requireBytes(where, bytes);
  let files: Readonly<Record<string, Uint8Array>>;
  try {
    let sum = 0;
    files = unzipSync(bytes, {
      filter({ name, originalSize }) {
        if (!name.endsWith(".npy")) return false;
        sum += originalSize;
        requireRoom(sum, bytes.length, where);
        return true;
      },
    });
  } catch (cause) {
    throw cause instanceof Pint8Error ? cause : invalid(where, "a whole .npz file", textOf(cause));
  }
  const arrays = new Map(
    Object.entries(files).map(
      ([name, data]) => [name.replace(/\.npy$/, ""), readNpy(data, `${where}, ${name}`)] as const,
    ),
  );
  if (arrays.size === 0) throw invalid(where, "arrays", "none");
  return arrays;
}
