/**
 * What a Parquet file says of its values, looked at before they are read: pages count their values, and one value may stand for a run as long as it likes,
 * which the reader would make room for. Apache Parquet, "Data pages" and "Run length encoding / bit-packing hybrid".
 */
import { parquetHeader } from "hyparquet/src/column.js";
import { decompressPage } from "hyparquet/src/datapage.js";
import type { parquetMetadata, parquetSchema } from "hyparquet/src/metadata.js";
import { getMaxDefinitionLevel, getMaxRepetitionLevel, getTreePath } from "hyparquet/src/schema.js";
import { readVarInt } from "hyparquet/src/thrift.js";
import { requireRoom } from "./bytes.ts";

type Group = ReturnType<typeof parquetMetadata>["row_groups"][number];
type Column = NonNullable<Group["columns"][number]["meta_data"]>;

/** Values that a column may have in a group of rows: they are held as a whole. */
const MOST_VALUES = 2 ** 26;

/** Refuses pages of a column's bytes with more values than the column, and runs of more than their page. */
export function checkPages(
  bytes: Uint8Array,
  column: Column,
  tree: ReturnType<typeof parquetSchema>,
  compressors: Parameters<typeof decompressPage>[3],
): void {
  const path = getTreePath(tree, column.path_in_schema);
  const widths = [getMaxRepetitionLevel(path), getMaxDefinitionLevel(path)].map((most) => 32 - Math.clz32(most));
  const most = Number(column.num_values);
  if (!(most <= MOST_VALUES)) throw new Error(`${most} values in a column`);
  const reader = { view: viewOf(bytes), offset: 0 };
  while (reader.offset < bytes.length - 1) {
    const header = parquetHeader(reader);
    const end = reader.offset + header.compressed_page_size;
    if (!(end >= reader.offset && end <= bytes.length)) throw new Error("a page that ends outside of its column");
    const packed = bytes.subarray(reader.offset, end);
    reader.offset = end;
    const { data_page_header: first, data_page_header_v2: second, dictionary_page_header: dictionary } = header;
    const count = (first ?? second ?? dictionary)?.num_values ?? 0;
    if (!(count >= 0 && count <= most)) throw new Error(`${count} values in a page of a column of ${most}`);
    const size = Number(header.uncompressed_page_size);
    const open = (part: Uint8Array, unpacked: number) => {
      requireRoom(unpacked, part.length, "a page");
      return decompressPage(part, unpacked, column.codec, compressors);
    };
    if (first) {
      let rest = open(packed, size);
      const section = (width: number) => {
        const length = viewOf(rest).getUint32(0, true);
        checkRuns(rest.subarray(4, 4 + length), width, count);
        rest = rest.subarray(4 + length);
      };
      for (const width of widths) if (width > 0) section(width);
      if (first.encoding === "RLE") section(1);
      else if (/DICTIONARY$/.test(first.encoding) && rest[0]) checkRuns(rest.subarray(1), rest[0], count);
    } else if (second) {
      const lengths = [second.repetition_levels_byte_length, second.definition_levels_byte_length] as const;
      const [levels, values] = [lengths[0], lengths[0] + lengths[1]];
      for (const [i, part] of [packed.subarray(0, levels), packed.subarray(levels, values)].entries())
        if (widths[i]) checkRuns(part, widths[i], count);
      const isPacked = second.is_compressed !== false && size > values;
      const rest = isPacked ? open(packed.subarray(values), size - values) : packed.subarray(values);
      if (second.encoding === "RLE") checkRuns(rest.subarray(4), 1, count);
      else if (/DICTIONARY$/.test(second.encoding)) checkRuns(rest.subarray(1), rest[0] ?? 0, count);
    }
  }
}

/** Refuses runs beyond `count` values; groups of eight values are packed together, the last filled up. */
function checkRuns(bytes: Uint8Array, width: number, count: number): void {
  const reader = { view: viewOf(bytes), offset: 0 };
  for (let seen = 0; seen < count && reader.offset < bytes.length; ) {
    const header = readVarInt(reader);
    const isPacked = (header & 1) === 1;
    const length = (header >>> 1) * (isPacked ? 8 : 1);
    const most = isPacked ? Math.max(count - seen + 7, bytes.length * 8) : count - seen;
    if (length > most) throw new Error(`a run of ${length} values after ${seen} of ${count}`);
    reader.offset += isPacked ? (length / 8) * width : (width + 7) >> 3;
    seen += length;
  }
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
