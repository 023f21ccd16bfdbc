/** Each layer's least-squares problem: second moments of its inputs, without their mean, and its weights. */
import { ensure } from "../../errors.ts";
import type { Graph, TensorId } from "../../graph.ts";
import { dot, invertDamped } from "../linear/cholesky.ts";
import type { Gram } from "../linear/gram.ts";
import { addRows, gramsOf, type Layer, spread, usersOf, weightsOf } from "../linear/layers.ts";
import { type Factored, factorKept, solveKept } from "../linear/leastSquares.ts";
import { tapGraph } from "../tap.ts";

/** Share of the mean of the inputs' variances that pulls weights to those of the dense network. */
export const RIDGE = 1e-3;
/** Multiply-adds of a layer's second moments: rows beyond are left out, but never below LEAST_ROWS. */
const MOST_WORK = 1e8;
const LEAST_ROWS = 20_000;

/** A layer with its inputs' moments. */
export interface System {
  readonly layer: Layer;
  /** The dense network's `[outputs][inputs]`. */
  readonly weights: Float64Array;
  readonly bias: Float64Array;
  /** Of each group: covariance of the inputs, not divided by the rows, `[inputs][inputs]`; and their means. */
  readonly moments: readonly Moments[];
  /** (covariance + ridge)⁻¹ of a group. */
  inverse(group: number): Float64Array;
}

export interface Moments {
  readonly covariance: Float64Array;
  readonly means: Float64Array;
  readonly rows: number;
}

/** Examples of a model's inputs, as `tapGraph` takes them. */
export type Inputs = readonly (readonly Float32Array[])[];

/** Bytes of all layers' equations at most. */
const MOST_BYTES = 2 ** 33;

/** Refuses layers whose equations no machine holds, as windows of many places over many channels have. Errors: OUT_OF_MEMORY. */
function requireRoom(layers: readonly Layer[]): void {
  // products of the inputs, and what they vary together
  const bytesOf = ({ inputs, groups }: Layer) => 16 * groups * inputs ** 2;
  const bytes = layers.reduce((sum, layer) => sum + bytesOf(layer), 0);
  ensure(bytes <= MOST_BYTES, "OUT_OF_MEMORY", () => {
    const most = layers.reduce((largest, layer) => Math.max(largest, layer.inputs), 0);
    return {
      where: "prune",
      expected: `equations of all layers within ${MOST_BYTES / 2 ** 30} GiB`,
      received: `${(bytes / 2 ** 30).toFixed(1)} GiB; ${most} inputs in one of ${layers.length}`,
      hint: "They take the square of a layer's inputs: kernels of fewer places, or fewer channels.",
    };
  });
}

/** The moments of the inputs of all layers, in one pass over the examples. Errors: OUT_OF_MEMORY. */
export async function systemsOf(
  graph: Graph,
  layers: readonly Layer[],
  examples: Inputs,
  onExample: (done: number) => void = () => {},
): Promise<readonly System[]> {
  requireRoom(layers);
  const grams = layers.map((layer) => gramsOf(layer, { ones: "ones" }));
  const ids = [...new Set(layers.flatMap((layer) => usersOf(layer).map(({ x }) => x)))];
  await forEach(graph, ids, examples, (values, example) => {
    for (const [i, layer] of layers.entries()) {
      const views = viewsOf(layer, examples.length, example);
      for (const { user, view } of views) {
        const rows = rowsOf(user, views.length * examples.length, view);
        addRows(user, grams[i] as readonly Gram[], values.get(user.x) as Float32Array, rows);
      }
    }
    onExample(example + 1);
  });
  return layers.map((layer, i) => systemOf(graph, layer, (grams[i] as readonly Gram[]).map(momentsOf)));
}

/** Without data every input counts alike: masks by magnitude, and weights that stay as they are. Errors: OUT_OF_MEMORY. */
export function withoutData(graph: Graph, layers: readonly Layer[]): readonly System[] {
  requireRoom(layers);
  return layers.map((layer) => {
    const covariance = new Float64Array(layer.inputs ** 2);
    for (let i = 0; i < layer.inputs; i++) covariance[i * (layer.inputs + 1)] = 1;
    const moments = { covariance, means: new Float64Array(layer.inputs), rows: 0 };
    return systemOf(
      graph,
      layer,
      Array.from({ length: layer.groups }, () => moments),
    );
  });
}

/** An example as each layer of some weights sees it, numbered through: layers that share weights have as many times the examples. */
export function viewsOf(layer: Layer, examples: number, example: number) {
  return usersOf(layer).map((user, k) => ({ user, view: k * examples + example }));
}

/** The rows of one example that count, so that all examples together stay within the work of a layer. */
export function rowsOf(layer: Layer, examples: number, example: number): readonly number[] {
  const most = Math.max(LEAST_ROWS, MOST_WORK / (layer.inputs ** 2 * layer.groups));
  return spread(layer.positions, Math.ceil(most / examples), example);
}

/** Runs the examples in batches, and shows the values of tensors for one example after the other. */
export async function forEach(
  graph: Graph,
  ids: readonly TensorId[],
  examples: Inputs,
  see: (values: ReadonlyMap<TensorId, Float32Array>, example: number) => void,
): Promise<void> {
  const own = ids.map((id) => graph.inputs.findIndex(({ tensor }) => tensor === id));
  if (own.every((i) => i >= 0) && ids.every((id) => graph.tensors[id]?.dtype === "float32")) {
    for (const [example, inputs] of examples.entries())
      see(new Map(ids.map((id, k) => [id, inputs[own[k] as number] as Float32Array])), example);
    return;
  }
  const tap = await tapGraph(graph, ids);
  try {
    for (let first = 0; first < examples.length; first += tap.batch) {
      const some = examples.slice(first, first + tap.batch);
      const values = tap.run(tap.inputs.map((_, i) => concat(some.map((inputs) => inputs[i] as Float32Array))));
      for (let s = 0; s < some.length; s++)
        see(
          new Map(
            ids.map((id, i) => {
              const all = values[i] as Float32Array;
              const size = all.length / some.length;
              return [id, all.subarray(s * size, (s + 1) * size)];
            }),
          ),
          first + s,
        );
      await new Promise((resolve) => setTimeout(resolve));
    }
  } finally {
    tap.close();
  }
}

function concat(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0] as Float32Array;
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Variances below this share of the mean square are an input that never changes, and the rounding of it. */
const CONSTANT = 1e-12;

/** XᵀX with the ones eliminated. */
export function momentsOf(gram: Gram): Moments {
  gram.finish();
  const { products, size, rows } = gram;
  const n = size - 1;
  const means = Float64Array.from({ length: n }, (_, i) => (products[n * size + i] as number) / Math.max(rows, 1));
  const of = (i: number, j: number) =>
    (products[i * size + j] as number) - (means[i] as number) * (products[n * size + j] as number);
  const covariance = new Float64Array(n * n);
  const changes = means.map((_, i) => (of(i, i) <= CONSTANT * (products[i * size + i] as number) ? 0 : 1));
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      if (changes[i] && changes[j]) covariance[i * n + j] = of(i, j);
      covariance[j * n + i] = covariance[i * n + j] as number;
    }
  return { covariance, means, rows };
}

/** The weights and biases that a layer has. */
export function solutionOf(graph: Graph, layer: Layer): Solution {
  const { outputs, inputs } = layer;
  const all = weightsOf(graph, layer);
  const weights = new Float64Array(outputs * inputs);
  for (let o = 0; o < outputs; o++) weights.set(all.subarray(o * (inputs + 1), o * (inputs + 1) + inputs), o * inputs);
  const bias = Float64Array.from({ length: outputs }, (_, o) => all[o * (inputs + 1) + inputs] as number);
  return { weights, bias };
}

export function systemOf(graph: Graph, layer: Layer, moments: readonly Moments[]): System {
  const { weights, bias } = solutionOf(graph, layer);
  return systemWith(layer, weights, bias, moments);
}

/** A system of weights that are the best for these moments. */
export function systemWith(
  layer: Layer,
  weights: Float64Array,
  bias: Float64Array,
  moments: readonly Moments[],
): System {
  const inverses: Float64Array[] = [];
  return {
    layer,
    weights,
    bias,
    moments,
    inverse(group) {
      inverses[group] ??= invertDamped((moments[group] as Moments).covariance, layer.inputs, RIDGE);
      return inverses[group];
    },
  };
}

/** Weights and bias of a layer with a mask. */
export interface Solution {
  /** `[outputs][inputs]`. */
  readonly weights: Float64Array;
  readonly bias: Float64Array;
}

/** The inputs that an output keeps, and their equations. */
export interface KeptInputs {
  readonly places: readonly number[];
  readonly factored: Factored;
}

/**
 * Of each output its equations, factored once for neighbours that keep the same inputs, as those of a block do. `again`: those of all outputs are kept, to be
 * asked for again.
 */
export function keptInputs(
  { layer, moments }: Pick<System, "layer" | "moments">,
  kept: Uint8Array,
  again: boolean,
): (o: number) => KeptInputs {
  const { outputs, inputs, groups } = layer;
  const known: KeptInputs[] = [];
  let last: (KeptInputs & { readonly group: number }) | undefined;
  return (o) => {
    if (known[o]) return known[o];
    const group = Math.floor((o * groups) / outputs);
    const places: number[] = [];
    for (let i = 0; i < inputs; i++) if (kept[o * inputs + i]) places.push(i);
    const same = last?.group === group && last.places.length === places.length;
    if (!same || !places.every((place, i) => place === last?.places[i])) {
      const { covariance: products } = moments[group] as Moments;
      last = { group, places, factored: factorKept({ products, size: inputs, ridge: RIDGE }, places) };
    }
    if (again) known[o] = last as KeptInputs;
    return last as KeptInputs;
  };
}

/** The least-squares weights on the inputs that are kept, towards what the dense layer gives for the same inputs. */
export function reconstruct(
  { layer, weights, bias, moments }: System,
  kept: Uint8Array,
  keptOf = keptInputs({ layer, moments }, kept, false),
): Solution {
  const { outputs, inputs, groups } = layer;
  const solved = { weights: new Float64Array(weights.length), bias: bias.slice() };
  for (let o = 0; o < outputs; o++) {
    const { covariance: products, means } = moments[Math.floor((o * groups) / outputs)] as Moments;
    const towards = weights.subarray(o * inputs, (o + 1) * inputs);
    const problem = { products, size: inputs, towards, ridge: RIDGE };
    const every = kept.subarray(o * inputs, (o + 1) * inputs).every((stays) => stays === 1);
    const own = every ? undefined : keptOf(o);
    const w = own === undefined ? towards : solveKept(problem, own.places, own.factored);
    solved.weights.set(w, o * inputs);
    let shift = 0;
    for (let i = 0; i < inputs; i++) shift += (means[i] as number) * ((towards[i] as number) - (w[i] as number));
    solved.bias[o] = (bias[o] as number) + shift;
  }
  return solved;
}

/** Squared outputs of the dense layer around their means, summed over rows, of each output. */
export function outputEnergies({ layer, weights, moments }: System): Float64Array {
  const { outputs, inputs, groups } = layer;
  return Float64Array.from({ length: outputs }, (_, o) => {
    const { covariance } = moments[Math.floor((o * groups) / outputs)] as Moments;
    const w = weights.subarray(o * inputs, (o + 1) * inputs);
    let sum = 0;
    for (let i = 0; i < inputs; i++)
      if (w[i] !== 0) sum += (w[i] as number) * dot(covariance, i * inputs, w, 0, inputs);
    return sum;
  });
}
