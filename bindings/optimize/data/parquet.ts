/** Parquet: one example a row, as data sets are shared today. */
import { Pint8Error, textOf } from "../../errors.ts";
import { requireBytes, requireList } from "../../given.ts";
import { elementCount } from "../../tensor.ts";
import { type DataPort, maker, type Preparation, pictureInput, preparationText, UNIT_SCALING } from "./arrays.ts";
import { ahead } from "./batches.ts";
import { foreign, invalid } from "./bytes.ts";
import { classesOf } from "./csv.ts";
import type { PictureDecoder } from "./files.ts";
import { isLabelName } from "./named.ts";
import type { Row } from "./parquetReader.ts";
import type { Dataset, Sample } from "./types.ts";

export const isParquet = (bytes: Uint8Array): boolean => String.fromCharCode(...bytes.subarray(0, 4)) === "PAR1";

/**
 * The examples of a Parquet file: a label column, and columns of numbers, lists of numbers, or pictures (bytes, or a group
 * with them). Rows are decoded some at a time. `labels` names the label's column, or several with commas between them, which are targets; else it is the one called label, class or target.
 * Of columns that are not named as the inputs, one that holds pictures is the input of a model of one; others are left out then.
 *
 * Errors: INVALID_INPUT where it is none, has no rows, or a column is of another kind; UNSUPPORTED for a compression that is
 * neither snappy nor gzip.
 */
export async function parquetDataset(
  ports: readonly DataPort[],
  bytes: Uint8Array,
  decode: PictureDecoder,
  where: string,
  { scaling = UNIT_SCALING, fit = "stretch" }: Preparation = {},
  labels?: string,
): Promise<Dataset> {
  requireList("parquetDataset, ports", ports, "the model's inputs { name, shape }, as model.inputs", "shape");
  requireBytes("parquetDataset", bytes);
  const { holdsBytes, openParquet, rowsOf } = await import("./parquetReader.ts");
  const file = await orInvalid(where, async () => openParquet(bytes));
  const { size, held } = file;
  if (size === 0) throw invalid(where, "rows", "none");
  if (size !== held) throw invalid(where, `${size} rows in its groups`, `${held}`, "The file is cut short or damaged.");
  async function* rows(columns?: readonly string[]): AsyncGenerator<Row> {
    const parts = rowsOf(file, columns);
    for (;;) {
      const { value, done } = await orInvalid(where, () => parts.next());
      if (done) return;
      yield* value;
    }
  }
  const first = (await rows().next()).value ?? {};
  const asked = answerColumns(Object.keys(first), labels, where);
  const columns = inputColumns(
    ports,
    Object.keys(first).filter((name) => !asked.includes(name)),
    first,
  );
  const isBytes = columns.every((name) => holdsBytes(file, name));
  const inputsOf = inputReader(ports, columns, { isBytes, decode, scaling, fit });
  // Words need all labels before the first example.
  const [label] = asked;
  const isWords = label !== undefined && typeof first[label] === "string";
  const known = isWords ? classesOf(await wordsOf(rows([label]), label, size, where)) : undefined;
  const sampleOf = async (row: Row, i: number): Promise<Sample> => {
    const at = `${where}, row ${i}`;
    return { inputs: await inputsOf(row, at), name: `row ${i}`, ...answerOf(row, asked, known?.labels?.[i], at) };
  };
  return {
    size,
    ...(known?.classes && { classes: known.classes }),
    preparation: columns.some((name) => pictureBytes(first[name]))
      ? `${preparationText(scaling)}, ${fit}`
      : isBytes
        ? preparationText(scaling)
        : "numbers as they are",
    [Symbol.asyncIterator]: () => ahead(rows(), sampleOf),
  };
}

/** The columns of the label, or of targets: those that were asked for, or the one that is called so. */
function answerColumns(names: readonly string[], labels: string | undefined, where: string): readonly string[] {
  if (labels === undefined) return names.filter(isLabelName).slice(0, 1);
  const asked = names.includes(labels) ? [labels] : labels.split(",").map((name) => name.trim());
  const lacking = asked.find((name) => !names.includes(name));
  if (lacking !== undefined) throw invalid(where, `a column "${lacking}"`, names.join(", "));
  return asked;
}

/** The words of a label's column, of so many rows. */
async function wordsOf(rows: AsyncIterable<Row>, column: string, size: number, where: string): Promise<string[]> {
  const list: string[] = [];
  for await (const { [column]: word } of rows) {
    // A number of rows may be more than there are.
    if (word === undefined) throw invalid(where, `${size} labels`, `${list.length}`);
    list.push(String(word));
  }
  return list;
}

/** What a row says of itself, in the columns that were asked for; `known` is the label of its word. */
function answerOf(
  row: Row,
  asked: readonly string[],
  known: number | undefined,
  at: string,
): Pick<Sample, "label" | "targets"> {
  const [label, ...more] = asked;
  if (label === undefined) return {};
  const cell = more.length > 0 ? asked.map((name) => row[name]) : row[label];
  if (cell === null || cell === undefined) throw invalid(at, `a label in column "${label}"`, "none");
  if (Array.isArray(cell)) return { targets: [numbersOf(cell, undefined, at)] };
  const own = known ?? Number(cell);
  return Number.isInteger(own) ? { label: own } : { targets: [Float32Array.of(own)] };
}

/** How cells become inputs. */
interface Reading extends Required<Pick<Preparation, "scaling" | "fit">> {
  readonly decode: PictureDecoder;
  /** Whether all columns hold bytes, whose numbers are scaled as pixels are. */
  readonly isBytes: boolean;
}

/** Makes the inputs of a row out of these columns. */
function inputReader(ports: readonly DataPort[], columns: readonly string[], reading: Reading) {
  const { decode, isBytes, scaling, fit } = reading;
  const valuesOf = async (port: DataPort, cell: unknown, row: Row, at: string): Promise<Float32Array> => {
    const picture = pictureBytes(cell);
    if (picture !== undefined) {
      const decoded = await decode(picture, at);
      if (decoded === undefined) throw foreign(at, "a picture", picture);
      return pictureInput(port, decoded, scaling, fit);
    }
    const words = columns.find((name) => typeof row[name] === "string");
    if (words !== undefined)
      throw invalid(
        at,
        "columns of numbers, lists of them or pictures",
        `"${words}" with words`,
        "Leave the column out, or name it as the label's.",
      );
    const values = numbersOf(cell, elementCount(port.shape), at);
    return isBytes ? maker(port, { shape: [1, values.length], values, pixels: "pixels" }, { scaling }).make(0) : values;
  };
  return (row: Row, at: string): Promise<Float32Array[]> => {
    const own = columns.map((name) => row[name]);
    const cells = ports.length === 1 && columns.length > 1 ? [own] : own;
    if (cells.length !== ports.length)
      throw invalid(
        at,
        `${ports.length} columns of inputs`,
        columns.join(", "),
        `Name them ${ports.map(({ name }) => `"${name}"`).join(", ")}, as the inputs are.`,
      );
    return Promise.all(ports.map((port, p) => valuesOf(port, cells[p], row, at)));
  };
}

/** The columns that the inputs are made of: those of their names, the pictures, or all. */
function inputColumns(ports: readonly DataPort[], names: readonly string[], first: Row): readonly string[] {
  const own = ports.map(({ name }) => name);
  if (own.every((name) => names.includes(name))) return own;
  const pictures = names.filter((name) => pictureBytes(first[name]) !== undefined);
  return ports.length === 1 && pictures.length === 1 ? pictures : names;
}

async function orInvalid<T>(where: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    // What the reader stumbles over says nothing of the file.
    const isStumble = cause instanceof TypeError || cause instanceof RangeError;
    const received = isStumble ? "bytes that contradict each other" : textOf(cause);
    const isCompressed = /compression/i.test(received);
    const expected = isCompressed ? "no compression, snappy or gzip" : "a whole Parquet file";
    const hint = isCompressed ? { hint: "Write it with snappy, as pandas does when nothing else is said." } : {};
    const detail = { where, expected, received, ...hint };
    throw new Pint8Error(isCompressed ? "UNSUPPORTED" : "INVALID_INPUT", detail, { cause });
  }
}

/** The bytes of a picture, by themselves or in a group. */
function pictureBytes(cell: unknown): Uint8Array | undefined {
  if (cell instanceof Uint8Array) return cell;
  const { bytes } = (cell ?? {}) as { readonly bytes?: unknown };
  return bytes instanceof Uint8Array ? bytes : undefined;
}

function numbersOf(cell: unknown, wanted: number | undefined, at: string): Float32Array {
  const list = [cell].flat(8) as readonly unknown[];
  const values = list.flatMap((value) =>
    ArrayBuffer.isView(value) ? [...(value as unknown as Iterable<unknown>)] : [value],
  );
  const numbers = Float32Array.from(values, (value) => Number(value));
  const count = wanted ?? numbers.length;
  if (numbers.length !== count || !numbers.every(Number.isFinite))
    throw invalid(
      at,
      `${count} numbers`,
      `${numbers.length}${numbers.every(Number.isFinite) ? "" : ", not all of them numbers"}`,
    );
  return numbers;
}
