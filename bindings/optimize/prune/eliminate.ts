/** Takes weights away one unit after another, always the one whose loss hurts least, the rest making up for it. */

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
  /** Of each so many units in a row at most `most` may go; absent: all may. */
  readonly group?: { readonly units: number; readonly most: number };
  /**
   * Of single inputs: how many next to each other a kernel leaves out together, from the fewest on, each a multiple of those before. One of these that
   * is all gone counts like one weight more.
   */
  readonly steps?: readonly number[];
}

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
  const state: State = {
    n: size,
    inverse: inverse.slice(),
    weights: weights.slice(),
    rows,
    ids: Uint32Array.from({ length: size }, (_, i) => i),
    gone: new Uint8Array(size),
  };
  const { width, group, steps } = units;
  const total = Math.ceil(size / width);
  const taken = new Uint32Array(group ? Math.ceil(total / group.units) : 0);
  const order: number[] = [];
  const costs: number[] = [];
  const prices: number[] = [];
  const closed = (unit: number) =>
    group !== undefined && (taken[Math.floor(unit / group.units)] as number) >= group.most;
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

/** What is left: matrices of `n` inputs, some of which are gone until the next `compact`. */
interface State {
  n: number;
  inverse: Float64Array;
  weights: Float64Array;
  readonly rows: number;
  /** Input of each place. */
  ids: Uint32Array;
  gone: Uint8Array;
}

interface Best {
  readonly unit: number;
  readonly cost: number;
  readonly price: number;
  readonly places: readonly number[];
}

function cheapest(state: State, closed: (unit: number) => boolean): Best | undefined {
  const { n, inverse, weights, rows, ids, gone } = state;
  let place = -1;
  let cost = Infinity;
  for (let i = 0; i < n; i++) {
    if (gone[i] || closed(ids[i] as number)) continue;
    let sum = 0;
    for (let r = 0; r < rows; r++) sum += (weights[r * n + i] as number) ** 2;
    sum /= inverse[i * n + i] as number;
    if (sum < cost) [place, cost] = [i, sum];
  }
  return place < 0 ? undefined : { unit: ids[place] as number, cost, price: cost / rows, places: [place] };
}

/** A single input, or what is left of one step, whichever is cheapest for its weights and the steps that go with it. */
function cheapestOfSteps(state: State, steps: readonly number[]): Best | undefined {
  const { n, ids, gone } = state;
  const left = steps.map((width) => {
    const counts = new Map<number, number>();
    for (let i = 0; i < n; i++) {
      const step = Math.floor((ids[i] as number) / width);
      if (!gone[i]) counts.set(step, (counts.get(step) ?? 0) + 1);
    }
    return counts;
  });
  let best: Best | undefined;
  for (const width of [1, ...steps]) {
    // The places are all that is left of one unit of `width`: narrower steps in them go all, wider ones where they hold nothing else.
    const emptied = (places: readonly number[]) => {
      let sum = 0;
      for (const [i, of] of steps.entries())
        if (of > width)
          sum += left[i]?.get(Math.floor((ids[places[0] as number] as number) / of)) === places.length ? 1 : 0;
        else sum += new Set(places.map((place) => Math.floor((ids[place] as number) / of))).size;
      return sum;
    };
    const found = cheapestUnit(state, width, emptied);
    if (found !== undefined && (best === undefined || found.price < best.price)) best = found;
  }
  return best;
}

/** Units of more than one input: a small factorization each. `more`: what its places count beside their weights. */
function cheapestUnit(
  state: State,
  width: number,
  more: (places: readonly number[]) => number = () => 0,
): Best | undefined {
  const { n, inverse, weights, rows, ids, gone } = state;
  const block = new Float64Array(width * width);
  const v = new Float64Array(width);
  let best: Best | undefined;
  for (let from = 0; from < n; ) {
    const unit = Math.floor((ids[from] as number) / width);
    const places: number[] = [];
    for (; from < n && Math.floor((ids[from] as number) / width) === unit; from++) if (!gone[from]) places.push(from);
    const size = places.length;
    if (size === 0) continue;
    for (let i = 0; i < size; i++)
      for (let j = 0; j <= i; j++)
        block[i * size + j] = inverse[(places[i] as number) * n + (places[j] as number)] as number;
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
    const price = cost / (size * rows + more(places));
    if (best === undefined || price < best.price) best = { unit, cost, price, places };
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
  const { n, inverse, weights, rows, gone } = state;
  const pivot = place * n;
  const d = inverse[pivot + place] as number;
  gone[place] = 1;
  for (let r = 0; r < rows; r++) {
    const row = r * n;
    const share = (weights[row + place] as number) / d;
    if (share !== 0)
      for (let j = 0; j < n; j++)
        weights[row + j] = (weights[row + j] as number) - share * (inverse[pivot + j] as number);
    weights[row + place] = 0;
  }
  for (let i = 0; i < n; i++) {
    if (i === place) continue;
    const row = i * n;
    const share = (inverse[row + place] as number) / d;
    if (share === 0) continue;
    for (let j = 0; j < n; j++)
      inverse[row + j] = (inverse[row + j] as number) - share * (inverse[pivot + j] as number);
    inverse[row + place] = 0;
  }
  inverse.fill(0, pivot, pivot + n);
}

/** Leaves out what is gone once that is a sixth. */
function compact(state: State): void {
  const { n, inverse, weights, rows, ids, gone } = state;
  const places: number[] = [];
  for (let i = 0; i < n; i++) if (!gone[i]) places.push(i);
  const m = places.length;
  if (m * 6 > n * 5) return;
  for (let i = 0; i < m; i++) {
    const from = (places[i] as number) * n;
    for (let j = 0; j < m; j++) inverse[i * m + j] = inverse[from + (places[j] as number)] as number;
  }
  for (let r = 0; r < rows; r++)
    for (let j = 0; j < m; j++) weights[r * m + j] = weights[r * n + (places[j] as number)] as number;
  state.ids = Uint32Array.from(places, (place) => ids[place] as number);
  state.gone = new Uint8Array(m);
  state.n = m;
}
