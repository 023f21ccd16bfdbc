/** Functions of one byte: a chain of operators on each element between its meaning and the next quantization. */
import type { AnyNode, Rounding, TensorId } from "../../../graph.ts";
import { scaleOf, zeroOf } from "../../../tensor.ts";
import { boundsOf, rint } from "../rounding.ts";
import { declare, emit, isByte, type Network, scalarOf, type Target, targetOf, tensorAt } from "./network.ts";

const { fround } = Math;

/** Operators by the values of their inputs; results are rounded to float32 after each. */
export const FUNCTIONS: { readonly [kind: string]: ((x: number, y: number, node: AnyNode) => number) | undefined } = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  div: (x, y) => x / y,
  maximum: (x, y) => (Number.isNaN(x) || Number.isNaN(y) ? Number.NaN : Math.max(x, y)),
  minimum: (x, y) => (Number.isNaN(x) || Number.isNaN(y) ? Number.NaN : Math.min(x, y)),
  relu: (x) => Math.max(x, 0),
  relu6: (x) => Math.min(Math.max(x, 0), 6),
  abs: (x) => Math.abs(x),
  neg: (x) => -x,
  exp: (x) => Math.exp(x),
  log: (x) => Math.log(x),
  sqrt: (x) => Math.sqrt(x),
  rsqrt: (x) => 1 / Math.sqrt(x),
  square: (x) => x * x,
  sin: (x) => Math.sin(x),
  cos: (x) => Math.cos(x),
  floor: (x) => Math.floor(x),
  ceil: (x) => Math.ceil(x),
  round: (x) => rint(x),
  sign: (x) => Math.sign(x),
  pow: (x, y) => x ** y,
  tanh: (x) => Math.tanh(x),
  logistic: (x) => 1 / (1 + Math.exp(-x)),
  elu: (x) => (x < 0 ? Math.expm1(x) : x),
  prelu: (x, y) => (x >= 0 ? x : x * y),
  leakyRelu: (x, _, { attributes }) => (x >= 0 ? x : fround("alpha" in attributes ? Number(attributes.alpha) : 0) * x),
};

/** Operators of a table. */
const MOST_NODES = 64;

/** One lookup for all that is computed between one tensor of bytes and `f`, quantized; `undefined` where there is more. */
export function tableOf(net: Network, f: TensorId, target: Target, rounding: Rounding): TensorId | undefined {
  const state: State = { source: undefined, nodes: MOST_NODES, known: new Map() };
  const values = valuesOf(net, f, state);
  const { source } = state;
  if (values === undefined || source === undefined || typeof values === "number") return undefined;
  const { shape } = tensorAt(net, source);
  const own = tensorAt(net, f).shape;
  if (shape.length !== own.length || shape.some((size, i) => size !== own[i])) return undefined;
  const [scale, zero] = [scaleOf(target), zeroOf(target)];
  const [least, most] = boundsOf(target.dtype);
  const lo = Math.max(least, zero + rounding.lo);
  const hi = Math.min(most, zero + rounding.hi);
  const table = new Uint8Array(values.length);
  for (let i = 0; i < table.length; i++) {
    const q = rint(fround((values[i] as number) / fround(scale))) + zero;
    table[i] = (Number.isNaN(q) ? least : Math.min(Math.max(q, lo), hi)) - least;
  }
  const y = declare(net, { name: "", shape, ...target });
  const where = net.producers.get(f)?.where ?? "";
  emit(net, { kind: "lookup", where, inputs: [source], outputs: [y], attributes: { table } });
  return y;
}

interface State {
  /** The one tensor of bytes that all depends on. */
  source: TensorId | undefined;
  /** How many operators may still be met. */
  nodes: number;
  readonly known: Map<TensorId, Float32Array | number>;
}

/** The values of a tensor for each value of the source, from the least; a number for constants. */
function valuesOf(net: Network, f: TensorId, state: State): Float32Array | number | undefined {
  const known = state.known.get(f) ?? scalarOf(net, f);
  if (known !== undefined) return known;
  const values = leafOf(net, f, state) ?? computed(net, f, state);
  if (values !== undefined) state.known.set(f, values);
  return values;
}

/** The meanings of the source's values. */
function leafOf(net: Network, f: TensorId, state: State): Float32Array | undefined {
  let q = net.meaning.get(f);
  const target = q === undefined ? undefined : targetOf(net, q);
  if (q === undefined || target === undefined || !isByte(target.dtype)) return undefined;
  const [lo] = boundsOf(target.dtype);
  let places = IDENTITY;
  // what is a table itself begins where that does
  for (let by = net.producers.get(q); by?.kind === "lookup"; by = net.producers.get(q)) {
    places = by.attributes.table.map((at) => places[at] as number);
    q = by.inputs[0] as TensorId;
  }
  if (state.source !== undefined && state.source !== q) return undefined;
  state.source = q;
  const [scale, zero] = [fround(scaleOf(target)), zeroOf(target)];
  const values = new Float32Array(256);
  for (let i = 0; i < 256; i++) values[i] = fround(lo + (places[i] as number) - zero) * scale;
  return values;
}

const IDENTITY = new Uint8Array(256).map((_, i) => i);

function computed(net: Network, f: TensorId, state: State): Float32Array | number | undefined {
  if (net.meaning.has(f) || state.nodes-- <= 0) return undefined;
  const node = net.producers.get(f);
  const compute = node && FUNCTIONS[node.kind];
  if (node === undefined || compute === undefined) return undefined;
  if ("activation" in node.attributes && node.attributes.activation !== "none") return undefined;
  const inputs = node.inputs.map((id) => valuesOf(net, id, state));
  const [x = 0, y = 0] = inputs;
  if (inputs.includes(undefined) || inputs.length > 2) return undefined;
  const [xs, ys] = [x, y].map((each) => (typeof each === "number" ? new Float32Array(256).fill(each) : each)) as [
    Float32Array,
    Float32Array,
  ];
  const values = new Float32Array(256);
  for (let i = 0; i < 256; i++) values[i] = compute(xs[i] as number, ys[i] as number, node);
  return values;
}
