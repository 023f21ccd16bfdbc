/** Rows over the last dimensions that are brought to one length, or to mean 0 and variance 1. */
import { ensure } from "../../../errors.ts";
import type { OpKind, TensorId } from "../../../graph.ts";
import { inputOf } from "../../../ops/constraints.ts";
import type { NodeView } from "../../../ops/types.ts";
import { UNARY_F32 } from "../../../primitives/elementwise/forms.ts";
import { elementCount } from "../../../tensor.ts";
import { floatsOf } from "../../constants.ts";
import { mix, turned } from "./mixture.ts";
import { PAIR, pair } from "./pair.ts";
import { sums } from "./softmax.ts";
import type { Gradient, Tape } from "./types.ts";
import { unary } from "./unary.ts";

interface Rows {
  readonly rows: number;
  readonly depth: number;
  readonly count: number;
}

function rowsOf(view: NodeView<OpKind>, dimensions: number): Rows {
  const { shape } = inputOf(view, 0);
  const [count, depth] = [elementCount(shape), elementCount(shape.slice(-dimensions))];
  return { count, depth, rows: count / depth };
}

/** L2_NORMALIZATION's least length is 1e-6. */
const LEAST = 1e-12;

/** y = x / |x|; dx = (dy − y · Σ dy · y) / |x|. */
export const l2Normalization: Gradient<"l2Normalization"> = {
  forward(node, view, tape) {
    const size = rowsOf(view, 1);
    const [x, y] = [tape.value(node.inputs[0] as TensorId), tape.value(node.outputs[0] as TensorId)];
    pair(tape, { a: x, b: rates(tape, size, x, 1, LEAST), y, count: size.count, form: PAIR.product });
  },
  backward(node, view, tape) {
    const target = tape.give(node.inputs[0] as TensorId);
    if (target === undefined) return;
    const size = rowsOf(view, 1);
    const [y, dy] = [tape.value(node.outputs[0] as TensorId), tape.gradient(node.outputs[0] as TensorId)];
    const rest = without(tape, size, dy, y, 1);
    const rate = rates(tape, size, tape.value(node.inputs[0] as TensorId), 1, LEAST);
    pair(tape, {
      a: rest,
      b: rate,
      y: target.address,
      count: size.count,
      form: PAIR.product,
      accumulate: target.accumulate,
    });
  },
};

/** y = n · scale + bias of n = (x − mean) · r; dx = r · (dn − mean of dn − n · mean of dn · n). Scale and bias stay as they are. */
export const layerNorm: Gradient<"layerNorm"> = {
  forward(node, view, tape) {
    const size = rowsOf(view, view.attributes.dimensions);
    const { count } = size;
    const { n } = normalized(view, tape, size, tape.value(node.inputs[0] as TensorId));
    const y = tape.value(node.outputs[0] as TensorId);
    const [scale, bias] = [repeated(view, tape, 1, size), repeated(view, tape, 2, size)];
    const scaled = scale === undefined ? { a: n, b: n, form: PAIR.copy } : { a: n, b: scale, form: PAIR.product };
    pair(tape, { ...scaled, y, count });
    if (bias !== undefined) pair(tape, { a: bias, b: bias, y, count, form: PAIR.copy, accumulate: 1 });
  },
  backward(node, view, tape) {
    const target = tape.give(node.inputs[0] as TensorId);
    if (target === undefined) return;
    const size = rowsOf(view, view.attributes.dimensions);
    const { count, depth } = size;
    const { n, rate } = normalized(view, tape, size, tape.value(node.inputs[0] as TensorId));
    const dy = tape.gradient(node.outputs[0] as TensorId);
    const scale = repeated(view, tape, 1, size);
    const dn = scale === undefined ? dy : tape.temporary(count);
    if (scale !== undefined) pair(tape, { a: dy, b: scale, y: dn, count, form: PAIR.product });
    const rest = without(tape, size, centred(tape, size, dn), n, 1 / depth);
    pair(tape, { a: rest, b: rate, y: target.address, count, form: PAIR.product, accumulate: target.accumulate });
  },
};

function normalized({ attributes }: NodeView<"layerNorm">, tape: Tape, size: Rows, x: number) {
  const n = centred(tape, size, x);
  const rate = rates(tape, size, n, 1 / size.depth, attributes.epsilon);
  pair(tape, { a: n, b: rate, y: n, count: size.count, form: PAIR.product });
  return { n, rate };
}

/** A constant of one row, for all rows. */
function repeated(view: NodeView<"layerNorm">, tape: Tape, input: number, { count, depth }: Rows): number | undefined {
  const tensor = view.inputs[input];
  if (tensor === undefined) return undefined;
  ensure(tensor.data !== undefined, "UNSUPPORTED", () => ({
    where: view.where,
    expected: "a constant scale and bias to train",
    received: "computed ones",
  }));
  const own = floatsOf(tensor);
  return tape.constant(Float32Array.from({ length: count }, (_, i) => own[i % depth] as number));
}

/** x less the mean of its row. */
function centred(tape: Tape, { count, depth, rows }: Rows, x: number): number {
  const [own, y] = [tape.temporary(rows), tape.temporary(count)];
  mix(tape, sums(rows, depth, 1 / depth), x, own);
  mix(tape, turned(sums(rows, depth, -1)), own, y);
  pair(tape, { a: x, b: y, y, count, form: PAIR.sum });
  return y;
}

/** x less what of it lies along n: n times the sum of the row's x · n, times `weight`. */
function without(tape: Tape, { count, depth, rows }: Rows, x: number, n: number, weight: number): number {
  const [own, y] = [tape.temporary(rows), tape.temporary(count)];
  pair(tape, { a: x, b: n, y, count, form: PAIR.product });
  mix(tape, sums(rows, depth, weight), y, own);
  mix(tape, turned(sums(rows, depth, -1)), own, y);
  pair(tape, { a: y, b: n, y, count, form: PAIR.product });
  pair(tape, { a: x, b: y, y, count, form: PAIR.sum });
  return y;
}

/** For each number one over the root of its row's sum of squares times `weight`, and epsilon. */
function rates(tape: Tape, { count, depth, rows }: Rows, x: number, weight: number, epsilon: number): number {
  const [own, y] = [tape.temporary(rows), tape.temporary(count)];
  pair(tape, { a: x, b: x, y, count, form: PAIR.product });
  mix(tape, sums(rows, depth, weight), y, own);
  const added = tape.constant(new Float32Array(rows).fill(epsilon));
  pair(tape, { a: own, b: added, y: own, count: rows, form: PAIR.sum });
  unary(tape, UNARY_F32.rsqrt, own, own, rows);
  mix(tape, turned(sums(rows, depth)), own, y);
  return y;
}
