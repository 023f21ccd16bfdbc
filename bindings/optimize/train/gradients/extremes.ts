/** The larger or smaller of each two, b + clamp(a − b): the one that is taken gets the gradient. */
import type { Node, TensorId } from "../../../graph.ts";
import type { NodeView } from "../../../ops/types.ts";
import { type Any, give, operandsOf, resultOf } from "./binary.ts";
import { PAIR, pair } from "./pair.ts";
import type { Gradient, Tape } from "./types.ts";

export const maximum = extreme<"maximum">({ lo: 0, hi: Infinity });
export const minimum = extreme<"minimum">({ lo: -Infinity, hi: 0 });

/** `clamp`: what a − b is where a is taken. */
function extreme<K extends "maximum" | "minimum">(clamp: { readonly lo: number; readonly hi: number }): Gradient<K> {
  const other = { lo: -clamp.hi, hi: -clamp.lo };
  return {
    forward(node, view, tape) {
      const { negated, y, count, a, b } = start(node, view as NodeView<Any>, tape);
      pair(tape, { a: a.address, b: b.address, y, count, form: PAIR.sum, ...clamp });
      pair(tape, { a: b.address, b: b.address, y: negated, count, form: PAIR.scale, lo: -1 });
      pair(tape, { a: y, b: negated, y, count, form: PAIR.sum });
    },
    backward(node, view, tape) {
      const { negated, count, a, b } = start(node, view as NodeView<Any>, tape);
      const difference = tape.temporary(count);
      pair(tape, { a: a.address, b: b.address, y: difference, count, form: PAIR.sum });
      const dy = tape.gradient(node.outputs[0] as TensorId);
      give(tape, view as NodeView<Any>, a, { a: dy, b: difference, form: PAIR.clamp, ...clamp });
      pair(tape, { a: dy, b: dy, y: negated, count, form: PAIR.scale, lo: -1 });
      give(tape, view as NodeView<Any>, b, { a: negated, b: difference, form: PAIR.clamp, ...other });
    },
  };
}

function start(node: Node, view: NodeView<Any>, tape: Tape) {
  const [a, b] = operandsOf(node, view, tape);
  const { y, count } = resultOf(node, view, tape);
  return { a, b, y, count, negated: tape.temporary(count) };
}
