/** Powers by the exponents that networks are written with: as products and roots. */
import { ensure } from "../../../errors.ts";
import type { TensorId } from "../../../graph.ts";
import { inputOf, outputOf } from "../../../ops/constraints.ts";
import type { NodeView } from "../../../ops/types.ts";
import { UNARY_F32 } from "../../../primitives/elementwise/forms.ts";
import { elementCount } from "../../../tensor.ts";
import { floatsOf } from "../../constants.ts";
import { PAIR, pair } from "./pair.ts";
import type { Gradient } from "./types.ts";
import { unary } from "./unary.ts";

export const pow: Gradient<"pow"> = {
  forward(node, view, tape) {
    const { exponent, count } = exponentOf(view);
    const [x, y] = [tape.value(node.inputs[0] as TensorId), tape.value(node.outputs[0] as TensorId)];
    if (exponent === 0.5) return unary(tape, UNARY_F32.sqrt, x, y, count);
    unary(tape, UNARY_F32.square, x, y, count);
    if (exponent === 3) pair(tape, { a: x, b: y, y, count, form: PAIR.product });
  },
  /** x½: dy / 2y; x²: 2 · dy · x; x³: 3 · dy · x². */
  backward(node, view, tape) {
    const target = tape.give(node.inputs[0] as TensorId);
    if (target === undefined) return;
    const { exponent, count } = exponentOf(view);
    const [x, y] = [tape.value(node.inputs[0] as TensorId), tape.value(node.outputs[0] as TensorId)];
    const part = tape.temporary(count);
    const dy = tape.gradient(node.outputs[0] as TensorId);
    if (exponent === 0.5) pair(tape, { a: dy, b: y, y: part, count, form: PAIR.quotient });
    else pair(tape, { a: dy, b: x, y: part, count, form: PAIR.product });
    if (exponent === 3) pair(tape, { a: part, b: x, y: part, count, form: PAIR.product });
    const { address, accumulate } = target;
    pair(tape, { a: part, b: part, y: address, count, form: PAIR.scale, accumulate, lo: exponent });
  },
};

function exponentOf(view: NodeView<"pow">): { readonly exponent: number; readonly count: number } {
  const power = inputOf(view, 1);
  const [exponent = Number.NaN, ...rest] = power.data === undefined ? [] : floatsOf(power);
  const count = elementCount(outputOf(view).shape);
  const whole = elementCount(inputOf(view, 0).shape) === count && rest.every((each) => each === exponent);
  ensure(whole && [0.5, 2, 3].includes(exponent), "UNSUPPORTED", () => ({
    where: view.where,
    expected: "powers of exponent 0.5, 2 or 3 to train",
    received: power.data === undefined ? "a computed exponent" : `${exponent}`,
  }));
  return { exponent, count };
}
