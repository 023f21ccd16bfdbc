/** Least squares before an activation that clips: where the dense network's value is clipped, anything beyond the limit is as good. */
import type { Factored } from "../linear/leastSquares.ts";
import type { Picked } from "./picked.ts";
import { openProducts, type Products } from "./products.ts";
import type { KeptInputs, Moments, Solution, System } from "./systems.ts";

/** Most steps, and by which share the error must fall that another follows. */
export const STEPS = 8;
const WORTH = 0.01;

/**
 * A layer's solution moved to where Σ dist(x·w + b, S)² is least, S being {t} for a target t within the activation's limits and all that is clipped as t is
 * otherwise. It bounds the squared error behind the activation and is convex. Each step solves the least-squares problem whose
 * targets are the nearest points of S, with Nesterov's momentum; what was best is kept. `keptOf`: each output's equations.
 */
export async function refineClipped(
  { layer, moments, weights: dense }: System,
  keptOf: (o: number) => KeptInputs,
  solution: Solution,
  picked: Picked,
): Promise<Solution> {
  const { outputs, inputs, groups } = layer;
  const { weights, bias } = { weights: solution.weights.slice(), bias: solution.bias.slice() };
  const searches = Array.from({ length: outputs }, (_, o) => {
    const { means, rows } = moments[Math.floor((o * groups) / outputs)] as Moments;
    const { places, factored } = keptOf(o);
    const own = (all: Float64Array) => Float64Array.from(places, (i) => all[o * inputs + i] as number);
    return searchOf({
      places,
      means: places.map((i) => means[i] as number),
      towards: own(dense),
      solver: factored,
      rows: picked.rows,
      start: { weights: own(weights), bias: bias[o] as number },
      // Rows that were left out weigh as those that were picked.
      scale: rows / picked.rows,
    });
  });
  const products = await openProducts(layer, picked.chunk);
  try {
    const from = { weights: new Float32Array(outputs * inputs), bias: new Float64Array(outputs) };
    for (let k = 0; k <= STEPS && searches.some((search) => search?.isOpen()); k++) {
      for (const [o, search] of searches.entries()) {
        const { weights: w, bias: b } = search?.from(k) ?? { weights: [], bias: 0 };
        for (const [i, place] of (search?.places ?? []).entries()) from.weights[o * inputs + place] = w[i] as number;
        from.bias[o] = b;
      }
      const errors = errorsOf(products, picked, from);
      for (const [o, search] of searches.entries())
        search?.step({
          squares: errors.squares[o] as number,
          sum: errors.sums[o] as number,
          products: errors.products.subarray(o * inputs, (o + 1) * inputs),
        });
    }
  } finally {
    products.close();
  }
  for (const [o, search] of searches.entries()) {
    if (search === undefined) continue;
    const best = search.best();
    for (const [k, i] of search.places.entries()) weights[o * inputs + i] = best.weights[k] as number;
    bias[o] = best.bias;
  }
  return { weights, bias };
}

/** Of each output, what its values lack to the nearest points that are as good as their targets: squares, sums, and sums of products with the inputs. */
function errorsOf(
  products: Products,
  { inputs: chunks, least, most, chunk, rows }: Picked,
  { weights, bias }: { readonly weights: Float32Array; readonly bias: Float64Array },
) {
  const outputs = bias.length;
  const found = {
    squares: new Float64Array(outputs),
    sums: new Float64Array(outputs),
    products: new Float64Array(weights.length),
  };
  for (const [c, x] of chunks.entries()) {
    const values = products.values(weights, x);
    for (let o = 0; o < outputs; o++) {
      const own = values.subarray(o * chunk, (o + 1) * chunk);
      // Rows behind the last lack nothing.
      own.fill(0, Math.min(rows - c * chunk, chunk));
      const some = own.subarray(0, rows - c * chunk);
      const [low, high] = [least, most].map((bound) => (bound[c] as Float32Array).subarray(o * chunk));
      const { squares, sum } = leaveErrors(some, bias[o] as number, low as Float32Array, high as Float32Array);
      found.squares[o] = (found.squares[o] as number) + squares;
      found.sums[o] = (found.sums[o] as number) + sum;
    }
    const sums = products.sums(values, x);
    for (let i = 0; i < sums.length; i++) found.products[i] = (found.products[i] as number) + (sums[i] as number);
  }
  return found;
}

/** What each value, a bias added, lacks to the nearest point between its bounds, in place of the value. */
function leaveErrors(values: Float32Array, bias: number, least: Float32Array, most: Float32Array) {
  let squares = 0;
  let sum = 0;
  for (let r = 0; r < values.length; r++) {
    const value = (values[r] as number) + bias;
    const lacks = Math.max(least[r] as number, Math.min(most[r] as number, value)) - value;
    values[r] = lacks;
    squares += lacks * lacks;
    sum += lacks;
  }
  return { squares, sum };
}

interface Affine {
  readonly weights: Float64Array;
  readonly bias: number;
}

interface Search {
  readonly places: readonly number[];
  readonly means: readonly number[];
  readonly towards: Float64Array;
  readonly start: Affine;
  readonly rows: number;
  readonly scale: number;
  readonly solver: Factored;
}

/** What an output's errors are: the sum of their squares, their sum, and that of their products with each of the layer's inputs. */
interface Errors {
  readonly squares: number;
  readonly sum: number;
  readonly products: Float64Array;
}

/** One output's steps from where it starts; none where its equations cannot be solved. */
function searchOf({ places, means, towards, solver, start, rows, scale }: Search) {
  if (places.length === 0) return undefined;
  let [last, now, from] = [start, start, start];
  let best = { at: start, error: Infinity };
  let open = true;
  return {
    places,
    isOpen: () => open,
    best: () => best.at,
    /** Where step k looks; where it looked last once it is over. */
    from(k: number): Affine {
      if (open) from = blend(now, last, Math.max(k - 1, 0) / (k + 2));
      return from;
    },
    step({ squares, sum, products }: Errors): void {
      if (!open) return;
      let error = scale * squares;
      for (const [i, w] of from.weights.entries()) error += solver.ridge * (w - (towards[i] as number)) ** 2;
      open = error < (1 - WORTH) * best.error;
      if (error < best.error) best = { at: from, error };
      if (!open) return;
      const step = from.weights.map(
        (w, i) =>
          scale * ((products[places[i] as number] as number) - sum * (means[i] as number)) +
          solver.ridge * ((towards[i] as number) - w),
      );
      solver.solve(step);
      const bias = from.bias + sum / rows - step.reduce((shift, d, i) => shift + d * (means[i] as number), 0);
      [last, now] = [now, { weights: from.weights.map((w, i) => w + (step[i] as number)), bias }];
    },
  };
}

function blend(now: Affine, last: Affine, momentum: number): Affine {
  return {
    weights: now.weights.map((w, i) => w + momentum * (w - (last.weights[i] as number))),
    bias: now.bias + momentum * (now.bias - last.bias),
  };
}
