/** LSTM, RNN and their forms of both directions, as TensorFlow Lite has them → ONNX' layers. */
import { type AnyNode, bodiesOf, NONE, type OpKind, type TensorId } from "../../../graph.ts";
import type { Emitter } from "./emit.ts";
import { type Direction, type Layer, numbersOf, type Part, startOf, writeLayer } from "./recurrent.ts";
import { finish, given, input, output, reshaped, sizesOf, sliced, type Writer } from "./steps.ts";

/** Where the tensors of a direction stand: of gates the first of four (input, forget, cell, output). */
interface Places {
  readonly x: number;
  readonly h: number;
  readonly peephole: number;
  readonly bias: number;
  readonly states: readonly number[];
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
  const rows = (first: number) =>
    ORDER.map((gate): Part => {
      if (gate > 0 || !isCoupled) return input(node, first + gate);
      return to.step("Neg", [to.real(input(node, first + 1))]);
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
    w: rows(at.x),
    r: rows(at.h),
    biases: [bias, [new Float32Array(4 * cells)]],
    ...(first && { peepholes: [first, peep(2), peep(1)] }),
    h: stateOf(node, to, at.states[0] as number),
    c: stateOf(node, to, at.states[1] as number),
  };
}

function rnnDirection(node: AnyNode, to: Emitter, first: number, isReverse: boolean): Direction {
  const [w, r, bias] = [0, 1, 2].map((i) => input(node, first + i)) as [TensorId, TensorId, TensorId];
  const { shape } = to.tensor(r);
  return {
    isReverse,
    w: [w],
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
): true {
  const { shape } = to.tensor(input(node, 0));
  const inputs = shape.at(-1) as number;
  const x = given(node, to);
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
  to.say(`${node.kind} begins each run with its first state`);
  return true;
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
  if (attributes === undefined || [16, 17, 20, 21, 22, 23].some((i) => has(node, i))) return false;
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
  const attributes = functionsOf(activation, 2, ["Sigmoid"]);
  const [[forward = 0], [backward]] = [2, 19].map((i) => to.tensor(input(node, i)).shape) as [number[], number[]];
  const isPlain = ![16, 17, 33, 34, 39].some((i) => has(node, i)) && forward === backward;
  if (!isPlain || attributes === undefined || has(node, 10) !== has(node, 27)) return false;
  if (cellClip > 0) sayClip(to, node);
  const directions = [
    lstmDirection(node, to, { x: 1, h: 5, peephole: 9, bias: 12, states: [35, 36] }, false),
    lstmDirection(node, to, { x: 18, h: 22, peephole: 26, bias: 29, states: [37, 38] }, true),
  ];
  return writeSequence(node, to, node.attributes, { type: "LSTM", hidden: forward, directions, attributes });
};

const rnn: Writer<"rnn"> = (node, to) => {
  const attributes = functionsOf(node.attributes.activation, 1);
  if (attributes === undefined) return false;
  const directions = [rnnDirection(node, to, 1, false)];
  const [hidden = 0] = to.tensor(input(node, 2)).shape;
  const layer = { type: "RNN", hidden, directions, attributes } as const;
  return node.attributes.sequence ? writeSequence(node, to, node.attributes, layer) : writeStep(node, to, [4], layer);
};

/** A product of the input, whose last results are weighted. */
const svdf: Writer<"svdf"> = (node, to) => {
  const { rank, activation } = node.attributes;
  const [x, features, time, bias, state] = node.inputs as readonly [TensorId, TensorId, TensorId, TensorId, TensorId];
  const [filters = 1, memory = 1] = to.tensor(time).shape;
  const [batch = 1] = to.tensor(x).shape;
  const shaped = (value: string, ...shape: number[]) => reshaped(to, value, shape);
  const last = shaped(to.real(state), batch, filters, memory);
  const news = to.step("Gemm", [to.real(x), to.real(features)], { transB: 1 });
  const all = to.step("Concat", [sliced(to, last, [1], [memory], [2]), shaped(news, batch, filters, 1)], { axis: 2 });
  to.states.set(state, to.held(state, reshaped(to, all, to.tensor(state).shape)), to);
  const weighted = to.step("Mul", [shaped(to.real(state), batch, filters, memory), to.real(time)]);
  const apart = shaped(weighted, batch, filters / rank, rank * memory);
  const sum = to.step("ReduceSum", [apart, to.integers("axis", [2])], { keepdims: 0 });
  const numbers = numbersOf(to, bias, filters / rank, state, time);
  const added = typeof numbers === "string" ? numbers : to.constant("bias", "float32", [numbers.length], numbers);
  const y = to.step("Add", [sum, added]);
  const names = ["none", "relu", "reluN1To1", "relu6"] as const;
  const name = names[activation];
  if (name === undefined && activation !== TANH) return false;
  return finish(node, to, name === undefined ? to.step("Tanh", [y]) : y, name);
};

const readVariable: Writer<"readVariable"> = (node, to) => {
  to.add("Identity", [to.name(input(node, 0))], to.name(output(node)));
  return true;
};

const assignVariable: Writer<"assignVariable"> = (node, to) => {
  to.states.set(input(node, 0), to.name(input(node, 1)), to);
  return true;
};

/** What variables start with: constants. */
const callOnce: Writer<"callOnce"> = (node, to) =>
  bodiesOf(node as AnyNode).every(({ nodes, tensors }) =>
    nodes.every(({ kind, inputs: [variable, value] }) => {
      const { resource } = tensors[variable as TensorId] ?? {};
      const { data } = tensors[value as TensorId] ?? {};
      if (kind !== "assignVariable" || resource === undefined || data === undefined) return false;
      to.states.start(resource, data);
      return true;
    }),
  );

/** Writers by kind. */
export const CELLS: { readonly [K in OpKind]?: Writer<K> } = {
  svdf,
  readVariable,
  assignVariable,
  callOnce,
  lstm,
  bidirectionalLstm,
  rnn,
};
