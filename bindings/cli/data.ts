/** The examples that `--data` names. */
import { readdirSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { ensure, Pint8Error } from "../errors.ts";
import type { Graph } from "../graph.ts";
import { arrayDataset, type Known, type Preparation, type Rows, rowOf, UNIT_SCALING } from "../optimize/data/arrays.ts";
import { slice } from "../optimize/data/batches.ts";
import { foreign, unpacked } from "../optimize/data/bytes.ts";
import { readCsv } from "../optimize/data/csv.ts";
import { type ExampleFile, filesDataset } from "../optimize/data/files.ts";
import { isIdx, readIdx } from "../optimize/data/idx.ts";
import { chooseArrays, knownOf } from "../optimize/data/named.ts";
import { isZip, readNpy, readNpz } from "../optimize/data/npy.ts";
import { isNpy } from "../optimize/data/npyHeader.ts";
import { isParquet, parquetDataset } from "../optimize/data/parquet.ts";
import type { Dataset } from "../optimize/data/types.ts";
import { runPasses } from "../public/index.ts";
import { dimensions, elementCount, type Tensor } from "../tensor.ts";
import { defaultScaling, type Scaling } from "../values/image.ts";
import type { Port } from "../values/port.ts";
import { readAnswers } from "./answers.ts";
import type { DataOptions } from "./dataOptions.ts";
import { readBytes } from "./files.ts";
import { decodeText } from "./labels.ts";
import { pictureFormat } from "./picture/decode.ts";
import { createDecoder } from "./picture/pool.ts";

/** The inputs of a graph as data sets see them that give real values. */
export function realPorts(graph: Graph): readonly Port[] {
  const { inputs, tensors } = runPasses(graph);
  return inputs.map(({ name, tensor }) => {
    const { dtype, shape } = tensors[tensor] as Tensor;
    return { name, dtype, shape, scale: 0, zeroPoint: 0 };
  });
}

/**
 * The examples that the command line names, as real values for these inputs (of one sample).
 *
 * Errors: IO; INVALID_INPUT for what is damaged, of another kind or does not fit the inputs; INVALID_OPTION.
 */
export async function openData(options: DataOptions, ports: readonly Port[]): Promise<Dataset> {
  const { data, samples } = options;
  ensure(data !== undefined, "INVALID_OPTION", () => ({
    where: "--data",
    expected: "a folder or file with examples",
    received: "nothing",
  }));
  const all = isFolder(data) ? folderData(data, ports, options) : await fileData(data, ports, options);
  return samples === undefined ? all : slice(all, samples.first, samples.end);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Scaling that was asked for, or the one that the first input is made for: 0 to 1 unless its quantization says otherwise. */
function preparationOf({ mean, std, fit = "stretch" }: DataOptions, [port]: readonly Port[]): Preparation {
  if (mean !== undefined || std !== undefined)
    return { scaling: { kind: "real", mean: mean ?? [0], std: std ?? [1] }, fit };
  return { scaling: port === undefined || port.scale === 0 ? UNIT_SCALING : realScaling(port), fit };
}

/** Raw pixels of a quantized input as the real numbers that they stand for. */
function realScaling(port: Port): Scaling {
  const scaling = defaultScaling(port);
  if (scaling.kind === "real") return scaling;
  const isUnit = Math.abs(port.scale * 255 - 1) < 1e-4;
  const zero = port.zeroPoint + (port.dtype === "int8" ? 128 : 0);
  return isUnit && zero === 0 ? UNIT_SCALING : { kind: "real", mean: [zero], std: [1 / port.scale] };
}

const EXAMPLES = /\.(png|jpe?g|bmp|wav|npy)$/i;
const byName = (a: string, b: string) => a.localeCompare(b, "en", { numeric: true });

/** A folder of examples, or of one folder for each class, in the order of their names. */
function folderData(path: string, ports: readonly Port[], options: DataOptions): Dataset {
  const entries = readdirSync(path, { withFileTypes: true }).sort((a, b) => byName(a.name, b.name));
  const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith(".")).map(({ name }) => name);
  const filesIn = (folder: string, label?: number): ExampleFile[] =>
    readdirSync(folder)
      .filter((name) => EXAMPLES.test(name))
      .sort(byName)
      .map((name) => {
        const file = join(folder, name);
        return { name: file, ...(label === undefined ? {} : { label }), read: () => readExample(file) };
      });
  const files = mixed(folders.map((name, label) => filesIn(join(path, name), label)));
  const own = filesIn(path);
  ensure(files.length === 0 || own.length === 0, "INVALID_INPUT", () => ({
    where: path,
    expected: "examples, or folders of examples",
    received: `${own.length} examples beside ${folders.length} folders`,
  }));
  ensure(files.length + own.length > 0, "INVALID_INPUT", () => ({
    where: path,
    expected: "pictures or sounds",
    received: "none",
    hint: "Put them into a folder for each class, or all into one.",
  }));
  // Digits as names are the classes themselves.
  const numbered = folders.every((name) => /^\d+$/.test(name));
  const labelled = numbered ? files.map((file) => ({ ...file, label: Number(folders[file.label ?? 0]) })) : files;
  const classes = files.length === 0 || numbered ? undefined : folders;
  const list = own.length > 0 ? withLabels(own, options.labels) : labelled;
  return filesDataset(ports, list, createDecoder(), classes, preparationOf(options, ports));
}

/** The examples of all classes in turns, each class evenly spread over all: any part, as the first few hundred, has some of each. */
const mixed = (classes: readonly (readonly ExampleFile[])[]): readonly ExampleFile[] =>
  classes
    .flatMap((files) => files.map((file, i) => ({ file, at: (i + 0.5) / files.length })))
    .sort((a, b) => a.at - b.at)
    .map(({ file }) => file);

async function readExample(file: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(file));
  } catch (cause) {
    const received = (cause as Error).message;
    throw new Pint8Error("IO", { where: file, expected: "a readable file", received }, { cause });
  }
}

function withLabels(files: readonly ExampleFile[], path: string | undefined): readonly ExampleFile[] {
  if (path === undefined) return files;
  const { labels, targets } = readLabels(path);
  const count = labels?.length ?? targets?.shape[0] ?? 0;
  ensure(count === files.length, "INVALID_INPUT", () => ({
    where: path,
    expected: `${files.length} labels, one for each file in the order of their names`,
    received: `${count}`,
  }));
  return files.map((file, i) => ({
    ...file,
    ...(labels && { label: Number(labels[i]) }),
    ...(targets && { targets: [rowOf(targets, i)] }),
  }));
}

async function fileData(path: string, ports: readonly Port[], options: DataOptions): Promise<Dataset> {
  const bytes = unpacked(readBytes(path), path);
  const preparation = preparationOf(options, ports);
  const known = (): Known => (options.labels === undefined ? {} : readLabels(options.labels));
  if (isParquet(bytes)) return parquetDataset(ports, bytes, createDecoder(), path, preparation);
  if (isZip(bytes)) {
    const { inputs, known: own } = chooseArrays(ports, readNpz(bytes, path), path);
    return arrayDataset(ports, inputs, { ...own, ...known() }, preparation);
  }
  if (isNpy(bytes)) return arrayDataset(ports, [readNpy(bytes, path)], known(), preparation);
  if (isIdx(bytes)) return arrayDataset(ports, [readIdx(bytes, path)], known(), preparation);
  if (pictureFormat(bytes) !== undefined) {
    const files = withLabels([{ name: path, read: async () => bytes }], options.labels);
    return filesDataset(ports, files, createDecoder(), undefined, preparation);
  }
  return csvData(path, bytes, ports, options, preparation);
}

/** A table, its columns to the inputs in order. */
function csvData(
  path: string,
  bytes: Uint8Array,
  ports: readonly Port[],
  { labels }: DataOptions,
  preparation: Preparation,
): Dataset {
  if (![".csv", ".tsv", ".txt"].includes(extname(path.replace(/\.gz$/, "")).toLowerCase()))
    throw foreign(path, "IDX, .npy, .npz, .csv, .parquet, a picture, or a folder of them", bytes);
  const counts = ports.map(({ shape }) => elementCount(shape));
  const all = counts.reduce((a, b) => a + b, 0);
  const isColumn = labels !== undefined && statSync(labels, { throwIfNoEntry: false }) === undefined;
  const table = readCsv(decodeText(bytes, path), all, path, isColumn ? labels : undefined);
  const given = labels === undefined || isColumn ? table : readLabels(labels);
  const { rows } = table;
  const { labels: classes, classes: names, targets } = given;
  const known = { ...(classes && { labels: classes }), ...(names && { classes: names }), ...(targets && { targets }) };
  if (ports.length === 1) return arrayDataset(ports, [rows], known, preparation);
  const [size, width] = dimensions(rows.shape, 2);
  let from = 0;
  const parts = counts.map((count): Rows => {
    const start = from;
    from += count;
    const values = Float64Array.from({ length: size * count }, (_, i) =>
      Number(rows.values[Math.floor(i / count) * width + start + (i % count)]),
    );
    return { shape: [size, count], values, pixels: rows.pixels };
  });
  return arrayDataset(ports, parts, known, preparation);
}

/** Labels, or targets of a regression, of a file of their own. */
function readLabels(path: string): Known {
  const bytes = unpacked(readBytes(path), path);
  if (isIdx(bytes)) return knownOf(readIdx(bytes, path), path);
  if (isNpy(bytes)) return knownOf(readNpy(bytes, path), path);
  return readAnswers(decodeText(bytes, path), path);
}
