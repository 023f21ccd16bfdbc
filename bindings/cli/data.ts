/** The examples that `--data` names. */
import { statSync } from "node:fs";
import { extname } from "node:path";
import { ensure } from "../errors.ts";
import type { Graph } from "../graph.ts";
import { arrayDataset, type Known, type Preparation, type Rows, UNIT_SCALING } from "../optimize/data/arrays.ts";
import { slice } from "../optimize/data/batches.ts";
import { foreign, unpacked } from "../optimize/data/bytes.ts";
import { readCsv } from "../optimize/data/csv.ts";
import { filesDataset } from "../optimize/data/files.ts";
import { isIdx, readIdx } from "../optimize/data/idx.ts";
import { chooseArrays } from "../optimize/data/named.ts";
import { isZip, readNpy, readNpz } from "../optimize/data/npy.ts";
import { isNpy } from "../optimize/data/npyHeader.ts";
import { isParquet, parquetDataset } from "../optimize/data/parquet.ts";
import type { Dataset } from "../optimize/data/types.ts";
import { runPasses } from "../public/index.ts";
import { dimensions, elementCount, type Tensor } from "../tensor.ts";
import { defaultScaling, type Scaling } from "../values/image.ts";
import type { Port } from "../values/port.ts";
import type { DataOptions } from "./dataOptions.ts";
import { readBytes } from "./files.ts";
import { folderData } from "./folder.ts";
import { answersOfFiles, readLabels, relabelled } from "./labelFiles.ts";
import { decodeText } from "./labels.ts";
import { requirePixelUnits } from "./options.ts";
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
  const preparation = preparationOf(options, ports);
  const all = isFolder(data)
    ? folderData(data, ports, options.labels, preparation)
    : await fileData(data, ports, options, preparation);
  const said = (["mean", "std"] as const).find((name) => options[name] !== undefined);
  ensure(said === undefined || /pixel/.test(all.preparation ?? "pixel"), "INVALID_OPTION", () => ({
    where: `--${said}`,
    expected: "pixels of 0 to 255, of which it speaks",
    received: `${data}: ${all.preparation}`,
    hint: "Bring numbers to what the network takes before they are saved.",
  }));
  return samples === undefined ? all : slice(all, samples.first, samples.end);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Scaling that was asked for, or the one that the first input is made for: 0 to 1 unless its quantization says otherwise. */
function preparationOf({ mean, std, fit = "stretch" }: DataOptions, [port]: readonly Port[]): Preparation {
  if (mean !== undefined || std !== undefined) {
    requirePixelUnits(mean, std);
    return { scaling: { kind: "real", mean: mean ?? [0], std: std ?? [1] }, fit };
  }
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

async function fileData(
  path: string,
  ports: readonly Port[],
  options: DataOptions,
  preparation: Preparation,
): Promise<Dataset> {
  const { labels } = options;
  const bytes = unpacked(readBytes(path), path);
  // What is no file is a column's name; - is standard input.
  const isColumn = labels !== undefined && labels !== "-" && statSync(labels, { throwIfNoEntry: false }) === undefined;
  const column = isColumn ? labels : undefined;
  const known = (): Known => (labels === undefined ? {} : readLabels(labels));
  if (isParquet(bytes)) {
    const own = await parquetDataset(ports, bytes, createDecoder(), path, preparation, column);
    return labels === undefined || isColumn ? own : relabelled(own, known(), labels);
  }
  if (isZip(bytes)) {
    const { inputs, known: own } = chooseArrays(ports, readNpz(bytes, path), path, column);
    return arrayDataset(ports, inputs, labels === undefined || isColumn ? own : known(), preparation);
  }
  if (isNpy(bytes)) return arrayDataset(ports, [readNpy(bytes, path)], known(), preparation);
  if (isIdx(bytes)) return arrayDataset(ports, [readIdx(bytes, path)], known(), preparation);
  if (pictureFormat(bytes) !== undefined) {
    const { list, classes } = answersOfFiles([{ name: path, read: async () => bytes }], labels);
    return filesDataset(ports, list, createDecoder(), classes, preparation);
  }
  return csvData(path, bytes, ports, { column, ...(labels !== undefined && !isColumn && { known }) }, preparation);
}

/** A table, its columns to the inputs in order. */
function csvData(
  path: string,
  bytes: Uint8Array,
  ports: readonly Port[],
  { column, known: own }: { readonly column: string | undefined; readonly known?: () => Known },
  preparation: Preparation,
): Dataset {
  if (![".csv", ".tsv", ".txt"].includes(extname(path.replace(/\.gz$/, "")).toLowerCase()))
    throw foreign(path, "IDX, .npy, .npz, .csv, .parquet, a picture, or a folder of them", bytes);
  const counts = ports.map(({ shape }) => elementCount(shape));
  const all = counts.reduce((a, b) => a + b, 0);
  const table = readCsv(decodeText(bytes, path), all, path, column);
  const given = own?.() ?? table;
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
