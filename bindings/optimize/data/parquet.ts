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
  requireList("parquetDataset, ports", ports, "the model's inputs { name, shape }, as model.inputs");
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
  const names = Object.keys(first);
  const asked =
    labels === undefined || names.includes(labels) ? labels && [labels] : labels.split(",").map((name) => name.trim());
  const lacking = (asked || []).find((name) => !names.includes(name));
  if (lacking !== undefined) throw invalid(where, `a column "${lacking}"`, names.join(", "));
  const [label, ...more] = asked || names.filter(isLabelName).slice(0, 1);
  const inputs = inputColumns(
    ports,
    names.filter((name) => name !== label && !more.includes(name)),
    first,
  );
  const words = async (column: string): Promise<readonly string[]> => {
    const list: string[] = [];
    for await (const { [column]: word } of rows([column])) {
      // A number of rows may be more than there are.
      if (word === undefined) throw invalid(where, `${size} labels`, `${list.length}`);
      list.push(String(word));
    }
    return list;
  };
  // Words need all labels before the first example.
  const known = label !== undefined && typeof first[label] === "string" ? classesOf(await words(label)) : undefined;
  const isBytes = inputs.every((name) => holdsBytes(file, name));
  const valuesOf = (port: DataPort, cell: unknown, row: Row, at: string): Promise<Float32Array> | Float32Array => {
    const picture = pictureBytes(cell);
    if (picture === undefined) {
      const words = inputs.find((name) => typeof row[name] === "string");
      if (words !== undefined)
        throw invalid(
          at,
          "columns of numbers, lists of them or pictures",
          `"${words}" with words`,
          "Leave the column out, or name it as the label's.",
        );
      const values = numbersOf(cell, elementCount(port.shape), at);
      return isBytes
        ? maker(port, { shape: [1, values.length], values, pixels: "pixels" }, { scaling }).make(0)
        : values;
    }
    return decode(picture, at).then((decoded) => {
      if (decoded === undefined) throw foreign(at, "a picture", picture);
      return pictureInput(port, decoded, scaling, fit);
    });
  };
  const sampleOf = async (row: Row, i: number): Promise<Sample> => {
    const at = `${where}, row ${i}`;
    const cells =
      ports.length === 1 && inputs.length > 1 ? [inputs.map((name) => row[name])] : inputs.map((name) => row[name]);
    if (cells.length !== ports.length)
      throw invalid(
        at,
        `${ports.length} columns of inputs`,
        inputs.join(", "),
        `Name them ${ports.map(({ name }) => `"${name}"`).join(", ")}, as the inputs are.`,
      );
    const values = await Promise.all(ports.map((port, p) => valuesOf(port, cells[p], row, at)));
    const sample = { inputs: values, name: `row ${i}` };
    if (label === undefined) return sample;
    if (more.length > 0)
      return {
        ...sample,
        targets: [
          numbersOf(
            [label, ...more].map((name) => row[name]),
            undefined,
            at,
          ),
        ],
      };
    if (row[label] === null || row[label] === undefined) throw invalid(at, `a label in column "${label}"`, "none");
    if (Array.isArray(row[label])) return { ...sample, targets: [numbersOf(row[label], undefined, at)] };
    const own = Number(known?.labels ? known.labels[i] : row[label]);
    return Number.isInteger(own) ? { ...sample, label: own } : { ...sample, targets: [Float32Array.of(own)] };
  };
  const classes = known?.classes;
  return {
    size,
    ...(classes === undefined ? {} : { classes }),
    preparation: inputs.some((name) => pictureBytes(first[name]))
      ? `${preparationText(scaling)}, ${fit}`
      : isBytes
        ? preparationText(scaling)
        : "numbers as they are",
    [Symbol.asyncIterator]: () => ahead(rows(), sampleOf),
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
