/** A small FlatBuffers writer: a file is a tree of values, so tests can bend any part of it. */
import { Builder } from "flatbuffers";

/** Value of one field of a table. `undefined` leaves the field out. */
export type Field =
  | { readonly int8: number }
  | { readonly int32: number }
  | { readonly int64: bigint }
  | { readonly float32: number }
  | { readonly string: string }
  | { readonly bytes: Uint8Array }
  | { readonly uint16s: readonly number[] }
  | { readonly int32s: readonly number[] }
  | { readonly int64s: readonly (number | bigint)[] }
  | { readonly float32s: readonly number[] }
  | { readonly table: Fields }
  | { readonly tables: readonly Fields[] }
  | undefined;

/** Fields of a table by field number. */
export type Fields = { readonly [field: number]: Field };

/** The finished file: a FlatBuffer with this root table and identifier. */
export function writeFlat(root: Fields, identifier: string): Uint8Array {
  const builder = new Builder(1024);
  // Fields are written even where they equal a default.
  builder.forceDefaults(true);
  builder.finish(writeTable(builder, root), identifier);
  return builder.asUint8Array().slice();
}

/** Scalars are written into the table itself, all else before it. */
function writeTable(builder: Builder, fields: Fields): number {
  const entries = Object.entries(fields).flatMap(([key, field]) => {
    if (field === undefined) return [];
    return [{ number: Number(key), field, offset: writeOutside(builder, field) }];
  });
  builder.startObject(Math.max(0, ...entries.map(({ number }) => number + 1)));
  for (const { number, field, offset } of entries) {
    if ("int8" in field) builder.addFieldInt8(number, field.int8, null);
    else if ("int32" in field) builder.addFieldInt32(number, field.int32, null);
    else if ("int64" in field) builder.addFieldInt64(number, field.int64, null);
    else if ("float32" in field) builder.addFieldFloat32(number, field.float32, null);
    else builder.addFieldOffset(number, offset, 0);
  }
  return builder.endObject();
}

function writeOutside(builder: Builder, field: NonNullable<Field>): number {
  if ("string" in field) return builder.createString(field.string);
  if ("table" in field) return writeTable(builder, field.table);
  if ("tables" in field) {
    const offsets = field.tables.map((table) => writeTable(builder, table));
    return vector(builder, 4, offsets, (offset) => builder.addOffset(offset));
  }
  // Elements have no method of their own for alignment 16, which buffers want: bytes go through a byte vector.
  if ("bytes" in field) return builder.createByteVector(field.bytes);
  if ("uint16s" in field) return vector(builder, 2, field.uint16s, (value) => builder.addInt16(value));
  if ("int32s" in field) return vector(builder, 4, field.int32s, (value) => builder.addInt32(value));
  if ("int64s" in field) return vector(builder, 8, field.int64s, (value) => builder.addInt64(BigInt(value)));
  if ("float32s" in field) return vector(builder, 4, field.float32s, (value) => builder.addFloat32(value));
  return 0;
}

function vector<T>(builder: Builder, size: number, values: readonly T[], add: (value: T) => void): number {
  builder.startVector(size, values.length, size);
  for (const value of [...values].reverse()) add(value);
  return builder.endVector();
}
