/** LSTM with a projection or normalized gates, of which ONNX has no layer: its steps, one after the other. */
import { type AnyNode, NONE, type Node, type TensorId } from "../../../graph.ts";
import { elementCount } from "../../../tensor.ts";
import { listed } from "../../spelled.ts";
import type { Emitter } from "./emit.ts";
import { sayFirst, startOf } from "./recurrent.ts";
import { biasOf, clip, given, input, output, real, reduction, reshaped, sizesOf, sliced } from "./steps.ts";

/** What is added to a variance. Source: TFLite's MeanStddevNormalization. */
const LEAST = 1e-8;
/** TensorFlow Lite's number of an activation. */
const RELU = 1;
const GATES = ["input", "forget", "cell", "output"] as const;

/** A state: of a sequence its start, of one step what it is before. */
function stateBefore(node: Node<"lstm">, to: Emitter, at: number): string {
  const id = input(node as AnyNode, at);
  if (!node.attributes.sequence) return to.real(id);
  const { shape } = to.tensor(id);
  return startOf(to, id) ?? to.constant("start", "float32", shape, new Float32Array(elementCount(shape)));
}

/** Whether the output is integers by another scale than its tensor tells: that of the insides. */
function isOther(node: Node<"lstm">, to: Emitter): boolean {
  const { scale } = node.attributes.intermediates?.[4] ?? {};
  const { quantization } = to.tensor(output(node as AnyNode));
  return (node.inputs[16] ?? NONE) === NONE && scale !== undefined && quantization?.scale[0] !== scale;
}

/** Writes a layer, or one step; false where what it gives is told nowhere. */
export function unrolled(node: Node<"lstm">, to: Emitter): boolean {
  if (isOther(node, to)) return false;
  const { sequence, timeMajor } = node.attributes;
  const { shape } = to.tensor(input(node as AnyNode, 0));
  const [steps, inputs] = [sequence ? (shape[timeMajor ? 0 : 1] as number) : 1, shape.at(-1) as number];
  const x = given(node, to);
  let [h, c] = [stateBefore(node, to, 18), stateBefore(node, to, 19)];
  const step = stepOf(node, to);
  const axis = timeMajor ? 0 : 1;
  // a step is some forty operators
  listed(node.where, steps * 1024);
  const rows = Array.from({ length: steps }, (_, time) => {
    const own = sequence ? reshaped(to, sliced(to, x, [time], [time + 1], [axis]), [-1, inputs]) : x;
    [h, c] = step(own, h, c);
    return sequence ? to.step("Unsqueeze", [h, to.integers("axis", [axis])]) : h;
  });
  if (sequence) {
    to.set(output(node as AnyNode), reshaped(to, to.step("Concat", rows, { axis }), sizesOf(node as AnyNode, to)));
    sayFirst(to, node);
    return true;
  }
  to.set(output(node as AnyNode), to.step("Identity", [h]));
  for (const [at, value] of [
    [18, h],
    [19, c],
  ] as const) {
    const id = input(node as AnyNode, at);
    to.states.set(id, to.held(id, value), to);
  }
  return true;
}

/** From an input and both states to the next states. */
function stepOf(node: Node<"lstm">, to: Emitter) {
  const { activation, cellClip, projectionClip } = node.attributes;
  const has = (i: number) => (node.inputs[i] ?? NONE) !== NONE;
  const at = (i: number) => input(node as AnyNode, i);
  const act = (value: string) => to.step(activation === RELU ? "Relu" : "Tanh", [value]);
  const times = (a: string, b: string) => to.step("Mul", [a, b]);
  const plus = (a: string, b: string) => to.step("Add", [a, b]);
  const vector = (i: number, w?: TensorId) => (w === undefined ? to.real(at(i)) : biasOf(to, at(i), at(0), w));
  const product = (value: string, w: TensorId) => to.step("Gemm", [value, to.real(w)], { transB: 1 });
  const bounded = (value: string, bound: number) => (bound > 0 ? clip(to, value, -bound, bound) : value);
  const normalized = (value: string): string => {
    const apart = to.step("Sub", [value, reduction(to, "ReduceMean", value, [-1], true)]);
    const variance = reduction(to, "ReduceMean", times(apart, apart), [-1], true);
    return to.step("Div", [apart, to.step("Sqrt", [plus(variance, real(to, LEAST))])]);
  };
  /** The bias of a normalized gate: integers are 1024ths of the steps of its weights. */
  const normBias = (i: number): string => {
    const { dtype, shape } = to.tensor(at(12 + i));
    const { quantization } = to.tensor(at(20 + i));
    if (dtype !== "int32" || quantization === undefined) return vector(12 + i);
    const scale = quantization.scale.map((each) => each / 1024);
    return to.dequantized(to.name(at(12 + i)), dtype, { scale, zeroPoint: [0], axis: 0 }, shape);
  };
  /** A gate before its function: of GATES, with the cell's share where it has one. */
  const gate = (name: (typeof GATES)[number], x: string, h: string, c: string): string => {
    const i = GATES.indexOf(name);
    const w = at(1 + i);
    let sum = plus(product(x, w), product(h, at(5 + i)));
    const peephole = i === 2 ? NONE : 9 + Math.min(i, 2);
    if (peephole !== NONE && has(peephole)) sum = plus(sum, times(c, vector(peephole)));
    if (has(20 + i)) return plus(times(normalized(sum), vector(20 + i)), normBias(i));
    return plus(sum, vector(12 + i, w));
  };
  return (x: string, h: string, c: string): [string, string] => {
    const forget = to.step("Sigmoid", [gate("forget", x, h, c)]);
    const news = act(gate("cell", x, h, c));
    const share = has(1) ? to.step("Sigmoid", [gate("input", x, h, c)]) : to.step("Sub", [real(to, 1), forget]);
    const cell = bounded(plus(times(forget, c), times(share, news)), cellClip);
    const own = times(to.step("Sigmoid", [gate("output", x, h, cell)]), act(cell));
    if (!has(16)) return [own, cell];
    const projected = product(own, at(16));
    return [bounded(has(17) ? plus(projected, vector(17)) : projected, projectionClip), cell];
  };
}
