/**
 * Files that are read, written and read again, over all of ../shared: the same graph, and for `.onnx` the same outputs.
 * `node --import tsx tests/zoo/written.ts [--folder zoo/tflite,wild/models] [--to tflite,onnx] [--name REGEX] [--largest BYTES] [--list]`
 */
import { deepStrictEqual } from "node:assert";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { parseArgs } from "node:util";
import { importModel } from "../../bindings/formats/index.ts";
import { writeOnnx } from "../../bindings/formats/onnx/write/index.ts";
import { writeTflite } from "../../bindings/formats/tflite/write/index.ts";
import type { Graph } from "../../bindings/graph.ts";
import { openGraph } from "../../bindings/optimize/tap.ts";
import { byteLength, type TypedArray, typedCopy } from "../../bindings/tensor.ts";
import { canonical } from "../formats/write/canonical.ts";
import { SHARED } from "./cases.ts";

const FOLDERS =
  "models,models/seanet_int16,zoo/train,wild/models,zoo/tflite,zoo/nnapi,zoo/nnapi_more,onnx/node,zoo/onnx";
const { values } = parseArgs({
  options: {
    folder: { type: "string", default: FOLDERS },
    to: { type: "string", default: "tflite,onnx" },
    name: { type: "string", default: "." },
    largest: { type: "string", default: "16000000" },
    list: { type: "boolean", default: false },
  },
});

/** What one way of writing came to. */
type Verdict = "same graph" | "same outputs" | "near" | "other" | "refused" | "failed";
const counts = new Map<string, number>();
const reasons = new Map<string, number>();

function note(way: string, verdict: Verdict, path: string, why = ""): void {
  const key = `${way}: ${verdict}`;
  counts.set(key, (counts.get(key) ?? 0) + 1);
  if (why === "") return;
  if (values.list) console.log(`${key} ${path}: ${why.slice(0, 400)}`);
  const reason = `${key}: ${why
    .replace(/"[^"]*"/g, "…")
    .replace(/\d+/g, "N")
    .slice(0, 160)}`;
  reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
}

/** The message of what `make` throws, or what it gives. */
function attempt<T>(make: () => T): T | Error {
  try {
    return make();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** The outputs of one run on a fixed pattern. */
async function outputs(graph: Graph): Promise<readonly TypedArray[] | Error> {
  try {
    const session = await openGraph(graph, { module: "simd" });
    const inputs = session.inputs.map(({ dtype, shape }) => pattern({ dtype, shape: shape as number[] }));
    const found = Object.values(session.run(inputs as never)) as unknown as TypedArray[];
    session.close();
    return found;
  } catch (error) {
    return error as Error;
  }
}

function pattern(port: Parameters<typeof byteLength>[0]): TypedArray {
  const bytes = new Uint8Array(byteLength(port));
  if (port.dtype === "float32")
    return Float32Array.from({ length: bytes.length / 4 }, (_, i) => Math.cos(i * 1.7) * 0.9);
  const array = typedCopy(port.dtype, bytes);
  if (array instanceof Int8Array || array instanceof Uint8Array)
    for (let i = 0; i < array.length; i++) array[i] = port.dtype === "bool" ? i & 1 : (i * 37) % 101;
  return array;
}

/** How far two runs are apart, as a share of the largest value. */
function distance(a: readonly TypedArray[], b: readonly TypedArray[]): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let far = 0;
  for (const [i, x] of a.entries()) {
    const y = b[i] as TypedArray;
    if (x.length !== y.length) return Number.POSITIVE_INFINITY;
    let most = 1e-30;
    for (const value of x) if (Number.isFinite(Number(value))) most = Math.max(most, Math.abs(Number(value)));
    for (let j = 0; j < x.length; j++) {
      const [p, q] = [Number(x[j]), Number(y[j])];
      if (!Object.is(p, q) && p !== q) far = Math.max(far, Math.abs(p - q) / most || Number.POSITIVE_INFINITY);
    }
  }
  return far;
}

async function toTflite(path: string, bytes: Uint8Array, graph: Graph): Promise<void> {
  const written = attempt(() => writeTflite(graph, { from: bytes }));
  if (written instanceof Error) return note("tflite", "refused", path, written.message);
  const again = attempt(() => importModel(written, {}));
  if (again instanceof Error) return note("tflite", "failed", path, again.message);
  const same = attempt(() => deepStrictEqual(canonical(again), canonical(graph)));
  if (!(same instanceof Error)) return note("tflite", "same graph", path);
  await compare(
    "tflite",
    path,
    graph,
    again,
    same.message
      .split("\n")
      .filter((line) => /^[+-] /.test(line))
      .join(" "),
  );
}

async function toOnnx(path: string, graph: Graph): Promise<void> {
  const written = attempt(() => writeOnnx(graph));
  if (written instanceof Error) return note("onnx", "refused", path, written.message);
  const again = attempt(() => importModel(written, {}));
  if (again instanceof Error) return note("onnx", "failed", path, again.message);
  await compare("onnx", path, graph, again, "");
}

async function compare(way: string, path: string, graph: Graph, again: Graph, why: string): Promise<void> {
  const first = await outputs(graph);
  if (first instanceof Error) return why ? note(way, "other", path, `not run: ${why}`) : undefined;
  const second = await outputs(again);
  if (second instanceof Error) return note(way, "failed", path, second.message);
  // variables are further outputs of .onnx files
  const far = distance(first, way === "onnx" ? second.slice(0, first.length) : second);
  if (far === 0) return note(way, "same outputs", path, why);
  note(way, far < 1e-5 ? "near" : "other", path, `${far.toExponential(1)} ${why}`);
}

for (const folder of values.folder.split(",")) {
  const url = new URL(`${folder}/`, SHARED);
  for (const name of readdirSync(url)
    .filter((each) => /\.(tflite|onnx)$/.test(each))
    .sort()) {
    const path = `${folder}/${name}`;
    if (!new RegExp(values.name).test(path) || statSync(new URL(name, url)).size > Number(values.largest)) continue;
    const bytes = new Uint8Array(readFileSync(new URL(name, url)));
    const graph = attempt(() => importModel(bytes, {}));
    if (graph instanceof Error) continue;
    if (values.to.includes("tflite")) await toTflite(path, bytes, graph);
    if (values.to.includes("onnx")) await toOnnx(path, graph);
  }
}
for (const [key, count] of [...counts].sort()) console.log(`${String(count).padStart(6)} ${key}`);
for (const [key, count] of [...reasons].sort((a, b) => b[1] - a[1])) console.log(`${String(count).padStart(6)} ${key}`);
