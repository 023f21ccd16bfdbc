/** Networks that give each pixel numbers, and fresh ones of each kind. */
import type { Graph, TensorId } from "../../../bindings/graph.ts";
import { freshNetwork } from "../../../bindings/optimize/train/architectures/index.ts";
import { type Builder, buildNetwork } from "./networks.ts";

export const SIZE = 8;
const WINDOWS = { stride: [1, 1], dilation: [1, 1], padding: "same", activation: "none" } as const;

const conv = (to: Builder, x: TensorId, shape: readonly number[]) =>
  to.node("conv2d", [x, to.weights(shape, 0.3), to.weights([shape[0] as number], 0.1)], WINDOWS);

/** Two convolutions that give each pixel so many numbers, and what comes after them. */
export function pixels(numbers: number, after: (to: Builder, x: TensorId) => TensorId = (_, x) => x): Graph {
  const to = buildNetwork([1, SIZE, SIZE, 1], 3);
  return to.graph(after(to, conv(to, to.node("tanh", [conv(to, to.input, [8, 3, 3, 1])], {}), [numbers, 3, 3, 8])));
}

export const softmax = (to: Builder, x: TensorId) => to.node("softmax", [x], { beta: 1 });
export const toFront = (to: Builder, x: TensorId) => to.node("transpose", [x, to.integers(0, 3, 1, 2)], {});

export const logistic = (to: Builder, x: TensorId) => to.node("logistic", [x], {});

export const FRESH = { shape: [1, SIZE, SIZE, 1], classes: 2, seed: 0 };
export const VALUES = freshNetwork("ds-cnn:0.5", { ...FRESH, gives: "values" });
export const DECISIONS = freshNetwork("ds-cnn:0.5", { ...FRESH, gives: "decisions" });
export const EMBEDDINGS = freshNetwork("ds-cnn:0.5", { ...FRESH, classes: 16, gives: "embeddings" });
