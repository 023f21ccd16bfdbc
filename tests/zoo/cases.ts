/** Every case of the corpora beside the project, discovered and never listed: what to load, what to feed, what must come out. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { DType } from "../../bindings/tensor.ts";
import { onnxNode, onnxZoo } from "./onnx.ts";
import { type WildEntry, wildSets } from "./wild.ts";

export const SHARED = new URL("../../../shared/", import.meta.url);

/** A tensor as a case states it. */
export interface CasePort {
  readonly name: string;
  readonly dtype: DType;
  /** As it is run. */
  readonly shape: readonly number[];
  /** As the file has it; −1 or a name where it is open. */
  readonly declared?: readonly (number | string)[];
}

/** What one output must equal: bytes, or some of them. */
export interface Golden {
  readonly bytes: number;
  /** All the bytes, or what is known of them. */
  readonly data?: Uint8Array;
  /** SHA-256 of the bytes, where not all of them are stored. */
  readonly sha256?: string;
  /** Of floats too long to store: every k-th value, and the greatest finite magnitude. */
  readonly sample?: { readonly every: number; readonly values: Float32Array; readonly max: number };
}

/** One inference: bytes in, and each reference's outputs; right is what has all of any one reference. */
export interface Invoke {
  readonly inputs: readonly Uint8Array[];
  readonly references: readonly (readonly Golden[])[];
}

export interface CorpusCase {
  readonly corpus: string;
  readonly name: string;
  readonly kind: string;
  readonly operators: readonly string[];
  /** Floats count as right within this share of the greatest magnitude of the output. */
  readonly tolerance: number;
  readonly signature?: string;
  readonly inputs: readonly CasePort[];
  readonly outputs: readonly CasePort[];
  readonly model: () => Uint8Array;
  /** Independent runs from fresh state, each of invokes one after the other. */
  readonly sets: () => readonly (readonly Invoke[])[];
}

/** Reason to skip, or `false`. */
export const skipShared: string | false = existsSync(SHARED) ? false : "no ../shared folder with the corpora";

export const bytesOf = (path: string): Uint8Array => new Uint8Array(readFileSync(new URL(path, SHARED)));
export const jsonOf = (path: string): unknown => JSON.parse(readFileSync(new URL(path, SHARED), "utf8"));

type Slice = readonly [number, number];

interface ZooCase {
  readonly name: string;
  readonly file: string;
  readonly op?: string;
  readonly kind: string;
  readonly operators: Readonly<Record<string, number>>;
  readonly signature?: string;
  readonly outvoted?: unknown;
  readonly tflm_unrepeatable?: unknown;
  readonly inputs: readonly CasePort[];
  readonly outputs: readonly CasePort[];
  readonly sets: readonly { readonly invokes: readonly ZooInvoke[] }[];
}

interface ZooInvoke {
  readonly inputs: readonly Slice[];
  readonly outputs: readonly Slice[];
  readonly tflm_outputs?: readonly Slice[];
  readonly optimized_outputs?: readonly Slice[];
}

/** The zoo's folders of small .tflite models. */
function zoo(corpus: string): CorpusCase[] {
  const folder = `zoo/${corpus}/`;
  if (!existsSync(new URL(`${folder}cases.json`, SHARED))) return [];
  return (jsonOf(`${folder}cases.json`) as readonly ZooCase[]).map((entry) => ({
    corpus,
    name: entry.name,
    kind: entry.kind,
    operators: [...new Set(Object.keys(entry.operators).map((key) => key.replace(/\[.*$/, "")))],
    tolerance: 1e-5,
    ...(entry.signature === undefined ? {} : { signature: entry.signature }),
    inputs: entry.inputs,
    outputs: entry.outputs,
    model: () => bytesOf(`${folder}${entry.file}`),
    sets: () => {
      const data = bytesOf(`${folder}${entry.name}.bin`);
      const slice = ([offset, length]: Slice) => data.slice(offset, offset + length);
      const golden = (slices: readonly Slice[]) => slices.map((each) => ({ bytes: each[1], data: slice(each) }));
      return entry.sets.map(({ invokes }) =>
        invokes.map((invoke) => ({
          inputs: invoke.inputs.map(slice),
          references: [
            golden(invoke.outputs),
            ...(invoke.tflm_outputs && entry.tflm_unrepeatable === undefined ? [golden(invoke.tflm_outputs)] : []),
            ...(invoke.optimized_outputs && entry.outvoted !== undefined ? [golden(invoke.optimized_outputs)] : []),
          ],
        })),
      );
    },
  }));
}

/** The networks from the wild that a reference runs, .tflite or .onnx. */
function wild(ending: ".tflite" | ".onnx"): CorpusCase[] {
  if (!existsSync(new URL("wild/goldens.json", SHARED))) return [];
  const described = jsonOf("wild/models.json") as readonly { readonly name?: string; readonly file?: string }[];
  const operatorsOf = (name: string): readonly string[] => {
    const entry = described.find((each) => (each.name ?? each.file) === name) as { operators?: object } | undefined;
    return Object.keys(entry?.operators ?? {}).map((key) => key.replace(/\[.*$/, ""));
  };
  return (jsonOf("wild/goldens.json") as readonly WildEntry[])
    .filter(({ name, sets }) => name.endsWith(ending) && sets !== undefined)
    .map((entry) => ({
      corpus: "wild",
      name: entry.name,
      kind: entry.kind,
      operators: operatorsOf(entry.name),
      tolerance: 1e-4,
      inputs: entry.input.inputs,
      outputs: entry.outputs,
      model: () => bytesOf(`wild/models/${entry.name}`),
      sets: () => wildSets(entry),
    }));
}

/** Small files at the edges of operators; their outputs are not known, only whether others take them. */
interface EdgeCase {
  readonly name: string;
  /** What LiteRT says: `ok`, or an error. */
  readonly litert: string;
  readonly tfjs: string;
  readonly model: () => Uint8Array;
}

export function edgeCases(): readonly EdgeCase[] {
  if (!existsSync(new URL("edge/cases.json", SHARED))) return [];
  const entries = jsonOf("edge/cases.json") as readonly Readonly<Record<string, string>>[];
  const files = readdirSync(new URL("edge/", SHARED));
  return entries.map((entry, i) => {
    const number = String(i).padStart(3, "0");
    const file = files.find((each) => each.startsWith(`${number}_`)) ?? "";
    return {
      name: `${number} ${entry.id}`,
      litert: entry.litert ?? "",
      tfjs: entry["tfjs-tflite"] ?? "",
      model: () => bytesOf(`edge/${file}`),
    };
  });
}

/** The corpora by name. */
export const CORPORA: { readonly [name: string]: () => CorpusCase[] } = {
  tflite: () => zoo("tflite"),
  nnapi: () => zoo("nnapi"),
  nnapi_more: () => zoo("nnapi_more"),
  wild: () => wild(".tflite"),
  onnx: () => onnxZoo("onnx"),
  onnx_large: () => onnxZoo("onnx/large"),
  onnx_node: onnxNode,
  onnx_wild: () => wild(".onnx"),
};
