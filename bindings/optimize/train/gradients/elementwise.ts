import { ensure } from "../../../errors.ts";
import type { Node, OpKind, TensorId } from "../../../graph.ts";
import { inputOf, outputOf } from "../../../ops/constraints.ts";
import type { NodeView } from "../../../ops/types.ts";
import { BOUNDS } from "../../../primitives/requantize/quantization.ts";
import { elementCount, listText } from "../../../tensor.ts";
import type { Gradient, Tape } from "./types.ts";

/** Forms of the kernel `pairGradF32`, and of `unaryF32`: see assembly/train/elementwise.simd.ts and assembly/elementwise/unary-f32.ts. */
const PAIR = { sum: 0, copy: 1, product: 2, clamp: 3, hardSwish: 4, logistic: 5, tanh: 6, leaky: 7 } as const;
const UNARY = { clamp: 0, leaky: 1, logistic: 13, tanh: 14, hardSwish: 18 } as const;

interface Pair {
  readonly a: number;
  readonly b: number;
  readonly y: number;
  readonly count: number;
  readonly form: number;
  readonly accumulate?: 0 | 1;
  readonly lo?: number;
  readonly hi?: number;
}

function pair(tape: Tape, { accumulate = 0, lo = -Infinity, hi = Infinity, ...rest }: Pair): void {
  tape.call({ kernel: "pairGradF32", params: { ...rest, accumulate, lo, hi } }, { elements: rest.count });
}

const [first, second] = [0, 1] as const;

/** a + b of equal shapes, clamped: both get the gradient. */
export const add: Gradient<"add"> = {
  forward(node, view, tape) {
    const [lo, hi] = BOUNDS[view.attributes.activation];
    const count = equalShapes(node, view);
    const [a, b] = [first, second].map((i) => tape.value(node.inputs[i] as TensorId)) as [number, number];
    pair(tape, { a, b, y: tape.value(node.outputs[0] as TensorId), count, form: PAIR.sum, lo, hi });
  },
  backward(node, view, tape) {
    const count = equalShapes(node, view);
    const dy = maskedGradient(node, view.attributes.activation, count, tape);
    for (const id of node.inputs) {
      const target = tape.give(id);
      if (target === undefined) continue;
      const { address: y, accumulate } = target;
      pair(tape, { a: dy, b: dy, y, count, form: PAIR.copy, accumulate });
    }
  },
};

/** a · b of equal shapes, clamped: each gets the gradient times the other. */
export const mul: Gradient<"mul"> = {
  forward(node, view, tape) {
    const count = equalShapes(node, view);
    ensure(view.attributes.activation === "none", "UNSUPPORTED", () => ({
      where: node.where,
      expected: "a product without an activation to train",
      received: view.attributes.activation,
    }));
    const [a, b] = [first, second].map((i) => tape.value(node.inputs[i] as TensorId)) as [number, number];
    pair(tape, { a, b, y: tape.value(node.outputs[0] as TensorId), count, form: PAIR.product });
  },
  backward(node, view, tape) {
    const count = equalShapes(node, view);
    const dy = tape.gradient(node.outputs[0] as TensorId);
    for (const i of [first, second]) {
      const target = tape.give(node.inputs[i] as TensorId);
      if (target === undefined) continue;
      const other = tape.value(node.inputs[1 - i] as TensorId);
      pair(tape, { a: dy, b: other, y: target.address, count, form: PAIR.product, accumulate: target.accumulate });
    }
  },
};

/** The gradient of the output, through its clamp, in place. */
function maskedGradient(node: Node, activation: keyof typeof BOUNDS, count: number, tape: Tape): number {
  const y = node.outputs[0] as TensorId;
  const dy = tape.gradient(y);
  const [lo, hi] = BOUNDS[activation];
  if (activation !== "none") pair(tape, { a: dy, b: tape.value(y), y: dy, count, form: PAIR.clamp, lo, hi });
  return dy;
}

function equalShapes(node: Node, view: NodeView<OpKind>): number {
  const [a, b] = [inputOf(view, 0), inputOf(view, 1)];
  ensure(a.shape.join() === b.shape.join() && !a.data && !b.data, "UNSUPPORTED", () => ({
    where: node.where,
    expected: "two activations of one shape to train",
    received: `${listText(a.shape)} and ${listText(b.shape)}${a.data || b.data ? ", one of them constant" : ""}`,
  }));
  return elementCount(outputOf(view).shape);
}

interface Unary {
  readonly forward: number;
  readonly backward: number;
  /** Whether the derivative is a function of the result, instead of the operand. */
  readonly ofResult: boolean;
  readonly lo?: number;
  readonly hi?: number;
}

/** A function of one number and its derivative. */
function unary<K extends OpKind>(formOf: (view: NodeView<K>) => Unary): Gradient<K> {
  return {
    forward(node, view, tape) {
      const { forward: form, lo = 0, hi = 0 } = formOf(view);
      const [x, y] = [tape.value(node.inputs[0] as TensorId), tape.value(node.outputs[0] as TensorId)];
      const count = elementCount(outputOf(view).shape);
      tape.call({ kernel: "unaryF32", params: { x, y, count, form, lo, hi } }, { elements: count });
    },
    backward(node, view, tape) {
      const target = tape.give(node.inputs[0] as TensorId);
      if (target === undefined) return;
      const { backward: form, ofResult, lo = 0, hi = 0 } = formOf(view);
      const b = tape.value((ofResult ? node.outputs[0] : node.inputs[0]) as TensorId);
      const a = tape.gradient(node.outputs[0] as TensorId);
      const { address: y, accumulate } = target;
      pair(tape, { a, b, y, count: elementCount(outputOf(view).shape), form, accumulate, lo, hi });
    },
  };
}

function clamp<K extends OpKind>(activation: keyof typeof BOUNDS): Gradient<K> {
  const [lo, hi] = BOUNDS[activation];
  return unary(() => ({ forward: UNARY.clamp, backward: PAIR.clamp, ofResult: true, lo, hi }));
}

export const relu = clamp<"relu">("relu");
export const relu6 = clamp<"relu6">("relu6");
export const reluN1To1 = clamp<"reluN1To1">("reluN1To1");
export const logistic = unary<"logistic">(() => ({
  forward: UNARY.logistic,
  backward: PAIR.logistic,
  ofResult: true,
}));
export const tanh = unary<"tanh">(() => ({ forward: UNARY.tanh, backward: PAIR.tanh, ofResult: true }));
export const hardSwish = unary<"hardSwish">(() => ({
  forward: UNARY.hardSwish,
  backward: PAIR.hardSwish,
  ofResult: false,
}));
export const leakyRelu = unary<"leakyRelu">(({ attributes: { alpha } }) => ({
  forward: UNARY.leaky,
  backward: PAIR.leaky,
  ofResult: false,
  lo: alpha,
}));
