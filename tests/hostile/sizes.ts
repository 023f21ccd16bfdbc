/** ONNX models whose sizes are others: dimensions, attributes of integers and elements of int64 constants, one or two replaced. */
import { PbfReader } from "pbf";

/** Fields of a message that are messages themselves, and those that are integers, alone or packed. */
interface Message {
  readonly messages?: Readonly<Record<number, () => Message>>;
  readonly integers?: readonly number[];
  /** Bytes that are int64, where the integer of field 2 says so. */
  readonly longs?: number;
}

const TENSOR: Message = { integers: [7], longs: 9 };
const ATTRIBUTE: Message = { integers: [3, 8], messages: { 5: () => TENSOR, 6: () => GRAPH } };
const NODE: Message = { messages: { 5: () => ATTRIBUTE } };
const DIMENSION: Message = { integers: [1] };
const SHAPE: Message = { messages: { 1: () => DIMENSION } };
const TENSOR_TYPE: Message = { messages: { 2: () => SHAPE } };
const TYPE: Message = { messages: { 1: () => TENSOR_TYPE } };
const VALUE: Message = { messages: { 2: () => TYPE } };
const GRAPH: Message = { messages: { 1: () => NODE, 5: () => TENSOR, 11: () => VALUE, 13: () => VALUE } };
const MODEL: Message = { messages: { 7: () => GRAPH } };
const INT64 = 7;

const SIZES = [0, -1, -2, 7, 1000, 65535, 65536, 2 ** 20, 2 ** 24 + 1, 2 ** 31 - 1, -(2 ** 31), 2 ** 33, 2 ** 53].map(
  BigInt,
);

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  for (let rest = BigInt.asUintN(64, value); ; rest >>= 7n) {
    if (rest < 128n) return [...bytes, Number(rest)];
    bytes.push(Number(rest & 127n) | 128);
  }
}

function varintsOf(bytes: Uint8Array): bigint[] {
  const values: bigint[] = [];
  for (let at = 0, value = 0n, shift = 0n; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    value |= BigInt(byte & 127) << shift;
    shift += 7n;
    if (byte < 128) {
      values.push(value);
      [value, shift] = [0n, 0n];
    }
  }
  return values;
}

/** Writes a message again, each of its integers as `change` gives it. */
function rewritten(bytes: Uint8Array, message: Message, change: (value: bigint) => bigint): number[] {
  const pbf = new PbfReader(bytes);
  const out: number[] = [];
  let type = 0n;
  while (pbf.pos < bytes.length) {
    const begin = pbf.pos;
    const tag = pbf.readVarint();
    const head = varint(BigInt(tag));
    const [field, wire] = [tag >> 3, tag & 7];
    const inner = message.messages?.[field];
    if (wire === 2) {
      const content = pbf.readBytes();
      let written: ArrayLike<number> = content;
      if (inner) written = rewritten(content, inner(), change);
      else if (message.integers?.includes(field)) written = varintsOf(content).flatMap((each) => varint(change(each)));
      else if (message.longs === field && type === BigInt(INT64) && content.length % 8 === 0) {
        const longs = new BigInt64Array(content.slice().buffer).map((each) => BigInt.asIntN(64, change(each)));
        written = new Uint8Array(longs.buffer);
      }
      out.push(...head, ...varint(BigInt(written.length)));
      for (let i = 0; i < written.length; i++) out.push(written[i] as number);
    } else if (wire === 0) {
      const from = pbf.pos;
      pbf.skip(tag);
      const value = varintsOf(bytes.subarray(from, pbf.pos))[0] ?? 0n;
      if (field === 2) type = value;
      out.push(...head, ...varint(message.integers?.includes(field) ? change(value) : value));
    } else {
      pbf.skip(tag);
      for (let i = begin; i < pbf.pos; i++) out.push(bytes[i] as number);
    }
  }
  return out;
}

/** A copy of a sound model with one or two sizes that `next` chooses in place of its own. */
export function resized(bytes: Uint8Array, next: () => number): Uint8Array {
  let count = 0;
  rewritten(bytes, MODEL, (value) => {
    count++;
    return value;
  });
  const chosen = Array.from({ length: 1 + (next() % 2) }, () => next() % Math.max(count, 1));
  let at = 0;
  return Uint8Array.from(
    rewritten(bytes, MODEL, (value) => (chosen.includes(at++) ? (SIZES[next() % SIZES.length] as bigint) : value)),
  );
}
