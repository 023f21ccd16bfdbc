/** ONNX's element types, and constants in every form that files store them in. */
import { ensure, Pint8Error } from "../../errors.ts";
import { BITS, checkShape, type DType, elementCount, type Tensor } from "../../tensor.ts";
import type { TensorProto } from "./messages.ts";

/** TensorProto.DataType by number. bfloat16 and the 8-bit floats are widened to float32 when read; uint4 to uint8. */
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
  21: "uint8",
  22: "int8",
};

/** What messages call the types that pint8 lacks. */
const OTHER_NAMES: { readonly [code: number]: string | undefined } = {
  0: "no tensor",
  8: "string",
  14: "complex64",
  15: "complex128",
  17: "float8e4m3fn",
  18: "float8e4m3fnuz",
  19: "float8e5m2",
  20: "float8e5m2fnuz",
  23: "float4e2m1",
  24: "float8e8m0",
  25: "uint2",
  26: "int2",
};

/** bfloat16, and the two types of four bits. */
const BFLOAT16 = 16;
const UINT4 = 21;
const INT4 = 22;

/** The element type that a code stands for here; UNSUPPORTED for types that pint8 lacks. */
export function dtypeOf(code: number, where: string): DType {
  const dtype = DTYPES[code];
  if (dtype !== undefined) return dtype;
  throw new Pint8Error("UNSUPPORTED", {
    where,
    expected: "numbers of 4 to 64 bits, or bool",
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
  if (code === BFLOAT16) return 16;
  return code === UINT4 || code === INT4 ? 4 : BITS[DTYPES[code] as DType];
}

function widen(bytes: Uint8Array, code: number, count: number, where: string): Uint8Array {
  const expected = Math.ceil((count * storedBits(code)) / 8);
  ensure(bytes.length === expected, "INVALID_MODEL", () => ({
    where,
    expected: `${expected} bytes for ${count} elements`,
    received: `${bytes.length}`,
  }));
  if (code === BFLOAT16) {
    const wide = new Uint8Array(count * 4);
    for (let i = 0; i < count; i++) wide.set(bytes.subarray(2 * i, 2 * i + 2), 4 * i + 2);
    return wide;
  }
  return code === UINT4 || code === INT4 ? unpackNibbles(bytes, count, code === INT4) : bytes;
}

/** Two elements to a byte, the first in the low half. */
export function unpackNibbles(bytes: Uint8Array, count: number, signed: boolean): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => {
    const nibble = ((bytes[i >> 1] as number) >> (4 * (i & 1))) & 15;
    return signed && nibble > 7 ? nibble - 16 : nibble;
  });
}

/** Values in `float_data`, `int32_data` and the like. */
function typedFields(proto: TensorProto, dtype: DType, count: number, where: string): Uint8Array {
  const { floats, doubles, int32s, int64s, dataType } = proto;
  const packed = dataType === UINT4 || dataType === INT4;
  const list: readonly (number | bigint)[] = [floats, doubles, int32s, int64s].find((each) => each.length > 0) ?? [];
  const expected = packed ? Math.ceil(count / 2) : count;
  ensure(list.length === expected, "INVALID_MODEL", () => ({
    where,
    expected: `${expected} values`,
    received: `${list.length}`,
  }));
  if (packed) return unpackNibbles(Uint8Array.from(list, Number), count, dataType === INT4);
  const size = BITS[dtype] / 8;
  const view = new DataView(new ArrayBuffer(count * size));
  for (const [i, value] of list.entries()) {
    if (dataType === BFLOAT16) view.setUint32(i * 4, Number(value) << 16, true);
    else if (dtype === "float32") view.setFloat32(i * 4, Number(value), true);
    else if (dtype === "float64") view.setFloat64(i * 8, Number(value), true);
    else if (size === 8) view.setBigInt64(i * 8, BigInt.asIntN(64, BigInt(value)), true);
    else if (size === 4) view.setUint32(i * 4, Number(value) >>> 0, true);
    else if (size === 2) view.setUint16(i * 2, Number(value) & 0xffff, true);
    else view.setUint8(i, Number(value) & 0xff);
  }
  return new Uint8Array(view.buffer);
}

function externalBytes({ external, name }: TensorProto, where: string, files: ExternalData): Uint8Array {
  const location = external.get("location") ?? "";
  const climbs = location === "" || /^([/\\]|[A-Za-z]:)/.test(location) || location.split(/[/\\]/).includes("..");
  ensure(!climbs, "INVALID_MODEL", () => ({
    where,
    expected: "external data inside the model's folder",
    received: JSON.stringify(location.slice(0, 80)),
  }));
  const file = Object.hasOwn(files, location) ? files[location] : undefined;
  ensure(file !== undefined, "IO", () => ({
    where,
    expected: `the file ${JSON.stringify(location.slice(0, 80))} with the values of "${name}"`,
    received: "none",
    hint: 'Give it as the option { externalData: { "name": bytes } }; the command line reads it from beside the model.',
  }));
  const offset = Number(external.get("offset") ?? 0);
  const length = Number(external.get("length") ?? file.length - offset);
  const inside =
    Number.isSafeInteger(offset) &&
    Number.isSafeInteger(length) &&
    offset >= 0 &&
    length >= 0 &&
    offset + length <= file.length;
  ensure(inside, "INVALID_MODEL", () => ({
    where,
    expected: `a range of the ${file.length} bytes of ${JSON.stringify(location.slice(0, 80))}`,
    received: `${length} bytes from ${offset}`,
  }));
  return file.subarray(offset, offset + length);
}
