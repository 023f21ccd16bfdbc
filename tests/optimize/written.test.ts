/**
 * Files that quantize and prune make, as they are written: each kernel module gives the same bytes of them, and where PEERS_HOME names a folder with
 * other engines, tfjs-tflite and onnxruntime-web take them and find the same classes.
 */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, test } from "node:test";
import { loadPeer } from "../../bench/peers.ts";
import { Pint8Error } from "../../bindings/errors.ts";
import { writeOnnx } from "../../bindings/formats/onnx/write/index.ts";
import { type WriteTfliteOptions, writeTflite } from "../../bindings/formats/tflite/write/index.ts";
import type { Graph } from "../../bindings/graph.ts";
import type { Sample } from "../../bindings/optimize/data/types.ts";
import type { PruneOptions } from "../../bindings/optimize/prune/options.ts";
import { prune } from "../../bindings/optimize/prune/prune.ts";
import type { QuantizeOptions } from "../../bindings/optimize/quantize/options.ts";
import { quantize } from "../../bindings/optimize/quantize/quantize.ts";
import { MODULES } from "../../bindings/primitives/modules.ts";
import { loadModel } from "../../bindings/public/index.ts";
import { dataset, digits, model, skip } from "./support/digits.ts";

const PEERS = process.env.PEERS_HOME;
/** Samples whose outputs are compared: all test images where there are other engines, few else. */
const TEST = skip ? [] : digits(8000, PEERS === undefined ? 8040 : 10000);
/** Samples that networks are made by: where most is pruned, few leave a network whose scores are ties. */
const EXAMPLES = PEERS === undefined ? 32 : 500;
/** Share of samples that must have the same class elsewhere. */
const SAME = 0.995;

interface Made {
  readonly name: string;
  readonly quantize?: QuantizeOptions;
  readonly prune?: PruneOptions;
  readonly write?: WriteTfliteOptions;
  /** Quantized without examples. */
  readonly blind?: true;
  /** Engines that cannot read such files, and what they say. */
  readonly refused?: { readonly [engine: string]: RegExp };
}

/** What it was built of knows int4 and hybrid dense layers of one scale a channel not yet: operator versions 7 and 12. */
const OLD = /Can't initialize model/;
/** No .onnx file is made of such a graph. */
const UNWRITTEN = /operators that pint8 writes as ONNX/;

const MADE: readonly Made[] = [
  { name: "float", prune: { sparsity: 0.5 } },
  { name: "int8", quantize: {} },
  { name: "int8, int8 ends", quantize: { io: "int8" } },
  { name: "one scale a tensor", quantize: { scales: "tensor" } },
  { name: "int4", quantize: { weights: "int4" }, refused: { "tfjs-tflite": OLD } },
  { name: "int16 activations", quantize: { activations: "int16" }, refused: { "onnxruntime-web": UNWRITTEN } },
  { name: "dynamic range", quantize: {}, blind: true, refused: { "tfjs-tflite": OLD } },
  { name: "float16 weights", quantize: { weights: "float16" }, blind: true },
  { name: "80 % zeros, int8", prune: { sparsity: 0.8 }, quantize: {} },
  { name: "80 % zeros, int8, sparse", prune: { sparsity: 0.8 }, quantize: {}, write: { sparse: "smaller" } },
  { name: "blocks, int8", prune: { pattern: "block" }, quantize: {} },
  { name: "half of the channels, int8", prune: { pattern: "channels", cuts: 1 }, quantize: {} },
];

async function make({ quantize: how, prune: what, blind }: Made): Promise<Graph> {
  const examples = digits(0, EXAMPLES).map(({ inputs }) => ({ inputs }));
  let graph = model("digits_f32.tflite");
  if (what) ({ graph } = await prune(graph, dataset(examples), what));
  if (how) ({ graph } = await quantize(graph, blind ? undefined : dataset(examples), how));
  return graph;
}

/** The outputs of all samples by one kernel module; undefined where this engine does not run it. */
async function outputsOf(bytes: Uint8Array, module: (typeof MODULES)[number]) {
  try {
    const session = await loadModel(bytes, { module });
    const of = ({ inputs }: Sample) => Object.values(session.run(inputs as never)).map((values) => values.slice());
    const found = TEST.map(of);
    session.close();
    return found;
  } catch (error) {
    if (error instanceof Pint8Error && error.code === "MODULE_UNAVAILABLE") return undefined;
    throw error;
  }
}

const largest = (scores: ArrayLike<number>) => Array.from(scores).indexOf(Math.max(...Array.from(scores)));

/** Share of the samples for which another engine finds the class that the scores have. */
function agreement(found: readonly number[], scores: readonly ArrayLike<number>[]): number {
  return found.filter((label, i) => label === largest(scores[i] ?? [])).length / found.length;
}

async function byTflite(folder: string, bytes: Uint8Array): Promise<readonly number[]> {
  const peer = await loadPeer(folder, "tfjs-tflite", bytes);
  const session = await loadModel(bytes);
  const integers = session.inputs[0]?.dtype === "int8";
  const { scale = 1, zeroPoint = 0 } = session.inputs[0] ?? {};
  session.close();
  return TEST.map(({ inputs: [pixels = []] }) => {
    const floats = Float32Array.from(pixels);
    const given = integers ? Int8Array.from(floats, (x) => Math.round(x / scale) + zeroPoint) : floats;
    peer.setInput(0, new Uint8Array(given.buffer));
    peer.run();
    const { buffer } = peer.output(0);
    return largest(integers ? new Int8Array(buffer) : new Float32Array(buffer));
  });
}

interface Ort {
  readonly env: { readonly wasm: { numThreads: number } };
  readonly Tensor: new (type: string, data: ArrayBufferView, shape: readonly number[]) => unknown;
  readonly InferenceSession: {
    create(
      bytes: Uint8Array,
      options: object,
    ): Promise<{
      readonly inputNames: readonly string[];
      run(feeds: object): Promise<Readonly<Record<string, { readonly data: ArrayLike<number> }>>>;
    }>;
  };
}

async function byOnnxruntime(folder: string, bytes: Uint8Array): Promise<readonly number[]> {
  const ort: Ort = createRequire(join(folder, "package.json"))("onnxruntime-web");
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"], logSeverityLevel: 4 });
  const own = await loadModel(bytes);
  const { shape = [], dtype, scale = 1, zeroPoint = 0 } = own.inputs[0] ?? {};
  own.close();
  const classes: number[] = [];
  for (const {
    inputs: [pixels = []],
  } of TEST) {
    const floats = Float32Array.from(pixels);
    const given = dtype === "int8" ? Int8Array.from(floats, (x) => Math.round(x / scale) + zeroPoint) : floats;
    const fed = { [session.inputNames[0] ?? ""]: new ort.Tensor(dtype ?? "float32", given, shape) };
    classes.push(largest(Object.values(await session.run(fed))[0]?.data ?? []));
  }
  return classes;
}

describe("files as they are written", { skip }, () => {
  for (const made of MADE)
    test(made.name, async (t) => {
      const graph = await make(made);
      const bytes = writeTflite(graph, made.write ?? {});
      const all = await Promise.all(MODULES.map((module) => outputsOf(bytes, module)));
      const [first, ...others] = all.filter((outputs) => outputs !== undefined);
      assert.ok(first !== undefined);
      for (const other of others) assert.deepEqual(other, first);
      if (PEERS === undefined) return;
      const scores = first.map(([values = []]) => values);
      const engines = {
        "tfjs-tflite": () => byTflite(PEERS, bytes),
        "onnxruntime-web": async () => byOnnxruntime(PEERS, writeOnnx(graph)),
      };
      for (const [name, run] of Object.entries(engines)) {
        const reason = made.refused?.[name];
        if (reason) {
          await assert.rejects(run(), reason);
          t.diagnostic(`${name}: refuses it`);
          continue;
        }
        const share = agreement(await run(), scores as readonly ArrayLike<number>[]);
        t.diagnostic(`${name}: ${(100 * share).toFixed(2)} % the same class`);
        assert.ok(share >= SAME, `${name}: ${share}`);
      }
    });
});
