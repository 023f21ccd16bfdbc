/**
 * Writes docs/OPERATORS.md and the numbers in the README from the registries of both importers, what `tests/zoo/measure.ts` has
 * seen of each operator, and the differences that `tests/zoo/differing.ts` names: `node --import tsx scripts/operators.ts`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { ORDINARY } from "../bindings/formats/onnx/conversions.ts";
import { rare } from "../bindings/formats/onnx/rare.ts";
import { CUSTOM_OPERATORS } from "../bindings/formats/tflite/custom.ts";
import { OTHER_OPERATORS } from "../bindings/formats/tflite/customs.ts";
import { allEntries } from "../bindings/formats/tflite/operators.ts";
import { OPERATOR_NAMES } from "../bindings/formats/tflite/schema.ts";
import { REASONS } from "../tests/zoo/differing.ts";

const CONVERSIONS = { ...ORDINARY, ...rare.conversions };

interface Known {
  readonly types: readonly string[];
  readonly kernels: readonly string[];
  readonly cases: { readonly [corpus: string]: number };
}
type Format = { readonly [operator: string]: Known };

const at = (path: string) => new URL(`../${path}`, import.meta.url);
const known = JSON.parse(readFileSync(at("tests/zoo/operators.json"), "utf8")) as {
  readonly tflite: Format;
  readonly onnx: Format;
};

/** Whose outputs the cases of a corpus have. */
const ORACLES: { readonly [corpus: string]: string } = {
  tflite: "BUILTIN_REF or TFLM",
  nnapi: "Android",
  nnapi_more: "Android",
  wild: "networks",
  onnx: "onnxruntime",
  onnx_node: "ONNX",
  onnx_wild: "networks",
};

/** Builtin operators of the file, by name. */
const builtinOperators = (): readonly string[] =>
  Object.keys(allEntries())
    .map((code) => OPERATOR_NAMES[Number(code)] as string)
    .sort();

const customOperators = () => [...CUSTOM_OPERATORS.keys(), ...OTHER_OPERATORS.keys()].sort();

/** A row: name, what it was seen with, what it runs on, and who says what comes out. */
function row(name: string, format: Format): string {
  const { types = [], kernels = [], cases = {} } = format[name.replace(/^.*\./, "")] ?? {};
  const counts = new Map<string, number>();
  for (const [corpus, count] of Object.entries(cases)) {
    const oracle = ORACLES[corpus] ?? corpus;
    counts.set(oracle, (counts.get(oracle) ?? 0) + count);
  }
  const oracles = [...counts].map(([oracle, count]) => `${oracle} ${count}`).join(", ");
  return [name, types.join(", "), kernels.join(", "), oracles || "its own tests"]
    .map((cell) => cell || "–")
    .join(" | ");
}

/** The whole of docs/OPERATORS.md. */
export function operatorsPage(): string {
  const lines = (names: readonly string[], format: Format) => names.map((name) => `| ${row(name, format)} |`);
  const onnx = Object.keys(CONVERSIONS).sort();
  return `# Operators

Made by \`scripts/operators.ts\` from the importers' registries; do not edit. What a model needs of these, and what it needs beside
them, \`pint8 inspect model.tflite\` says at once.

**Types** are those of the first two inputs in cases that run; legacy uint8 is computed as int8 with zero points 128 lower, int4
constants as int8, and int16 stands for int16 activations with int8 weights. Every operator's constraints are numbered in its
file under \`bindings/ops/\`, checked before anything runs, and named by errors.
**Kernels** are the primitives that cases were lowered to, with SIMD; none means that the operator is folded, renamed or taken
apart by the importer. **Held against** counts the cases that run, by who gave their outputs: TensorFlow 2.21's
\`BUILTIN_REF\` kernels or the tflite-micro wheel 0.dev20261023 (quantized outputs are all the bytes of either, floats within 1e-5 of
the largest), Android's operator tests, onnxruntime, the ONNX project's own tests, and whole networks from the wild.

## Which reference counts

Where TFLite Micro and \`BUILTIN_REF\` part, pint8 follows TFLite Micro in rounding (FULLY_CONNECTED, LSTM's state) and the one that
is right elsewhere: \`BUILTIN_REF\` in RELU6, SPACE_TO_BATCH_ND, RSQRT of int16, EMBEDDING_LOOKUP and WHILE, TFLite Micro in SUM and
LOCAL_RESPONSE_NORMALIZATION. Networks that TFLite Micro refuses (GELU, TILE, EXP of int8, more than ten tensors joined, constants behind the FlatBuffer and others) round
FULLY_CONNECTED, of int8 and of legacy uint8, once, compute the tables of int16 SOFTMAX in double precision, run int8 LSTMs in TFLite's arithmetic, and multiply the scales of MUL in float32, as \`BUILTIN_REF\` does. Products of scales are else computed in double, of legacy uint8 in float, as each reference does.

Cases of the corpora that differ from their reference, all of them:

| corpus | cases | why |
|---|---|---|
${REASONS.map(({ corpus, name, reason }) => `| ${plain(corpus)} | \`${plain(name)}\` | ${reason} |`).join("\n")}

## TensorFlow Lite

| operator | types | kernels | held against |
|---|---|---|---|
${lines(builtinOperators(), known.tflite).join("\n")}

### Custom operators

Others can be brought by the caller: \`loadModel(…, { customOperators })\`.

| operator | types | kernels | held against |
|---|---|---|---|
${lines(customOperators(), known.tflite).join("\n")}

## ONNX

Those of other domains stand as \`domain.Name\`.

| operator | types | kernels | held against |
|---|---|---|---|
${lines(onnx, known.onnx).join("\n")}
`;
}

/** A pattern without its anchors, as it may stand in a table. */
const plain = ({ source }: RegExp) => source.replace(/[\^$\\]/g, "").replaceAll("|", " or ");

const [BEGIN, END] = ["<!-- operators: scripts/operators.ts -->", "<!-- end -->"];

/** The README with how many operators the registries have. */
export function readmeWithOperators(readme: string): string {
  const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`README.md lacks ${BEGIN} or ${END}`);
  const count = builtinOperators().length;
  const text = `${count} operators of TensorFlow Lite, ${customOperators().length} custom ones and ${Object.keys(CONVERSIONS).length} of ONNX: [docs/OPERATORS.md](docs/OPERATORS.md) has the names, types, kernels and references of all, and \`pint8 inspect model.tflite\` says what a model needs of them and beside them.`;
  return `${readme.slice(0, begin)}${BEGIN}\n${wrap(text, 118)}\n${readme.slice(end)}`;
}

function wrap(text: string, width: number): string {
  const lines: string[] = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) as string;
    if (line !== "" && line.length + word.length >= width) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.join("\n");
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  writeFileSync(at("docs/OPERATORS.md"), operatorsPage());
  writeFileSync(at("README.md"), readmeWithOperators(readFileSync(at("README.md"), "utf8")));
}
