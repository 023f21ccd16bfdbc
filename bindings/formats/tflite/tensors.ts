/** Tensor tables → `Tensor`. */
import { ensure, Pint8Error } from "../../errors.ts";
import {
  BITS,
  byteLength,
  checkShape,
  type DType,
  elementCount,
  halfToFloat,
  type Tensor,
  typedCopy,
  typeText,
} from "../../tensor.ts";
import { shorten } from "../text.ts";
import type { Buffers } from "./buffers.ts";
import { type FlatTable, readBool, readInt8, readInt32s, readString, readTable, readUint32 } from "./flatbuffer.ts";
import { readQuantization } from "./quantization.ts";
import { INT2, TENSOR, TENSOR_TYPES } from "./schema.ts";
import { densify, readSparsity } from "./sparsity.ts";

/** More dimensions than any operator has a use for. */
const MAX_RANK = 16;

/**
 * Reads one tensor. Constants come as views of the file where they are stored densely, as new bytes where they are
 * sparse. An open leading size is 1.
 */
export function readTensor(table: FlatTable, buffers: Buffers, tables: readonly FlatTable[] = []): Tensor {
  const name = readString(table, TENSOR.name);
  const where = `${table.where} "${shorten(name)}"`;
  const isCrumbs = readInt8(table, TENSOR.type, 0) === INT2;
  const dtype = isCrumbs ? "int4" : readType(table, where);
  ensure(readUint32(table, TENSOR.externalBuffer, 0) === 0, "UNSUPPORTED", () => ({
    where,
    expected: "data inside the model file",
    received: "an external buffer",
    hint: "Export the model as one file.",
  }));
  const packed = buffers.data(readUint32(table, TENSOR.buffer, 0), where);
  const shape = readShape(table, packed !== undefined, where);
  checkShape(shape, dtype, where);
  const stored = isCrumbs ? nibbles(packed, elementCount(shape), where) : packed;
  const scalesOf = (index: number) => {
    const scales = tables[index];
    ensure(scales !== undefined, "INVALID_MODEL", () => ({
      where,
      expected: "a tensor of scales",
      received: `${index}`,
    }));
    return readScales(readTensor(scales, buffers), where);
  };
  const quantization = readQuantization(table, dtype, shape, where, scalesOf);
  const data = readData(table, stored, { dtype, shape }, buffers, where);
  return {
    name,
    dtype,
    shape,
    ...(quantization && { quantization }),
    ...(data && { data }),
    ...(readBool(table, TENSOR.variable) && { variable: true }),
  };
}

/** Constants of two bits, four to a byte, as int4: the lowest bits come first. Nothing computes in two bits. */
function nibbles(packed: Uint8Array | undefined, count: number, where: string): Uint8Array {
  ensure(packed !== undefined, "UNSUPPORTED", () => ({
    where,
    expected: "an element type that pint8 computes",
    received: "INT2 that is no constant",
  }));
  ensure(packed.length === Math.ceil(count / 4), "INVALID_MODEL", () => ({
    where,
    expected: `${Math.ceil(count / 4)} bytes for ${count} numbers of 2 bits`,
    received: `${packed.length} bytes`,
  }));
  const half = (bits: number) => (bits & 2 ? 12 : 0) | (bits & 3);
  return Uint8Array.from({ length: Math.ceil(count / 2) }, (_, i) => {
    const bits = (packed[i >> 1] as number) >> (4 * (i & 1));
    return half(bits) | (half(bits >> 2) << 4);
  });
}

/** Scales of blocks: float16 as a rule. */
function readScales({ dtype, data }: Tensor, where: string): readonly number[] {
  ensure(data !== undefined && (dtype === "float16" || dtype === "float32"), "UNSUPPORTED", () => ({
    where,
    expected: "scales that are constants of float16 or float32",
    received: data === undefined ? "computed ones" : dtype,
  }));
  return dtype === "float32"
    ? [...(typedCopy(dtype, data) as Float32Array)]
    : Array.from(typedCopy(dtype, data) as Uint16Array, halfToFloat);
}

function readType(table: FlatTable, where: string): DType {
  const type = readInt8(table, TENSOR.type, 0);
  const dtype = TENSOR_TYPES[type];
  if (typeof dtype === "string") return dtype;
  throw new Pint8Error(dtype === undefined ? "INVALID_MODEL" : "UNSUPPORTED", {
    where,
    expected: "an element type that pint8 knows",
    received: dtype === undefined ? `type ${type}` : dtype.unsupported,
  });
}

/**
 * `shape` holds concrete sizes; `shape_signature`, where it is there, has −1 for those that the model leaves open. The
 * leading one of a computed tensor is the batch and taken as 1; others keep what `shape` says.
 */
function readShape(table: FlatTable, constant: boolean, where: string): readonly number[] {
  const shape = readInt32s(table, TENSOR.shape) ?? [];
  ensure(shape.length <= MAX_RANK, "UNSUPPORTED", () => ({
    where,
    expected: `at most ${MAX_RANK} dimensions`,
    received: `${shape.length}`,
  }));
  const signature = readInt32s(table, TENSOR.shapeSignature) ?? [];
  const openBatch = !constant && (shape[0] === -1 || (signature.length === shape.length && signature[0] === -1));
  return openBatch ? [1, ...shape.slice(1)] : shape;
}

function readData(
  table: FlatTable,
  stored: Uint8Array | undefined,
  type: Pick<Tensor, "dtype" | "shape">,
  buffers: Buffers,
  where: string,
): Uint8Array | undefined {
  const sparsity = readTable(table, TENSOR.sparsity, `${where}, sparsity`);
  if (sparsity !== undefined) {
    const parameters = readSparsity(sparsity);
    ensure(stored !== undefined, "INVALID_MODEL", () => ({
      where,
      expected: "a sparse tensor with data",
      received: "an empty buffer",
    }));
    buffers.claim(byteLength(type), where);
    return densify(stored, type, parameters, where);
  }
  if (stored === undefined) return undefined;
  // Strings and handles have no fixed size.
  const bytes = BITS[type.dtype] === 0 ? stored.length : byteLength(type);
  ensure(stored.length === bytes, "INVALID_MODEL", () => ({
    where,
    expected: `${bytes} bytes for ${typeText(type)}`,
    received: `${stored.length} bytes`,
  }));
  buffers.claim(bytes, where);
  return stored;
}
