/** Constants in TensorFlow Lite's sparse format: every dimension dense but the last, which is compressed rows of elements or of blocks. */
import { BITS, byteLength, elementCount, sizeOf, type Tensor } from "../../../tensor.ts";
import { LEVEL, SPARSITY } from "../schema.ts";
import type { Slot, Slots } from "./flat.ts";

/** A constant as it is stored. */
interface Stored {
  /** Its elements that are not 0. */
  readonly data: Uint8Array;
  readonly sparsity: Slots;
  /** Bytes of values and indices. */
  readonly bytes: number;
}

/** Smaller constants gain nothing. */
const LEAST_BYTES = 512;

/** Whether a constant takes less room when stored sparse. */
export function isSmallerSparse(tensor: Tensor): boolean {
  const { data, shape, dtype } = tensor;
  if (data === undefined || shape.length < 2 || BITS[dtype] % 8 !== 0 || byteLength(tensor) < LEAST_BYTES) return false;
  return compressRows(tensor).bytes < byteLength(tensor);
}

/** Elements of the last dimension that are stored together where one of them is not 0. */
const BLOCKS = [1, 4, 8, 16];

/** The constant as compressed rows, in the blocks that take the least room. */
export function compressRows(tensor: Tensor): Stored {
  const row = sizeOf(tensor, -1);
  const all = BLOCKS.filter((block) => row % block === 0).map((block) => compressBlocks(tensor, block));
  return all.reduce((best, each) => (each.bytes < best.bytes ? each : best));
}

/** Zero is all bits 0; of floats, the sign does not count. */
function compressBlocks({ data = new Uint8Array(0), shape, dtype }: Tensor, block: number): Stored {
  const bytes = BITS[dtype] / 8;
  const width = block * bytes;
  const lastBits = dtype.startsWith("float") ? 127 : 255;
  const row = sizeOf({ shape }, -1) / block;
  const rows = row === 0 ? 0 : elementCount(shape) / (row * block);
  const segments: number[] = [0];
  const indices: number[] = [];
  const values: number[] = [];
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < row; i++) {
      const at = (r * row + i) * width;
      let isZero = true;
      for (let b = 0; b < width; b++)
        isZero &&= ((data[at + b] as number) & (b % bytes === bytes - 1 ? lastBits : 255)) === 0;
      if (isZero) continue;
      indices.push(i);
      for (let b = 0; b < width; b++) values.push(data[at + b] as number);
    }
    segments.push(indices.length);
  }
  const [ends, places] = [indexVector(segments), indexVector(indices)];
  const levels: Slots[] = shape.slice(0, -1).map((size) => ({ [LEVEL.denseSize]: { int32: size } }));
  levels.push({
    [LEVEL.format]: { int8: 1 },
    [LEVEL.segmentsType]: { int8: ends.type },
    [LEVEL.segments]: { table: { 0: ends.slot } },
    [LEVEL.indicesType]: { int8: places.type },
    [LEVEL.indices]: { table: { 0: places.slot } },
  });
  const rank = shape.length;
  if (block > 1) levels.push({ [LEVEL.denseSize]: { int32: block } });
  return {
    data: Uint8Array.from(values),
    sparsity: {
      [SPARSITY.traversalOrder]: { int32s: levels.map((_, i) => i) },
      [SPARSITY.blockMap]: block > 1 ? { int32s: [rank - 1] } : undefined,
      [SPARSITY.levels]: { tables: levels },
    },
    bytes: values.length + ends.bytes + places.bytes,
  };
}

/** The narrowest of Int32Vector (1), Uint16Vector (2) and Uint8Vector (3) that holds these numbers. */
function indexVector(numbers: readonly number[]): {
  readonly type: number;
  readonly slot: Slot;
  readonly bytes: number;
} {
  let most = 0;
  for (const value of numbers) most = Math.max(most, value);
  if (most < 256) return { type: 3, slot: { bytes: Uint8Array.from(numbers) }, bytes: numbers.length };
  if (most < 65536) return { type: 2, slot: { uint16s: numbers }, bytes: 2 * numbers.length };
  return { type: 1, slot: { int32s: numbers }, bytes: 4 * numbers.length };
}
