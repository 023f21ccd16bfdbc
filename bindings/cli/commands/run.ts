import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { ensure } from "../../errors.ts";
import { byteLength, type TypedArray, typedCopy } from "../../tensor.ts";
import { type Port, portText } from "../../values/port.ts";
import { areProbabilities, type ClassScore, dequantized, isClasses, topClasses } from "../classes.ts";
import { readBytes, requirePlaces, writeWhole } from "../files.ts";
import { type PictureOptions, readInputs } from "../inputs.ts";
import { labelsOf } from "../labels.ts";
import { open } from "../open.ts";
import type { EngineOptions } from "../options.ts";
import type { Streams } from "../streams.ts";
import { milliseconds, percent, table } from "../text.ts";

interface RunOptions extends EngineOptions, PictureOptions {
  readonly input: readonly string[];
  readonly output?: string;
  readonly labels?: string;
  readonly saveInput?: string;
  readonly top: number;
  readonly json?: true;
}

/** What one output came to: its best classes where it is one score per class, its range otherwise. */
interface OutputReport extends Port {
  readonly probabilities: boolean;
  readonly top: readonly ClassScore[];
  readonly min: number;
  readonly max: number;
}

/** What one inference came to. */
interface RunReport {
  readonly milliseconds: number;
  readonly outputs: readonly OutputReport[];
}

/**
 * One inference: prepares the inputs, runs, prints the best classes, writes the outputs' bytes where asked. A model of one
 * input runs once for each file, and for each file of a folder.
 */
export async function run(model: string, options: RunOptions, { out, err }: Streams): Promise<void> {
  const labels = options.labels === undefined ? undefined : labelsOf(readBytes(options.labels), options.labels);
  const session = await open(model, options, { out, err });
  try {
    requirePlaces([options.saveInput, options.output], options.json);
    const { inputs: ports, module } = session;
    const files = options.input.flatMap(filesOf);
    // Of a tensor's own file alone all samples are expected.
    const isWhole = files.length === 1 && /\.(bin|npy)$/i.test(files[0] as string);
    const batch = ports.length === 1 && !isWhole ? (options.batch ?? 1) : 1;
    const sets = ports.length === 1 ? groups(files, batch) : [files];
    const [saved, written]: [Uint8Array[], Uint8Array[]] = [[], []];
    const reports: (RunReport & { readonly input: string })[] = [];
    for (const set of sets) {
      const inputs =
        batch === 1 ? await readInputs(ports, set, options, err) : [await readBatch(ports[0], set, options, err)];
      const start = performance.now();
      const results = session.run(inputs);
      const elapsed = performance.now() - start;
      const values = session.outputs.map(({ name }) => results[name] as TypedArray);
      const shares = batch === 1 ? [set.join(" ")] : set;
      for (const [sample, input] of shares.entries()) {
        saved.push(...inputs.map((value) => bytesOf(shareOf(value, sample, batch))));
        const parts = values.map((value) => shareOf(value, sample, batch));
        written.push(...parts.map(bytesOf));
        const outputs = session.outputs.map((port, i) =>
          report(batch === 1 ? port : single(port), parts[i] as TypedArray, options.top, labels, err),
        );
        reports.push({ input, milliseconds: elapsed, outputs });
      }
    }
    save(options.saveInput, saved, err);
    save(options.output, written, err);
    const [first] = reports;
    if (options.json && reports.length === 1) {
      const { milliseconds: elapsed, outputs } = first as RunReport;
      out(JSON.stringify({ model, module, milliseconds: elapsed, inputs: ports, outputs }));
    } else if (options.json) out(JSON.stringify({ model, module, inputs: ports, runs: reports }));
    else if (options.output !== "-" && options.saveInput !== "-")
      for (const { input, outputs } of reports) {
        if (reports.length > 1) out(input);
        for (const line of outputs.flatMap(reportLines)) out(line);
      }
    if (!options.json) err(`${milliseconds(first?.milliseconds ?? 0)} on ${module} (first run; pint8 bench measures)`);
  } finally {
    session.close();
  }
}

/** Files, so many together. */
const groups = (files: readonly string[], size: number): readonly (readonly string[])[] =>
  Array.from({ length: Math.ceil(files.length / size) }, (_, i) => files.slice(i * size, (i + 1) * size));

/** A port as one sample has it. */
const single = <P extends Port>(port: P): P => ({ ...port, shape: [1, ...port.shape.slice(1)] });

/** What belongs to one sample of a batch. */
function shareOf(value: TypedArray, sample: number, batch: number): TypedArray {
  const length = value.length / batch;
  return value.subarray(sample * length, (sample + 1) * length);
}

/** One input of several files, one for each sample; where there are fewer, the others stay zeros. */
async function readBatch(
  port: Port,
  files: readonly string[],
  options: PictureOptions,
  say: Streams["err"],
): Promise<TypedArray> {
  const values = typedCopy(port.dtype, new Uint8Array(byteLength(port)));
  for (const [sample, file] of files.entries()) {
    const [value] = await readInputs([single(port)], [file], options, say);
    // Both are of the port's class; TypeScript cannot see which.
    (values as Uint8Array).set(value as Uint8Array, sample * (value as TypedArray).length);
  }
  return values;
}

/** The file itself, or the files of a folder by their names. */
function filesOf(path: string): readonly string[] {
  if (path === "-" || !existsSync(path) || !statSync(path).isDirectory()) return [path];
  const files = readdirSync(path, { withFileTypes: true }).filter(
    (entry) => entry.isFile() && !entry.name.startsWith("."),
  );
  ensure(files.length > 0, "INVALID_INPUT", () => ({
    where: path,
    expected: "a folder with pictures, .npy or .bin files",
    received: "one without files",
  }));
  return files.map(({ name }) => join(path, name)).sort();
}

function save(path: string | undefined, parts: readonly Uint8Array[], err: Streams["err"]): void {
  if (path === undefined) return;
  writeWhole(path, parts);
  err(`${path}: ${parts.reduce((sum, part) => sum + part.byteLength, 0)} bytes`);
}

function bytesOf({ buffer, byteOffset, byteLength }: TypedArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function report(
  port: Port,
  values: TypedArray,
  count: number,
  labels: readonly string[] | undefined,
  err: Streams["err"],
): OutputReport {
  const real = dequantized(port, values);
  const classes = isClasses(port);
  if (classes && labels !== undefined && labels.length !== values.length)
    err(`note: ${labels.length} labels for the ${values.length} classes of ${portText(port)}`);
  return {
    name: port.name,
    dtype: port.dtype,
    shape: port.shape,
    scale: port.scale,
    zeroPoint: port.zeroPoint,
    probabilities: classes && areProbabilities(port, real),
    top: classes ? topClasses(port, values, count, labels) : [],
    min: real.reduce((least, value) => Math.min(least, value), Infinity),
    max: real.reduce((most, value) => Math.max(most, value), -Infinity),
  };
}

function reportLines(output: OutputReport): readonly string[] {
  const heading = portText(output);
  if (output.top.length === 0) return [`${heading} from ${number(output.min)} to ${number(output.max)}`];
  const rows = output.top.map(({ index, label, value, raw }) => [
    output.probabilities ? percent(value) : number(value),
    `${raw}`,
    `#${index}`,
    label ?? "",
  ]);
  return [`${heading}:`, ...table(rows, [0, 1, 2]).map((line) => `  ${line}`)];
}

function number(value: number): string {
  return Number.isInteger(value) ? `${value}` : value.toPrecision(5);
}
