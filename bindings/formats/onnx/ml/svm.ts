/** Support vector machines: SVMClassifier and SVMRegressor. */
import type { TensorId } from "../../../graph.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import { entries } from "../ops/move.ts";
import { squaredDistances } from "./distances.ts";
import { fits, kitOf } from "./kit.ts";
import { chances } from "./pairs.ts";
import {
  bothOf,
  classCount,
  floatRows,
  greatest,
  isMore,
  product,
  setLabels,
  transformed,
  transformOf,
} from "./scores.ts";

/** How like x `[N,F]` and the rows of a table `[V,F]` are, `[N,V]`. */
function kernel(n: OnnxNode, x: TensorId, count: number, table: readonly number[], kind: string): TensorId {
  const { add, plus, times, of, number, list } = kitOf(n);
  const [gamma = 0, offset = 0, degree = 0] = n.floats("kernel_params") ?? [];
  if (kind === "RBF") {
    const width = n.b.tensor(x).shape[1] as number;
    fits(n, "support_vectors", table.length, count * width);
    return of("exp", times(squaredDistances(n, x, list(table, [count, width])), number(-gamma)));
  }
  const alike = product(n, x, count, table);
  if (kind === "LINEAR") return alike;
  const y = plus(times(alike, number(gamma)), number(offset));
  if (kind === "SIGMOID") return of("tanh", y);
  if (kind !== "POLY") n.refuse("a known kernel_type", kind);
  if (degree !== 2 && degree !== 3) return add("pow", [y, number(degree)], {});
  return degree === 2 ? times(y, y) : times(times(y, y), y);
}

/** Multiply-accumulates that are done when importing. */
const MOST_FOLDED = 1 << 26;

/** Sums of likenesses of x and support vectors by rows of coefficients `[R,V]`. Where likenesses are products, the rows' own sums come first. */
function against(
  n: OnnxNode,
  x: TensorId,
  count: number,
  rows: number,
  coefficients: readonly number[],
  rho: readonly number[],
): TensorId {
  const table = n.floats("support_vectors") ?? [];
  const kind = n.string("kernel_type", "LINEAR");
  const width = table.length / count;
  fits(n, "coefficients", coefficients.length, rows * count);
  if (kind !== "LINEAR" || width % 1 !== 0 || rows * table.length > MOST_FOLDED)
    return product(n, kernel(n, x, count, table, kind), rows, coefficients, rho);
  const folded = new Array<number>(rows * width).fill(0);
  for (let row = 0; row < rows; row++)
    for (let v = 0; v < count; v++) {
      const by = coefficients[row * count + v] as number;
      for (let f = 0; f < width; f++) {
        const at = row * width + f;
        folded[at] = (folded[at] as number) + by * (table[v * width + f] as number);
      }
    }
  return product(n, x, rows, folded, rho);
}

/** Coefficients of the vectors for a classifier of each two classes, `[C·(C−1)/2, V]`. */
function pairsOf(n: OnnxNode, counts: readonly number[], coefficients: readonly number[]): readonly number[] {
  const classes = counts.length;
  const vectors = counts.reduce((all, count) => all + count, 0);
  fits(n, "coefficients", Math.min(coefficients.length, (classes - 1) * vectors), (classes - 1) * vectors);
  const starts = counts.map((_, i) => counts.slice(0, i).reduce((all, count) => all + count, 0));
  const table = new Array<number>(entries(n, ((classes * (classes - 1)) / 2) * vectors)).fill(0);
  let pair = 0;
  for (let i = 0; i < classes - 1; i++)
    for (let j = i + 1; j < classes; j++, pair++)
      for (const [own, row] of [
        [i, j - 1],
        [j, i],
      ] as const)
        for (let m = 0; m < (counts[own] as number); m++) {
          const at = (starts[own] as number) + m;
          table[pair * vectors + at] = coefficients[row * vectors + at] as number;
        }
  return table;
}

/** Votes of classifiers of two classes each: `[N,C]` from what is true where the first of the two wins. */
function votes(n: OnnxNode, wins: TensorId, classes: number): TensorId {
  const count = (classes * (classes - 1)) / 2;
  const table = new Array<number>(classes * count).fill(0);
  const added = new Array<number>(classes).fill(0);
  let pair = 0;
  for (let i = 0; i < classes - 1; i++)
    for (let j = i + 1; j < classes; j++, pair++) {
      table[i * count + pair] = 1;
      table[j * count + pair] = -1;
      added[j] = (added[j] as number) + 1;
    }
  return product(n, wins, classes, table, added);
}

function classifier(n: OnnxNode): void {
  const { cast, number, more } = kitOf(n);
  const classes = classCount(n);
  const counts = n.ints("vectors_per_class") ?? [];
  const coefficients = n.floats("coefficients") ?? [];
  const transform = transformOf(n);
  const x = floatRows(n);
  const vectors = counts.reduce((all, count) => all + count, 0);
  if (vectors === 0) return linear(n, x, classes, coefficients, transform);
  if (classes < 2 || counts.some((count) => count < 0)) n.refuse("vectors of two classes and more", `${counts}`);
  fits(n, "vectors_per_class", counts.length, classes);
  const pairs = (classes * (classes - 1)) / 2;
  const list = (name: string) => (n.floats(name) ?? []).slice(0, pairs);
  const rho = list("rho");
  fits(n, "rho", rho.length, pairs);
  const scores = against(n, x, vectors, pairs, pairsOf(n, counts, coefficients), rho);
  const wins = cast(more(scores, number(0)));
  setLabels(n, greatest(n, votes(n, wins, classes)));
  if (!n.outputs[1]) return;
  const [a, b] = [list("prob_a"), list("prob_b")];
  if (a.length > 0) {
    fits(n, "prob_a", a.length, pairs);
    fits(n, "prob_b", b.length, pairs);
    return n.setPlain(1, transformed(n, chances(n, scores, classes, a, b), transform));
  }
  n.setPlain(1, classes > 2 ? transformed(n, scores, transform) : bothOf(n, scores, transform !== "NONE", transform));
}

const offsetOf = (n: OnnxNode): number => n.floats("rho")?.[0] ?? n.refuse("rho", "none");

/** Without support vectors: coefficients of each class. */
function linear(n: OnnxNode, x: TensorId, classes: number, coefficients: readonly number[], transform: string): void {
  const { add, cast, most } = kitOf(n);
  const scores = product(n, x, classes, coefficients, new Array<number>(classes).fill(offsetOf(n)));
  const place = greatest(n, scores);
  if (classes === 2 && !n.floats("prob_a")?.length) {
    const arePositive = coefficients.every((value) => value >= 0);
    const best = most(scores, 1, true);
    const isSecond = isMore(n, best, arePositive ? 0.49999997 : 0);
    setLabels(n, add("maximum", [isSecond, cast(place, "int32")], {}, "int32"));
  } else setLabels(n, place);
  if (n.outputs[1]) n.setPlain(1, classes > 1 ? transformed(n, scores, transform) : scores);
}

/** Of one class: 1 inside, −1 outside. */
function regressor(n: OnnxNode): void {
  const { choose, number, more } = kitOf(n);
  const x = floatRows(n);
  const count = n.int("n_supports", 0);
  const coefficients = n.floats("coefficients") ?? [];
  const rho = [offsetOf(n)];
  const y = count > 0 ? against(n, x, count, 1, coefficients, rho) : product(n, x, 1, coefficients, rho);
  if (n.int("one_class", 0) === 0) return n.setPlain(0, y);
  n.setPlain(0, choose(more(y, number(0)), number(1), number(-1)));
}

export const SUPPORT_VECTORS: Conversions = {
  "ai.onnx.ml.SVMClassifier": classifier,
  "ai.onnx.ml.SVMRegressor": regressor,
};
