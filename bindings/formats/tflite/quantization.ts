/** QuantizationParameters → `Quantization`. */
import { ensure, Pint8Error } from "../../errors.ts";
import { type DType, listText, type Quantization, typeText } from "../../tensor.ts";
import { type FlatTable, readFloat32s, readInt32, readInt64s, readTable, readUint8 } from "./flatbuffer.ts";
import { BLOCKWISE, BLOCKWISE_DETAILS, QUANTIZATION, TENSOR } from "./schema.ts";

/** Values of the constant float16 or float32 tensor with this index; an error where it is none. */
type ScalesOf = (index: number, where: string) => readonly number[];

/** Smallest and largest zero point of each type that affine quantization applies to. */
const ZERO_POINTS: { readonly [K in DType]?: readonly [number, number] } = {
  int4: [-8, 7],
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  uint16: [0, 2 ** 16 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  uint64: [0, Number.MAX_SAFE_INTEGER],
};

/**
 * The quantization of a tensor; `undefined` where it has no scales, or a type that is not quantized.
 * Scales are finite and not below 0, and operators that compute with them refuse 0 themselves; there is one, or one per slice
 * along the axis; zero points lie in the type's range.
 */
export function readQuantization(
  tensor: FlatTable,
  dtype: DType,
  shape: readonly number[],
  where: string,
  scalesOf: ScalesOf,
): Quantization | undefined {
  const table = readTable(tensor, TENSOR.quantization, `${where}, quantization`);
  if (table === undefined) return undefined;
  const details = readUint8(table, QUANTIZATION.detailsType);
  ensure(details === 0 || details === BLOCKWISE_DETAILS, "UNSUPPORTED", () => ({
    where,
    expected: "affine quantization, per tensor, along one axis or by blocks",
    received: "custom or multi-axis quantization",
  }));
  if (details === BLOCKWISE_DETAILS) return readBlocks(table, dtype, shape, where, scalesOf);
  const scale = readFloat32s(table, QUANTIZATION.scale) ?? [];
  if (scale.length === 0) return undefined;
  const wrong = firstOutside(scale, 0, Number.MAX_VALUE);
  ensure(wrong === undefined, "INVALID_MODEL", () => ({
    where,
    expected: "scales that are finite and not below 0",
    received: `scale ${wrong}`,
    hint: "Quantize the model again; a range of no width gives such a scale.",
  }));
  const stored = readInt64s(table, QUANTIZATION.zeroPoint) ?? [];
  const zeroPoint = stored.length === 0 ? new Array<number>(scale.length).fill(0) : stored;
  ensure(zeroPoint.length === scale.length, "INVALID_MODEL", () => ({
    where,
    expected: `${scale.length} zero points, one per scale`,
    received: `${zeroPoint.length}`,
  }));
  const axis = readAxis(table, scale.length, shape, where);
  const range = ZERO_POINTS[dtype];
  if (range === undefined) return undefined;
  const [least, most] = range;
  const outside = firstOutside(zeroPoint, least, most);
  ensure(outside === undefined, "INVALID_MODEL", () => ({
    where,
    expected: `zero points from ${least} to ${most} for ${dtype}`,
    received: `${outside}`,
  }));
  return { scale, zeroPoint, axis };
}

/** int4 matrices with one scale for each block of a row, in a tensor of their own; zero points are 0. */
function readBlocks(
  quantization: FlatTable,
  dtype: DType,
  shape: readonly number[],
  where: string,
  scalesOf: ScalesOf,
): Quantization {
  const table = readTable(quantization, QUANTIZATION.details, `${where}, blocks`);
  const block = table === undefined ? 0 : readInt32(table, BLOCKWISE.blockSize, 0);
  const [rows = 0, columns = 0] = shape;
  const fits = dtype === "int4" && shape.length === 2 && block > 0 && columns % block === 0;
  ensure(table !== undefined && fits && readInt32(table, BLOCKWISE.zeroPoints, 0) <= 0, "UNSUPPORTED", () => ({
    where,
    expected: "int4 [N,K] in blocks that K is whole numbers of, without zero points",
    received: `${typeText({ dtype, shape })} in blocks of ${block}`,
  }));
  const scale = scalesOf(readInt32(table, BLOCKWISE.scales, 0), where);
  const wrong = firstOutside(scale, 0, Number.MAX_VALUE);
  ensure(scale.length === (rows * columns) / block && wrong === undefined, "INVALID_MODEL", () => ({
    where,
    expected: `${(rows * columns) / block} finite scales, one per block`,
    received: wrong === undefined ? `${scale.length}` : `scale ${wrong}`,
  }));
  return { scale, zeroPoint: new Array<number>(scale.length).fill(0), axis: 0, block };
}

/** The first value that is not in the range: one loop for all channels of all layers. */
function firstOutside(values: readonly number[], least: number, most: number): number | undefined {
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!(value >= least && value <= most)) return value;
  }
  return undefined;
}

/**
 * The axis that several scales run along. A single scale has none (0 where the file's is no dimension), and a bias has
 * only one: older converters gave it the axis of its weights.
 */
function readAxis(table: FlatTable, scales: number, shape: readonly number[], where: string): number {
  const axis = shape.length === 1 ? 0 : readInt32(table, QUANTIZATION.axis, 0);
  const size = shape[axis];
  if (scales === 1) return size === undefined ? 0 : axis;
  if (size === scales) return axis;
  throw new Pint8Error("INVALID_MODEL", {
    where,
    expected: size === undefined ? `a quantized axis of ${listText(shape)}` : `1 or ${size} scales along axis ${axis}`,
    received: size === undefined ? `axis ${axis}` : `${scales} scales`,
  });
}
