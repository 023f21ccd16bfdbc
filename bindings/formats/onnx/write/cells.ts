/** LSTM, RNN and their forms of both directions, as TensorFlow Lite has them → ONNX' layers. */
import { type AnyNode, NONE, type OpKind, type TensorId } from "../../../graph.ts";
import type { Emitter } from "./emit.ts";
import { type Direction, type Layer, numbersOf, type Part, sayFirst, startOf, writeLayer } from "./recurrent.ts";
import { given, input, output, reshaped, sizesOf, sliced, type Writer } from "./steps.ts";
import { unrolled } from "./unrolled.ts";

/** Where the tensors of a direction stand: of gates the first of four (input, forget, cell, output). */
interface Places {
  readonly x: number;
  readonly h: number;
  readonly peephole: number;
  readonly bias: number;
  readonly states: readonly number[];
  /** Weights of another input, which is put beside the first. */
  readonly aux?: number | undefined;
}

/** ONNX' order of those four. */
const ORDER = [0, 3, 1, 2];
/** TensorFlow Lite's numbers of activations. */
const RELU = 1;
const TANH = 4;

const has = (node: AnyNode, i: number) => (node.inputs[i] ?? NONE) !== NONE;
/** The state before a sequence, which begins anew in each run, or before one step. */
const stateOf = (node: AnyNode, to: Emitter, i: number) =>
  isStep(node) ? to.real(input(node, i)) : startOf(to, input(node, i));
const isStep = ({ attributes }: AnyNode) => "sequence" in attributes && attributes.sequence === false;

/** Vectors with the sign turned. */
const negative = (to: Emitter, numbers: Float32Array | string) =>
  typeof numbers === "string" ? to.step("Neg", [numbers]) : numbers.map((value) => -value);

/** Without an input gate its share is 1 − σ(forget): σ(−forget). */
function lstmDirection(node: AnyNode, to: Emitter, at: Places, isReverse: boolean): Direction {
  const isCoupled = !has(node, at.x);
  const x = input(node, 0);
  const [cells = 0] = to.tensor(input(node, at.x + 1)).shape;
  const rows = (first: number, aux?: number) =>
    ORDER.map((gate): Part => {
      const own = gate > 0 || !isCoupled ? gate : 1;
      const part = beside(node, to, first + own, aux === undefined ? undefined : aux + own);
      if (own === gate) return part;
      return to.step("Neg", [typeof part === "string" ? part : to.real(part)]);
    });
  const bias = ORDER.map((gate) => {
    const own = isCoupled && gate === 0 ? 1 : gate;
    const numbers = numbersOf(to, node.inputs[at.bias + own], cells, x, node.inputs[at.x + own]);
    return own === gate ? numbers : negative(to, numbers);
  });
  const peep = (i: number) => numbersOf(to, node.inputs[at.peephole + i], cells);
  const hasPeepholes = has(node, at.peephole + 1);
  const first = hasPeepholes && (isCoupled ? negative(to, peep(1)) : peep(0));
  return {
    isReverse,
    w: rows(at.x, at.aux),
    r: rows(at.h),
    biases: [bias, [new Float32Array(4 * cells)]],
    ...(first && { peepholes: [first, peep(2), peep(1)] }),
    h: stateOf(node, to, at.states[0] as number),
    c: stateOf(node, to, at.states[1] as number),
  };
}

/** Weights of an input, with those of another one beside them. */
function beside(node: AnyNode, to: Emitter, i: number, aux: number | undefined): Part {
  if (aux === undefined) return input(node, i);
  return to.step("Concat", [to.real(input(node, i)), to.real(input(node, aux))], { axis: 1 });
}

function rnnDirection(node: AnyNode, to: Emitter, first: number, isReverse: boolean, aux?: number): Direction {
  const [w, r, bias] = [0, 1, 2].map((i) => input(node, first + i)) as [TensorId, TensorId, TensorId];
  const { shape } = to.tensor(r);
  return {
    isReverse,
    w: [beside(node, to, first, aux)],
    r: [r],
    biases: [[numbersOf(to, bias, shape[0] as number, input(node, 0), w)], [new Float32Array(shape[0] as number)]],
    h: stateOf(node, to, first + 3),
  };
}

/** How the dimensions of a sequence stand, `[batch, time]` or `[time, batch]`. */
interface Sequence {
  readonly timeMajor: boolean;
  readonly mergeOutputs?: boolean;
}

/** The layer of a sequence; its outputs get the node's dimensions. */
function writeSequence(
  node: AnyNode,
  to: Emitter,
  { timeMajor, mergeOutputs = true }: Sequence,
  layer: Pick<Layer, "type" | "directions" | "hidden" | "attributes">,
  read?: Pick<Own, "x" | "inputs">,
): true {
  const { shape } = to.tensor(input(node, 0));
  const inputs = read?.inputs ?? (shape.at(-1) as number);
  const x = read?.x ?? given(node, to);
  const batch = shape[timeMajor ? 1 : 0] as number;
  const ordered = timeMajor ? x : to.step("Transpose", [x], { perm: [1, 0, 2] });
  const { y } = writeLayer(to, { ...layer, x: ordered, batch, inputs });
  const turned = to.step("Transpose", [y], { perm: timeMajor ? [0, 2, 1, 3] : [2, 0, 1, 3] });
  if (mergeOutputs) {
    to.set(output(node), reshaped(to, turned, sizesOf(node, to)));
  } else
    for (const [i, id] of node.outputs.entries()) {
      const part = sliced(to, turned, [i], [i + 1], [2]);
      to.set(id, reshaped(to, part, to.tensor(id).shape));
    }
  sayFirst(to, node);
  return true;
}

/** What one of two directions reads, and how large its state is. */
interface Own extends Pick<Layer, "directions" | "hidden" | "inputs"> {
  /** In the order of dimensions that the node has. */
  readonly x: string;
}

/** Both directions: one layer where they are alike, else one for each, side by side. */
function writeBoth(
  node: AnyNode,
  to: Emitter,
  { timeMajor, mergeOutputs = true }: Sequence,
  type: Layer["type"],
  attributesOf: (count: number) => Layer["attributes"],
  owns: readonly [Own, Own],
): true {
  const [a, b] = owns;
  const directions = owns.flatMap((own) => own.directions);
  const isAlike = directions.every(
    ({ peepholes }) => (peepholes === undefined) === (directions[0]?.peepholes === undefined),
  );
  if (isAlike && a.x === b.x && a.hidden === b.hidden) {
    const layer = { type, directions, hidden: a.hidden, attributes: attributesOf(2) ?? {} };
    return writeSequence(node, to, { timeMajor, mergeOutputs }, layer, a);
  }
  const batch = to.tensor(input(node, 0)).shape[timeMajor ? 1 : 0] as number;
  const parts = owns.map((own) => {
    const x = timeMajor ? own.x : to.step("Transpose", [own.x], { perm: [1, 0, 2] });
    const { y } = writeLayer(to, { ...own, type, x, batch, attributes: attributesOf(1) ?? {} });
    const flat = to.step("Squeeze", [y, to.integers("axis", [1])]);
    return timeMajor ? flat : to.step("Transpose", [flat], { perm: [1, 0, 2] });
  });
  if (mergeOutputs) to.set(output(node), to.step("Concat", parts, { axis: 2 }));
  else for (const [i, id] of node.outputs.entries()) to.set(id, parts[i] as string);
  sayFirst(to, node);
  return true;
}

/** What both directions read: the input with another beside it where there are weights for that, else the second the other in its place. */
function readBy(
  node: AnyNode,
  to: Emitter,
  at: number,
): { readonly isCrossed: boolean; readonly xs: readonly string[]; readonly sizes: readonly number[] } {
  const sizeOf = (i: number) => to.tensor(input(node, i)).shape.at(-1) as number;
  const x = given(node, to);
  if (!has(node, at)) return { isCrossed: false, xs: [x, x], sizes: [sizeOf(0), sizeOf(0)] };
  const aux = to.real(input(node, at));
  if (!has(node, at + 1)) return { isCrossed: false, xs: [x, aux], sizes: [sizeOf(0), sizeOf(at)] };
  const both = to.step("Concat", [x, aux], { axis: 2 });
  const size = sizeOf(0) + sizeOf(at);
  return { isCrossed: true, xs: [both, both], sizes: [size, size] };
}

/** One step, whose states are variables. */
function writeStep(
  node: AnyNode,
  to: Emitter,
  states: readonly number[],
  layer: Pick<Layer, "type" | "directions" | "hidden" | "attributes">,
): true {
  const [batch = 1, inputs = 1] = to.tensor(input(node, 0)).shape;
  const x = reshaped(to, given(node, to), [1, batch, inputs]);
  const { y, h, c } = writeLayer(to, { ...layer, x, batch, inputs });
  const shaped = (value: string, id: TensorId) => reshaped(to, value, to.tensor(id).shape);
  to.set(output(node), shaped(y, output(node)));
  for (const [i, at] of states.entries()) {
    const id = input(node, at);
    to.states.set(id, to.held(id, shaped(i === 0 ? h : c, id)), to);
  }
  return true;
}

/** Functions of an LSTM's cell, and of an RNN; undefined where ONNX has none by that number. */
function functionsOf(activation: number, count: number, before: readonly string[] = []) {
  if (activation === TANH) return {};
  if (activation !== RELU) return undefined;
  const own = [...before, ...(before.length > 0 ? ["Relu", "Relu"] : ["Relu"])];
  return { activations: { words: Array.from({ length: count }, () => own).flat() } };
}

const lstm: Writer<"lstm"> = (node, to) => {
  const { activation, sequence, cellClip } = node.attributes;
  const attributes = functionsOf(activation, 1, ["Sigmoid"]);
  if (attributes === undefined) return false;
  if ([16, 17, 20, 21, 22, 23].some((i) => has(node, i))) return unrolled(node, to);
  if (cellClip > 0) sayClip(to, node);
  const places: Places = { x: 1, h: 5, peephole: 9, bias: 12, states: [18, 19] };
  const directions = [lstmDirection(node, to, places, false)];
  const [hidden = 0] = to.tensor(input(node, 2)).shape;
  const layer = { type: "LSTM", hidden, directions, attributes } as const;
  return sequence ? writeSequence(node, to, node.attributes, layer) : writeStep(node, to, places.states, layer);
};

const sayClip = (to: Emitter, node: AnyNode) => to.say(`${node.kind} has no bound of its cells`);

const bidirectionalLstm: Writer<"bidirectionalLstm"> = (node, to) => {
  const { activation, cellClip } = node.attributes;
  if (functionsOf(activation, 1, ["Sigmoid"]) === undefined || [16, 17, 33, 34].some((i) => has(node, i))) return false;
  if (cellClip > 0) sayClip(to, node);
  const { isCrossed, xs, sizes } = readBy(node, to, 39);
  const own = (i: 0 | 1): Own => {
    const first = i === 0 ? 1 : 18;
    const states = i === 0 ? [35, 36] : [37, 38];
    const places = { x: first, h: first + 4, peephole: first + 8, bias: first + 11, states };
    const aux = isCrossed ? 40 + 4 * i : undefined;
    return {
      x: xs[i] as string,
      inputs: sizes[i] as number,
      hidden: to.tensor(input(node, first + 1)).shape[0] as number,
      directions: [lstmDirection(node, to, { ...places, aux }, i === 1)],
    };
  };
  const attributes = (count: number) => functionsOf(activation, count, ["Sigmoid"]);
  return writeBoth(node, to, node.attributes, "LSTM", attributes, [own(0), own(1)]);
};

const bidirectionalRnn: Writer<"bidirectionalRnn"> = (node, to) => {
  const { activation, timeMajor } = node.attributes;
  // Such layers are run as often as they have steps.
  const isRepeated = timeMajor && to.tensor(input(node, 1)).dtype === "int8";
  if (functionsOf(activation, 1) === undefined || isRepeated) return false;
  const { isCrossed, xs, sizes } = readBy(node, to, 9);
  const own = (i: 0 | 1): Own => ({
    x: xs[i] as string,
    inputs: sizes[i] as number,
    hidden: to.tensor(input(node, 2 + 4 * i)).shape[0] as number,
    directions: [rnnDirection(node, to, 1 + 4 * i, i === 1, isCrossed ? 10 + i : undefined)],
  });
  return writeBoth(node, to, node.attributes, "RNN", (count) => functionsOf(activation, count), [own(0), own(1)]);
};

const rnn: Writer<"rnn"> = (node, to) => {
  const attributes = functionsOf(node.attributes.activation, 1);
  if (attributes === undefined) return false;
  const directions = [rnnDirection(node, to, 1, false)];
  const [hidden = 0] = to.tensor(input(node, 2)).shape;
  const layer = { type: "RNN", hidden, directions, attributes } as const;
  return node.attributes.sequence ? writeSequence(node, to, node.attributes, layer) : writeStep(node, to, [4], layer);
};

/** Writers by kind. */
export const CELLS: { readonly [K in OpKind]?: Writer<K> } = {
  lstm,
  bidirectionalLstm,
  bidirectionalRnn,
  rnn,
};
