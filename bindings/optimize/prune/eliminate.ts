/** Takes weights away one unit after another, always the one whose loss hurts least, the rest making up for it. */
import { columnOf } from "./columns.ts";

/** Rows of weights that lose their inputs together, and what those inputs are. */
export interface Rows {
  /** (H + ridge)⁻¹ of the centred inputs `[size][size]`, whole; read only. */
  readonly inverse: Float64Array;
  readonly size: number;
  /** `[rows][size]`; read only. */
  readonly weights: Float64Array;
  readonly rows: number;
}

/** What may be taken away. */
export interface Units {
  /** Inputs that go together; the last unit of a row may have fewer. */
  readonly width: number;
  /** Of each so many units in a row `stay` do, in a last group of fewer too; absent: all may go. */
  readonly group?: { readonly units: number; readonly stay: number };
  /**
   * Of single inputs: how many next to each other a kernel leaves out together, from the fewest on, each a multiple of those before. One of these that
   * is all gone counts like one weight more.
   */
  readonly steps?: readonly number[];
}

/** How many units of the group that a unit is in may go, of a row of so many. */
export const mayGo = ({ units, stay }: Required<Units>["group"], unit: number, total: number): number =>
  Math.max(Math.min(units, total - unit + (unit % units)) - stay, 0);

/** In which order units go, and what each costs in squared error, summed over all examples. */
export interface Trace {
  readonly order: Uint32Array;
  readonly costs: Float64Array;
  /** What each was chosen by: its cost divided by its weights, and by the steps that it empties. */
  readonly prices: Float64Array;
}

/**
 * Exact greedy elimination (Optimal Brain Surgeon): the unit with the least w_Bᵀ·((H⁻¹)_BB)⁻¹·w_B, summed over rows and divided
 * by its inputs, goes; the weights that stay move to their least-squares values, and H⁻¹ to that of the inputs that stay.
 * Stops after `most` units, or when no unit may go. Source: Hassibi and Stork 1993; Frantar and Alistarh 2022.
 */
export function eliminate({ inverse, size, weights, rows }: Rows, units: Units, most: number): Trace {
  const { width, group, steps } = units;
  const state = stateOf({ inverse, size, weights, rows }, steps?.at(-1) ?? width, steps ?? []);
  const total = Math.ceil(size / width);
  const taken = new Uint32Array(group ? Math.ceil(total / group.units) : 0);
  const order: number[] = [];
  const costs: number[] = [];
  const prices: number[] = [];
  const closed = (unit: number) =>
    group !== undefined && (taken[Math.floor(unit / group.units)] as number) >= mayGo(group, unit, total);
  while (order.length < Math.min(most, total)) {
    const best = steps
      ? cheapestOfSteps(state, steps)
      : width === 1
        ? cheapest(state, closed)
        : cheapestUnit(state, width);
    if (best === undefined) break;
    const gone = steps ? best.places.map((place) => state.ids[place] as number) : [best.unit];
    for (const unit of gone) {
      order.push(unit);
      costs.push(best.cost / gone.length);
      prices.push(best.price);
      if (group) taken[Math.floor(unit / group.units)] = (taken[Math.floor(unit / group.units)] as number) + 1;
    }
    for (const place of best.places) remove(state, place);
    compact(state);
  }
  return { order: Uint32Array.from(order), costs: Float64Array.from(costs), prices: Float64Array.from(prices) };
}

/**
 * What is left, in places that `compact` closes up. H⁻¹ of the inputs that stay is the one at the start less Σ v·vᵀ over what has gone: a column of
 * it is made when its input goes, and only its elements near the diagonal are kept up to date, which are all that choosing asks for.
 */
interface State {
  /** Places, some of which are gone until the next `compact`. */
  n: number;
  /** H⁻¹ at the start `[size][size]`. */
  readonly start: Float64Array;
  readonly size: number;
  /** A vector over the places for each input that has gone. */
  readonly vectors: Float64Array[];
  /** Inputs of the widest unit, and H⁻¹ among the inputs of one `[size][span]`. */
  readonly span: number;
  readonly near: Float64Array;
  weights: Float64Array;
  readonly rows: number;
  /** Input of each place. */
  ids: Uint32Array;
  gone: Uint8Array;
  /** Of each width of steps, how many inputs each step still has. */
  readonly steps: readonly { readonly width: number; readonly left: Uint16Array }[];
  /** The places of a unit, H⁻¹ among them and a vector over them, while it is looked at. */
  readonly unit: { readonly places: Uint32Array; readonly block: Float64Array; readonly v: Float64Array };
}

function stateOf({ inverse, size, weights, rows }: Rows, span: number, steps: readonly number[]): State {
  const near = new Float64Array(size * span);
  for (let i = 0; i < size; i++) {
    const first = i - (i % span);
    for (let j = first; j < Math.min(first + span, size); j++)
      near[i * span + j - first] = inverse[i * size + j] as number;
  }
  return {
    n: size,
    start: inverse,
    size,
    vectors: [],
    span,
    near,
    weights: weights.slice(),
    rows,
    ids: Uint32Array.from({ length: size }, (_, i) => i),
    gone: new Uint8Array(size),
    steps: steps.map((width) => ({
      width,
      left: Uint16Array.from({ length: Math.ceil(size / width) }, (_, i) => Math.min(width, size - i * width)),
    })),
    unit: { places: new Uint32Array(span), block: new Float64Array(span * span), v: new Float64Array(span) },
  };
}

/** An element of H⁻¹ of two inputs of one unit. */
const nearOf = ({ near, span, ids }: State, i: number, j: number) =>
  near[(ids[i] as number) * span + ((ids[j] as number) % span)] as number;

interface Best {
  readonly unit: number;
  readonly cost: number;
  readonly price: number;
  readonly places: readonly number[];
}

function cheapest(state: State, closed: (unit: number) => boolean): Best | undefined {
  const { n, near, span, weights, rows, ids, gone } = state;
  let place = -1;
  let cost = Infinity;
  for (let i = 0; i < n; i++) {
    if (gone[i] || closed(ids[i] as number)) continue;
    let sum = 0;
    for (let r = 0; r < rows; r++) sum += (weights[r * n + i] as number) ** 2;
    const id = ids[i] as number;
    sum /= near[id * span + (id % span)] as number;
    if (sum < cost) [place, cost] = [i, sum];
  }
  return place < 0 ? undefined : { unit: ids[place] as number, cost, price: cost / rows, places: [place] };
}

/** A single input, or what is left of one step, whichever is cheapest for its weights and the steps that go with it. */
function cheapestOfSteps(state: State, steps: readonly number[]): Best | undefined {
  let best = cheapestUnit(state, 1);
  for (const width of steps) best = cheapestUnit(state, width, best?.price) ?? best;
  return best;
}

/** Steps of the kernel that are empty once these places go, which are all that is left of one unit of `width`: narrower ones in it all are, wider ones where they hold nothing else. */
function emptied({ steps, ids, unit: { places } }: State, width: number, size: number): number {
  let sum = 0;
  for (const { width: of, left } of steps) {
    if (of > width) {
      if (left[Math.floor((ids[places[0] as number] as number) / of)] === size) sum++;
      continue;
    }
    let last = -1;
    for (let i = 0; i < size; i++) {
      const step = Math.floor((ids[places[i] as number] as number) / of);
      if (step !== last) sum++;
      last = step;
    }
  }
  return sum;
}

/** The unit of that width that is cheapest, and cheaper than `below` where that is given: a small factorization each. */
function cheapestUnit(state: State, width: number, below?: number): Best | undefined {
  const { n, weights, rows, ids, gone, unit: scratch } = state;
  const { places, block, v } = scratch;
  let best: Best | undefined;
  let least = below ?? Number.NaN;
  for (let from = 0; from < n; ) {
    const unit = Math.floor((ids[from] as number) / width);
    let size = 0;
    for (; from < n && Math.floor((ids[from] as number) / width) === unit; from++)
      if (!gone[from]) places[size++] = from;
    if (size === 0) continue;
    for (let i = 0; i < size; i++)
      for (let j = 0; j <= i; j++) block[i * size + j] = nearOf(state, places[i] as number, places[j] as number);
    let cost = factorSmall(block, size) ? 0 : Infinity;
    for (let r = 0; r < rows; r++) {
      // |L⁻¹·w|² = wᵀ·(L·Lᵀ)⁻¹·w.
      for (let i = 0; i < size; i++) {
        let value = weights[r * n + (places[i] as number)] as number;
        for (let j = 0; j < i; j++) value -= (block[i * size + j] as number) * (v[j] as number);
        value /= block[i * size + i] as number;
        v[i] = value;
        cost += value * value;
      }
    }
    const price = cost / (size * rows + emptied(state, width, size));
    if (!(Number.isNaN(least) || price < least)) continue;
    best = { unit, cost, price, places: Array.from(places.subarray(0, size)) };
    least = price;
  }
  return best;
}

function factorSmall(a: Float64Array, n: number): boolean {
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let value = a[i * n + j] as number;
      for (let k = 0; k < j; k++) value -= (a[i * n + k] as number) * (a[j * n + k] as number);
      if (j < i) a[i * n + j] = value / (a[j * n + j] as number);
      else if (value > 0) a[i * n + i] = Math.sqrt(value);
      else return false;
    }
  return true;
}

/** Takes the input at a place away: its weights become zero, the others make up for it. */
function remove(state: State, place: number): void {
  const { n, weights, rows, ids, gone, near, span, vectors } = state;
  const column = columnOf(state, place);
  const d = column[place] as number;
  gone[place] = 1;
  for (const { width, left } of state.steps) {
    const step = Math.floor((ids[place] as number) / width);
    left[step] = (left[step] as number) - 1;
  }
  for (let r = 0; r < rows; r++) {
    const row = r * n;
    const share = (weights[row + place] as number) / d;
    if (share !== 0)
      for (let j = 0; j < n; j++) weights[row + j] = (weights[row + j] as number) - share * (column[j] as number);
    weights[row + place] = 0;
  }
  const by = 1 / Math.sqrt(d);
  for (let j = 0; j < n; j++) column[j] = (column[j] as number) * by;
  vectors.push(column);
  for (let i = 0; i < n; ) {
    const first = i;
    const unit = Math.floor((ids[first] as number) / span);
    while (i < n && Math.floor((ids[i] as number) / span) === unit) i++;
    for (let p = first; p < i; p++)
      for (let q = first; q < i; q++) {
        const at = (ids[p] as number) * span + ((ids[q] as number) % span);
        near[at] = (near[at] as number) - (column[p] as number) * (column[q] as number);
      }
  }
}

/** Leaves out what is gone once that is a sixth. */
function compact(state: State): void {
  const { n, weights, rows, ids, gone, vectors } = state;
  const places: number[] = [];
  for (let i = 0; i < n; i++) if (!gone[i]) places.push(i);
  const m = places.length;
  if (m * 6 > n * 5) return;
  for (const [k, v] of vectors.entries()) {
    for (let j = 0; j < m; j++) v[j] = v[places[j] as number] as number;
    vectors[k] = v.subarray(0, m);
  }
  for (let r = 0; r < rows; r++)
    for (let j = 0; j < m; j++) weights[r * m + j] = weights[r * n + (places[j] as number)] as number;
  state.ids = Uint32Array.from(places, (place) => ids[place] as number);
  state.gone = new Uint8Array(m);
  state.n = m;
}
