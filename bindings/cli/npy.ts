import { ensure } from "../errors.ts";
import { npyHeader, npyText, SAVED_OTHERWISE } from "../optimize/data/npyHeader.ts";
import { byteLength, halfToFloat, type TypedArray, typedCopy } from "../tensor.ts";
import { type Port, portText } from "../values/port.ts";
import { quantizeInto, takesReals } from "../values/quantize.ts";

/** The value of an input from a NumPy array of its own type, or of floats, which are quantized as the input says. */
export function npyInput(port: Port, bytes: Uint8Array, where: string): TypedArray {
  const header = npyHeader(bytes);
  const { dtype, ordered, data } = header;
  const fits = dtype === port.dtype || (/^float/.test(dtype ?? "") && takesReals(port));
  ensure(dtype !== undefined && ordered && fits, "INVALID_INPUT", () => ({
    where,
    expected: `a NumPy array of ${port.dtype}${takesReals(port) ? " or floats" : ""} in C order for input ${portText(port)}`,
    received: npyText(header),
    hint: takesReals(port) ? SAVED_OTHERWISE : `Save it by numpy.save(file, x.astype("${port.dtype}", order="C")).`,
  }));
  const expected = byteLength({ ...port, dtype });
  ensure(data.length === expected, "INVALID_INPUT", () => ({
    where,
    expected: `${expected} bytes of ${dtype} for input ${portText(port)}`,
    received: `${data.length} bytes`,
    hint: "The array has another shape than the input, or the file is cut short.",
  }));
  const value = typedCopy(dtype, data);
  if (dtype === port.dtype) return value;
  const reals = value instanceof Uint16Array ? Float32Array.from(value, halfToFloat) : value;
  const quantized = typedCopy(port.dtype, new Uint8Array(byteLength(port)));
  quantizeInto(quantized, port, reals as Float32Array);
  return quantized;
}
