/** Softmax and its logarithm inside a network, over the last dimension, and PRELU of constant slopes. */
import type { OpKind, TensorId } from "../../../graph.ts";
import { inputOf, outputOf } from "../../../ops/constraints.ts";
import type { NodeView } from "../../../ops/types.ts";
import { UNARY_F32 } from "../../../primitives/elementwise/forms.ts";
import { elementCount } from "../../../tensor.ts";
import { floatsOf } from "../../constants.ts";
import { broadcast } from "./binary.ts";
import { type Mixture, mix, turned } from "./mixture.ts";
import { PAIR, pair } from "./pair.ts";
import type { Gradient, Tape } from "./types.ts";
import { unary } from "./unary.ts";

export function sizesOf(view: NodeView<OpKind>) {
  const { shape } = outputOf(view);
  const count = elementCount(shape);
  const classes = shape.at(-1) ?? 1;
  return { count, classes, rows: count / classes };
}

/** The sum of each row's numbers, times `factor`. */
export const sums = (rows: number, classes: number, factor = 1): Mixture => ({
  ...{ images: rows, from: classes, width: 1 },
  rows: [Array.from({ length: classes }, (_, i) => [i, factor] as const)],
});

export const softmax: Gradient<"softmax"> = {
  forward(node, view, tape) {
    const { count } = sizesOf(view);
    const y = tape.value(node.outputs[0] as TensorId);
    const logs = logarithms(
      view,
      tape,
      tape.value(node.inputs[0] as TensorId),
      tape.temporary(count),
      view.attributes.beta,
    );
    unary(tape, UNARY_F32.exp, logs, y, count);
  },
  /** dx = β · y · (dy − Σ dy · y). */
  backward(node, view, tape) {
    const target = tape.give(node.inputs[0] as TensorId);
    if (target === undefined) return;
    const { count, classes, rows } = sizesOf(view);
    const [y, dy] = [tape.value(node.outputs[0] as TensorId), tape.gradient(node.outputs[0] as TensorId)];
    const [own, whole] = [tape.temporary(rows), tape.temporary(count)];
    pair(tape, { a: dy, b: y, y: whole, count, form: PAIR.product });
    mix(tape, sums(rows, classes), whole, own);
    mix(tape, turned(sums(rows, classes, -1)), own, whole);
    pair(tape, { a: dy, b: whole, y: whole, count, form: PAIR.sum });
    pair(tape, { a: whole, b: whole, y: whole, count, form: PAIR.scale, lo: view.attributes.beta });
    const { address, accumulate } = target;
    pair(tape, { a: whole, b: y, y: address, count, form: PAIR.product, accumulate });
  },
};

/** The logarithm of softmax. */
export const logSoftmax: Gradient<"logSoftmax"> = {
  forward(node, view, tape) {
    logarithms(view, tape, tape.value(node.inputs[0] as TensorId), tape.value(node.outputs[0] as TensorId), 1);
  },
  /** dx = dy − exp(y) · Σ dy. */
  backward(node, view, tape) {
    const target = tape.give(node.inputs[0] as TensorId);
    if (target === undefined) return;
    const { count, classes, rows } = sizesOf(view);
    const [y, dy] = [tape.value(node.outputs[0] as TensorId), tape.gradient(node.outputs[0] as TensorId)];
    const [own, whole, part] = [tape.temporary(rows), tape.temporary(count), tape.temporary(count)];
    mix(tape, sums(rows, classes), dy, own);
    mix(tape, turned(sums(rows, classes, -1)), own, whole);
    unary(tape, UNARY_F32.exp, y, part, count);
    pair(tape, { a: part, b: whole, y: whole, count, form: PAIR.product });
    pair(tape, { a: whole, b: dy, y: whole, count, form: PAIR.sum });
    pair(tape, { a: whole, b: whole, y: target.address, count, form: PAIR.copy, accumulate: target.accumulate });
  },
};

/** Writes β · x less the logarithm of the sum of each row's exponentials to y, and returns it. */
function logarithms(view: NodeView<"softmax" | "logSoftmax">, tape: Tape, x: number, y: number, beta: number): number {
  const { count, classes, rows } = sizesOf(view);
  const [own, whole] = [tape.temporary(rows), tape.temporary(count)];
  const windows = { batch: rows, inH: 1, inW: classes, channels: 1, outH: 1, outW: 1, kH: 1, kW: classes };
  const rest = { strideH: 1, strideW: 1, padTop: 0, padLeft: 0, scratch: 0, scratchStride: 0, lo: 0, hi: 0 };
  const params = { ...windows, ...rest, least: -Infinity, most: Infinity, x, y: own };
  tape.call({ kernel: "maxPoolF32", params }, { elements: count });
  const spread = turned(sums(rows, classes, -1));
  mix(tape, spread, own, y);
  pair(tape, { a: x, b: y, y, count, form: PAIR.sum });
  pair(tape, { a: y, b: y, y, count, form: PAIR.scale, lo: beta });
  unary(tape, UNARY_F32.exp, y, whole, count);
  mix(tape, sums(rows, classes), whole, own);
  unary(tape, UNARY_F32.log, own, own, rows);
  mix(tape, spread, own, y, 1);
  return y;
}

/** The parts of x above and below 0, the second times the slopes, which stay as they are. */
export const prelu: Gradient<"prelu"> = {
  forward(node, view, tape) {
    const [x, y] = [tape.value(node.inputs[0] as TensorId), tape.value(node.outputs[0] as TensorId)];
    parts(view, tape, x, x, y, 0);
  },
  backward(node, view, tape) {
    const target = tape.give(node.inputs[0] as TensorId);
    if (target === undefined) return;
    const dy = tape.gradient(node.outputs[0] as TensorId);
    parts(view, tape, dy, tape.value(node.inputs[0] as TensorId), target.address, target.accumulate);
  },
};

/** a where b > 0, a times the slope where b < 0. */
function parts(view: NodeView<"prelu">, tape: Tape, a: number, b: number, y: number, accumulate: 0 | 1): void {
  const { shape } = outputOf(view);
  const count = elementCount(shape);
  const slopes = tape.constant(broadcast(floatsOf(inputOf(view, 1)), inputOf(view, 1).shape, shape));
  const below = tape.temporary(count);
  pair(tape, { a, b, y: below, count, form: PAIR.clamp, lo: -Infinity, hi: 0 });
  pair(tape, { a, b, y, count, form: PAIR.clamp, lo: 0, hi: Infinity, accumulate });
  pair(tape, { a: below, b: slopes, y, count, form: PAIR.product, accumulate: 1 });
}
