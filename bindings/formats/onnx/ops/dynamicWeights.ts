/** The weights of dynamically quantized products, as int8 with zero points. */
import type { TensorId } from "../../../graph.ts";
import { BITS, dimensions, elementCount, type Quantization } from "../../../tensor.ts";
import type { OnnxNode } from "../convert.ts";
import type { Value, Weights } from "../layout.ts";
import { FULL } from "../quantized.ts";
import { FLOAT } from "../types.ts";

/** Steps of a sum: those that int32 holds of products of nine bits. */
const MOST_STEPS = 32768;

/** A constant of 8 bits, `channels` times `perChannel`, as int8 weights of one zero point, or one for each channel. */
function weightsOf(
  n: OnnxNode,
  value: Value,
  zero: Value | undefined,
  [channels, perChannel]: readonly [number, number],
  order: (values: Int8Array) => Int8Array = (values) => values,
): Omit<Weights, "shape"> | undefined {
  const { dtype, data } = n.b.tensor(n.plain(value));
  if (data === undefined || BITS[dtype] !== 8) return undefined;
  const zeros = zero === undefined ? [0] : n.b.tensor(n.plain(zero)).data && n.numbers(zeroIndex(n, zero));
  if (!zeros || (zeros.length !== 1 && zeros.length !== channels)) return undefined;
  if (perChannel < 1 || perChannel > MOST_STEPS) return undefined;
  // uint8 128 lower, which is the top bit flipped
  const down = dtype === "int8" ? 0 : 128;
  const values = new Int8Array(data.buffer, data.byteOffset, data.length);
  const lower = down === 0 ? values : new Int8Array(values.map((w) => w ^ down).buffer);
  const rows = order(lower);
  const zeroPoint = zeros.map((z) => z - down);
  const less = lessZeros(rows, zeroPoint, perChannel);
  return less ? { data: less, zeroPoint: [0] } : { data: rows, zeroPoint };
}

/** Rows less their zero points; `undefined` where a difference is no int8. */
function lessZeros(rows: Int8Array, zeroPoint: readonly number[], perChannel: number): Int8Array | undefined {
  if (zeroPoint.every((zero) => zero === 0)) return rows;
  const less = new Int8Array(rows.length);
  let beyond = 0;
  for (let from = 0; from < rows.length; from += perChannel) {
    const zero = zeroPoint[zeroPoint.length === 1 ? 0 : from / perChannel] as number;
    for (let i = from; i < from + perChannel; i++) {
      const w = (rows[i] as number) - zero;
      beyond |= w + 128;
      less[i] = w;
    }
  }
  return (beyond & ~255) === 0 ? less : undefined;
}

/** Rows that are transposed together: one line of the cache in each row of the result. */
const TILE = 64;

/** `[K,N]` as `[N,K]`: sixteen bytes at a time, as four words, where all rows begin at words. */
function transposed(values: Int8Array, k: number, columns: number): Int8Array {
  const rows = new Int8Array(columns * k);
  if (k % 4 === 0 && columns % 4 === 0) {
    const to = new Int32Array(rows.buffer);
    // files align nothing, and a copy of all is memory that the system must find first
    const tile = new Int8Array(Math.min(TILE, k) * columns);
    for (let first = 0; first < k; first += TILE) {
      const part = values.subarray(first * columns, (first + TILE) * columns);
      tile.set(part);
      turn(new Int32Array(tile.buffer, 0, part.length / 4), to.subarray(first / 4), k / 4, columns / 4);
    }
    return rows;
  }
  for (let i = 0, at = 0; i < k; i++) for (let c = 0; c < columns; c++, at++) rows[c * k + i] = values[at] as number;
  return rows;
}

/** Words of four columns as words of four rows, which are `down` words long and `across` many fours. */
function turn(from: Int32Array, to: Int32Array, down: number, across: number): void {
  const end = from.length / across / 4;
  for (let c = 0; c < across; c++)
    for (let i = 0, at = c, y = 4 * c * down; i < end; i++, at += 4 * across, y++) {
      const p = from[at] as number;
      const q = from[at + across] as number;
      const r = from[at + 2 * across] as number;
      const s = from[at + 3 * across] as number;
      to[y] = (p & 0xff) | ((q & 0xff) << 8) | ((r & 0xff) << 16) | (s << 24);
      to[y + down] = ((p >> 8) & 0xff) | (q & 0xff00) | ((r & 0xff00) << 8) | ((s & 0xff00) << 16);
      to[y + 2 * down] = ((p >> 16) & 0xff) | ((q >> 8) & 0xff00) | (r & 0xff0000) | ((s & 0xff0000) << 8);
      to[y + 3 * down] = ((p >> 24) & 0xff) | ((q >> 16) & 0xff00) | ((r >> 8) & 0xff0000) | (s & 0xff000000);
    }
}

const zeroIndex = (n: OnnxNode, zero: Value): number => n.inputs.indexOf(zero);

/** A constant matrix `[K,N]` as weights `[N,K]`. */
export function matrixOf(n: OnnxNode, value: Value, zero: Value | undefined): Weights | undefined {
  if (value.shape.length !== 2) return undefined;
  const [k, columns] = dimensions(value.shape, 2);
  const w = weightsOf(n, value, zero, [columns, k], (values) => transposed(values, k, columns));
  return w && { ...w, shape: [columns, k] };
}

/** Weights `[N,C,kH,kW]` of a convolution that is not depthwise, of one image. */
export function kernelsOf(n: OnnxNode, x: Value, value: Value, zero: Value | undefined): Weights | undefined {
  const { shape } = value;
  const isDepthwise = shape[1] === 1 && n.int("group", 1) > 1;
  if (x.shape.length !== 4 || x.shape[0] !== 1 || shape.length !== 4 || isDepthwise) return undefined;
  const w = weightsOf(n, value, zero, [shape[0] as number, elementCount(shape.slice(1))]);
  return w && { ...w, shape };
}

/** The weights as a constant with these scales. */
export function quantized(n: OnnxNode, { data, shape, zeroPoint }: Weights, scale: readonly number[]): TensorId {
  const count = Math.max(scale.length, zeroPoint.length);
  const spread = (list: readonly number[]) =>
    Array.from({ length: count }, (_, i) => list[list.length === 1 ? 0 : i] as number);
  const quantization: Quantization = { scale: spread(scale), zeroPoint: spread(zeroPoint), axis: 0 };
  return n.b.constant("int8", shape, data, quantization);
}

/** Rows of x by weights that are quantized; x is quantized on the way. */
export function fullyConnected(n: OnnxNode, x: TensorId, w: TensorId, bias: TensorId | undefined): TensorId {
  const attributes = { activation: "none", keepDims: true, rounding: FULL } as const;
  return n.add("fullyConnected", [x, w, ...(bias === undefined ? [] : [bias])], attributes, FLOAT)[0] as TensorId;
}
