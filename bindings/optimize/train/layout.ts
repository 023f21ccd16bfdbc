/** Where each parameter stands in the arrays that are trained: weights, which decay, first; then biases and what normalization has. */
import { type Graph, NONE, type Node, type TensorId, tensorOf } from "../../graph.ts";
import { elementCount, sizeOf } from "../../tensor.ts";
import { gradientOf } from "./gradients/index.ts";

/** By a copied parameter the one that it follows. */
export type Ties = ReadonlyMap<TensorId, TensorId>;

/** `running`: mean, then variance, of a layer. */
type Role = "weight" | "bias" | "gamma" | "beta" | "running";

/** Floats of one parameter, from `offset` on. */
export interface Slot {
  readonly role: Role;
  /** The layer's weight, or its bias where that is the role. */
  readonly tensor: TensorId;
  readonly offset: number;
  /** Of mean alone where the role is `running`. */
  readonly floats: number;
}

export interface Layout {
  readonly slots: readonly Slot[];
  /** Floats of weights, and of all parameters, and of running means and variances. */
  readonly decayed: number;
  readonly floats: number;
  readonly running: number;
  readonly bySlot: ReadonlyMap<string, Slot>;
}

/** A layer with weights. */
export interface Layer {
  readonly node: Node;
  readonly weight: TensorId;
  /** NONE where it has none. */
  readonly bias: TensorId;
  readonly channels: number;
  /** Dimension of the weights that is the output channel. */
  readonly axis: number;
}

/** The layers of a graph whose weights are constants. */
export function layersOf(graph: Graph): readonly Layer[] {
  return graph.nodes.flatMap((node) => {
    const places = gradientOf(node as Node)?.weights;
    const weight = node.inputs[places?.input ?? -1] ?? NONE;
    const tensor = graph.tensors[weight];
    if (places === undefined || tensor?.data === undefined || tensor.dtype !== "float32") return [];
    const channels = sizeOf(tensor, places.axis);
    return [{ node: node as Node, weight, bias: node.inputs[places.bias] ?? NONE, channels, axis: places.axis }];
  });
}

const keyOf = (role: Role, tensor: TensorId) => `${role} ${tensor}`;
const padded = (floats: number) => Math.ceil(floats / 4) * 4;

/**
 * The layout of these layers; those whose weights are in `normalized` have normalization in place of a bias. Parameters that follow others, none
 * of them with normalization, have those's places.
 */
export function layOut(graph: Graph, all: readonly Layer[], normalized: ReadonlySet<TensorId>, ties: Ties): Layout {
  const layers = all.filter(({ weight }) => !ties.has(weight));
  const slots: Slot[] = [];
  let end = 0;
  const add = (role: Role, tensor: TensorId, floats: number) => {
    slots.push({ role, tensor, offset: end, floats });
    end += padded(floats);
  };
  for (const { weight } of layers) add("weight", weight, elementCount(tensorOf(graph, weight).shape));
  const decayed = end;
  for (const { weight, bias, channels } of all) {
    if (normalized.has(weight)) {
      add("gamma", weight, channels);
      add("beta", weight, channels);
    } else if (bias !== NONE && !ties.has(bias)) add("bias", bias, channels);
  }
  const floats = end;
  let running = 0;
  for (const { weight, channels } of layers) {
    if (!normalized.has(weight)) continue;
    slots.push({ role: "running", tensor: weight, offset: running, floats: channels });
    running += 2 * channels;
  }
  const bySlot = new Map(slots.map((slot) => [keyOf(slot.role, slot.tensor), slot] as const));
  for (const role of ["weight", "bias"] as const)
    for (const [id, first] of ties) {
      const slot = bySlot.get(keyOf(role, first));
      if (slot !== undefined) bySlot.set(keyOf(role, id), slot);
    }
  return { slots, decayed, floats, running, bySlot };
}

export function slotOf(layout: Layout, role: Role, tensor: TensorId): Slot | undefined {
  return layout.bySlot.get(keyOf(role, tensor));
}
