/** A network in memory that is trained step by step. */
import { Pint8Error } from "../../errors.ts";
import { type Graph, NONE, type TensorId, tensorOf } from "../../graph.ts";
import { runPasses } from "../../passes/index.ts";
import { loadModule } from "../../session/modules.ts";
import { Session } from "../../session/session.ts";
import { elementCount, type TypedArray } from "../../tensor.ts";
import { floatsOf as constantOf } from "../constants.ts";
import { trainFile } from "../files.ts";
import { samplesInFront } from "../leading.ts";
import { setSamples } from "../samples.ts";
import { compileStep, type StepOptions } from "./compile.ts";
import type { LossWeights, Objective } from "./kinds.ts";
import { type Layer, type Layout, layersOf, layOut, slotOf, type Ties } from "./layout.ts";
import { NO_LOSS } from "./loss.ts";
import { floatsOf, foldNorm } from "./norm.ts";
import { endAt, goalOf } from "./objective.ts";

export interface TrainerOptions extends Omit<StepOptions, "loss" | "masked" | "update"> {
  readonly batch: number;
  /** Parts that are not there are 0, the temperature 1. */
  readonly loss: Partial<LossWeights>;
  /** What the loss reads; `goalOf` says when absent. */
  readonly objective?: Objective;
  readonly masks?: ReadonlyMap<TensorId, Uint8Array>;
  /** Layers with batch normalization; where samples run one by one none has it. */
  readonly normalized: readonly Layer[];
  /** Parameters that follow others, none of them with normalization. */
  readonly ties?: Ties;
  readonly threads?: number | "auto";
}

/** One batch. */
export interface Batch {
  /** Each of the graph's inputs, `batch` samples. */
  readonly inputs: readonly Float32Array[];
  /** A class for each place of each sample, −1 where there is none; for the objective `classes`. */
  readonly labels?: Int32Array;
  /** What the teacher gives. */
  readonly teacher?: Float32Array;
  /** What the data says; for values and embeddings. */
  readonly targets?: Float32Array;
}

type Arrays = Readonly<Record<"weights" | "gradients" | "first" | "second" | "running" | "masks", Float32Array>>;

export interface Trainer {
  readonly layout: Layout;
  /** The arrays in memory: what is written there is what trains on. */
  readonly arrays: Arrays;
  /** One step of AdamW, the `count`-th from 1. Returns the mean loss and the sum of hits, or of mean errors, of all `rows`, the places of the batch. */
  step(
    batch: Batch,
    rate: number,
    count: number,
  ): { readonly loss: number; readonly hits: number; readonly rows: number };
  /** Scores, or other outputs, of the last step's samples. */
  readonly logits: Float32Array;
  setMask(tensor: TensorId, mask: Uint8Array): void;
  /** The graph with the weights as they are now, normalization folded in. */
  graph(): Graph;
  close(): void;
}

/**
 * Opens a graph whose layers have weights of their own, in as many threads as wished. Where samples of a batch would meet, as in attention that puts
 * the sequence before them, they run one by one, and weights move by the mean of their gradients.
 *
 * Errors: UNSUPPORTED for operators that cannot be trained, and where this engine has no SIMD.
 */
export async function openTrainer(graph: Graph, options: TrainerOptions): Promise<Trainer> {
  const { batch, masks, threads = "auto", decay } = options;
  const layers = layersOf(graph);
  const goal = goalOf(graph, options.objective);
  const ended = endAt(graph, goal.objective);
  const together = batched(ended, batch);
  const normalized = new Set(together ? options.normalized.map(({ weight }) => weight) : []);
  const layout = layOut(graph, layers, normalized, options.ties ?? new Map());
  const ready = together ?? runPasses(ended, { limits: LIMITS });
  const update = together ? "step" : "none";
  const kernels = await loadModule("simd", undefined, "train", trainFile);
  const stepOptions = {
    ...options,
    loss: { ...NO_LOSS, ...options.loss },
    masked: masks !== undefined,
    update,
  } as const;
  const { plan, constants } = compileStep(
    ready,
    { ...goal, tensor: outputOf(ready) },
    layout,
    kernels.hash,
    stepOptions,
  );
  const session = await Session.open(plan, kernels, { threads, onWarning: () => {} });
  const views = { outputs: "views" } as const;
  const run = (inputs: readonly TypedArray[]) =>
    session.run(inputs as never, views) as Readonly<Record<string, Float32Array>>;
  // The arrays can be reached once a run is over: one of zeros, whose traces are wiped.
  const memory = run(
    session.inputs.map(({ dtype, shape }) => new (dtype === "int32" ? Int32Array : Float32Array)(elementCount(shape))),
  );
  const read = ANSWERS.filter((name) => session.inputs.some((input) => input.name === name));
  const arrays = {
    weights: memory.weights as Float32Array,
    gradients: memory.gradients as Float32Array,
    first: memory.first as Float32Array,
    second: memory.second as Float32Array,
    running: memory.running as Float32Array,
    masks: memory.masks ?? new Float32Array(0),
  };
  for (const array of Object.values(arrays)) array.fill(0);
  const setMask = (tensor: TensorId, mask: Uint8Array) => writeMask(layout, arrays, tensor, mask);
  for (const [i, values] of constants.entries()) memory[`constant ${i}`]?.set(values);
  start(graph, layout, layers, arrays);
  arrays.masks.fill(1);
  for (const [tensor, mask] of masks ?? []) setMask(tensor, mask);
  const rates = new Float32Array(4);
  const own = memory.logits as Float32Array;
  const logits = together ? own : new Float32Array(batch * own.length);
  const summed = new Float32Array(together ? 0 : arrays.gradients.length);
  const sumOf = (data: Batch) => {
    const answers = read.map((name) => data[name] as TypedArray);
    const { result = new Float32Array(0) } = run([...data.inputs, ...answers, rates]);
    let [loss, hits] = [0, 0];
    for (let i = 0; i < result.length; i += 2) {
      loss += result[i] as number;
      hits += result[i + 1] as number;
    }
    return { loss, hits, rows: result.length / 2 };
  };
  return {
    layout,
    arrays,
    logits,
    setMask,
    step(data, rate, count) {
      rates.set([rate, 1 / (1 - 0.9 ** count), 1 / (1 - 0.999 ** count), 1]);
      if (together) {
        const { loss, ...sums } = sumOf(data);
        return { loss: loss / sums.rows, ...sums };
      }
      let [loss, hits, rows] = [0, 0, 0];
      summed.fill(0);
      for (let i = 0; i < batch; i++) {
        const one = sumOf(sampleOf(data, i, batch));
        [loss, hits, rows] = [loss + one.loss, hits + one.hits, rows + one.rows];
        logits.set(own, i * own.length);
        for (let at = 0; at < summed.length; at++)
          summed[at] = (summed[at] as number) + (arrays.gradients[at] as number) / batch;
      }
      arrays.gradients.set(summed);
      move(arrays, layout, rates, decay);
      return { loss: loss / rows, hits, rows };
    },
    graph: () => write(graph, layout, layers, arrays),
    close: () => session.close(),
  };
}

const LIMITS = { memory: 2 ** 32 } as const;

/** The graph for so many samples at once; undefined where they would meet. */
function batched(graph: Graph, batch: number): Graph | undefined {
  const attempt = (own: Graph) => {
    try {
      return runPasses(setSamples(own, batch), { limits: LIMITS });
    } catch (error) {
      if (!(error instanceof Pint8Error) || error.code === "OUT_OF_MEMORY" || batch === 1) throw error;
      return undefined;
    }
  };
  const found = attempt(graph);
  if (found !== undefined) return found;
  const turned = samplesInFront(graph, runPasses(graph, { only: "none", limits: LIMITS }).tensors);
  return turned && attempt(turned);
}

/** One sample of a batch. */
function sampleOf(data: Batch, sample: number, batch: number): Batch {
  const part = <T extends Float32Array | Int32Array>(array: T) => {
    const length = array.length / batch;
    return array.subarray(sample * length, (sample + 1) * length) as T;
  };
  const { inputs, labels, teacher, targets } = data;
  return {
    inputs: inputs.map(part),
    ...(labels && { labels: part(labels) }),
    ...(teacher && { teacher: part(teacher) }),
    ...(targets && { targets: part(targets) }),
  };
}

/** AdamW, as assembly/train/loss.simd.ts has it, by rate and corrections. */
function move(
  { weights, gradients, first, second, masks }: Arrays,
  layout: Layout,
  rates: Float32Array,
  decay: number,
) {
  const [rate = 0, correct = 1, correctSquares = 1] = rates;
  for (let i = 0; i < gradients.length; i++) {
    const d = gradients[i] as number;
    const m = (first[i] as number) + (d - (first[i] as number)) * (1 - 0.9);
    const v = (second[i] as number) + (d * d - (second[i] as number)) * (1 - 0.999);
    first[i] = m;
    second[i] = v;
    const own = i < layout.decayed ? decay : 0;
    const w = weights[i] as number;
    const moved = w - rate * ((m * correct) / (Math.sqrt(v * correctSquares) + 1e-8) + own * w);
    weights[i] = i < masks.length ? moved * (masks[i] as number) : moved;
  }
}

/** What a step may be given besides inputs, in the order of its ports. */
const ANSWERS = ["labels", "teacher", "targets"] as const;

const outputOf = ({ outputs }: Graph): TensorId => (outputs[0] as Graph["outputs"][number]).tensor;

/** Zeroes the masked weights at once. */
function writeMask(layout: Layout, arrays: Arrays, tensor: TensorId, mask: Uint8Array): void {
  const slot = slotOf(layout, "weight", tensor);
  if (slot === undefined || slot.floats !== mask.length)
    throw new Pint8Error("INVALID_OPTION", {
      where: "masks",
      expected: slot === undefined ? "weights of layers that are trained" : `${slot.floats} bytes`,
      received: slot === undefined ? `tensor ${tensor}` : `${mask.length}`,
    });
  for (let i = 0; i < mask.length; i++) {
    arrays.masks[slot.offset + i] = mask[i] ? 1 : 0;
    if (!mask[i]) for (const array of [arrays.weights, arrays.first, arrays.second]) array[slot.offset + i] = 0;
  }
}

/** Puts the graph's weights into the arrays; γ is 1 and running variances are, β is the bias: the 3 of a hard sigmoid, say. */
function start(graph: Graph, layout: Layout, layers: readonly Layer[], arrays: Arrays): void {
  for (const { weight, bias, channels } of layers) {
    floatsOf(arrays, slotOf(layout, "weight", weight)).set(constantOf(tensorOf(graph, weight)));
    const ofBias = slotOf(layout, "bias", bias);
    if (ofBias !== undefined) floatsOf(arrays, ofBias).set(constantOf(tensorOf(graph, bias)));
    const gamma = slotOf(layout, "gamma", weight);
    if (gamma === undefined) continue;
    floatsOf(arrays, gamma).fill(1);
    if (bias !== NONE) floatsOf(arrays, slotOf(layout, "beta", weight)).set(constantOf(tensorOf(graph, bias)));
    floatsOf(arrays, slotOf(layout, "running", weight), channels).fill(1);
  }
}

function write(graph: Graph, layout: Layout, layers: readonly Layer[], arrays: Arrays): Graph {
  const tensors = [...graph.tensors];
  const put = (id: TensorId, floats: Float32Array) => {
    tensors[id] = { ...tensorOf(graph, id), data: new Uint8Array(floats.slice().buffer) };
  };
  for (const layer of layers) {
    const { weight, bias } = layer;
    if (slotOf(layout, "gamma", weight) !== undefined) {
      const folded = foldNorm(graph, layout, layer, arrays);
      put(weight, folded.weights);
      put(bias, folded.bias);
      continue;
    }
    put(weight, floatsOf(arrays, slotOf(layout, "weight", weight)));
    if (bias !== NONE && slotOf(layout, "bias", bias)) put(bias, floatsOf(arrays, slotOf(layout, "bias", bias)));
  }
  return { ...graph, tensors };
}
