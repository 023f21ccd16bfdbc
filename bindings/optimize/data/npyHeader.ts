/** The header of NumPy's .npy format. */
import type { DType } from "../../tensor.ts";

/** `\x93NUMPY`. */
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** Element types of the format that a tensor can have. */
const TYPES: { readonly [descr: string]: DType | undefined } = {
  "|i1": "int8",
  "|u1": "uint8",
  "<i2": "int16",
  "<u2": "uint16",
  "<i4": "int32",
  "<u4": "uint32",
  "<i8": "int64",
  "<u8": "uint64",
  "<f2": "float16",
  "<f4": "float32",
  "<f8": "float64",
  "|b1": "bool",
};

/** What a .npy file says of its elements; what it says otherwise than NumPy does is absent. */
interface NpyHeader {
  /** The type as NumPy writes it, empty where there is none. */
  readonly descr: string;
  /** Absent for types that no tensor has. */
  readonly dtype?: DType;
  /** Whether the last dimension varies fastest. */
  readonly ordered: boolean;
  readonly shape?: readonly number[];
  /** The elements' bytes, to the end of the file. */
  readonly data: Uint8Array;
}

export const isNpy = (bytes: Uint8Array): boolean => MAGIC.every((byte, i) => bytes[i] === byte);

/** Reads the header of bytes that begin as a .npy file does; nothing in it is believed. */
export function npyHeader(bytes: Uint8Array): NpyHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wide = (bytes[6] ?? 0) >= 2;
  const start = wide ? 12 : 10;
  const length = bytes.length < start ? 0 : wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const header = new TextDecoder().decode(bytes.subarray(start, start + length));
  const descr = /'descr':\s*'([^']+)'/.exec(header)?.[1] ?? "";
  const dtype = TYPES[descr];
  const sizes = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  return {
    descr,
    ...(dtype === undefined ? {} : { dtype }),
    ordered: /'fortran_order':\s*False/.test(header),
    ...(sizes === undefined
      ? {}
      : { shape: sizes.split(",").flatMap((size) => (size.trim() === "" ? [] : [Number(size)])) }),
    data: bytes.subarray(start + length),
  };
}

/** What to do about an array that is not read as it is. */
export const SAVED_OTHERWISE = 'Save it by numpy.save(file, numpy.ascontiguousarray(x, dtype="<f4")).';

/** A header in words: the type, and what of it no tensor has. */
export function npyText({ descr, ordered, shape }: NpyHeader): string {
  if (descr === "") return "no type";
  return `${descr}${ordered ? "" : ", not in C order"}${shape === undefined ? ", no list of sizes" : ""}`;
}
