/** The models whose bytes must equal the goldens, with inputs and outputs. They stand beside the project. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { importModel } from "../../bindings/formats/index.ts";
import type { Graph, TensorId } from "../../bindings/graph.ts";
import { runPasses } from "../../bindings/passes/index.ts";
import { planGraph } from "../../bindings/plan/plan.ts";
import { MODULES, type ModuleName } from "../../bindings/primitives/modules.ts";
import { type KernelModule, loadModule } from "../../bindings/session/modules.ts";
import { Session } from "../../bindings/session/session.ts";
import { type TypedArray, typedCopy } from "../../bindings/tensor.ts";

const SHARED = new URL("../../../shared/", import.meta.url);

/** Reason to skip, or `false`. */
export const skipShared: string | false = existsSync(SHARED) ? false : "no ../shared folder with models and goldens";

/** Bytes of a file of ../shared. */
export const shared = (path: string): Uint8Array => new Uint8Array(readFileSync(new URL(path, SHARED)));

const GOLDENS = [
  "hello_world_int8",
  "kws_ref_model",
  "vww_96_int8",
  "pretrainedResnet_quant",
  "ad01_int8",
  "micro_speech_quantized",
  "person_detect",
  "tf2_mobilenet_v2_1.0_224_ptq",
  "str_ww_ref_model",
] as const;

/** The `digits_*_int8` models with goldens for 20 test images and ten drawings. */
const DIGITS = skipShared
  ? []
  : readdirSync(new URL("models/", SHARED))
      .filter((name) => /^digits_(\w+_)?int8\.tflite$/.test(name))
      .map((name) => name.replace(".tflite", ""));

/** A model, and runs of it: inputs one after the other, outputs one after the other. */
export interface Case {
  readonly name: string;
  readonly model: () => Uint8Array;
  readonly runs: () => readonly { readonly input: Uint8Array; readonly output: Uint8Array }[];
}

export const CASES: readonly Case[] = [
  ...GOLDENS.map(
    (name): Case => ({
      name,
      model: () => shared(`models/${name}.tflite`),
      runs: () => [{ input: shared(`goldens/${name}.in.bin`), output: shared(`goldens/${name}.out0.bin`) }],
    }),
  ),
  ...DIGITS.map(
    (name): Case => ({
      name,
      model: () => shared(`models/${name}.tflite`),
      runs: () => [...digitRuns(name, "test", 20), ...digitRuns(name, "samples", 10)],
    }),
  ),
];

function digitRuns(name: string, set: string, count: number) {
  const inputs = shared(`goldens/digits/${set}.int8.in.bin`);
  const outputs = shared(`goldens/digits/${name}.${set}.out.bin`);
  const part = (bytes: Uint8Array, i: number) =>
    bytes.slice((i * bytes.length) / count, ((i + 1) * bytes.length) / count);
  return Array.from({ length: count }, (_, i) => ({ input: part(inputs, i), output: part(outputs, i) }));
}

/** One dumped tensor of a model, by its number in the file. */
interface Layer {
  readonly tensor: TensorId;
  readonly constant: boolean;
  readonly bytes: Uint8Array;
}

/** The models with dumps of every tensor, and where these are. */
export const LAYERS: readonly { readonly name: string; readonly path: string }[] = skipShared
  ? []
  : ["goldens/layers/", "goldens/digits/layers/"].flatMap((path) =>
      readdirSync(new URL(path, SHARED))
        .filter((name) => CASES.some((known) => known.name === name))
        .map((name) => ({ name, path: `${path}${name}/` })),
    );

/** The dumps of a model's main graph. */
export function layers(path: string): readonly Layer[] {
  const manifest = JSON.parse(new TextDecoder().decode(shared(`${path}manifest.json`))) as readonly {
    readonly subgraph: number;
    readonly const: boolean;
    readonly info: { readonly tensor: number };
  }[];
  return manifest
    .filter(({ subgraph, info }) => subgraph === 0 && existsSync(new URL(`${path}s0_t${info.tensor}.bin`, SHARED)))
    .map(({ const: constant, info }) => ({
      tensor: info.tensor as TensorId,
      constant,
      bytes: shared(`${path}s0_t${info.tensor}.bin`),
    }));
}

/** The modules that this engine runs; the others with the reason why not. */
export async function modules(): Promise<
  readonly { readonly name: ModuleName; readonly kernels?: KernelModule; readonly skip: string | false }[]
> {
  return Promise.all(
    MODULES.map(async (name) => {
      try {
        return { name, kernels: await loadModule(name, undefined, "full"), skip: false as const };
      } catch (error) {
        return { name, skip: (error as Error).message };
      }
    }),
  );
}

/** A session of an imported graph, with or without the optional passes, on given kernels. */
export async function open(graph: Graph, kernels: KernelModule): Promise<Session> {
  return Session.open(planGraph(graph, { module: kernels.name, moduleHash: kernels.hash }), kernels);
}

/** The model's graph after the passes. */
export const prepare = (bytes: Uint8Array, only: "all" | "none"): Graph => runPasses(importModel(bytes, {}), { only });

/** Raw input bytes as the typed arrays that `run` takes. */
export function split(session: Session, bytes: Uint8Array): TypedArray[] {
  let offset = 0;
  return session.inputs.map(({ dtype, shape }) => {
    const size = typedCopy(dtype, new Uint8Array(8)).BYTES_PER_ELEMENT * shape.reduce((all, n) => all * n, 1);
    offset += size;
    return typedCopy(dtype, bytes.subarray(offset - size, offset));
  });
}

/** The raw bytes of all outputs, one after the other. */
export function join(outputs: Readonly<Record<string, ArrayBufferView>>): Uint8Array {
  const parts = Object.values(outputs).map(
    ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength),
  );
  return new Uint8Array(Buffer.concat(parts));
}

/** Where two strings of int8 bytes differ, for messages: nothing when they are equal. */
export function difference(actual: Uint8Array, expected: Uint8Array): string {
  if (actual.length !== expected.length) return `${actual.length} bytes in place of ${expected.length}`;
  const [a, b] = [new Int8Array(actual), new Int8Array(expected)];
  const distances = a.map((value, i) => Math.min(127, Math.abs(value - (b[i] as number))));
  const count = distances.filter((distance) => distance > 0).length;
  if (count === 0) return "";
  const first = distances.findIndex((distance) => distance > 0);
  const most = distances.reduce((max, distance) => Math.max(max, distance), 0);
  return `${count} of ${a.length} bytes differ, by up to ${most}; byte ${first} is ${a[first]} in place of ${b[first]}`;
}
