/** Which weights stay: patterns, and the order in which a layer loses its units. */
import { columnSteps } from "../../primitives/product/sparse.ts";
import type { Layer } from "../linear/layers.ts";
import { eliminate, type Rows, type Trace, type Units } from "./eliminate.ts";
import type { Zeros } from "./options.ts";
import { scoreOnce } from "./scores.ts";
import { outputEnergies, type System } from "./systems.ts";

/** Outputs and inputs of a block, as the sparse kernels and TFLite's block encoding take it. */
const BLOCK = { outputs: 8, inputs: 4 } as const;

interface Shape {
  /** Outputs that lose their inputs together. */
  readonly rows: number;
  readonly units: Units;
}

const SHAPES: { readonly [P in Zeros]: Shape } = {
  unstructured: { rows: 1, units: { width: 1 } },
  block: { rows: BLOCK.outputs, units: { width: BLOCK.inputs } },
  "2:4": { rows: 1, units: { width: 1, group: { units: 4, stay: 2 } } },
};

/** Multiply-adds of all layers' eliminations: units of layers beyond, the smallest first, are scored once instead of after each that goes. */
const MOST_WORK = 2e10;

/** The layers, by their nodes, whose units are scored anew after each that goes. */
export function exactLayers(systems: readonly System[], pattern: Zeros): ReadonlySet<number> {
  const works = systems.map(({ layer: { at, outputs, inputs } }) => ({
    at,
    work: ((outputs / SHAPES[pattern].rows) * inputs ** 3) / 2,
  }));
  const exact = new Set<number>();
  let sum = 0;
  for (const { at, work } of works.sort((a, b) => a.work - b.work)) {
    sum += work;
    if (sum <= MOST_WORK) exact.add(at);
  }
  return exact;
}

/** Some outputs of a layer and the order in which they lose units, with the part of the layer's relative error that each makes. */
interface Panel extends Trace {
  readonly first: number;
  readonly rows: number;
}

/** How a layer loses its weights. */
export interface Elimination {
  readonly pattern: Zeros;
  readonly outputs: number;
  readonly inputs: number;
  readonly panels: readonly Panel[];
}

/**
 * Eliminates a layer's units, all that the pattern lets go. Costs are relative: squared error of an output by its variance
 * in the dense network, averaged over the outputs, so that what all units of a layer cost is about 1 and layers compare.
 * `exact`: scored anew after each that goes.
 */
export function eliminateLayer(system: System, pattern: Zeros, exact: boolean): Elimination {
  const { outputs, inputs, groups } = system.layer;
  const { rows: height } = SHAPES[pattern];
  const units = unitsOf(pattern, system.layer);
  const most = Math.ceil(inputs / units.width);
  const scaled = relative(system);
  const parts: (Rows & { readonly first: number })[] = [];
  const width = outputs / groups;
  for (let group = 0; group < groups; group++)
    for (let from = 0; from < width; from += height) {
      const first = group * width + from;
      const rows = Math.min(height, width - from);
      const weights = scaled.subarray(first * inputs, (first + rows) * inputs);
      parts.push({ first, rows, weights, size: inputs, inverse: system.inverse(group) });
    }
  const traces = exact ? parts.map((part) => eliminate(part, units, most)) : scoreOnce(parts, units, most);
  const panels = parts.map(({ first, rows }, i): Panel => ({ first, rows, ...(traces[i] as Trace) }));
  return { pattern, outputs, inputs, panels };
}

/** Single weights of a layer that a kernel runs by its columns go rather where a step of that kernel goes with them. */
function unitsOf(pattern: Zeros, { inputs, positions, patches }: Layer): Units {
  const { units } = SHAPES[pattern];
  if (pattern !== "unstructured") return units;
  const steps = columnSteps({ m: positions, patches: patches !== undefined && patches.depth !== inputs });
  return steps.length === 0 ? units : { ...units, steps };
}

/** The weights of each output, divided by the deviation of what it gives and by the root of the number of outputs. */
function relative(system: System): Float64Array {
  const { outputs, inputs } = system.layer;
  const scaled = system.weights.slice();
  const energies = outputEnergies(system);
  for (let o = 0; o < outputs; o++) {
    const energy = (energies[o] as number) * outputs;
    const by = energy > 0 ? 1 / Math.sqrt(energy) : 0;
    for (let i = o * inputs; i < (o + 1) * inputs; i++) scaled[i] = (scaled[i] as number) * by;
  }
  return scaled;
}

/** What is left of a layer. */
export interface Mask {
  /** 1 for weights that stay `[outputs][inputs]`. */
  readonly kept: Uint8Array;
  readonly zeros: number;
  /** Relative squared error of the layer's outputs, by the elimination's own account. */
  readonly error: number;
}

/**
 * Masks of layers that together lose a share of their weights: whatever panel of whatever layer has the unit that costs
 * least for its weights loses it. The sum of the layers' relative errors is then about the least for that share.
 */
export function masksAt(eliminations: readonly Elimination[], share: number): readonly Mask[] {
  const masks = eliminations.map(({ outputs, inputs }) => ({
    kept: new Uint8Array(outputs * inputs).fill(1),
    zeros: 0,
    error: 0,
  }));
  const places = eliminations.flatMap(({ panels, pattern, inputs }, at) =>
    panels.map((panel) => ({
      panel,
      width: SHAPES[pattern].units.width,
      inputs,
      mask: masks[at] as Mutable<Mask>,
      next: 0,
    })),
  );
  const countOf = ({ panel, width, inputs, next }: (typeof places)[number]) =>
    panel.rows * Math.min(width, inputs - (panel.order[next] as number) * width);
  const queue = new Heap(places, (place) =>
    place.next < place.panel.order.length ? (place.panel.prices[place.next] as number) : Infinity,
  );
  const wanted = share * masks.reduce((sum, { kept }) => sum + kept.length, 0);
  for (let zeros = 0; zeros < wanted && queue.price() < Infinity; ) {
    const place = queue.top();
    const { panel, width, inputs, mask, next } = place;
    const unit = panel.order[next] as number;
    const count = countOf(place);
    // The unit that crosses the line goes only where that is nearer to it.
    if (zeros + count - wanted > wanted - zeros) break;
    for (let r = panel.first; r < panel.first + panel.rows; r++)
      mask.kept.fill(0, r * inputs + unit * width, Math.min(r * inputs + (unit + 1) * width, (r + 1) * inputs));
    zeros += count;
    mask.zeros += count;
    mask.error += panel.costs[next] as number;
    place.next++;
    queue.sink();
  }
  return masks;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Items by price, the least on top. */
class Heap<T> {
  readonly #items: T[];
  readonly #prices: Float64Array;
  readonly #price: (item: T) => number;

  constructor(items: T[], price: (item: T) => number) {
    this.#items = items;
    this.#prices = Float64Array.from(items, price);
    this.#price = price;
    for (let i = (items.length >> 1) - 1; i >= 0; i--) this.#sink(i);
  }
  top(): T {
    return this.#items[0] as T;
  }
  price(): number {
    return this.#prices[0] ?? Infinity;
  }
  /** Puts the item on top, whose price has risen, where it belongs. */
  sink(): void {
    this.#prices[0] = this.#price(this.top());
    this.#sink(0);
  }
  #sink(from: number): void {
    const [items, prices] = [this.#items, this.#prices];
    const item = items[from] as T;
    const price = prices[from] as number;
    let i = from;
    for (;;) {
      let child = 2 * i + 1;
      if (child + 1 < items.length && (prices[child + 1] as number) < (prices[child] as number)) child++;
      if (child >= items.length || (prices[child] as number) >= price) break;
      items[i] = items[child] as T;
      prices[i] = prices[child] as number;
      i = child;
    }
    items[i] = item;
    prices[i] = price;
  }
}
