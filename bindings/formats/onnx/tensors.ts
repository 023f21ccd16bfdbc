/** ONNX's element types, and constants in every form that files store them in. */
import { ensure, kindOf, Pint8Error } from "../../errors.ts";
import { BITS, checkShape, type DType, elementCount, type Tensor } from "../../tensor.ts";
import type { TensorProto } from "./messages.ts";
import { E8M0, FEW_BITS, SMALL_FLOATS, smallBits, smallValue } from "./small.ts";

/** TensorProto.DataType by number. Floats of 4 to 16 bits but float16 are float32 once read, integers of 2 and 4 bits those of 8. */
const DTYPES: { readonly [code: number]: DType | undefined } = {
  1: "float32",
  2: "uint8",
  3: "int8",
  4: "uint16",
  5: "int16",
  6: "int32",
  7: "int64",
  9: "bool",
  10: "float16",
  11: "float64",
  12: "uint32",
  13: "uint64",
  16: "float32",
  17: "float32",
  18: "float32",
  19: "float32",
  20: "float32",
  21: "uint8",
  22: "int8",
  23: "float32",
  24: "float32",
  25: "uint8",
  26: "int8",
};

/** What messages call the types that pint8 lacks. */
const OTHER_NAMES: { readonly [code: number]: string | undefined } = {
  0: "no tensor",
  8: "string",
  14: "complex64",
  15: "complex128",
};

const isSmallFloat = (code: number): boolean => SMALL_FLOATS[code] !== undefined || code === E8M0;

/** The element type that a code stands for here; UNSUPPORTED for types that pint8 lacks. */
export function dtypeOf(code: number, where: string): DType {
  const dtype = DTYPES[code];
  if (dtype !== undefined) return dtype;
  throw new Pint8Error("UNSUPPORTED", {
    where,
    expected: "numbers of 2 to 64 bits, or bool",
    received: OTHER_NAMES[code] ?? `element type ${code}`,
  });
}

/** Files beside the model, by the name that tensors give. */
export type ExternalData = Readonly<Record<string, Uint8Array>>;

/** A constant with its bytes, little-endian and row-major; types of 4 bits take a byte an element. */
export function tensorOf(proto: TensorProto, where: string, external: ExternalData): Tensor {
  const dtype = dtypeOf(proto.dataType, where);
  checkShape(proto.dims, dtype, where);
  const count = elementCount(proto.dims);
  const data = proto.isExternal
    ? widen(externalBytes(proto, where, external), proto.dataType, count, where)
    : proto.raw !== undefined
      ? widen(proto.raw, proto.dataType, count, where)
      : typedFields(proto, dtype, count, where);
  return { name: proto.name, dtype, shape: proto.dims, data };
}

/** Bits of an element in a file. */
function storedBits(code: number): number {
  if (isSmallFloat(code)) return smallBits(code);
  return FEW_BITS[code]?.bits ?? BITS[DTYPES[code] as DType];
}

function widen(bytes: Uint8Array, code: number, count: number, where: string): Uint8Array {
  const expected = Math.ceil((count * storedBits(code)) / 8);
  ensure(bytes.length === expected, "INVALID_MODEL", () => ({
    where,
    expected: `${expected} bytes for ${count} elements`,
    received: `${bytes.length}`,
  }));
  if (isSmallFloat(code)) {
    const values =
      smallBits(code) === 16 ? halfWords(bytes) : smallBits(code) === 4 ? unpacked(bytes, count, 4, false) : bytes;
    return new Uint8Array(Float32Array.from(values, (bits) => smallValue(code, bits)).buffer);
  }
  const few = FEW_BITS[code];
  return few === undefined ? bytes : unpacked(bytes, count, few.bits, few.signed);
}

const halfWords = (bytes: Uint8Array): Uint16Array =>
  Uint16Array.from(
    { length: bytes.length >> 1 },
    (_, i) => (bytes[2 * i] as number) | ((bytes[2 * i + 1] as number) << 8),
  );

/** Several elements to a byte, the first in the low bits. */
function unpacked(bytes: Uint8Array, count: number, bits: 2 | 4, signed: boolean): Uint8Array {
  const half = 1 << (bits - 1);
  return Uint8Array.from({ length: count }, (_, i) => {
    const at = i * bits;
    const value = ((bytes[at >> 3] as number) >> (at & 7)) & (2 * half - 1);
    return signed && value >= half ? value - 2 * half : value;
  });
}

/** Values in `float_data`, `int32_data` and the like. */
function typedFields(proto: TensorProto, dtype: DType, count: number, where: string): Uint8Array {
  const { floats, doubles, int32s, int64s, dataType } = proto;
  const bits = storedBits(dataType);
  const packed = bits < 8;
  const list: Numbers = [floats, doubles, int32s, int64s].find((each) => each.length > 0) ?? [];
  const expected = packed ? Math.ceil((count * bits) / 8) : count;
  ensure(list.length === expected, "INVALID_MODEL", () => ({
    where,
    expected: `${expected} values`,
    received: `${list.length}`,
  }));
  if (packed || (bits === 8 && isSmallFloat(dataType)))
    return widen(Uint8Array.from(list as ArrayLike<number>, Number), dataType, count, where);
  return new Uint8Array(arrayOf(list, dtype, dataType).buffer);
}

/** Values of a field. */
type Numbers = readonly number[] | readonly bigint[] | Int32Array;

/** Numbers of a field as an array of the type; integers wrap around. */
function arrayOf(list: Numbers, dtype: DType, code: number): ArrayBufferView {
  const size = BITS[dtype] / 8;
  if (size === 8 && dtype !== "float64") return BigInt64Array.from(list as ArrayLike<number>, BigInt);
  const isLong = typeof list[0] === "bigint";
  const numbers = isLong ? (list as readonly bigint[]).map(Number) : (list as readonly number[] | Int32Array);
  if (isSmallFloat(code)) return Int32Array.from(numbers, (bits) => bits << 16);
  if (dtype === "float32") return new Float32Array(numbers);
  if (dtype === "float64") return new Float64Array(numbers);
  return size === 4 ? new Int32Array(numbers) : size === 2 ? new Int16Array(numbers) : new Uint8Array(numbers);
}

/** True for a path that leads out of the model's folder, whatever system it is written for. */
export function climbs(location: string): boolean {
  return location === "" || /^([/\\]|[A-Za-z]:)/.test(location) || location.split(/[/\\]/).includes("..");
}

function externalBytes({ external, name }: TensorProto, where: string, files: ExternalData): Uint8Array {
  const location = external?.get("location") ?? "";
  ensure(!climbs(location), "INVALID_MODEL", () => ({
    where,
    expected: "external data inside the model's folder",
    received: JSON.stringify(location.slice(0, 80)),
  }));
  const file = Object.hasOwn(files, location) ? files[location] : undefined;
  const named = JSON.stringify(location.slice(0, 80));
  ensure(file !== undefined && kindOf(file) === "Uint8Array", file === undefined ? "IO" : "INVALID_OPTION", () => ({
    where,
    expected: `the file ${named} with the values of "${name}", as a Uint8Array`,
    received: file === undefined ? "none" : kindOf(file),
    hint: `Give it as the option { externalData: { ${named}: bytes } }; the command line reads it from beside the model.`,
  }));
  const offset = Number(external?.get("offset") ?? 0);
  const length = Number(external?.get("length") ?? file.length - offset);
  const inside =
    Number.isSafeInteger(offset) &&
    Number.isSafeInteger(length) &&
    offset >= 0 &&
    length >= 0 &&
    offset + length <= file.length;
  ensure(inside, "INVALID_MODEL", () => ({
    where,
    expected: `a range of the ${file.length} bytes of ${named}`,
    received: `${length} bytes from ${offset}`,
  }));
  return file.subarray(offset, offset + length);
}
