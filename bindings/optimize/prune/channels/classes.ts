/**
 * Which channels of a network stay or go together. A channel's class runs through depthwise layers, activations and pooling; an addition joins the classes
 * of what it adds, a concatenation keeps those of its parts side by side.
 */
import type { AnyNode, Graph, TensorId } from "../../../graph.ts";
import { type Layer, layersOf } from "../../linear/layers.ts";
import { throughOther } from "./through.ts";
import { likeFirst, throughLayer } from "./throughLayers.ts";
import { createWalk } from "./walk.ts";

/** Classes of the channels of each tensor, which are its last dimension until something turns it, and of the inputs of dense layers, by number. */
export interface Channels {
  /** Of an activation, or of a constant that has one value for each channel. */
  of(id: TensorId): readonly number[] | undefined;
  /** The dimension that these are along. */
  axisOf(id: TensorId): number;
  /** The class of each column of a layer's weights; undefined for depthwise layers. */
  columns(layer: Pick<Layer, "at">): readonly number[] | undefined;
  /** Classes that may go. */
  readonly free: ReadonlySet<number>;
  readonly layers: readonly Layer[];
}

/** The channels of a graph whose types are inferred. */
export function channelsOf(graph: Graph): Channels {
  const walk = createWalk(graph);
  const { sets, known, freeze } = walk;
  const layers = layersOf(graph);
  const byNode = new Map(layers.map((layer) => [layer.at, layer] as const));
  const firstUser = new Map([...layers].reverse().map((layer) => [layer.weights, layer] as const));
  const columns = new Map<number, readonly number[]>();
  const all = { all: layers, firstUser, columns };
  const through = (node: AnyNode, layer: Layer | undefined) =>
    layer ? throughLayer(walk, all, layer) && likeFirst(walk, all, layer) : throughOther(walk, node);
  for (const { tensor } of graph.inputs) freeze(tensor);
  for (const [at, node] of graph.nodes.entries()) {
    if (through(node, byNode.get(at))) continue;
    for (const id of node.inputs) freeze(id);
    for (const id of node.outputs) freeze(id);
  }
  for (const { tensor } of graph.outputs) freeze(tensor);

  const free = new Set<number>();
  const found = (classes: readonly number[] | undefined) => classes?.map(sets.find);
  for (const classes of known.values()) for (const each of classes) if (!sets.frozen(each)) free.add(sets.find(each));
  return {
    of: (id) => found(known.get(id)),
    axisOf: walk.axisOf,
    columns: ({ at }) => found(columns.get(at)),
    free,
    layers,
  };
}
