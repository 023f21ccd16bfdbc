/** What classifiers and regressions of ai.onnx.ml share: rows of features, scores and their transforms, labels. */
import type { TensorId } from "../../../graph.ts";
import { elementCount, listText } from "../../../tensor.ts";
import type { OnnxNode } from "../convert.ts";
import { toFloat } from "../ops/cast.ts";
import { longs, reshapedTo } from "../ops/move.ts";
import { fits, kitOf } from "./kit.ts";

/** Rows of features `[N,F]` as they are; a list is one row. */
export function rowsOf(n: OnnxNode): TensorId {
  const { shape } = n.input(0);
  const id = n.plain(n.input(0));
  if (shape.length === 1) return reshapedTo(n, id, [1, elementCount(shape)]);
  return shape.length === 2 ? id : n.refuse("rows of features", listText(shape));
}

/** The same as float32. */
export const floatRows = (n: OnnxNode): TensorId => toFloat(n, rowsOf(n));

/** x `[N,F]` by the rows of a table `[K,F]`, and a number added for each. */
export function product(
  n: OnnxNode,
  x: TensorId,
  rows: number,
  table: readonly number[],
  added?: readonly number[],
): TensorId {
  const { add, list } = kitOf(n);
  const [, width] = n.b.tensor(x).shape as readonly [number, number];
  fits(n, "coefficients", table.length, rows * width);
  const bias = added === undefined ? [] : [list(added)];
  return add("fullyConnected", [x, list(table, [rows, width]), ...bias], { activation: "none", keepDims: false });
}

/** √2·erf⁻¹(2p − 1), by the formula that onnxruntime has. */
function probit(n: OnnxNode, p: TensorId): TensorId {
  const { plus, minus, times, of, number } = kitOf(n);
  const one = number(1);
  const x = minus(plus(p, p), one);
  const log = of("log", times(minus(one, x), plus(one, x)));
  // 2/(π·0.147), of π with six digits
  const v = plus(times(log, number(0.5)), number(4.330750942230225));
  const root = of("sqrt", minus(times(v, v), times(log, number(1 / 0.147))));
  return times(of("sign", x), times(of("sqrt", minus(root, v)), number(Math.SQRT2)));
}

/** Softmax in which zeros stay zeros. */
function softmaxZero(n: OnnxNode, x: TensorId): TensorId {
  const { minus, times, by, of, number, choose, compared, sum, most } = kitOf(n);
  const top = most(x, 1, true);
  const isZero = compared("lessEqual")(of("abs", x), number(1e-7));
  const powers = of("exp", minus(x, top));
  const total = sum(choose(isZero, number(0), powers), 1, true);
  return by(choose(isZero, times(x, of("exp", of("neg", top))), powers), total);
}

/** In the order of onnxruntime's numbers, of which 1 and 2 are the other way round in the standard. */
const TRANSFORMS = ["NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO", "PROBIT"];

/** The attribute `post_transform`, as a word or as TreeEnsemble's number. */
export function transformOf(n: OnnxNode): string {
  const { string = "", int = 0 } = n.attribute("post_transform") ?? {};
  const name = string || `${TRANSFORMS[int]}`;
  return TRANSFORMS.includes(name) ? name : n.refuse("a known post_transform", name);
}

/** Scores `[N,K]` of several classes or targets after a transform. */
export function transformed(n: OnnxNode, scores: TensorId, transform: string): TensorId {
  const { add, of } = kitOf(n);
  if (transform === "SOFTMAX") return add("softmax", [scores], { beta: 1 });
  if (transform === "LOGISTIC") return of("logistic", scores);
  if (transform === "SOFTMAX_ZERO") return softmaxZero(n, scores);
  return transform === "PROBIT" ? probit(n, scores) : scores;
}

/** The scores of both classes from that of the second, `[N,1]`: what LOGISTIC makes of −s and s, else 1 − s and s of chances, −s and s of others. */
export function bothOf(n: OnnxNode, score: TensorId, areChances: boolean, transform: string): TensorId {
  const { minus, of, number, joined } = kitOf(n);
  if (transform === "PROBIT") n.refuse("a score for each class", "one for both, with PROBIT");
  const isLogistic = transform === "LOGISTIC";
  const both = joined([areChances && !isLogistic ? minus(number(1), score) : of("neg", score), score]);
  return isLogistic ? of("logistic", both) : both;
}

const stringsOf = (n: OnnxNode): number => n.attribute("classlabels_strings")?.strings.length ?? 0;
const numbersOf = (n: OnnxNode) => n.ints("classlabels_int64s") ?? n.ints("classlabels_ints") ?? [];

/** How many classes the attributes name. */
export const classCount = (n: OnnxNode): number =>
  stringsOf(n) || numbersOf(n).length || n.refuse("labels of classes", "none");

/** Output 0, one label a row: that of the class at this place, or one of two others than the classes'. Labels that are strings are for nobody. */
export function setLabels(n: OnnxNode, places: TensorId, others?: readonly number[]): void {
  const [name = ""] = n.outputs;
  if (name === "") return;
  if (!stringsOf(n)) return n.setPlain(0, kitOf(n).at(longs(n, others ?? numbersOf(n)), places, "int64"));
  if (n.scope.isOutput(name) || n.scope.readers(name).length > 0) n.refuse("labels that are numbers", "strings");
}

/** The first of the greatest in each row, int64 `[N]`. */
export const greatest = (n: OnnxNode, scores: TensorId): TensorId =>
  kitOf(n).add("argMax", [scores, n.b.integers([1])], {}, "int64");

/** 1 where a score `[N,1]` is more than this, 0 elsewhere, int32 `[N]`. */
export function isMore(n: OnnxNode, score: TensorId, than: number): TensorId {
  const { cast, number, more } = kitOf(n);
  const [rows] = n.b.tensor(score).shape as readonly [number];
  return reshapedTo(n, cast(more(score, number(than)), "int32"), [rows]);
}
