/**
 * LSTM, GRU and RNN, unrolled: the products of all inputs with their weights are one product, then every time step is a
 * product with the state and a few elementwise operators.
 */
import type { TensorId } from "../../../graph.ts";
import { elementCount, listText } from "../../../tensor.ts";
import type { Conversion, Conversions, OnnxNode } from "../convert.ts";
import { permuted } from "../layout.ts";
import { BOOL, FLOAT as float } from "../types.ts";
import { type Activation, activate, activationsOf } from "./activations.ts";
import { real } from "./cast.ts";
import { optional, reshapedTo } from "./move.ts";

/** Longer sequences would make plans of too many steps. */
const MOST_STEPS = 4096;

/** The product of x `[rows, n]` with the weights of one direction, by the name of their input, and a bias. */
export type Product = (x: TensorId, direction: number, input: "W" | "R", bias?: TensorId) => TensorId;

/** One direction of a layer: `[T,B,…]` to `[T,B,H]` and the last states. */
interface Direction {
  readonly ys: readonly TensorId[];
  readonly h: TensorId;
  readonly c?: TensorId;
}

/** What one node says. */
interface Layer {
  readonly gates: number;
  readonly time: number;
  readonly batch: number;
  readonly hidden: number;
  readonly activations: readonly Activation[];
}

/** Part `i` of equal parts of the last dimension. */
function part(n: OnnxNode, x: TensorId, i: number, size: number): TensorId {
  const { shape } = n.b.tensor(x);
  const last = shape.length - 1;
  const begins = n.b.integers(shape.map((_, d) => (d === last ? i * size : 0)));
  const sizes = n.b.integers(shape.map((each, d) => (d === last ? size : each)));
  return n.add("slice", [x, begins, sizes], {}, float)[0] as TensorId;
}

/** Row `i` of the first dimension, which goes away. */
export function row(n: OnnxNode, x: TensorId, i: number): TensorId {
  const { shape, dtype } = n.b.tensor(x);
  const begins = n.b.integers(shape.map((_, d) => (d === 0 ? i : 0)));
  const sizes = n.b.integers(shape.map((each, d) => (d === 0 ? 1 : each)));
  const [slice] = n.add("slice", [x, begins, sizes], {}, [{ dtype }]);
  return reshapedTo(n, slice as TensorId, shape.slice(1));
}

/** Tensors of one shape side by side along a new first dimension. */
function stacked(n: OnnxNode, list: readonly TensorId[]): TensorId {
  const wide = list.map((id) => reshapedTo(n, id, [1, ...n.b.tensor(id).shape]));
  if (wide.length === 1) return wide[0] as TensorId;
  const { dtype } = n.b.tensor(list[0] as TensorId);
  return n.add("concat", wide, { axis: 0, activation: "none" }, [{ dtype }])[0] as TensorId;
}

/** A direction's part of an optional input. */
function own(n: OnnxNode, i: number, direction: number): TensorId | undefined {
  return n.inputs[i] === undefined ? undefined : row(n, n.plain(n.input(i)), direction);
}

/** Weights of float32 as they stand, `[rows, n]` a direction, each of them one tensor for all steps. */
function plainProduct(n: OnnxNode): Product {
  const known = new Map<string, TensorId>();
  return (x, direction, input, bias) => {
    const key = `${input}${direction}`;
    const w = known.get(key) ?? row(n, n.plain(n.input(input === "W" ? 1 : 2)), direction);
    known.set(key, w);
    const attributes = { activation: "none", keepDims: true } as const;
    const within = bias !== undefined && n.b.isConstant(bias) && n.b.isConstant(w);
    const [y] = n.add("fullyConnected", within ? [x, w, bias] : [x, w], attributes, float);
    return within ? (y as TensorId) : shifted(n, y as TensorId, bias);
  };
}

const shifted = (n: OnnxNode, y: TensorId, bias: TensorId | undefined): TensorId =>
  bias === undefined ? y : real(n, "add", y, bias);

/** The time steps of a direction, with the states of what is shorter than the sequence kept. */
function walk(
  n: OnnxNode,
  layer: Layer,
  direction: number,
  isReverse: boolean,
  places: Places,
  times: Product,
): Direction {
  const { time, batch, hidden, gates } = layer;
  const x = n.plain(n.input(0));
  const inputs = n.b.tensor(x).shape[2] as number;
  const ordered = places.timeMajor ? x : permuted(n.b, n.where, x, n.b.tensor(x).shape, [1, 0, 2]);
  const flat = reshapedTo(n, ordered, [time * batch, inputs]);
  const bias = own(n, places.bias, direction);
  const biasOf = (i: number) => (bias === undefined ? undefined : part(n, bias, i, gates * hidden));
  const projected = reshapedTo(n, times(flat, direction, "W", biasOf(0)), [time, batch, gates * hidden]);
  const zeros = n.b.constant("float32", [batch, hidden], new Float32Array(batch * hidden));
  const initial = (i: number) => {
    if (i < 0 || n.inputs[i] === undefined) return zeros;
    if (places.timeMajor) return own(n, i, direction) as TensorId;
    const state = n.plain(n.input(i));
    return row(n, permuted(n.b, n.where, state, n.b.tensor(state).shape, [1, 0, 2]), direction);
  };
  let state: State = { h: initial(places.h), c: initial(places.c) };
  const cell = places.cell(n, layer, direction, times, biasOf(1));
  const ys: TensorId[] = new Array(time);
  const lengths = optional(n, 4);
  for (let t = 0; t < time; t++) {
    const at = isReverse ? time - 1 - t : t;
    const next = cell(row(n, projected, at), state);
    if (lengths === undefined) {
      state = next;
      ys[at] = next.h;
      continue;
    }
    const [inside] = n.add("greater", [lengths, n.b.integers([at], [])], {}, BOOL);
    const column = reshapedTo(n, inside as TensorId, [batch, 1]);
    const choose = (a: TensorId, b: TensorId) => n.add("selectV2", [column, a, b], {}, float)[0] as TensorId;
    state = { h: choose(next.h, state.h), c: choose(next.c, state.c) };
    ys[at] = choose(next.h, zeros);
  }
  return { ys, ...state };
}

interface State {
  readonly h: TensorId;
  readonly c: TensorId;
}

/** One time step: the projected input and the state before it give the state after it. */
type Cell = (x: TensorId, state: State) => State;

/** Where a node's inputs stand, and its cell. */
interface Places {
  readonly bias: number;
  readonly h: number;
  readonly c: number;
  readonly timeMajor: boolean;
  readonly cell: (n: OnnxNode, layer: Layer, direction: number, times: Product, bias: TensorId | undefined) => Cell;
}

/** The clip of what goes into the activations. */
function clipped(n: OnnxNode, x: TensorId): TensorId {
  const limit = n.attribute("clip")?.float;
  if (limit === undefined || limit <= 0) return x;
  const [above] = n.add("maximum", [x, n.b.float(-limit)], {}, float);
  return n.add("minimum", [above, n.b.float(limit)], {}, float)[0] as TensorId;
}

/** Activation `i` of a direction. */
function act(n: OnnxNode, layer: Layer, i: number, x: TensorId): TensorId {
  return shown(n, layer, i, clipped(n, x));
}

/** The same of what is not clipped. */
function shown(n: OnnxNode, { activations }: Layer, i: number, x: TensorId): TensorId {
  const { name, alpha, beta } = activations[i] as Activation;
  return activate(n, name, x, alpha, beta);
}

const lstmCell: Places["cell"] = (n, layer, direction, times, bias) => {
  const { hidden } = layer;
  const first = direction * 3;
  const peepholes = own(n, 7, direction);
  const peep = (i: number) => (peepholes === undefined ? undefined : part(n, peepholes, i, hidden));
  const [pi, po, pf] = [peep(0), peep(1), peep(2)];
  const isCoupled = n.int("input_forget", 0) !== 0;
  return (x, { h, c }) => {
    const sum = real(n, "add", x, times(h, direction, "R", bias));
    const isJoint = peepholes === undefined && !isCoupled;
    const joint = isJoint ? act(n, layer, first, part(n, sum, 0, 3 * hidden)) : undefined;
    const gate = (i: number, weights: TensorId | undefined, state: TensorId) => {
      if (joint !== undefined) return part(n, joint, i, hidden);
      const own = part(n, sum, i, hidden);
      return act(n, layer, first, weights === undefined ? own : real(n, "add", own, real(n, "mul", state, weights)));
    };
    const input = gate(0, pi, c);
    const forget = isCoupled ? real(n, "sub", n.b.float(1), input) : gate(2, pf, c);
    const news = act(n, layer, first + 1, part(n, sum, 3, hidden));
    const next = real(n, "add", real(n, "mul", forget, c), real(n, "mul", input, news));
    const output = gate(1, po, next);
    return { c: next, h: real(n, "mul", output, shown(n, layer, first + 2, next)) };
  };
};

const gruCell: Places["cell"] = (n, layer, direction, times, bias) => {
  const { hidden } = layer;
  const first = direction * 2;
  const isLinear = n.int("linear_before_reset", 0) !== 0;
  return (x, { h, c }) => {
    const all = times(h, direction, "R", bias);
    const [given, known] = [x, all].map((id) => part(n, id, 0, 2 * hidden)) as [TensorId, TensorId];
    const both = act(n, layer, first, real(n, "add", given, known));
    const [update, reset] = [part(n, both, 0, hidden), part(n, both, 1, hidden)];
    const kept = isLinear
      ? real(n, "mul", reset, part(n, all, 2, hidden))
      : part(n, times(real(n, "mul", reset, h), direction, "R", bias), 2, hidden);
    const news = act(n, layer, first + 1, real(n, "add", part(n, x, 2, hidden), kept));
    const fresh = real(n, "mul", real(n, "sub", n.b.float(1), update), news);
    return { h: real(n, "add", fresh, real(n, "mul", update, h)), c };
  };
};

const rnnCell: Places["cell"] =
  (n, layer, direction, times, bias) =>
  (x, { h, c }) => ({ h: act(n, layer, direction, real(n, "add", x, times(h, direction, "R", bias))), c });

/** A whole layer, of one direction or both. */
function recurrent(
  gates: number,
  defaults: readonly string[],
  cell: Places["cell"],
  productOf: (n: OnnxNode) => Product = plainProduct,
  hiddenOf = (n: OnnxNode) => n.int("hidden_size", n.input(2).shape[2] as number),
) {
  return (n: OnnxNode): void => {
    const x = n.input(0);
    const timeMajor = n.int("layout", 0) === 0;
    const [first = 0, second = 0] = x.shape;
    const [time, batch] = timeMajor ? [first, second] : [second, first];
    const direction = n.string("direction", "forward");
    const directions = direction === "bidirectional" ? 2 : 1;
    const hidden = hiddenOf(n);
    if (x.shape.length !== 3 || time > MOST_STEPS || elementCount(x.shape) === 0)
      n.refuse(`sequences of 1 to ${MOST_STEPS} steps`, listText(x.shape));
    const names = n.attribute("activations")?.strings ?? [];
    const layer: Layer = {
      gates,
      time,
      batch,
      hidden,
      activations: activationsOf(n, names.length > 0 ? names : [...defaults, ...defaults]),
    };
    if (layer.activations.length < directions * defaults.length)
      n.refuse(`${directions * defaults.length} activations`, `${layer.activations.length}`);
    const places: Places = { bias: 3, h: 5, c: gates === 4 ? 6 : -1, timeMajor, cell };
    const times = productOf(n);
    const all = Array.from({ length: directions }, (_, d) =>
      walk(n, layer, d, direction === "reverse" || d === 1, places, times),
    );
    if (n.outputs[0]) {
      // [T, directions, B, H], or [B, T, directions, H]
      const steps = Array.from({ length: time }, (_, t) =>
        stacked(
          n,
          all.map(({ ys }) => ys[t] as TensorId),
        ),
      );
      const y = stacked(n, steps);
      const shape = n.b.tensor(y).shape;
      n.setPlain(0, timeMajor ? y : permuted(n.b, n.where, y, shape, [2, 0, 1, 3]));
    }
    const last = (i: number, list: readonly TensorId[]) => {
      if (!n.outputs[i]) return;
      const y = stacked(n, list);
      n.setPlain(i, timeMajor ? y : permuted(n.b, n.where, y, n.b.tensor(y).shape, [1, 0, 2]));
    };
    last(
      1,
      all.map(({ h }) => h),
    );
    if (gates === 4)
      last(
        2,
        all.map(({ c }) => c as TensorId),
      );
  };
}

/** An LSTM whose products are another's. */
export const dynamicLstm = (productOf: (n: OnnxNode) => Product): Conversion =>
  recurrent(
    4,
    ["Sigmoid", "Tanh", "Tanh"],
    lstmCell,
    (n) => {
      const product = productOf(n);
      return (x, direction, input, bias) => shifted(n, product(x, direction, input), bias);
    },
    (n) => n.int("hidden_size", (n.input(2).shape[2] as number) / 4),
  );

export const RECURRENT: Conversions = {
  LSTM: recurrent(4, ["Sigmoid", "Tanh", "Tanh"], lstmCell),
  GRU: recurrent(3, ["Sigmoid", "Tanh"], gruCell),
  RNN: recurrent(1, ["Tanh"], rnnCell),
};
