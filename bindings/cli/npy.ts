import { ensure } from "../errors.ts";
import { npyHeader } from "../optimize/data/npyHeader.ts";
import { byteLength, type TypedArray, typedCopy } from "../tensor.ts";
import { type Port, portText } from "../values/port.ts";
import { quantizeInto, takesReals } from "../values/quantize.ts";

/** The value of an input from a NumPy array of its own type, or of floats, which are quantized as the input says. */
export function npyInput(port: Port, bytes: Uint8Array, where: string): TypedArray {
  const { descr, dtype, ordered, data } = npyHeader(bytes);
  const fits = dtype === port.dtype || ((dtype === "float32" || dtype === "float64") && takesReals(port));
  ensure(dtype !== undefined && ordered && fits, "INVALID_INPUT", () => ({
    where,
    expected: `a NumPy array of ${port.dtype}${takesReals(port) ? " or floats" : ""} in C order for input ${portText(port)}`,
    received: `${descr || "no type"}${ordered ? "" : ", not in C order"}`,
  }));
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
