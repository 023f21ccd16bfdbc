/** What queries see of keys, and how it is weighed. */
import type { TensorId } from "../../../graph.ts";
import type { OnnxNode } from "../convert.ts";
import { adderOf } from "../elementwise.ts";
import { permuted } from "../layout.ts";
import { BOOL as bool, FLOAT as float, NONE } from "../types.ts";
import { real, toFloat } from "./cast.ts";
import { columns, joint } from "./heads.ts";
import { product } from "./matmul.ts";
import { cast, entries, reshapedTo, sized } from "./move.ts";

/** Queries, keys and values `[B,H,S,d]` under one softmax; keys and values may be of fewer heads, each for several of queries. */
interface Heads {
  /** Queries may see no key at all: their weights are 0. */
  readonly mayBeBlind?: boolean;
  readonly q: TensorId;
  readonly k: TensorId;
  readonly v: TensorId;
  readonly scale: number;
  /** Added to the products of queries and keys. */
  readonly biases: readonly TensorId[];
  readonly softcap?: number;
  /** One more score of each head `[1,H,1,1]`, that of no key. */
  readonly sink?: TensorId | undefined;
  /** Rounds scores and weights to the type that they have in onnxruntime. */
  readonly rounded?: OnnxNode["rounded"];
}

/** Scores on their way: the products, those bent by softcap, with biases, and as weights. */
type Scores = readonly [TensorId, TensorId, TensorId, TensorId];

/** softmax(q·kᵀ·scale + biases)·v of `[B,H,S,d]`, and the scores on their way. */
export function attended(n: OnnxNode, given: Heads): { y: TensorId; scores: Scores } {
  const { q, k, v, scale, biases, sink, softcap = 0, mayBeBlind = false, rounded = (id) => id } = given;
  const shape = n.b.tensor(k).shape;
  const [batch, count, length] = sized(n, n.b.tensor(q).shape, 4);
  const own = shape[1] as number;
  // the queries of one head of keys, one after the other
  const times = (a: TensorId, b: TensorId): TensorId => {
    const [rows, width] = [(count / own) * length, n.b.tensor(a).shape[3] as number];
    const together = own === count ? a : reshapedTo(n, a, [batch, own, rows, width]);
    const y = product(n, together, n.b.tensor(together).shape, b, n.b.tensor(b).shape);
    return own === count ? y : reshapedTo(n, y, [batch, count, length, n.b.tensor(y).shape[3] as number]);
  };
  const products = real(n, "mul", times(q, permuted(n.b, n.where, k, shape, [0, 1, 3, 2])), n.b.float(scale));
  let bent = products;
  if (softcap > 0) {
    const [tanh] = n.add("tanh", [real(n, "div", rounded(products), n.b.float(softcap))], {}, float);
    bent = rounded(real(n, "mul", tanh as TensorId, n.b.float(softcap)));
  }
  const biased = rounded(biases.reduce((sum, bias) => real(n, "add", sum, bias), bent));
  let weights = rounded(withSink(n, biased, sink));
  if (mayBeBlind) {
    const [isSeen] = n.add("greater", [biased, n.b.float(-Infinity)], {}, bool);
    [weights] = n.add("selectV2", [isSeen, weights, n.b.float(0)], {}, float) as [TensorId];
  }
  return { y: times(weights, v), scores: [products, bent, biased, weights] };
}

/** Softmax of scores `[B,H,S,T]`, beside one more that weighs nothing. */
function withSink(n: OnnxNode, scores: TensorId, sink: TensorId | undefined): TensorId {
  const { shape } = n.b.tensor(scores);
  const softmax = (x: TensorId) => n.add("softmax", [x], { beta: 1 }, float)[0] as TensorId;
  if (sink === undefined) return softmax(scores);
  const [batch, count, length, keys] = sized(n, shape, 4);
  const zeros = n.b.constant("float32", [batch, 1, length, 1], new Float32Array(batch * length));
  const all = [scores, real(n, "add", zeros, reshapedTo(n, sink, [1, count, 1, 1]))];
  return columns(n, softmax(joint(n, all, 3)), 0, keys);
}

/** The result alone. */
export const attend = (n: OnnxNode, given: Heads): TensorId => attended(n, given).y;

/** `[S,T]` of 0, and `far` where a key comes after its query, the first of which is that of key `first`; so of the first `rows` queries. */
export function causal(
  n: OnnxNode,
  queries: number,
  keys: number,
  far: number,
  first = keys - queries,
  rows = queries,
): TensorId {
  const values = Float32Array.from({ length: entries(n, queries * keys) }, (_, i) =>
    i % keys > Math.floor(i / keys) + first && i < rows * keys ? far : 0,
  );
  return n.b.constant("float32", [queries, keys], values);
}

/** `far` where the mask is 0, as what is added to the scores. */
export function farWhereZero(n: OnnxNode, mask: TensorId, shape: readonly number[], far: number): TensorId {
  const x = toFloat(n, mask);
  const [isKept] = n.add("greater", [x, n.b.float(0)], {}, bool);
  const [bias] = n.add("selectV2", [isKept, n.b.float(0), n.b.float(far)], {}, float);
  return reshapedTo(n, bias as TensorId, shape);
}

/** What each query sees of the keys: those within its window, of as many as count. `undefined` where that is all. */
export function windowed(n: OnnxNode, queries: number, keys: number, past: number): TensorId | undefined {
  const add = adderOf(n, "int32");
  const test = (kind: "less" | "lessEqual" | "greaterEqual", a: TensorId, b: TensorId) => add(kind, [a, b], {}, "bool");
  const number = (value: number) => n.b.integers([value], []);
  const [left, window] = [n.int("left_window_size", -1), n.int("right_window_size", -1)];
  const right = n.int("is_causal", 0) !== 0 ? 0 : window;
  const given = n.inputs[6];
  const counts = given && reshapedTo(n, cast(n, n.plain(given), "int32"), [given.shape[0] as number, 1, 1, 1]);
  // queries begin after the past, or are the last of the keys that count, or begin with the first key
  const first = counts === undefined ? number(past) : add("sub", [counts, number(queries)], NONE);
  const places = Array.from({ length: entries(n, queries * keys) }, (_, i) => (i % keys) - Math.floor(i / keys));
  const steps = add("sub", [n.b.integers(places, [queries, keys]), first], NONE);
  const tests = [
    ...(right < 0 ? [] : [test("lessEqual", steps, number(right))]),
    ...(left < 0 ? [] : [test("greaterEqual", steps, number(-left))]),
    ...(counts === undefined ? [] : [test("less", n.b.integers([...Array(keys).keys()]), counts)]),
  ];
  if (tests.length === 0) return undefined;
  const isSeen = tests.reduce((a, b) => add("logicalAnd", [a, b], {}, "bool"));
  return add("selectV2", [isSeen, n.b.float(0), n.b.float(-Infinity)], {}, "float32");
}
