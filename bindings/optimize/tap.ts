/** Graphs as they run: the integer engine itself, with any tensors of a graph as outputs. */
import { ensure, Pint8Error } from "../errors.ts";
import type { Graph, TensorId } from "../graph.ts";
import { loadPacker } from "../packer/index.ts";
import { runPasses } from "../passes/index.ts";
import { planGraph } from "../plan/plan.ts";
import { loadModule } from "../session/modules.ts";
import { Session } from "../session/session.ts";
import { BITS, elementCount, type TypedArray, typedCopy } from "../tensor.ts";
import { quantizeInto, takesReals } from "../values/quantize.ts";
import type { TensorInfo } from "../values/types.ts";
import type { EngineOptions } from "./engine.ts";
import { setSamples } from "./samples.ts";

/** Memory that a batch is chosen for, where nobody says how large it is. */
const BATCH_BYTES = 48 * 2 ** 20;
const MOST_SAMPLES = 64;

/**
 * A session of a graph as `importModel` gives it.
 *
 * Errors: those of `loadModel`.
 */
export async function openGraph(graph: Graph, options: EngineOptions = {}): Promise<Session> {
  const { module = "auto", threads, limits = { memory: 2 ** 32 }, passes } = options;
  const ready = runPasses(graph, { limits, ...(passes === undefined ? {} : { only: passes }) });
  const [kernels, packer] = await Promise.all([options.kernels ?? loadModule(module), loadPacker()]);
  const plan = planGraph(ready, { module: kernels.name, moduleHash: kernels.hash, packer, limits });
  const fits = kernels.edition === "full" || plan.edition === "core";
  const fitting = fits ? kernels : await loadModule(kernels.name, undefined, plan.edition);
  return Session.open(plan, fitting, { ...(threads === undefined ? {} : { threads }), onWarning: () => {} });
}

/** What `tapGraph` is told. */
interface TapOptions extends EngineOptions {
  /** Most samples of one run; chosen by the size of the network where absent. Graphs whose samples would meet run one by one. */
  readonly batch?: number;
}

/** A graph that runs and shows tensors. */
export interface Tap {
  /** Samples that one run takes at most. */
  readonly batch: number;
  /** The inputs, with the leading size of `batch` samples. */
  readonly inputs: readonly TensorInfo[];
  readonly session: Session;
  /**
   * Real values in, real values of the tensors out, in the order of the ids: `samples` times the elements of one sample,
   * one after the other. Inputs of fewer than `batch` samples give as many.
   *
   * Errors: INVALID_INPUT where an input has no whole number of samples, or more than `batch`.
   */
  readonly run: (inputs: readonly Float32Array[]) => readonly Float32Array[];
  readonly close: () => void;
}

/**
 * Opens a graph with these tensors as its outputs; inputs and constants, once for each sample, may be among them. Integers without quantization
 * come as they are.
 *
 * Errors: those of `loadModel`; INVALID_OPTION for an id that is none of the graph's.
 */
export async function tapGraph(graph: Graph, ids: readonly TensorId[], options: TapOptions = {}): Promise<Tap> {
  for (const id of ids)
    ensure(graph.tensors[id] !== undefined, "INVALID_OPTION", () => ({
      where: "tapGraph",
      expected: `tensor ids below ${graph.tensors.length}`,
      received: `${id}`,
    }));
  // Constants need no run; the inputs' own values go through their quantization alone.
  const isInput = (id: TensorId) => graph.inputs.some(({ tensor }) => tensor === id);
  const computed = [...new Set(ids)].filter((id) => graph.tensors[id]?.data === undefined && !isInput(id));
  const outputs = computed.map((tensor) => ({ name: `tap ${tensor}`, tensor }));
  const tapped: Graph = { ...graph, outputs: computed.length === 0 ? graph.outputs : outputs };
  const { session, batch } = await openBatched(tapped, options.batch ?? fittingBatch(graph, ids), options);
  const ports = new Map(session.outputs.map((info) => [info.name, info] as const));
  const varying = varyingTensors(graph);
  return {
    batch,
    inputs: session.inputs,
    session,
    run(inputs) {
      const samples = samplesOf(session.inputs, inputs, batch);
      const fed = session.inputs.map((info, i) => inputArray(info, inputs[i] as Float32Array));
      const values = session.run(fed as never, { outputs: "views" }) as { readonly [name: string]: TypedArray };
      return ids.map((id) => {
        const { data, dtype } = graph.tensors[id] ?? {};
        const port = graph.inputs.findIndex(({ tensor }) => tensor === id);
        if (port >= 0) return realValues(session.inputs[port] as TensorInfo, fed[port] as TypedArray, samples, batch);
        if (data !== undefined && dtype !== undefined) return repeated(typedCopy(dtype, data), samples);
        const info = ports.get(`tap ${id}`) as TensorInfo;
        const found = values[info.name] as TypedArray;
        return varying.has(id)
          ? realValues(info, found, samples, batch)
          : repeated(realValues(info, found, 1, 1), samples);
      });
    },
    close: () => session.close(),
  };
}

/** What inputs or states have a part in: all else is the same for each sample. */
function varyingTensors({ tensors, inputs, nodes }: Graph): ReadonlySet<TensorId> {
  const found = new Set(inputs.map(({ tensor }) => tensor));
  for (const [id, { variable }] of tensors.entries()) if (variable) found.add(id as TensorId);
  for (const node of nodes) if (node.inputs.some((id) => found.has(id))) for (const id of node.outputs) found.add(id);
  return found;
}

/** A constant as real numbers, once for each sample. */
function repeated(values: TypedArray, times: number): Float32Array {
  const all = new Float32Array(times * values.length);
  for (let i = 0; i < all.length; i++) all[i] = Number(values[i % values.length]);
  return all;
}

/** The graph with several samples a run where that is possible, one otherwise. */
export async function openBatched(
  graph: Graph,
  batch: number,
  options: EngineOptions = {},
): Promise<{ readonly session: Session; readonly batch: number }> {
  const own = graph.inputs.every(({ tensor }) => graph.tensors[tensor]?.shape[0] === 1) ? batch : 1;
  if (own > 1)
    try {
      return { session: await openGraph(setSamples(graph, own), options), batch: own };
    } catch (error) {
      if (!(error instanceof Pint8Error)) throw error;
      // Samples that would meet, or no memory for as many: one by one always is what the model says.
    }
  return { session: await openGraph(graph, options), batch: 1 };
}

/** As many samples as fit in a modest memory. */
function fittingBatch(graph: Graph, ids: readonly TensorId[]): number {
  let largest = 0;
  for (const { inputs, outputs } of graph.nodes) {
    const bytes = [...inputs, ...outputs].map((id) => (graph.tensors[id]?.data ? 0 : bytesOf(graph, id)));
    largest = Math.max(
      largest,
      bytes.reduce((a, b) => a + b, 0),
    );
  }
  const kept = ids.reduce((sum, id) => sum + bytesOf(graph, id), 0);
  return Math.max(1, Math.min(MOST_SAMPLES, Math.floor(BATCH_BYTES / Math.max(1, largest + kept))));
}

const bytesOf = (graph: Graph, id: TensorId) => 4 * elementCount(graph.tensors[id]?.shape ?? [0]);

function samplesOf(infos: readonly TensorInfo[], inputs: readonly Float32Array[], batch: number): number {
  ensure(inputs.length === infos.length, "INVALID_INPUT", () => ({
    where: "inputs",
    expected: `${infos.length} arrays`,
    received: `${inputs.length}`,
  }));
  const counts = infos.map(({ shape }, i) => ((inputs[i]?.length ?? 0) * batch) / elementCount(shape));
  const [samples = batch] = counts;
  for (const [i, { name, shape }] of infos.entries())
    ensure(
      counts[i] === samples && Number.isInteger(samples) && samples >= 1 && samples <= batch,
      "INVALID_INPUT",
      () => ({
        where: `input "${name}"`,
        expected: `1 to ${batch} samples of ${elementCount(shape) / batch} numbers, as many as the other inputs have`,
        received: `${inputs[i]?.length} numbers`,
      }),
    );
  return samples;
}

/** The array that `Session.run` takes: filled up to the batch with zeros, integers without quantization rounded. */
export function inputArray(info: TensorInfo, reals: Float32Array): TypedArray | Float32Array {
  const length = elementCount(info.shape);
  if (takesReals(info) && reals.length === length) return reals;
  const empty = new Uint8Array(length * bytesPerElement(info));
  const array = typedCopy(info.dtype, empty);
  if (array instanceof BigInt64Array || array instanceof BigUint64Array)
    for (let i = 0; i < reals.length; i++) array[i] = BigInt(Math.round(reals[i] as number));
  else if (takesReals(info)) quantizeInto(array.subarray(0, reals.length), info, reals);
  else for (let i = 0; i < reals.length; i++) array[i] = Math.round(reals[i] as number);
  return array;
}

const bytesPerElement = ({ dtype }: TensorInfo) => BITS[dtype] / 8;

/** The real values of the first `samples` of a tensor of `batch` samples. */
function realValues(info: TensorInfo, values: TypedArray, samples: number, batch: number): Float32Array {
  const length = Math.round((values.length * samples) / batch);
  const reals = new Float32Array(length);
  const { scale, zeroPoint } = info;
  if (values instanceof Float32Array && takesReals(info) && info.dtype !== "float32") {
    // What was given as real numbers, through the input's quantization.
    const width = new Uint8Array(length * bytesPerElement(info));
    const quantized = typedCopy(info.dtype, width);
    quantizeInto(quantized, info, values);
    return realValues(info, quantized, 1, 1);
  }
  if (values instanceof BigInt64Array || values instanceof BigUint64Array)
    for (let i = 0; i < length; i++) reals[i] = Number(values[i]);
  else if (scale === 0) reals.set(values.subarray(0, length));
  else for (let i = 0; i < length; i++) reals[i] = scale * ((values[i] as number) - zeroPoint);
  return reals;
}
