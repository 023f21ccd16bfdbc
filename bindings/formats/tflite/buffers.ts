/** The buffers of a model, and how much constant data its tensors may unfold to. */
import { ensure, Pint8Error } from "../../errors.ts";
import { DAMAGED, type FlatTable, readBytes, readTables, readUint64 } from "./flatbuffer.ts";
import { BUFFER, MODEL } from "./schema.ts";

/** The buffers of a model. */
export interface Buffers {
  /** Whether some stand behind the FlatBuffer. */
  readonly behind: boolean;
  /** Bytes of buffer `index` as a view of the file; `undefined` for an empty one. */
  data(index: number, where: string): Uint8Array | undefined;
  /** Accounts for a constant of this many bytes, before memory is taken for it. */
  claim(bytes: number, where: string): void;
}

/**
 * Constants may share buffers and sparse ones unfold, so a small file can declare far more bytes than it has. A tensor
 * that is 99.6 % zeros unfolds 256-fold.
 */
const CONSTANT_BYTES_PER_FILE_BYTE = 256;
const CONSTANT_BYTES_BASE = 2 ** 20;

/** Reads the list of buffers; their contents are looked at when a tensor asks for them. */
export function readBuffers(model: FlatTable): Buffers {
  const tables = readTables(model, MODEL.buffers, (index) => `buffer ${index}`);
  const limit = CONSTANT_BYTES_BASE + CONSTANT_BYTES_PER_FILE_BYTE * model.file.bytes.length;
  let left = limit;
  return {
    behind: tables.some(isBehind),
    data(index, where) {
      // Buffer 0 is empty by convention: tensors without data point to it, also in files without any buffers.
      if (index === 0) return undefined;
      const table = tables[index];
      if (table === undefined)
        throw new Pint8Error("INVALID_MODEL", {
          where,
          expected: `a buffer below ${tables.length}`,
          received: `buffer ${index}`,
        });
      const bytes = bufferBytes(table);
      return bytes !== undefined && bytes.length > 0 ? bytes : undefined;
    },
    claim(bytes, where) {
      left -= bytes;
      ensure(left >= 0, "UNSUPPORTED", () => ({
        where,
        expected: `constants of at most ${limit} bytes in all for a file of ${model.file.bytes.length} bytes`,
        received: `${bytes} bytes more than were left`,
        hint: "Store very sparse or often repeated constants once, or densely.",
      }));
    },
  };
}

const isBehind = (table: FlatTable): boolean => readUint64(table, BUFFER.offset) > 1n;

/** Data inside the FlatBuffer; where there is none, behind it in the same file. */
function bufferBytes(table: FlatTable): Uint8Array | undefined {
  const inside = readBytes(table, BUFFER.data);
  if (inside?.length || !isBehind(table)) return inside;
  const offset = readUint64(table, BUFFER.offset);
  const { bytes } = table.file;
  const end = offset + readUint64(table, BUFFER.size);
  ensure(end <= BigInt(bytes.length), "INVALID_MODEL", () => ({
    where: table.where,
    expected: `data inside the file of ${bytes.length} bytes`,
    received: `bytes ${offset} to ${end}`,
    hint: DAMAGED,
  }));
  return bytes.subarray(Number(offset), Number(end));
}
