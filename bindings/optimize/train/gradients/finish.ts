/** What convolutions and dense layers share after their products: bias or batch normalization, clamp, and the gradients of these. */
import type { Activation, Node, TensorId } from "../../../graph.ts";
import { BOUNDS } from "../../../primitives/requantize/quantization.ts";
import type { Norm, Parameter, Tape } from "./types.ts";

const BLOCKS = 16;
export const EPSILON = 1e-5;
const MOMENTUM = 0.1;

/** In place of what is not there; kernels read none of it. */
const NOTHING: Parameter = { value: 0, gradient: 0 };
const NO_NORM: Omit<Norm, "z"> = {
  gamma: NOTHING,
  beta: NOTHING,
  mean: 0,
  inverse: 0,
  runningMean: 0,
  runningVariance: 0,
};

interface Rows {
  readonly rows: number;
  readonly channels: number;
}

/** Where a product writes, and its bias and clamp: none where batch normalization follows. */
export function startProduct(node: Node, activation: Activation, tape: Tape) {
  const norm = tape.norm(node);
  if (norm) return { y: norm.z, bias: 0, lo: -Infinity, hi: Infinity };
  const [lo, hi] = BOUNDS[activation];
  return { y: tape.value(node.outputs[0] as TensorId), bias: biasOf(node, tape).value, lo, hi };
}

const biasOf = (node: Node, tape: Tape): Parameter => tape.bias(node) ?? NOTHING;

/** Normalizes, where the layer does. */
export function finishForward(node: Node, activation: Activation, size: Rows, tape: Tape): void {
  if (!tape.norm(node)) return;
  const params = blockOf(node, activation, size, tape, 0);
  const elements = size.rows * size.channels;
  tape.call({ kernel: "normSumsF32", params }, { elements });
  tape.call({ kernel: "normApplyF32", params }, { elements });
}

/** Turns the gradient of the output into that of the product, in place, and writes those of bias or γ and β. Returns its address. */
export function startBackward(node: Node, activation: Activation, size: Rows, tape: Tape): number {
  const dy = tape.gradient(node.outputs[0] as TensorId);
  const params = blockOf(node, activation, size, tape, dy);
  const elements = size.rows * size.channels;
  if (!params.gamma && !params.dBeta && activation === "none") return dy;
  tape.call({ kernel: "normGradSumsF32", params }, { elements });
  tape.call({ kernel: "normGradApplyF32", params }, { elements });
  return dy;
}

function blockOf(node: Node, activation: Activation, { rows, channels }: Rows, tape: Tape, dy: number) {
  const norm = tape.norm(node);
  const { gamma, beta, mean, inverse, runningMean, runningVariance } = norm ?? NO_NORM;
  const [lo, hi] = BOUNDS[activation];
  const y = tape.value(node.outputs[0] as TensorId);
  return {
    z: norm?.z ?? y,
    y,
    dy,
    rows,
    channels,
    lo,
    hi,
    momentum: MOMENTUM,
    epsilon: EPSILON,
    gamma: gamma.value,
    beta: beta.value,
    mean,
    inverse,
    runningMean,
    runningVariance,
    dGamma: gamma.gradient,
    dBeta: (norm ? beta : biasOf(node, tape)).gradient,
    partials: tape.temporary(BLOCKS * 2 * channels),
  };
}
