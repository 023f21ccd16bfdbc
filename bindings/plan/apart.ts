/** Weights that lie in their file until their node is lowered: the file's memory becomes the session's. */
import type { AnyNode, Graph, OpKind } from "../graph.ts";
import type { NodeView } from "../ops/types.ts";
import type { Tensor } from "../tensor.ts";
import type { Image, Resting } from "./image.ts";
import { ARENA_ADDRESS } from "./types.ts";

/** Smaller constants are copied. */
const LEAST = 4096;
/** What operators of these kinds take as input 1 they are done with once it is packed, where all is int8. */
const PACKING = ["conv2d", "depthwiseConv2d", "fullyConnected"];
/** What is packed takes so much more than the weights, or a share of them: columns that fill the last panel, and records. */
const MORE = 16384;
const MORE_SHARE = 1 / 64;

/** The tensor with its bytes read into a target of so many. */
interface Lying {
  readonly length: number;
  into(target: Uint8Array): Tensor;
}

const LYING = new WeakMap<Tensor, Lying>();

/** The graph without a byte in the file's memory, which is zeros then. Weights are read again by whoever asks for them. */
export function takeApart(graph: Graph, { memory: { buffer }, read }: Resting): Graph {
  const tensors = graph.tensors.map((tensor): Tensor => {
    const { data, ...type } = tensor;
    if (data?.buffer !== buffer) return tensor;
    const { byteOffset, length } = data;
    if (length < LEAST || type.dtype !== "int8") return { ...type, data: data.slice() };
    const into = (target: Uint8Array) => {
      read(byteOffset, target);
      return { ...type, data: target };
    };
    const lying = {
      ...type,
      get data() {
        return into(new Uint8Array(length)).data;
      },
    };
    LYING.set(lying, { length, into });
    return lying;
  });
  new Uint8Array(buffer).fill(0);
  return { ...graph, tensors };
}

/** Gives a node that is lowered its weights. */
export type Stage = (node: AnyNode, view: NodeView<OpKind>) => NodeView<OpKind>;

/** Weights of one node at a time lie in the arena, of so many bytes, which is nobody's while a network is planned. */
export function createStage(image: Image, arenaBytes: number): Stage {
  return ({ kind }, view) => {
    const [x, w, ...rest] = view.inputs;
    const lying = w && LYING.get(w);
    if (lying === undefined || !PACKING.includes(kind) || x?.dtype !== "int8") return view;
    const { length, into } = lying;
    const buffer = length > arenaBytes ? undefined : image.reserve(Math.ceil(length * (1 + MORE_SHARE)) + MORE);
    const target = buffer ? new Uint8Array(buffer, ARENA_ADDRESS, length) : new Uint8Array(length);
    return { ...view, inputs: [x, into(target), ...rest] };
  };
}
