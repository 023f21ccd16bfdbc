/**
 * What is needed of the reader of Parquet: rows of a group one after the other, with none of its filters and indexes. It is a module that is imported while a
 * program runs, of which bundlers keep everything that it names.
 */
import { parquetMetadata, parquetSchema } from "hyparquet/src/metadata.js";
import { assembleAsync, asyncGroupToRows, readRowGroup } from "hyparquet/src/rowgroup.js";
import { unpacked } from "./bytes.ts";
import { checkPages } from "./parquetPages.ts";

export type Row = Readonly<Record<string, unknown>>;

/** Unpacked bytes of rows that are decoded together: what holds lists is unpacked from the start of its group each time. */
const TOGETHER = 2 ** 24;
/** Rows that are, at least and at most: a file may say anything of its size. */
const [LEAST, MOST] = [256, 65536];

type Metadata = ReturnType<typeof parquetMetadata>;
type Group = Metadata["row_groups"][number];

/** What a Parquet file says of itself. */
export interface ParquetFile {
  readonly bytes: Uint8Array;
  readonly metadata: Metadata;
  /** Rows as it counts them, and those of its groups together. */
  readonly size: number;
  readonly held: number;
}

export function openParquet(bytes: Uint8Array): ParquetFile {
  const metadata = parquetMetadata(bytes, { geoparquet: false });
  const held = metadata.row_groups.reduce((sum, { num_rows }) => sum + Number(num_rows), 0);
  return { bytes, metadata, size: Number(metadata.num_rows), held };
}

/** Whether a column holds unsigned bytes, or lists of them. */
export function holdsBytes({ metadata }: ParquetFile, name: string): boolean {
  let at = parquetSchema(metadata).children.find(({ element }) => element.name === name);
  while (at?.children.length === 1) [at] = at.children;
  return at?.element.converted_type === "UINT_8";
}

const COMPRESSORS = { GZIP: (page: Uint8Array) => unpacked(page, "a page") };

/** All rows, or these columns of them, some at a time. */
export async function* rowsOf(file: ParquetFile, columns?: readonly string[]): AsyncGenerator<Row[]> {
  const { bytes, metadata } = file;
  for (const group of metadata.row_groups) {
    const count = Number(group.num_rows);
    const share = Math.floor((TOGETHER / Math.max(Number(group.total_byte_size), 1)) * count);
    const step = Math.min(Math.max(share, LEAST), MOST);
    const chunks = chunksOf(group, columns);
    for (const { columnMetadata, range } of chunks)
      checkPages(bytes.slice(range.startByte, range.endByte), columnMetadata, parquetSchema(metadata), COMPRESSORS);
    for (let start = 0; start < count; start += step)
      yield await readRows(file, group, chunks, start, Math.min(start + step, count));
  }
}

/** Where the columns of a group lie. */
function chunksOf(group: Group, columns?: readonly string[]) {
  return group.columns.flatMap(({ meta_data: column, file_path }) => {
    if (column === undefined || file_path) throw new Error("columns in other files");
    if (columns?.includes(column.path_in_schema[0] ?? "") === false) return [];
    const startByte = Number(column.dictionary_page_offset || column.data_page_offset);
    const endByte = startByte + Number(column.total_compressed_size);
    return [{ columnMetadata: column, range: { startByte, endByte } }];
  });
}

/** Rows of a group; what it holds fewer of is undefined. */
async function readRows(
  { bytes, metadata }: ParquetFile,
  group: Group,
  chunks: ReturnType<typeof chunksOf>,
  selectStart: number,
  selectEnd: number,
): Promise<Row[]> {
  const plan = { chunks, rowGroup: group, groupStart: 0, groupRows: Number(group.num_rows), selectStart, selectEnd };
  const buffer = {
    byteLength: bytes.length,
    slice: (start: number, end?: number) => bytes.slice(start, end).buffer as ArrayBuffer,
  };
  const options = {
    file: buffer,
    metadata,
    utf8: false,
    compressors: COMPRESSORS,
  };
  const all = { metadata, rowStart: 0, fetches: [], groups: [plan] };
  // One by one: a column that is not even begun leaves no other's error behind that nobody looks at.
  const asyncColumns = chunks.flatMap((chunk) => {
    const [column] = readRowGroup(options, all, { ...plan, chunks: [chunk] }).asyncColumns;
    column?.data.catch(() => {});
    return column ?? [];
  });
  const read = assembleAsync({ ...plan, asyncColumns }, parquetSchema(metadata));
  await Promise.all(read.asyncColumns.map(({ data }) => data));
  return asyncGroupToRows(read, selectStart, selectEnd, undefined, "object");
}
