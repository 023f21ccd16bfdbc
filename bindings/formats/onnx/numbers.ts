/** Lists of numbers in protobuf messages: packed, as they are for the most part, or one by one. */
import type { PbfReader } from "pbf";
import { ensure } from "../../errors.ts";
import { typedCopy } from "../../tensor.ts";

/** 32-bit integers of a field. */
export type Integers = number[] | Int32Array;

/** What ends there is read to its end, whether there are bytes or not. */
export function requireInside(pbf: PbfReader, end: number): void {
  ensure(end >= pbf.pos && end <= pbf.length, "INVALID_MODEL", () => ({
    where: "file",
    expected: "messages inside the file",
    received: `one that ends at byte ${end} of ${pbf.length}`,
  }));
}

/** Where the message that comes next ends. */
export const endOf = (pbf: PbfReader): number => pbf.readVarint() + pbf.pos;

/** The reader, at numbers that may be packed: those end inside the file. */
export function packed(pbf: PbfReader): PbfReader {
  const { pos, type } = pbf;
  if (type === 2) requireInside(pbf, endOf(pbf));
  pbf.pos = pos;
  return pbf;
}

/** Floats of a tensor: those in one piece as the bytes that they are in the file, which `raw` is, too. */
export function readFloats(pbf: PbfReader, into: { raw: Uint8Array | undefined; floats: number[] }): void {
  const { raw, floats } = into;
  if (packed(pbf).type === 2 && raw === undefined && floats.length === 0) {
    const bytes = pbf.readBytes();
    into.raw = bytes.length > 0 ? bytes : undefined;
    return;
  }
  if (raw !== undefined) for (const value of typedCopy("float32", raw) as Float32Array) floats.push(value);
  into.raw = undefined;
  pbf.readPackedFloat(floats);
}

/** 32-bit integers behind those before them; of those in one piece most are zero points, of one byte each. */
export function readIntegers(pbf: PbfReader, before: Integers): Integers {
  if (packed(pbf).type !== 2 || before.length > 0) {
    const list = Array.isArray(before) ? before : Array.from(before);
    pbf.readPackedVarint(list, true);
    return list;
  }
  const end = endOf(pbf);
  const values = new Int32Array(end - pbf.pos);
  let count = 0;
  while (pbf.pos < end) {
    const byte = pbf.buf[pbf.pos] as number;
    values[count++] = byte < 0x80 ? byte : pbf.readVarint(true);
    if (byte < 0x80) pbf.pos++;
  }
  return values.subarray(0, count);
}

/** 64-bit varints, packed or not, without losing bits. */
export function readLongs(pbf: PbfReader, into: bigint[]): void {
  const end = pbf.type === 2 ? endOf(pbf) : pbf.pos + 1;
  while (pbf.pos < end) {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = pbf.buf[pbf.pos++] ?? 0;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    into.push(BigInt.asIntN(64, value));
  }
}
