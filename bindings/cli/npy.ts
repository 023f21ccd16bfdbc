import { ensure } from "../errors.ts";
import { byteLength, type TypedArray, typedCopy } from "../tensor.ts";
import { type Port, portText } from "../values/port.ts";
import { quantizeInto, takesReals } from "../values/quantize.ts";

/** `\x93NUMPY`. */
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** Element types of NumPy's format that a tensor can have. */
const TYPES: { readonly [descr: string]: Port["dtype"] } = {
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

/** The value of an input from a NumPy array of its own type, or of floats, which are quantized as the input says. */
export function npyInput(port: Port, bytes: Uint8Array, where: string): TypedArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wide = (bytes[6] ?? 0) >= 2;
  const start = wide ? 12 : 10;
  const length = bytes.length < start ? 0 : wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const header = new TextDecoder().decode(bytes.subarray(start, start + length));
  const descr = /'descr':\s*'([^']+)'/.exec(header)?.[1] ?? "";
  const dtype = TYPES[descr];
  const ordered = /'fortran_order':\s*False/.test(header);
  const fits = dtype === port.dtype || ((dtype === "float32" || dtype === "float64") && takesReals(port));
  ensure(dtype !== undefined && ordered && fits, "INVALID_INPUT", () => ({
    where,
    expected: `a NumPy array of ${port.dtype}${takesReals(port) ? " or floats" : ""} in C order for input ${portText(port)}`,
    received: `${descr || "no type"}${ordered ? "" : ", not in C order"}`,
  }));
  const data = bytes.subarray(start + length);
  const expected = byteLength({ ...port, dtype });
  ensure(data.length === expected, "INVALID_INPUT", () => ({
    where,
    expected: `${expected} bytes of ${dtype} for input ${portText(port)}`,
    received: `${data.length} bytes`,
  }));
  const value = typedCopy(dtype, data);
  if (dtype === port.dtype) return value;
  const quantized = typedCopy(port.dtype, new Uint8Array(byteLength(port)));
  quantizeInto(quantized, port, value as Float32Array);
  return quantized;
}
