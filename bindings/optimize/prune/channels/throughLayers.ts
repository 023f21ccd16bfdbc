/** How channels go through layers: what they read ends, and what they give begins. */
import { NONE, type TensorId, tensorOf } from "../../../graph.ts";
import type { Layer } from "../../linear/layers.ts";
import { isConstant, type Walk } from "./walk.ts";

/** The layers of a graph, and what is known of them so far. */
export interface Layers {
  readonly all: readonly Layer[];
  /** The first layer that has these weights. */
  readonly firstUser: ReadonlyMap<TensorId, Layer>;
  /** The class of each column of a layer's weights, by the layer's node. */
  readonly columns: Map<number, readonly number[]>;
}

/** Whether channels can be followed through a layer. */
export function throughLayer(walk: Walk, layers: Layers, layer: Layer): boolean {
  const { graph, sets, give } = walk;
  const of = (id: TensorId) => lastOf(walk, id);
  const { columns } = layers;
  const { kind, x, y, weights, bias, inputs, outputs, groups, patches } = layer;
  if (
    !ownedByLayers(walk, layers, weights, "weights") ||
    (bias !== NONE && !(isConstant(graph, bias) && ownedByLayers(walk, layers, bias, "bias")))
  )
    return false;
  if (isConstant(graph, x) || tensorOf(graph, weights).dtype !== "float32") return false;
  if (kind === "depthwiseConv2d") {
    const from = of(x);
    give(
      y,
      Array.from({ length: outputs }, (_, o) => from[Math.floor((o * groups) / outputs)] as number),
    );
    return true;
  }
  if (groups !== 1) return throughGroups(walk, layer);
  const from = of(x);
  const depth = patches?.depth ?? inputs;
  if (depth % from.length !== 0) return false;
  columns.set(
    layer.at,
    Array.from({ length: inputs }, (_, i) => from[(i % depth) % from.length] as number),
  );
  give(y, sets.fresh(outputs));
  return true;
}

/** The classes of the last dimension, over which layers sum; where channels are another one, they stay, and so does it. */
function lastOf({ graph, sets, of, axisOf, freeze }: Walk, id: TensorId): readonly number[] {
  const last = tensorOf(graph, id).shape.length - 1;
  if (axisOf(id) === last) return of(id);
  freeze(id);
  const classes = sets.fresh(tensorOf(graph, id).shape[last] ?? 1);
  sets.freeze(classes);
  return classes;
}

/** Whether layers alone read a constant, each as its weights, or its bias. */
function ownedByLayers({ readers }: Walk, { all }: Layers, id: TensorId, as: "weights" | "bias"): boolean {
  return readers[id] === all.filter((layer) => layer[as] === id).length;
}

/** Layers that share weights read and give channels of the same classes. */
export function likeFirst({ sets, of }: Walk, { firstUser, columns }: Layers, { at, weights, y }: Layer): boolean {
  const first = firstUser.get(weights);
  if (first === undefined || first.at === at) return true;
  const [own, theirs] = [columns.get(at), columns.get(first.at)];
  if (own && theirs) sets.join(theirs, own);
  sets.join(of(first.y), of(y));
  return true;
}

/** A group goes as a whole: what it reads and what it gives are one class. */
function throughGroups(walk: Walk, { x, y, inputs, outputs, groups, patches }: Layer): boolean {
  const { sets, give } = walk;
  const from = lastOf(walk, x);
  const depth = patches?.depth ?? inputs;
  if (from.length !== groups * depth) return false;
  const firstOf = (i: number, each: number) => from[Math.floor(i / each) * depth] as number;
  sets.join(
    from.map((_, i) => firstOf(i, depth)),
    from,
  );
  give(
    y,
    Array.from({ length: outputs }, (_, o) => firstOf(o, outputs / groups)),
  );
  return true;
}
