/** Which channels go: those whose loss hurts least for the multiply-adds that it saves, in counts that kernels like. */
import type { TensorId } from "../../../graph.ts";
import type { Layer } from "../../linear/layers.ts";
import type { Channels } from "./classes.ts";

/** Channels that no tensor falls below: a vector's. */
const LEAST = 4;

/** How often a class is among the inputs and outputs of a layer. */
interface Part {
  readonly work: Work;
  inputs: number;
  outputs: number;
}

/** Multiply-adds of a layer: positions · inputs · outputs. Inputs of a depthwise layer are its window. */
interface Work {
  readonly layer: Layer;
  readonly positions: number;
  inputs: number;
  outputs: number;
}

const macs = ({ positions, inputs, outputs }: Work) => positions * inputs * outputs;

/** Multiply-adds of all convolutions, depthwise and dense layers of one run. */
export function macsOf(layers: readonly Layer[]): number {
  return layers.reduce((sum, { positions, inputs, outputs }) => sum + positions * inputs * outputs, 0);
}

interface ChooseOptions {
  /** Channels that stand together stay in multiples of this, and go one by one only where nothing else is left; 1 when absent. */
  readonly multiple?: number;
  /** Whether about as many multiply-adds as the budget will do. */
  readonly near?: boolean;
}

/** Classes to remove until at most `budget` multiply-adds are left: always those that cost least for what they save. */
export function chooseChannels(
  channels: Channels,
  costs: ReadonlyMap<number, number>,
  budget: number,
  { multiple = 1, near = false }: ChooseOptions = {},
): ReadonlySet<number> {
  const counts = countsOf(channels);
  const families = familiesOf(channels, counts, costs);
  const gone = new Set<number>();
  let left = macsOf(channels.layers);
  while (left > budget) {
    const choices = [multiple, 1].map((tile) => families.flatMap((family) => choiceOf(family, tile, counts, costs)));
    const all = choices.find(({ length }) => length > 0);
    if (all === undefined) break;
    const need = left - budget;
    const cheapest = least(all, ({ cost, saved }) => cost / saved);
    // Of several at once the last need not save more than is asked for.
    const best =
      multiple === 1 || cheapest.saved < need
        ? cheapest
        : least(all, ({ cost, saved }) => (saved < need ? Infinity : cost));
    if (near && best.saved > 2 * need) break;
    for (const each of best.classes) {
      for (const width of counts.widths.get(each) ?? []) width.left -= width.counts.get(each) ?? 0;
      for (const part of counts.parts.get(each) ?? []) {
        part.work.inputs -= part.inputs;
        part.work.outputs -= part.outputs;
      }
      gone.add(each);
    }
    best.family.open = best.family.open.slice(best.classes.length);
    best.family.left -= best.classes.length;
    left -= best.saved;
  }
  return gone;
}

/** Classes that are in the same tensors as often, those that may go by rising costs, and how many are left. */
interface Family {
  open: readonly number[];
  left: number;
}

function familiesOf(channels: Channels, { parts, widths }: Counts, costs: ReadonlyMap<number, number>): Family[] {
  const ids = new Map([...new Set([...widths.values()].flat())].map((width, i) => [width, i] as const));
  const families = new Map<string, number[]>();
  for (const [each, of] of widths) {
    const key = of.map((width) => `${ids.get(width)}:${width.counts.get(each)}`).join();
    families.set(key, [...(families.get(key) ?? []), each]);
  }
  return [...families.values()].map((classes) => ({
    open: classes
      .filter((each) => channels.free.has(each) && parts.has(each))
      .sort((a, b) => (costs.get(a) ?? 0) - (costs.get(b) ?? 0)),
    left: classes.length,
  }));
}

interface Choice {
  readonly family: Family;
  readonly classes: readonly number[];
  readonly cost: number;
  readonly saved: number;
}

/** What of a family goes next, that a multiple of `tile` stays; none where that cannot be. */
function choiceOf(
  family: Family,
  wanted: number,
  { parts, widths }: Counts,
  costs: ReadonlyMap<number, number>,
): readonly Choice[] {
  const first = family.open[0];
  if (first === undefined) return [];
  const tile = tileOf(family, wanted);
  // A class of several channels, as a group's are, brings that much of a multiple by itself.
  const each = Math.min(...(widths.get(first) ?? []).map(({ counts }) => counts.get(first) ?? 1), tile);
  const of = tile % each === 0 ? tile / each : tile;
  const count = family.left % of || of;
  const classes = family.open.slice(0, count);
  if (classes.length < count || (tile > 1 && family.left <= of)) return [];
  if ((widths.get(first) ?? []).some(({ left, counts, least }) => left - count * (counts.get(first) ?? 0) < least))
    return [];
  // All of a family are as often in the same layers.
  const saved = (parts.get(first) ?? []).reduce((sum, part) => sum + savedBy(part, count), 0);
  const cost = classes.reduce((sum, each) => sum + (costs.get(each) ?? 0), 0);
  return saved > 0 ? [{ family, classes, cost, saved }] : [];
}

/** A multiple, or half of it where few are left, as in branches of 16: the whole would be half of them, or all. */
const tileOf = ({ left }: Family, wanted: number): number =>
  wanted % 2 === 0 && left <= 2 * wanted ? wanted / 2 : wanted;

function least<T>(all: readonly T[], of: (one: T) => number): T {
  return all.reduce((best, one) => (of(one) < of(best) ? one : best));
}

function savedBy({ work, inputs, outputs }: Part, count: number): number {
  return (
    macs(work) -
    macs({
      ...work,
      inputs: work.inputs - count * inputs,
      outputs: work.outputs - count * outputs,
    })
  );
}

interface Counts {
  readonly parts: ReadonlyMap<number, readonly Part[]>;
  readonly widths: ReadonlyMap<number, readonly Width[]>;
}

/** Channels of one tensor: how many are left, and how many of each class. */
interface Width {
  readonly counts: ReadonlyMap<number, number>;
  readonly least: number;
  left: number;
}

function countsOf(channels: Channels): Counts {
  const parts = new Map<number, Part[]>();
  const widths = new Map<number, Width[]>();
  const add = <T>(to: Map<number, T[]>, each: number, item: T) => to.set(each, [...(to.get(each) ?? []), item]);
  for (const layer of channels.layers) {
    const { positions, inputs, outputs } = layer;
    const work: Work = { layer, positions, inputs, outputs };
    const rows = counted(channels.of(layer.y) ?? []);
    const columns = counted(channels.columns(layer) ?? []);
    for (const each of new Set([...rows.keys(), ...columns.keys()]))
      add(parts, each, {
        work,
        inputs: columns.get(each) ?? 0,
        outputs: rows.get(each) ?? 0,
      });
    for (const id of [layer.x, layer.y] as readonly TensorId[]) {
      const counts = counted(channels.of(id) ?? []);
      const left = [...counts.values()].reduce((a, b) => a + b, 0);
      const width: Width = { counts, left, least: Math.min(LEAST, left) };
      for (const each of counts.keys()) add(widths, each, width);
    }
  }
  return { parts, widths };
}

function counted(classes: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const each of classes) counts.set(each, (counts.get(each) ?? 0) + 1);
  return counts;
}
