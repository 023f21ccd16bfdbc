/** NumPy's .npy and .npz. */
import { unzipSync } from "fflate";
import { BITS, type DType, elementCount, halfToFloat, type TypedArray, typedCopy } from "../../tensor.ts";
import type { Rows } from "./arrays.ts";
import { invalid } from "./bytes.ts";

/** `\x93NUMPY`. */
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** Element types that data may have. */
const TYPES: { readonly [descr: string]: DType | undefined } = {
  ...{
    "|i1": "int8",
    "|u1": "uint8",
    "<i2": "int16",
    "<u2": "uint16",
    "<i4": "int32",
    "<u4": "uint32",
    "<i8": "int64",
  },
  ...{ "<u8": "uint64", "<f2": "float16", "<f4": "float32", "<f8": "float64", "|b1": "bool" },
};

export const isNpy = (bytes: Uint8Array): boolean => MAGIC.every((byte, i) => bytes[i] === byte);
export const isZip = (bytes: Uint8Array): boolean => bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3;

/** The array of a .npy file. Unsigned bytes are pixels. Errors: INVALID_INPUT. */
export function readNpy(bytes: Uint8Array, where: string): Rows {
  if (!isNpy(bytes)) throw invalid(where, "a NumPy array", "other bytes");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wide = (bytes[6] ?? 0) >= 2;
  const start = wide ? 12 : 10;
  const length = bytes.length < start ? 0 : wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const header = new TextDecoder().decode(bytes.subarray(start, start + length));
  const descr = /'descr':\s*'([^']+)'/.exec(header)?.[1] ?? "";
  const dtype = TYPES[descr];
  const sizes = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  if (dtype === undefined || sizes === undefined || !/'fortran_order':\s*False/.test(header))
    throw invalid(
      where,
      "numbers in C order",
      descr === "" ? "no header" : `${descr}${dtype === undefined ? "" : " in another order"}`,
    );
  const shape = sizes.split(",").flatMap((size) => (size.trim() === "" ? [] : [Number(size)]));
  const data = bytes.subarray(start + length);
  const expected = (elementCount(shape) * BITS[dtype]) / 8;
  if (data.length !== expected)
    throw invalid(
      where,
      `${expected} bytes for [${shape.join(",")}] ${dtype}`,
      `${data.length}`,
      "The file is cut short or damaged.",
    );
  const values = typedCopy(dtype, data);
  const reals: TypedArray = dtype === "float16" ? Float32Array.from(values as Uint16Array, halfToFloat) : values;
  return { shape, values: reals as ArrayLike<number | bigint>, pixels: dtype === "uint8" ? "pixels" : "numbers" };
}

/** The arrays of a .npz file, by name. Errors: INVALID_INPUT. */
export function readNpz(bytes: Uint8Array, where: string): ReadonlyMap<string, Rows> {
  let files: Readonly<Record<string, Uint8Array>>;
  try {
    files = unzipSync(bytes, { filter: ({ name }) => name.endsWith(".npy") });
  } catch (cause) {
    throw invalid(where, "a whole .npz file", cause instanceof Error ? cause.message : "damaged bytes");
  }
  const arrays = new Map(
    Object.entries(files).map(
      ([name, data]) => [name.replace(/\.npy$/, ""), readNpy(data, `${where}, ${name}`)] as const,
    ),
  );
  if (arrays.size === 0) throw invalid(where, "arrays", "none");
  return arrays;
}
