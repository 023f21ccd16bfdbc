/** Units of layers too large to score them anew after each that goes: an order by what they cost at first, and what they cost in that order. */
import { solveForward } from "../linear/cholesky.ts";
import { kernels } from "../linear/kernels.ts";
import { mayGo, type Rows, type Trace, type Units } from "./eliminate.ts";

/** Multiply-adds of a layer's factors, and steps of the order in which panels of which none is made are taken for those that have one. */
const MOST_WORK = 3e9;
const STEPS = 32;

/**
 * Units by w² / diag H⁻¹ as they are at first: SparseGPT's order. Those costs leave out that units stand in for each other, as all do where there are fewer rows than
 * inputs: their sum can be a thousandth of what all cost together. What each costs after those before it in the order is exact for some panels,
 * and scales the costs of the others by where in the order they are.
 */
export function scoreOnce(parts: readonly Rows[], units: Units, most: number): readonly Trace[] {
  const orders = parts.map((part) => orderOf(part, units, most));
  const inputs = Math.max(...orders.map(({ order }) => order.length * units.width), 1);
  const count = Math.min(parts.length, Math.max(1, Math.floor((6 * MOST_WORK) / inputs ** 3)));
  const chosen = Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * parts.length) / count));
  const exact = new Map(
    chosen.map((at) => [at, exactCosts(parts[at] as Rows, units.width, (orders[at] as Scored).order)] as const),
  );
  const factors = factorsOf([...exact].map(([at, costs]) => ({ exact: costs, first: (orders[at] as Scored).costs })));
  return orders.map(({ order, costs, counts }, at) => {
    const own = exact.get(at) ?? costs.map((cost, k) => cost * (factors[stepOf(k, costs.length)] as number));
    return { order, costs: own, prices: own.map((cost, k) => cost / (counts[k] as number)) };
  });
}

interface Scored {
  readonly order: Uint32Array;
  /** By the start alone. */
  readonly costs: Float64Array;
  /** Weights of each unit. */
  readonly counts: Uint32Array;
}

function orderOf({ inverse, size, weights, rows }: Rows, { width, group }: Units, most: number): Scored {
  const scores = Array.from({ length: Math.ceil(size / width) }, (_, unit) => {
    let cost = 0;
    let count = 0;
    for (let i = unit * width; i < Math.min((unit + 1) * width, size); i++, count += rows)
      for (let r = 0; r < rows; r++) cost += (weights[r * size + i] as number) ** 2 / (inverse[i * size + i] as number);
    return { unit, cost, count };
  }).sort((a, b) => a.cost / a.count - b.cost / b.count || a.unit - b.unit);
  const taken = new Map<number, number>();
  const order = scores.filter(({ unit }) => {
    const of = Math.floor(unit / (group?.units ?? 1));
    const gone = (taken.get(of) ?? 0) + 1;
    taken.set(of, gone);
    return group === undefined || gone <= mayGo(group, unit, scores.length);
  });
  const kept = order.slice(0, most);
  return {
    order: Uint32Array.from(kept, ({ unit }) => unit),
    costs: Float64Array.from(kept, ({ cost }) => cost),
    counts: Uint32Array.from(kept, ({ count }) => count),
  };
}

/**
 * What each unit costs once those before it are gone: of H⁻¹ = Uᵀ·U, its inputs in this order, |U⁻ᵀ·w|² of the first inputs is w_Bᵀ·((H⁻¹)_BB)⁻¹·w_B, what they
 * cost together.
 */
function exactCosts({ inverse, size, weights, rows }: Rows, width: number, order: Uint32Array): Float64Array {
  const inputs: number[] = [];
  const ends = Array.from(order, (unit) => {
    for (let i = unit * width; i < Math.min((unit + 1) * width, size); i++) inputs.push(i);
    return inputs.length;
  });
  const n = inputs.length;
  const u = new Float64Array(n * n);
  for (const [i, row] of inputs.entries())
    for (let j = i; j < n; j++) u[i * n + j] = inverse[row * size + (inputs[j] as number)] as number;
  const costs = new Float64Array(order.length);
  if (!kernels.cholesky(u, n)) return costs.fill(Infinity);
  for (let r = 0; r < rows; r++) {
    const z = Float64Array.from(inputs, (i) => weights[r * size + i] as number);
    solveForward(u, n, z);
    for (let k = 0, i = 0; k < costs.length; k++)
      for (; i < (ends[k] as number); i++) costs[k] = (costs[k] as number) + (z[i] as number) ** 2;
  }
  return costs;
}

/** The step of an order of so many units that the one at a place is in. */
const stepOf = (place: number, length: number) => Math.floor((place * STEPS) / length);

/** Of each step by what factor units cost more than at first. */
function factorsOf(
  known: readonly { readonly exact: Float64Array; readonly first: Float64Array }[],
): readonly number[] {
  const [exact, first] = [new Float64Array(STEPS), new Float64Array(STEPS)];
  for (const each of known)
    for (let k = 0; k < each.first.length; k++) {
      const step = stepOf(k, each.first.length);
      exact[step] = (exact[step] as number) + (each.exact[k] as number);
      first[step] = (first[step] as number) + (each.first[k] as number);
    }
  return Array.from(first, (sum, step) => (sum > 0 ? (exact[step] as number) / sum : 1));
}
