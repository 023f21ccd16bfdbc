/** What queries see of keys, and how it is weighed. */
import type { TensorId } from "../../../graph.ts";
import type { OnnxNode } from "../convert.ts";
import { adderOf } from "../elementwise.ts";
import { permuted } from "../layout.ts";
import { real, toFloat } from "./cast.ts";
import { product } from "./matmul.ts";
import { cast, entries, reshapedTo } from "./move.ts";

const float = [{ dtype: "float32" }] as const;
const bool = [{ dtype: "bool" }] as const;

/** Queries, keys and values `[B,H,S,d]` under one softmax. */
export interface Heads {
  /** Queries may see no key at all: their weights are 0. */
  readonly mayBeBlind?: boolean;
  readonly q: TensorId;
  readonly k: TensorId;
  readonly v: TensorId;
  readonly scale: number;
  /** Added to the products of queries and keys. */
  readonly biases: readonly TensorId[];
  readonly softcap?: number;
}

/** Scores on their way: the products, those bent by softcap, with biases, and as weights. */
type Scores = readonly [TensorId, TensorId, TensorId, TensorId];

/** softmax(q·kᵀ·scale + biases)·v of `[B,H,S,d]`, and the scores on their way. */
export function attended(n: OnnxNode, given: Heads): { y: TensorId; scores: Scores } {
  const { q, k, v, scale, biases, softcap = 0, mayBeBlind = false } = given;
  const shape = n.b.tensor(k).shape;
  const turned = permuted(n.b, n.where, k, shape, [0, 1, 3, 2]);
  const products = real(
    n,
    "mul",
    product(n, q, n.b.tensor(q).shape, turned, n.b.tensor(turned).shape),
    n.b.float(scale),
  );
  let bent = products;
  if (softcap > 0) {
    const [tanh] = n.b.add("tanh", n.where, [real(n, "div", products, n.b.float(softcap))], {}, float);
    bent = real(n, "mul", tanh as TensorId, n.b.float(softcap));
  }
  const biased = biases.reduce((sum, bias) => real(n, "add", sum, bias), bent);
  let [weights] = n.b.add("softmax", n.where, [biased], { beta: 1 }, float) as [TensorId];
  if (mayBeBlind) {
    const [isSeen] = n.b.add("greater", n.where, [biased, n.b.float(-Infinity)], {}, bool);
    [weights] = n.b.add("selectV2", n.where, [isSeen, weights, n.b.float(0)], {}, float) as [TensorId];
  }
  const y = product(n, weights, n.b.tensor(weights).shape, v, n.b.tensor(v).shape);
  return { y, scores: [products, bent, biased, weights] };
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
  const values = Float32Array.from({ length: queries * keys }, (_, i) =>
    i % keys > Math.floor(i / keys) + first && i < rows * keys ? far : 0,
  );
  return n.b.constant("float32", [queries, keys], values);
}

/** `far` where the mask is 0, as what is added to the scores. */
export function farWhereZero(n: OnnxNode, mask: TensorId, shape: readonly number[], far: number): TensorId {
  const x = toFloat(n, mask);
  const [isKept] = n.b.add("greater", n.where, [x, n.b.float(0)], {}, [{ dtype: "bool" }]);
  const [bias] = n.b.add("selectV2", n.where, [isKept, n.b.float(0), n.b.float(far)], {}, float);
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
  const first = counts === undefined ? number(past) : add("sub", [counts, number(queries)], { activation: "none" });
  const places = Array.from({ length: entries(n, queries * keys) }, (_, i) => (i % keys) - Math.floor(i / keys));
  const steps = add("sub", [n.b.integers(places, [queries, keys]), first], { activation: "none" });
  const tests = [
    ...(right < 0 ? [] : [test("lessEqual", steps, number(right))]),
    ...(left < 0 ? [] : [test("greaterEqual", steps, number(-left))]),
    ...(counts === undefined ? [] : [test("less", n.b.integers([...Array(keys).keys()]), counts)]),
  ];
  if (tests.length === 0) return undefined;
  const isSeen = tests.reduce((a, b) => add("logicalAnd", [a, b], {}, "bool"));
  return add("selectV2", [isSeen, n.b.float(0), n.b.float(-Infinity)], {}, "float32");
}
