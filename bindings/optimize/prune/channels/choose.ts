/** Which channels go: those whose loss hurts least for the multiply-adds that it saves. */
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

/** Classes to remove until at most `budget` multiply-adds are left: always the one that costs least for what it saves. */
export function chooseChannels(
  channels: Channels,
  costs: ReadonlyMap<number, number>,
  budget: number,
): ReadonlySet<number> {
  const { parts, widths } = countsOf(channels);
  const gone = new Set<number>();
  let left = macsOf(channels.layers);
  const open = new Set([...channels.free].filter((each) => parts.has(each)));
  while (left > budget) {
    let best: { readonly each: number; readonly saved: number } | undefined;
    let price = Infinity;
    for (const each of open) {
      const own = parts.get(each) as readonly Part[];
      const saved = own.reduce((sum, part) => sum + savedBy(part), 0);
      const cost = (costs.get(each) ?? 0) / saved;
      if (cost < price && saved > 0) [best, price] = [{ each, saved }, cost];
    }
    if (best === undefined) break;
    const { each } = best;
    open.delete(each);
    if ((widths.get(each) ?? []).some((width) => width.left - (width.counts.get(each) ?? 0) < width.least)) continue;
    for (const width of widths.get(each) ?? []) width.left -= width.counts.get(each) ?? 0;
    for (const part of parts.get(each) ?? []) {
      part.work.inputs -= part.inputs;
      part.work.outputs -= part.outputs;
    }
    gone.add(each);
    left -= best.saved;
  }
  return gone;
}

function savedBy({ work, inputs, outputs }: Part): number {
  return macs(work) - macs({ ...work, inputs: work.inputs - inputs, outputs: work.outputs - outputs });
}

/** Channels of one tensor: how many are left, and how many of each class. */
interface Width {
  readonly counts: ReadonlyMap<number, number>;
  readonly least: number;
  left: number;
}

function countsOf(channels: Channels) {
  const parts = new Map<number, Part[]>();
  const widths = new Map<number, Width[]>();
  const add = <T>(to: Map<number, T[]>, each: number, item: T) => to.set(each, [...(to.get(each) ?? []), item]);
  for (const layer of channels.layers) {
    const { positions, inputs, outputs } = layer;
    const work: Work = { layer, positions, inputs, outputs };
    const rows = counted(channels.of(layer.y) ?? []);
    const columns = counted(channels.columns(layer) ?? []);
    for (const each of new Set([...rows.keys(), ...columns.keys()]))
      add(parts, each, { work, inputs: columns.get(each) ?? 0, outputs: rows.get(each) ?? 0 });
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
