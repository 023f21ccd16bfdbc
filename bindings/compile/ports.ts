import type { PlanPort } from "../plan/types.ts";
import { type DType, elementCount } from "../tensor.ts";

/** The JavaScript and C classes of each element type that a port can have. */
const CLASSES: { readonly [dtype in DType]?: readonly [js: string, c: string] } = {
  int8: ["Int8Array", "int8_t"],
  uint8: ["Uint8Array", "uint8_t"],
  int16: ["Int16Array", "int16_t"],
  uint16: ["Uint16Array", "uint16_t"],
  int32: ["Int32Array", "int32_t"],
  uint32: ["Uint32Array", "uint32_t"],
  int64: ["BigInt64Array", "int64_t"],
  uint64: ["BigUint64Array", "uint64_t"],
  float16: ["Uint16Array", "uint16_t"],
  float32: ["Float32Array", "float"],
  float64: ["Float64Array", "double"],
};

/** The typed array that holds a port's elements, as a session gives them; bytes for types that have none. */
export const jsClass = ({ dtype }: PlanPort): string => CLASSES[dtype]?.[0] ?? "Uint8Array";
/** The C type of a port's elements. */
export const cType = ({ dtype }: PlanPort): string => CLASSES[dtype]?.[1] ?? "uint8_t";

/** Elements of that class. */
export const elements = (port: PlanPort): number =>
  CLASSES[port.dtype] === undefined ? port.bytes : elementCount(port.shape);

/** A JavaScript string literal, whatever the name holds. */
export const literal = (text: string): string =>
  JSON.stringify(text).replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** A port's literal: `{ name: "x", dtype: "int8", shape: [1, 28, 28, 1], scale: 0.5, zeroPoint: -128 }`. */
export function portLiteral(
  { name, dtype, shape, scale, zeroPoint }: PlanPort,
  wrap: (text: string) => string,
): string {
  const fields = {
    name: literal(name),
    dtype: literal(dtype),
    shape: wrap(`[${shape.join(", ")}]`),
    scale: Number.isFinite(scale) ? scale : 0,
    zeroPoint,
  };
  return `{ ${Object.entries(fields)
    .map(([key, value]) => `${key}: ${value}`)
    .join(", ")} }`;
}
