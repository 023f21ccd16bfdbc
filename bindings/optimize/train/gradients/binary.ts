/** Sums and products of two operands, and their gradients. One of the two may be a constant, or one number for each channel of each image. */
import type { Node, TensorId } from "../../../graph.ts";
import { inputOf, outputOf } from "../../../ops/constraints.ts";
import type { NodeView } from "../../../ops/types.ts";
import { broadcastStrides } from "../../../primitives/broadcast.ts";
import { UNARY_F32 } from "../../../primitives/elementwise/forms.ts";
import { BOUNDS } from "../../../primitives/requantize/quantization.ts";
import { elementCount } from "../../../tensor.ts";
import { floatsOf } from "../../constants.ts";
import { type Mixture, mix, spreading, turned } from "./mixture.ts";
import { PAIR, type Pair, pair } from "./pair.ts";
import { averageOf, imageOf, spreadOf } from "./pooling.ts";
import type { Gradient, Tape } from "./types.ts";
import { unary } from "./unary.ts";

type Binary = "add" | "sub" | "mul" | "div";
export type Any = Binary | "squaredDifference" | "maximum" | "minimum";

/** An operand as it is read: all its numbers, as many as the output has. */
interface Operand {
  readonly id: TensorId;
  /** As it stands in memory: `whole`, a constant, one number for each channel of each image, or repeated or negated otherwise. */
  readonly form: "whole" | "constant" | "channels" | "spread";
  readonly address: number;
  /** How a spread operand was made of its tensor. */
  readonly mixture?: Mixture;
}

/** a + b, clamped: both get the gradient. SUB with a constant is a sum. */
export const add = sum<"add">();
export const sub = sum<"sub">();
/** a · b, clamped: each gets the gradient times the other. DIV by a constant is a product, by a computed tensor a quotient. */
export const mul = product<"mul">();
export const div = product<"div">();

/** Numbers of operands that were spread over images, and constants, by tape and node: backward reads what forward made. */
const read = new WeakMap<Tape, Map<Node, readonly [Operand, Operand]>>();

function sum<K extends "add" | "sub">(): Gradient<K> {
  return {
    forward(node, view, tape) {
      const [a, b] = operandsOf(node, view as NodeView<Binary>, tape);
      const [lo, hi] = BOUNDS[view.attributes.activation];
      const { y, count } = resultOf(node, view as NodeView<Binary>, tape);
      pair(tape, { a: a.address, b: b.address, y, count, form: PAIR.sum, lo, hi });
    },
    backward(node, view, tape) {
      const { activation } = view.attributes;
      const { count } = resultOf(node, view as NodeView<Binary>, tape);
      const dy = maskedGradient(node, activation, count, tape);
      for (const operand of operandsOf(node, view as NodeView<Binary>, tape))
        give(tape, view as NodeView<Binary>, operand, { a: dy, b: dy, form: PAIR.copy });
    },
  };
}

function product<K extends "mul" | "div">(): Gradient<K> {
  return {
    forward(node, view, tape) {
      const [a, b] = operandsOf(node, view as NodeView<Binary>, tape);
      const { y, count } = resultOf(node, view as NodeView<Binary>, tape);
      pair(tape, { a: a.address, b: b.address, y, count, form: isQuotient(node, b) ? PAIR.quotient : PAIR.product });
      const { activation } = view.attributes;
      if (activation !== "none") unary(tape, UNARY_F32.clamp, y, y, count, BOUNDS[activation]);
    },
    backward(node, view, tape) {
      const { activation } = view.attributes;
      const { count } = resultOf(node, view as NodeView<Binary>, tape);
      const dy = maskedGradient(node, activation, count, tape);
      const [a, b] = operandsOf(node, view as NodeView<Binary>, tape);
      if (isQuotient(node, b)) {
        give(tape, view as NodeView<Binary>, a, { a: dy, b: b.address, form: PAIR.quotient });
        const product = tape.temporary(count);
        pair(tape, { a: dy, b: tape.value(node.outputs[0] as TensorId), y: product, count, form: PAIR.product });
        pair(tape, { a: product, b: product, y: product, count, form: PAIR.scale, lo: -1 });
        return give(tape, view as NodeView<Binary>, b, { a: product, b: b.address, form: PAIR.quotient });
      }
      for (const [own, other] of [
        [a, b],
        [b, a],
      ] as const)
        give(tape, view as NodeView<Binary>, own, { a: dy, b: other.address, form: PAIR.product });
    },
  };
}

/** Constants that are divided by are turned over before. */
const isQuotient = ({ kind }: Node, { form }: Operand) => kind === "div" && form !== "constant";

/** (a − b)²: its root is kept, times which both get twice the gradient. */
const roots = new WeakMap<Tape, Map<Node, number>>();
export const squaredDifference: Gradient<"squaredDifference"> = {
  forward(node, view, tape) {
    const [a, b] = operandsOf(node, view, tape);
    const { y, count } = resultOf(node, view, tape);
    const root = tape.keep(count);
    roots.set(tape, (roots.get(tape) ?? new Map<Node, number>()).set(node, root));
    pair(tape, { a: a.address, b: b.address, y: root, count, form: PAIR.sum });
    pair(tape, { a: root, b: root, y, count, form: PAIR.product });
  },
  backward(node, view, tape) {
    const { count } = resultOf(node, view, tape);
    const [twice, root] = [tape.temporary(count), roots.get(tape)?.get(node) ?? 0];
    const dy = tape.gradient(node.outputs[0] as TensorId);
    pair(tape, { a: dy, b: dy, y: twice, count, form: PAIR.scale, lo: 2 });
    for (const operand of operandsOf(node, view, tape))
      give(tape, view, operand, { a: twice, b: root, form: PAIR.product });
  },
};

/** Writes an operand's gradient, a function of two arrays of the output's size; summed over images where the operand was spread over them. */
export function give(
  tape: Tape,
  view: NodeView<Any>,
  { id, form, mixture }: Operand,
  gradient: Pick<Pair, "a" | "b" | "form" | "lo" | "hi">,
): void {
  const target = form === "constant" ? undefined : tape.give(id);
  if (target === undefined) return;
  const count = elementCount(outputOf(view).shape);
  const { address: y, accumulate } = target;
  if (form === "whole") return pair(tape, { ...gradient, y, count, accumulate });
  if (mixture !== undefined) {
    const all = tape.temporary(count);
    pair(tape, { ...gradient, y: all, count });
    return mix(tape, turned(mixture), all, y, accumulate);
  }
  const image = imageOf(outputOf(view).shape);
  const channels = image.batch * image.channels;
  const [all, mean] = [tape.temporary(count), tape.temporary(channels)];
  pair(tape, { ...gradient, y: all, count });
  averageOf(tape, image, all, mean);
  const pixels = tape.constant(new Float32Array(channels).fill(image.inH * image.inW));
  pair(tape, { a: mean, b: pixels, y, count: channels, form: PAIR.product, accumulate });
}

export const resultOf = (node: Node, view: NodeView<Any>, tape: Tape) => ({
  y: tape.value(node.outputs[0] as TensorId),
  count: elementCount(outputOf(view).shape),
});

/** Both operands; the second one negated where it is subtracted or compared. */
export function operandsOf(node: Node, view: NodeView<Any>, tape: Tape): readonly [Operand, Operand] {
  const known = read.get(tape) ?? new Map<Node, readonly [Operand, Operand]>();
  read.set(tape, known);
  const found = known.get(node) ?? ([operandOf(node, view, 0, tape), operandOf(node, view, 1, tape)] as const);
  known.set(node, found);
  return found;
}

const NEGATED: readonly string[] = ["sub", "squaredDifference", "maximum", "minimum"];

function operandOf(node: Node, view: NodeView<Any>, i: 0 | 1, tape: Tape): Operand {
  const id = node.inputs[i] as TensorId;
  const [tensor, { shape }] = [inputOf(view, i), outputOf(view)];
  const { kind } = node;
  const negated = i === 1 && NEGATED.includes(kind);
  if (tensor.data !== undefined) {
    const values = floatsOf(tensor);
    const turned = negated ? values.map((value) => -value) : values;
    const own = i === 1 && kind === "div" ? values.map((value) => 1 / value) : turned;
    return { id, form: "constant", address: tape.constant(broadcast(own, tensor.shape, shape)) };
  }
  const whole = tensor.shape.join() === shape.join();
  const channels = shape.length === 4 && tensor.shape.join() === [shape[0], 1, 1, shape[3]].join();
  if (negated || (!whole && !channels)) {
    const mixture = spreading(tensor.shape, shape, negated ? -1 : 1);
    const address = tape.keep(elementCount(shape));
    mix(tape, mixture, tape.value(id), address);
    return { id, form: "spread", address, mixture };
  }
  if (whole) return { id, form: "whole", address: tape.value(id) };
  return { id, form: "channels", address: spreadOf(tape, imageOf(shape), tape.value(id)) };
}

/** A constant's numbers, repeated as often as the output has room for them. */
export function broadcast(values: Float32Array, from: readonly number[], to: readonly number[]): Float32Array {
  const strides = broadcastStrides(from, to);
  return Float32Array.from({ length: elementCount(to) }, (_, i) => {
    let [rest, at] = [i, 0];
    for (let d = to.length - 1; d >= 0; d--) {
      at += (rest % (to[d] as number)) * (strides[d] as number);
      rest = Math.floor(rest / (to[d] as number));
    }
    return values[at] as number;
  });
}

/** The gradient of the output, through its clamp, in place. */
function maskedGradient(node: Node, activation: keyof typeof BOUNDS, count: number, tape: Tape): number {
  const y = node.outputs[0] as TensorId;
  const dy = tape.gradient(y);
  const [lo, hi] = BOUNDS[activation];
  if (activation !== "none") pair(tape, { a: dy, b: tape.value(y), y: dy, count, form: PAIR.clamp, lo, hi });
  return dy;
}
