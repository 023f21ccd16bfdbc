/** Layers and networks, each linked twice into a module that imports nothing: with the scalar kernels and with plain ones. */
import type binaryen from "binaryen";
import { type KernelBinary, readKernels } from "../../bindings/compile/kernels.ts";
import { layoutOf } from "../../bindings/compile/layout.ts";
import { link } from "../../bindings/compile/link.ts";
import { importModel } from "../../bindings/formats/index.ts";
import type { AnyNode, Graph, Padding, TensorId } from "../../bindings/graph.ts";
import { operators } from "../../bindings/ops/index.ts";
import type { Operators } from "../../bindings/ops/types.ts";
import { runPasses } from "../../bindings/passes/index.ts";
import { planGraph } from "../../bindings/plan/plan.ts";
import { align, type PlanPort } from "../../bindings/plan/types.ts";
import type { Optimize } from "../../bindings/primitives/modules.ts";
import type { Tensor } from "../../bindings/tensor.ts";
import { buildPlain, plainOperators } from "./plain.ts";

/** One thing to measure. */
export interface Subject {
  readonly name: string;
  readonly graph: Graph;
  readonly macs: number;
  /** Bytes of its one input. */
  readonly input: Uint8Array;
}

/** A layer on `size`² pixels, padding SAME; fully-connected ones have one pixel. */
interface Layer {
  readonly name: string;
  readonly kind: "conv2d" | "depthwiseConv2d" | "fullyConnected";
  readonly size: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly kernel: number;
  readonly stride: number;
}

const LAYERS: readonly Layer[] = [
  { name: "pointwise", kind: "conv2d", size: 24, inputs: 32, outputs: 64, kernel: 1, stride: 1 },
  { name: "pointwise", kind: "conv2d", size: 6, inputs: 128, outputs: 128, kernel: 1, stride: 1 },
  { name: "fully connected", kind: "fullyConnected", size: 1, inputs: 640, outputs: 128, kernel: 1, stride: 1 },
  { name: "fully connected", kind: "fullyConnected", size: 1, inputs: 128, outputs: 128, kernel: 1, stride: 1 },
  { name: "3x3", kind: "conv2d", size: 16, inputs: 32, outputs: 32, kernel: 3, stride: 1 },
  { name: "3x3 stride 2, 3 channels", kind: "conv2d", size: 48, inputs: 3, outputs: 8, kernel: 3, stride: 2 },
  { name: "depthwise 3x3", kind: "depthwiseConv2d", size: 24, inputs: 32, outputs: 32, kernel: 3, stride: 1 },
  { name: "depthwise 3x3 stride 2", kind: "depthwiseConv2d", size: 24, inputs: 32, outputs: 32, kernel: 3, stride: 2 },
  { name: "depthwise 5x5", kind: "depthwiseConv2d", size: 24, inputs: 32, outputs: 32, kernel: 5, stride: 1 },
];

export function layers(): readonly Subject[] {
  return LAYERS.map((layer) => {
    const { name, kind, size, inputs, outputs } = layer;
    const shape = kind === "fullyConnected" ? `${inputs}→${outputs}` : `${size}²·${inputs}→${outputs}`;
    return subject(`${name}, ${shape}`, graphOf(layer));
  });
}

/** A model of a .tflite file. */
export function model(name: string, bytes: Uint8Array): Subject {
  return subject(name, runPasses(importModel(bytes, {})));
}

function subject(name: string, graph: Graph): Subject {
  const plan = planGraph(graph, { module: "scalar", moduleHash: "" });
  const draw = xorshift(12345);
  const input = Uint8Array.from({ length: plan.inputs[0]?.bytes ?? 0 }, () => draw());
  return { name, graph, macs: plan.steps.reduce((sum, { macs }) => sum + macs, 0), input };
}

function graphOf({ kind, size, inputs, outputs, kernel, stride }: Layer): Graph {
  const draw = xorshift(size * 7919 + inputs * 31 + kernel);
  const depth = kernel * kernel * (kind === "depthwiseConv2d" ? 1 : inputs);
  const weights = Int8Array.from({ length: outputs * depth }, () => Math.max(draw(), -127));
  const bias = Int32Array.from({ length: outputs }, () => draw() * 16);
  const scale = Array.from({ length: outputs }, () => Math.fround((1.5 + draw() / 256) / (90 * Math.sqrt(depth))));
  const q = { scale: [0.02], zeroPoint: [-3], axis: 0 };
  const out = Math.ceil(size / stride);
  const shapes = {
    conv2d: [outputs, kernel, kernel, inputs],
    depthwiseConv2d: [1, kernel, kernel, outputs],
    fullyConnected: [outputs, inputs],
  };
  const vector = kind === "fullyConnected";
  const tensors: readonly Tensor[] = [
    { name: "x", dtype: "int8", shape: vector ? [1, inputs] : [1, size, size, inputs], quantization: q },
    {
      name: "w",
      dtype: "int8",
      shape: shapes[kind],
      data: bytesOf(weights),
      quantization: { scale, zeroPoint: scale.map(() => 0), axis: kind === "depthwiseConv2d" ? 3 : 0 },
    },
    { name: "b", dtype: "int32", shape: [outputs], data: bytesOf(bias) },
    { name: "y", dtype: "int8", shape: vector ? [1, outputs] : [1, out, out, outputs], quantization: q },
  ];
  const [x, w, b, y] = [0, 1, 2, 3] as TensorId[] as [TensorId, TensorId, TensorId, TensorId];
  const ends = { where: "node 0", inputs: [x, w, b], outputs: [y] };
  const padding: Padding = "same";
  const attributes = { stride: [stride, stride], dilation: [1, 1], padding, activation: "none" } as const;
  const node: AnyNode =
    kind === "fullyConnected"
      ? { ...ends, kind, attributes: { activation: "none", keepDims: false } }
      : { ...ends, kind, attributes };
  return {
    name: "layer",
    tensors,
    nodes: [node],
    subgraphs: [],
    inputs: [{ name: "x", tensor: x }],
    outputs: [{ name: "y", tensor: y }],
  };
}

/** Both sets of kernels. */
interface Kernels {
  readonly ours: KernelBinary;
  readonly plain: KernelBinary;
}

export async function readBoth(): Promise<Kernels> {
  return { ours: await readKernels("scalar"), plain: await buildPlain() };
}

/**
 * Links a subject into a module that exports, besides what all have, `times(n): i32`: that many inferences on the
 * subject's input; it returns a hash of all outputs.
 */
export async function build(
  { graph, input }: Subject,
  kernels: KernelBinary,
  own: boolean,
  optimize: Optimize,
): Promise<Uint8Array> {
  const table: Operators = own ? operators : plainOperators;
  const plan = planGraph(graph, { module: "scalar", moduleHash: kernels.hash, optimize, operators: table });
  const layout = layoutOf(plan, own ? optimize : "size");
  const from = align(layout.heapBase, 16);
  const heapBase = align(from + input.length, 16);
  // `reset` brings the input back as it would a variable: activations take its place during a run.
  const bytes = align(input.length, 8);
  const address = plan.inputs[0]?.address ?? 0;
  const wasm = await link(
    plan,
    kernels,
    {
      ...layout,
      heapBase,
      pages: align(heapBase, 65536) / 65536,
      segments: [...layout.segments, { address: from, bytes: input }],
      variables: [...layout.variables, { kind: "copy", address, bytes, from }],
    },
    optimize,
  );
  return addTimes(wasm, plan.outputs);
}

/** Adds `times`: `reset` and `invoke` that often, then the hash (FNV-1) of the outputs. */
async function addTimes(wasm: Uint8Array, outputs: readonly PlanPort[]): Promise<Uint8Array> {
  const { default: b } = await import("binaryen");
  const module: binaryen.Module = b.readBinary(wasm);
  const { i32, local } = module;
  const internal = (name: string) => {
    for (let i = 0; i < module.getNumExports(); i++) {
      const info = b.getExportInfo(module.getExportByIndex(i));
      if (info.name === name) return info.value;
    }
    throw new Error(`no export ${name}`);
  };
  const [count, at, hash] = [0, 1, 2];
  const hashed = outputs.map(({ address, bytes }, k) =>
    module.block(null, [
      local.set(at, i32.const(address)),
      module.loop(
        `bytes${k}`,
        module.block(null, [
          local.set(
            hash,
            i32.mul(i32.xor(local.get(hash, b.i32), i32.load8_u(0, 1, local.get(at, b.i32), "0")), i32.const(16777619)),
          ),
          local.set(at, i32.add(local.get(at, b.i32), i32.const(1))),
          module.br(`bytes${k}`, i32.lt_u(local.get(at, b.i32), i32.const(address + bytes))),
        ]),
      ),
    ]),
  );
  const body = module.loop(
    "again",
    module.block(null, [
      module.drop(module.call(internal("reset"), [], b.i32)),
      module.drop(module.call(internal("invoke"), [], b.i32)),
      local.set(count, i32.sub(local.get(count, b.i32), i32.const(1))),
      module.br("again", local.get(count, b.i32)),
    ]),
  );
  const all = module.block(null, [body, ...hashed, module.return(local.get(hash, b.i32))]);
  module.addFunction("times", b.createType([b.i32]), b.i32, [b.i32, b.i32], all);
  module.addFunctionExport("times", "times");
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** int8 numbers, the same each time. */
function xorshift(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state << 24) >> 24;
  };
}
