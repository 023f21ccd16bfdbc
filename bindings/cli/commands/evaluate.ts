import { basename } from "node:path";
import { ensure } from "../../errors.ts";
import { externalFiles, signaturesOf } from "../../formats/index.ts";
import { tensorOf } from "../../graph.ts";
import { type Evaluation, evaluate as judge } from "../../optimize/evaluate/evaluate.ts";
import { type ModelFigures, type OutputNearness, topFive, worstFirst } from "../../optimize/evaluate/figures.ts";
import { nodeData } from "../../optimize/evaluate/nodeData.ts";
import { reportHtml } from "../../optimize/evaluate/report.ts";
import { scaleOf, zeroOf } from "../../tensor.ts";
import { progressBar } from "../bar.ts";
import { openData } from "../data.ts";
import type { DataOptions } from "../dataOptions.ts";
import { requirePlaces, writeTogether, writeWhole } from "../files.ts";
import { readGraph } from "../open.ts";
import type { EngineOptions, ReadingOptions } from "../options.ts";
import type { Streams } from "../streams.ts";
import { count, finite, percent, table } from "../text.ts";

export interface EvaluateOptions
  extends DataOptions,
    Pick<EngineOptions, "module" | "threads" | "signature" | "shape"> {
  readonly against?: readonly string[];
  readonly layers: number;
  readonly json?: true;
  readonly report?: string;
  readonly nodeData?: string;
  readonly output?: string;
}

/** A model as it is judged, and the size of its file where that is all of it. */
async function judged(path: string, reading: (bytes: Uint8Array) => ReadingOptions) {
  const { bytes, graph } = await readGraph(path, reading);
  return { name: basename(path), graph, bytes: externalFiles(bytes).length === 0 ? bytes.length : undefined };
}

/** How good a model is on data, and how near to others. */
export async function evaluate(path: string, options: EvaluateOptions, streams: Streams): Promise<void> {
  const { out, err } = streams;
  const { signature, shape } = options;
  const own = await judged(path, () => ({ signature, shape }));
  const { graph } = own;
  const ports = graph.inputs.map(({ name, tensor: id }) => {
    const stored = tensorOf(graph, id);
    const { dtype, shape } = stored;
    return { name, dtype, shape, scale: scaleOf(stored), zeroPoint: zeroOf(stored) };
  });
  const data = await openData(options, ports);
  // The others have the same task, by the same name where they have several.
  const same = (file: Uint8Array) => ({ signature: signaturesOf(file).find((each) => each === signature), shape });
  const others = await Promise.all((options.against ?? []).map((other) => judged(other, same)));
  ensure(options.nodeData === undefined || others.length > 0, "INVALID_OPTION", () => ({
    where: "--node-data",
    expected: "--against, the model that layers are compared with",
    received: "none",
  }));
  requirePlaces([options.report, options.nodeData], options.json);
  const bar = progressBar(streams);
  const engine = { module: options.module, ...(options.threads === undefined ? {} : { threads: options.threads }) };
  const evaluations: Evaluation[] = [];
  try {
    for (const other of others.length > 0 ? others : [undefined])
      evaluations.push(
        sized(
          await judge(graph, data, {
            ...engine,
            ...(other === undefined ? {} : { against: other.graph }),
            names: other === undefined ? [own.name] : [own.name, other.name],
            ...(options.output === undefined ? {} : { output: options.output }),
            layerSamples: evaluations.length === 0 ? options.layers : 0,
            onProgress: bar.show,
          }),
          own.bytes,
          other?.bytes,
        ),
      );
  } finally {
    bar.clear();
  }
  const first = evaluations[0] as Evaluation;
  const encoder = new TextEncoder();
  const title = `${basename(path)} on ${basename(options.data ?? "")}`;
  const files = [
    options.report && { path: options.report, bytes: encoder.encode(reportHtml(evaluations, title)) },
    options.nodeData && {
      path: options.nodeData,
      bytes: encoder.encode(`${JSON.stringify(nodeData(first.layers ?? [], graph.name), null, 1)}\n`),
    },
  ].filter((file) => typeof file === "object");
  const [only] = files;
  if (files.length > 1) writeTogether(files);
  else if (only) writeWhole(only.path, [only.bytes]);
  const present = (first.model.classes?.confusion ?? []).flatMap((row, label) =>
    row.some((n) => n > 0) ? [label] : [],
  );
  if (present.length === 1 && first.samples > 1)
    err(`warning: all labels are of class ${present[0]}: the accuracy is that of this class alone`);
  const { classes, targets } = first.model;
  const labelled = first.classNames !== undefined || options.labels !== undefined;
  if (classes === undefined && targets === undefined && labelled)
    err("note: the labels say nothing of this model, whose outputs are no scores of classes, such as an embedding's");
  else if (others.length === 0 && classes === undefined && targets === undefined)
    err("note: nothing says what is right: --labels does, or a folder for each class");
  if (options.json) out(JSON.stringify(evaluations.length === 1 ? first : evaluations, finite));
  else for (const line of lines(evaluations)) out(line);
}

/** With the sizes of the files, which graphs do not tell. */
function sized(evaluation: Evaluation, own: number | undefined, others: number | undefined): Evaluation {
  const withBytes = (model: ModelFigures, bytes: number | undefined) =>
    bytes === undefined ? model : { ...model, bytes };
  const { model, against } = evaluation;
  return { ...evaluation, model: withBytes(model, own), ...(against && { against: withBytes(against, others) }) };
}

/** Layers that are printed. */
const WORST = 8;

function lines(evaluations: readonly Evaluation[]): readonly string[] {
  const first = evaluations[0] as Evaluation;
  const models = [first.model, ...evaluations.flatMap(({ against }) => (against === undefined ? [] : [against]))];
  const rows = withoutEmpty([HEAD, ...models.map(figures)]);
  const worst = worstFirst(first.layers ?? []).slice(0, WORST);
  return [
    `samples ${count(first.samples)}${first.preparation === undefined ? "" : `, ${first.preparation}`}`,
    ...table(rows, HEAD.map((_, i) => i).slice(1)),
    ...models.flatMap(({ name, classes }) =>
      classes?.iou === undefined ? [] : [`${name}: mean intersection over union ${percent2(classes.iou)}`],
    ),
    ...evaluations.flatMap(({ against, agreement, compared, outputs }) =>
      against === undefined
        ? []
        : [
            `against ${against.name}: ${agreement === undefined ? "" : `${percent2(agreement)} the same ${compared}, `}outputs ${short(outputs?.meanError)} apart, cosine ${short(outputs?.cosine)}`,
          ],
    ),
    ...models.flatMap(({ name, targetsByOutput = [] }) => apart(name, targetsByOutput, "mean error")),
    ...evaluations.flatMap(({ against, byOutput = [] }) => apart(`against ${against?.name}`, byOutput, "apart")),
    ...(worst.length === 0
      ? []
      : [
          "",
          ...table(
            [
              ["layers that differ most", "SNR dB", "cosine", "mean error"],
              ...worst.map(({ name, where, snr, cosine, meanError }) => [
                `${where} ${name}`.slice(0, 60),
                ...[short(snr), short(cosine), short(meanError)],
              ]),
            ],
            [1, 2, 3],
          ),
        ]),
  ];
}

/** A line for each of several outputs. */
const apart = (title: string, outputs: readonly OutputNearness[], what: string) =>
  outputs.map(
    ({ name, meanError, cosine }) => `${title}, output ${name}: ${what} ${short(meanError)}, cosine ${short(cosine)}`,
  );

const HEAD = ["model", "top-1", "top-5", "bytes", "ms a sample", "zeros", "mean error", "cosine"];

/** The columns that some row below the head has something in. */
const withoutEmpty = ([head = [], ...rows]: readonly (readonly string[])[]) =>
  [head, ...rows].map((row) => row.filter((_, i) => rows.some((each) => each[i] !== "")));

const percent2 = (share: number | undefined) => (share === undefined ? "" : `${(100 * share).toFixed(2)} %`);
const short = (value: number | undefined) =>
  value === undefined ? "" : Number.isFinite(value) ? value.toPrecision(4) : "∞";

function figures({ name, classes, bytes, latency, sparsity, targets }: ModelFigures): readonly string[] {
  return [
    ...[
      name,
      percent2(classes?.top1),
      percent2(topFive(classes)),
      bytes === undefined ? "" : count(bytes),
      short(latency),
    ],
    ...[sparsity === undefined ? "" : percent(sparsity), short(targets?.meanError), short(targets?.cosine)],
  ];
}
