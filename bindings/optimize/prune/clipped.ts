/** Least squares before an activation that clips: where the dense network's value is clipped, anything beyond the limit is as good. */
import type { Graph } from "../../graph.ts";
import { cholesky, diagonalMean, solveCholesky } from "../linear/cholesky.ts";
import { type Layer, pickRows } from "../linear/layers.ts";
import { forEach, type Inputs, type Moments, RIDGE, rowsOf, type Solution, type System } from "./systems.ts";

/** What activations leave as it is lies between these. */
const LIMITS = {
  relu: [0, Infinity],
  relu6: [0, 6],
  reluN1To1: [-1, 1],
  relu0To1: [0, 1],
} as const satisfies { readonly [activation: string]: readonly [number, number] };

/** Most steps, and by which share the error must fall that another follows. */
const STEPS = 8;
const WORTH = 0.01;
/** Multiply-adds of a layer, and numbers of its inputs that are kept: rows beyond are left out. */
const MOST_WORK = 1e10;
const MOST_NUMBERS = 2 ** 25;
/** Rows for each weight of an output, below which those that were picked would be learned by heart. */
const LEAST_ROWS = 4;

/**
 * A layer's solution moved to where Σ dist(x·w + b, S)² is least, S being {t} for a target t within the activation's limits and all that is clipped as t is
 * otherwise. It bounds the squared error behind the activation and is convex. Each step solves the least-squares problem whose
 * targets are the nearest points of S, with Nesterov's momentum; what was best is kept.
 */
export async function refineClipped(
  system: System,
  kept: Uint8Array,
  solution: Solution,
  wanted: readonly Float32Array[],
  pruned: Graph,
  examples: Inputs,
): Promise<Solution> {
  const { layer, moments } = system;
  const { outputs, inputs, groups, node } = layer;
  const limits = LIMITS[node.attributes.activation as keyof typeof LIMITS];
  const every = limits && strideOf(layer, wanted);
  if (every === undefined) return solution;
  const { columns, targets, rows } = await pickedRows(layer, every, wanted, pruned, examples);
  const { weights, bias } = { weights: solution.weights.slice(), bias: solution.bias.slice() };
  for (let o = 0; o < outputs; o++) {
    const group = Math.floor((o * groups) / outputs);
    const places = Array.from({ length: inputs }, (_, i) => i).filter((i) => kept[o * inputs + i]);
    const solver = solverOf(moments[group] as Moments, inputs, places);
    if (solver === undefined) continue;
    const own = (all: Float64Array) => Float64Array.from(places, (i) => all[o * inputs + i] as number);
    const found = refineRow({
      columns: places.map((i) => (columns[group] as Float32Array).subarray(i * rows, (i + 1) * rows)),
      means: places.map((i) => (moments[group] as Moments).means[i] as number),
      targets: targets.subarray(o * rows, (o + 1) * rows),
      limits,
      towards: own(system.weights),
      solver,
      start: { weights: own(weights), bias: bias[o] as number },
      // Rows that were left out weigh as those that were picked.
      scale: (moments[group] as Moments).rows / rows,
    });
    for (const [k, i] of places.entries()) weights[o * inputs + i] = found.weights[k] as number;
    bias[o] = found.bias;
  }
  return { weights, bias };
}

/** Of how many rows one is picked; undefined where too few would be. */
function strideOf({ inputs, outputs, groups }: Layer, wanted: readonly Float32Array[]): number | undefined {
  const all = wanted.reduce((sum, { length }) => sum + length / outputs, 0);
  const most = Math.min(MOST_WORK / (2 * STEPS * inputs * outputs), MOST_NUMBERS / (inputs * groups));
  return Math.min(all, most) < LEAST_ROWS * inputs ? undefined : Math.ceil(all / most);
}

/** Inputs of each group `[inputs][rows]`, and targets `[outputs][rows]`. */
async function pickedRows(
  layer: Layer,
  every: number,
  wanted: readonly Float32Array[],
  pruned: Graph,
  examples: Inputs,
) {
  const { outputs, inputs, groups } = layer;
  // Examples begin at different rows, so that those picked are not all of one place.
  const picked = wanted.map(({ length }, example) =>
    Array.from({ length: length / outputs }, (_, i) => i).filter((i) => (i + example) % every === 0),
  );
  const rows = picked.reduce((sum, { length }) => sum + length, 0);
  const columns = Array.from({ length: groups }, () => new Float32Array(inputs * rows));
  const targets = new Float32Array(outputs * rows);
  let at = 0;
  await forEach(pruned, [layer.x], examples, (values, example) => {
    const own = picked[example] as readonly number[];
    const places = rowsOf(layer, examples.length, example);
    const x = values.get(layer.x) as Float32Array;
    pickRows(
      layer,
      x,
      own.map((i) => places[i] as number),
      (group, i, row) => {
        const column = columns[group] as Float32Array;
        for (let k = 0; k < inputs; k++) column[k * rows + at + i] = row[k] as number;
      },
    );
    const y = wanted[example] as Float32Array;
    for (const [i, row] of own.entries())
      for (let o = 0; o < outputs; o++) targets[o * rows + at + i] = y[row * outputs + o] as number;
    at += own.length;
  });
  return { columns, targets, rows };
}

/** Solves the normal equations of some inputs, ridge included. */
interface Solver {
  readonly ridge: number;
  solve(b: Float64Array): void;
}

function solverOf({ covariance }: Moments, size: number, places: readonly number[]): Solver | undefined {
  const n = places.length;
  const ridge = RIDGE * (diagonalMean(covariance, size) || 1);
  const a = new Float64Array(n * n);
  for (const [i, p] of places.entries())
    for (const [j, q] of places.entries())
      if (j <= i) a[i * n + j] = (covariance[p * size + q] as number) + (i === j ? ridge : 0);
  return n > 0 && cholesky(a, n) ? { ridge, solve: (b) => solveCholesky(a, n, b) } : undefined;
}

interface Affine {
  readonly weights: Float64Array;
  readonly bias: number;
}

interface Row {
  readonly columns: readonly Float32Array[];
  readonly means: readonly number[];
  readonly targets: Float32Array;
  readonly limits: readonly [number, number];
  readonly towards: Float64Array;
  readonly solver: Solver;
  readonly start: Affine;
  readonly scale: number;
}

function refineRow({ columns, means, targets, limits, towards, solver, start, scale }: Row): Affine {
  const rows = targets.length;
  const errors = new Float64Array(rows);
  const step = new Float64Array(means.length);
  let [last, now] = [start, start];
  let best = { at: start, error: Infinity };
  for (let k = 0; k <= STEPS; k++) {
    const momentum = Math.max(k - 1, 0) / (k + 2);
    const from = blend(now, last, momentum);
    errors.fill(from.bias);
    addColumns(errors, columns, from.weights);
    const { squares, sum } = leaveErrors(errors, targets, limits);
    let error = scale * squares;
    for (const [i, w] of from.weights.entries()) error += solver.ridge * (w - (towards[i] as number)) ** 2;
    const worth = error < (1 - WORTH) * best.error;
    if (error < best.error) best = { at: from, error };
    if (!worth || k === STEPS) break;
    const mean = sum / rows;
    for (const [i, column] of columns.entries())
      step[i] =
        scale * (dotColumn(errors, column) - sum * (means[i] as number)) +
        solver.ridge * ((towards[i] as number) - (from.weights[i] as number));
    solver.solve(step);
    const bias = from.bias + mean - step.reduce((shift, d, i) => shift + d * (means[i] as number), 0);
    [last, now] = [now, { weights: from.weights.map((w, i) => w + (step[i] as number)), bias }];
  }
  return best.at;
}

function blend(now: Affine, last: Affine, momentum: number): Affine {
  return {
    weights: now.weights.map((w, i) => w + momentum * (w - (last.weights[i] as number))),
    bias: now.bias + momentum * (now.bias - last.bias),
  };
}

/** What each value lacks to the nearest point that is as good as its target, in place of the value. */
function leaveErrors(values: Float64Array, targets: Float32Array, [low, high]: readonly [number, number]) {
  let squares = 0;
  let sum = 0;
  for (let r = 0; r < values.length; r++) {
    const value = values[r] as number;
    const target = targets[r] as number;
    const lacks =
      target <= low ? Math.min(low - value, 0) : target >= high ? Math.max(high - value, 0) : target - value;
    values[r] = lacks;
    squares += lacks * lacks;
    sum += lacks;
  }
  return { squares, sum };
}

/** Adds columns times weights, four at a time. */
function addColumns(to: Float64Array, columns: readonly Float32Array[], weights: Float64Array): void {
  let i = 0;
  for (; i + 4 <= columns.length; i += 4) {
    const [a, b, c, d] = columns.slice(i, i + 4) as [Float32Array, Float32Array, Float32Array, Float32Array];
    const [p, q, s, t] = weights.subarray(i, i + 4) as unknown as [number, number, number, number];
    for (let r = 0; r < to.length; r++)
      to[r] =
        (to[r] as number) + (a[r] as number) * p + (b[r] as number) * q + ((c[r] as number) * s + (d[r] as number) * t);
  }
  for (; i < columns.length; i++) {
    const [a, p] = [columns[i] as Float32Array, weights[i] as number];
    for (let r = 0; r < to.length; r++) to[r] = (to[r] as number) + (a[r] as number) * p;
  }
}

function dotColumn(x: Float64Array, column: Float32Array): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let r = 0;
  for (; r + 4 <= x.length; r += 4) {
    s0 += (x[r] as number) * (column[r] as number);
    s1 += (x[r + 1] as number) * (column[r + 1] as number);
    s2 += (x[r + 2] as number) * (column[r + 2] as number);
    s3 += (x[r + 3] as number) * (column[r + 3] as number);
  }
  for (; r < x.length; r++) s0 += (x[r] as number) * (column[r] as number);
  return s0 + s1 + (s2 + s3);
}
