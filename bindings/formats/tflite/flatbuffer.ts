/**
 * Bounds-checked reading of untrusted FlatBuffers.
 *
 * Every table, vtable, vector and string is verified to lie inside the file before a byte of it is read. FlatBuffers may
 * share parts, so a small file can unfold into a huge tree: whatever is read is charged to a budget that is proportional
 * to the size of the file, which bounds time and memory. Offsets only lead to what the caller asks for by name, so a
 * loop of offsets cannot loop here.
 *
 * Layout (FlatBuffers internals): a table starts with an i32 distance back to its vtable; a vtable is
 * `u16 vtable bytes, u16 table bytes, u16 field offset…` (0 = absent); vectors and strings are `u32 length, elements`.
 */
import { ByteBuffer } from "flatbuffers";
import { ensure, Pint8Error } from "../../errors.ts";

/** What is read of a ByteBuffer. Named here, so that the package's types need no other package's. */
interface Reader {
  bytes(): Uint8Array;
  readInt8(at: number): number;
  readUint8(at: number): number;
  readUint16(at: number): number;
  readInt32(at: number): number;
  readUint32(at: number): number;
  readUint64(at: number): bigint;
  readFloat32(at: number): number;
  __offset(table: number, field: number): number;
  __string(at: number): string | Uint8Array;
}

/** An opened file. */
interface FlatFile {
  readonly buffer: Reader;
  readonly bytes: Uint8Array;
  /** Units of work that may still be done; see `spend`. */
  budget: number;
}

/** A verified table: its vtable and its fixed part lie inside the file. */
export interface FlatTable {
  readonly file: FlatFile;
  /** Byte offset of the table in the file. */
  readonly at: number;
  /** Bytes of its fixed part. */
  readonly size: number;
  /** For messages, for example `tensor 4`. */
  readonly where: string;
}

/** A table takes 4 bytes and is referred to by 4 more, so a file that shares nothing costs at most its own size. */
const TABLE_COST = 8;
const BUDGET_PER_BYTE = 4;
const BUDGET_BASE = 4096;

/** Wraps the bytes of a file; nothing is read yet. */
export function openFile(bytes: Uint8Array): FlatFile {
  return { buffer: new ByteBuffer(bytes), bytes, budget: BUDGET_BASE + BUDGET_PER_BYTE * bytes.length };
}

/** The root table, whose offset stands in the first four bytes. */
export function rootTable(file: FlatFile): FlatTable {
  checkRange(file, 0, 8, "file header");
  return tableAt(file, file.buffer.readUint32(0), "model");
}

/** A signed byte, for example an enum; `fallback` where the field is absent. */
export function readInt8(table: FlatTable, field: number, fallback: number): number {
  const at = fieldAt(table, field, 1);
  return at === 0 ? fallback : table.file.buffer.readInt8(at);
}

/** An unsigned byte, for example the type of a union; 0 where absent. */
export function readUint8(table: FlatTable, field: number): number {
  const at = fieldAt(table, field, 1);
  return at === 0 ? 0 : table.file.buffer.readUint8(at);
}

/** A bool; false where absent. */
export function readBool(table: FlatTable, field: number): boolean {
  return readUint8(table, field) !== 0;
}

/** An i32. */
export function readInt32(table: FlatTable, field: number, fallback: number): number {
  const at = fieldAt(table, field, 4);
  return at === 0 ? fallback : table.file.buffer.readInt32(at);
}

/** A u32. */
export function readUint32(table: FlatTable, field: number, fallback: number): number {
  const at = fieldAt(table, field, 4);
  return at === 0 ? fallback : table.file.buffer.readUint32(at);
}

/** A u64; 0 where absent. */
export function readUint64(table: FlatTable, field: number): bigint {
  const at = fieldAt(table, field, 8);
  return at === 0 ? 0n : table.file.buffer.readUint64(at);
}

/** An f32. */
export function readFloat32(table: FlatTable, field: number, fallback: number): number {
  const at = fieldAt(table, field, 4);
  return at === 0 ? fallback : table.file.buffer.readFloat32(at);
}

/** A UTF-8 string; "" where absent. */
export function readString(table: FlatTable, field: number): string {
  const at = fieldAt(table, field, 4);
  if (at === 0) return "";
  vectorAt(table, at, 1, "string");
  return table.file.buffer.__string(at) as string;
}

/** The bytes of a [ubyte] vector, as a view of the file; `undefined` where absent. */
export function readBytes(table: FlatTable, field: number): Uint8Array | undefined {
  const at = fieldAt(table, field, 4);
  if (at === 0) return undefined;
  // A view costs nothing however long it is.
  const { start, length } = vectorRange(table, at, 1, "byte vector");
  return table.file.bytes.subarray(start, start + length);
}

/** A [ubyte] vector as numbers. */
export function readUint8s(table: FlatTable, field: number): readonly number[] | undefined {
  return readNumbers(table, field, 1, (buffer, at) => buffer.readUint8(at));
}

/** A [ushort] vector. */
export function readUint16s(table: FlatTable, field: number): readonly number[] | undefined {
  return readNumbers(table, field, 2, (buffer, at) => buffer.readUint16(at));
}

/** An [int] vector. */
export function readInt32s(table: FlatTable, field: number): readonly number[] | undefined {
  return readNumbers(table, field, 4, (buffer, at) => buffer.readInt32(at));
}

/** A [float] vector. */
export function readFloat32s(table: FlatTable, field: number): readonly number[] | undefined {
  const bytes = vectorBytes(table, field, 4);
  if (bytes === undefined) return undefined;
  const floats = new Float32Array(bytes.buffer);
  // Not Array.from: it asks an iterator for an object per element.
  const values: number[] = new Array(floats.length);
  for (let i = 0; i < values.length; i++) values[i] = floats[i] as number;
  return values;
}

/** A [long] vector, as the nearest numbers: exact within ±2^53. */
export function readInt64s(table: FlatTable, field: number): readonly number[] | undefined {
  const bytes = vectorBytes(table, field, 8);
  if (bytes === undefined) return undefined;
  const low = new Uint32Array(bytes.buffer);
  const high = new Int32Array(bytes.buffer);
  const values: number[] = new Array(low.length / 2);
  for (let i = 0; i < values.length; i++) values[i] = (high[2 * i + 1] as number) * 2 ** 32 + (low[2 * i] as number);
  return values;
}

/** A table that a field points to. */
export function readTable(table: FlatTable, field: number, where: string): FlatTable | undefined {
  const at = fieldAt(table, field, 4);
  return at === 0 ? undefined : follow(table.file, at, where);
}

/** A vector of tables; empty where absent. */
export function readTables(table: FlatTable, field: number, where: (index: number) => string): readonly FlatTable[] {
  const at = fieldAt(table, field, 4);
  if (at === 0) return [];
  const { start, length } = vectorAt(table, at, 4, "vector of tables");
  return Array.from({ length }, (_, index) => follow(table.file, start + 4 * index, where(index)));
}

function readNumbers(
  table: FlatTable,
  field: number,
  size: number,
  read: (buffer: Reader, at: number) => number,
): readonly number[] | undefined {
  const at = fieldAt(table, field, 4);
  if (at === 0) return undefined;
  const { start, length } = vectorAt(table, at, size, "vector");
  const values: number[] = new Array(length);
  for (let index = 0; index < length; index++) values[index] = read(table.file.buffer, start + size * index);
  return values;
}

/** A copy of a vector's bytes, aligned. Scales and zero points, one per channel, are most of what a file's tables hold. */
function vectorBytes(table: FlatTable, field: number, size: number): Uint8Array<ArrayBuffer> | undefined {
  const at = fieldAt(table, field, 4);
  if (at === 0) return undefined;
  const { start, length } = vectorAt(table, at, size, "vector");
  return new Uint8Array(table.file.buffer.bytes().subarray(start, start + size * length));
}

/** Position of a field of `size` bytes, 0 where it is absent. */
function fieldAt(table: FlatTable, field: number, size: number): number {
  const offset = table.file.buffer.__offset(table.at, 4 + 2 * field);
  if (offset === 0) return 0;
  ensure(offset >= 4 && offset + size <= table.size, "INVALID_MODEL", () => ({
    where: table.where,
    expected: `field ${field} inside its table of ${table.size} bytes`,
    received: `offset ${offset}`,
    hint: DAMAGED,
  }));
  return table.at + offset;
}

function follow(file: FlatFile, at: number, where: string): FlatTable {
  return tableAt(file, at + file.buffer.readUint32(at), where);
}

function tableAt(file: FlatFile, at: number, where: string): FlatTable {
  spend(file, TABLE_COST, where);
  checkRange(file, at, 4, where);
  const vtable = at - file.buffer.readInt32(at);
  checkRange(file, vtable, 4, where);
  const vtableBytes = file.buffer.readUint16(vtable);
  const size = file.buffer.readUint16(vtable + 2);
  ensure(vtableBytes >= 4 && vtableBytes % 2 === 0 && size >= 4, "INVALID_MODEL", () => ({
    where,
    expected: "a FlatBuffers table",
    received: `a vtable of ${vtableBytes} bytes for a table of ${size} bytes at offset ${at}`,
    hint: DAMAGED,
  }));
  checkRange(file, vtable, vtableBytes, where);
  checkRange(file, at, size, where);
  return { file, at, size, where };
}

/** Like `vectorRange`, and charges for reading all elements. */
function vectorAt(table: FlatTable, at: number, size: number, what: string): { start: number; length: number } {
  const range = vectorRange(table, at, size, what);
  spend(table.file, range.length * size, table.where);
  return range;
}

/** The vector that the offset stored at `at` leads to: where its elements start and how many there are. */
function vectorRange(table: FlatTable, at: number, size: number, what: string): { start: number; length: number } {
  const { file, where } = table;
  const vector = at + file.buffer.readUint32(at);
  checkRange(file, vector, 4, `${where}, ${what}`);
  const length = file.buffer.readUint32(vector);
  checkRange(file, vector + 4, length * size, `${where}, ${what}`);
  return { start: vector + 4, length };
}

function checkRange(file: FlatFile, start: number, length: number, where: string): void {
  if (start >= 0 && start + length <= file.bytes.length) return;
  throw new Pint8Error("INVALID_MODEL", {
    where,
    expected: `offsets inside the file of ${file.bytes.length} bytes`,
    received: `${length} bytes at ${start}`,
    hint: DAMAGED,
  });
}

function spend(file: FlatFile, units: number, where: string): void {
  file.budget -= units;
  ensure(file.budget >= 0, "INVALID_MODEL", () => ({
    where,
    expected: "a file whose parts are not repeated over and over",
    received: `more than ${BUDGET_PER_BYTE} times its ${file.bytes.length} bytes`,
    hint: DAMAGED,
  }));
}

/** What to do with such a file. */
export const DAMAGED = "The file is damaged or cut short; fetch or export it again.";
