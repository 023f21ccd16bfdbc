import { ensure } from "../../errors.ts";
import type { TypedArray } from "../../tensor.ts";
import { type Port, portText } from "../../values/port.ts";
import { areProbabilities, type ClassScore, dequantized, isClasses, topClasses } from "../classes.ts";
import { readBytes, writeWhole } from "../files.ts";
import { type PictureOptions, readInputs } from "../inputs.ts";
import { open } from "../open.ts";
import type { EngineOptions } from "../options.ts";
import type { Streams } from "../streams.ts";
import { milliseconds, percent, table } from "../text.ts";

export interface RunOptions extends EngineOptions, PictureOptions {
  readonly input: readonly string[];
  readonly output?: string;
  readonly labels?: string;
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

/** One inference: prepares the inputs, runs, prints the best classes, writes the outputs' bytes where asked. */
export async function run(model: string, options: RunOptions, { out, err }: Streams): Promise<void> {
  const labels = options.labels === undefined ? undefined : readLabels(options.labels);
  const session = await open(model, options, { out, err });
  try {
    const inputs = await readInputs(session.inputs, options.input, options, err);
    const start = performance.now();
    const outputs = session.run(inputs);
    const elapsed = performance.now() - start;
    const values = session.outputs.map(({ name }) => outputs[name] as TypedArray);
    if (options.output !== undefined) {
      writeWhole(options.output, values.map(bytesOf));
      err(`${options.output}: ${values.reduce((sum, value) => sum + value.byteLength, 0)} bytes`);
    }
    const reports = session.outputs.map((port, i) => report(port, values[i] as TypedArray, options.top, labels, err));
    if (options.json)
      out(
        JSON.stringify({
          model,
          module: session.module,
          milliseconds: elapsed,
          inputs: session.inputs,
          outputs: reports,
        }),
      );
    else {
      for (const line of reports.flatMap(reportLines)) out(line);
      err(`${milliseconds(elapsed)} on ${session.module} (first run; pint8 bench measures)`);
    }
  } finally {
    session.close();
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: TypedArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** One label per line; an empty line at the end does not count. */
function readLabels(path: string): readonly string[] {
  const labels = new TextDecoder().decode(readBytes(path)).replace(/\r/g, "").replace(/\n+$/, "").split("\n");
  ensure(
    labels.some((label) => label !== ""),
    "INVALID_OPTION",
    () => ({
      where: path,
      expected: "one label per line",
      received: "no label",
    }),
  );
  return labels;
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
