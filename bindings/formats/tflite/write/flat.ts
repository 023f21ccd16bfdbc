/** FlatBuffers from a tree of values: what is written stands as data, in one place. */
import { Builder } from "flatbuffers";

/** Value of one field of a table; `undefined` leaves the field out. */
export type Slot =
  | { readonly int8: number }
  | { readonly int32: number }
  | { readonly int64: bigint }
  | { readonly float32: number }
  | { readonly string: string }
  /** Bytes at a multiple of 16. */
  | { readonly aligned: Uint8Array }
  | { readonly bytes: Uint8Array }
  | { readonly uint16s: readonly number[] }
  | { readonly int32s: readonly number[] }
  | { readonly int64s: readonly number[] }
  | { readonly float32s: readonly number[] }
  | { readonly table: Slots }
  | { readonly tables: readonly Slots[] }
  | undefined;

/** Fields of a table by number. */
export type Slots = { readonly [field: number]: Slot };

const ALIGNMENT = 16;

/** Where vectors and strings stand by what they hold: equal ones, as shapes and zero points are, stand once. */
type Written = Map<string, number>;

/** The file with this root table. `bytes` is about how large it will be. */
export function writeFlat(root: Slots, identifier: string, bytes: number): Uint8Array {
  const builder = new Builder(Math.max(1024, bytes));
  // What equals the schema's default has been left out already.
  builder.forceDefaults(true);
  builder.finish(writeTable(builder, root, new Map()), identifier);
  return builder.asUint8Array().slice();
}

/** Scalars stand in the table itself, all else before it. */
function writeTable(builder: Builder, slots: Slots, written: Written): number {
  const entries = Object.entries(slots).flatMap(([key, slot]) =>
    slot === undefined ? [] : [{ field: Number(key), slot, offset: writeOutside(builder, slot, written) }],
  );
  builder.startObject(Math.max(0, ...entries.map(({ field }) => field + 1)));
  // Larger ones first: no padding between.
  for (const { field, slot, offset } of [...entries].sort((a, b) => sizeOf(b.slot) - sizeOf(a.slot))) {
    if ("int8" in slot) builder.addFieldInt8(field, slot.int8, null);
    else if ("int32" in slot) builder.addFieldInt32(field, slot.int32, null);
    else if ("int64" in slot) builder.addFieldInt64(field, slot.int64, null);
    else if ("float32" in slot) builder.addFieldFloat32(field, slot.float32, null);
    else builder.addFieldOffset(field, offset, 0);
  }
  return builder.endObject();
}

const sizeOf = (slot: Exclude<Slot, undefined>) => ("int64" in slot ? 8 : "int8" in slot ? 1 : 4);

function writeOutside(builder: Builder, slot: Exclude<Slot, undefined>, written: Written): number {
  if ("string" in slot) return once(written, `"${slot.string}`, () => builder.createString(slot.string));
  if ("bytes" in slot) return builder.createByteVector(slot.bytes);
  if ("aligned" in slot) {
    builder.prep(ALIGNMENT, slot.aligned.length);
    return builder.createByteVector(slot.aligned);
  }
  if ("table" in slot) return writeTable(builder, slot.table, written);
  if ("tables" in slot) {
    const offsets = slot.tables.map((each) => writeTable(builder, each, written));
    return vector(builder, 4, offsets, (offset) => builder.addOffset(offset));
  }
  const numbers = (type: string, size: number, values: readonly number[], add: (value: number) => void) =>
    once(written, `${type}${values}`, () => vector(builder, size, values, add));
  if ("uint16s" in slot) return numbers("s", 2, slot.uint16s, (value) => builder.addInt16(value));
  if ("int32s" in slot) return numbers("i", 4, slot.int32s, (value) => builder.addInt32(value));
  if ("int64s" in slot) return numbers("l", 8, slot.int64s, (value) => builder.addInt64(BigInt(value)));
  if ("float32s" in slot) return numbers("f", 4, slot.float32s, (value) => builder.addFloat32(value));
  return 0;
}

/** What is written the first time that it is asked for. */
function once(written: Written, key: string, write: () => number): number {
  const known = written.get(key) ?? write();
  written.set(key, known);
  return known;
}

/** Vectors grow towards their start. */
function vector(builder: Builder, size: number, values: readonly number[], add: (value: number) => void): number {
  builder.startVector(size, values.length, size);
  for (let i = values.length - 1; i >= 0; i--) add(values[i] as number);
  return builder.endVector();
}
