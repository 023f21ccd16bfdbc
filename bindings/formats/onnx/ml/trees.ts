/** Ensembles of trees: TreeEnsembleClassifier, TreeEnsembleRegressor and TreeEnsemble of ai.onnx.ml. */
import type { TensorId } from "../../../graph.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import { castAs, toFloat } from "../ops/cast.ts";
import { entries, reshapedTo } from "../ops/move.ts";
import { type Forest, forestOf, newForestOf, reals, type TreeNode, type Weights } from "./forest.ts";
import { kitOf } from "./kit.ts";
import {
  bothOf,
  classCount,
  greatest,
  isMore,
  product,
  rowsOf,
  setLabels,
  transformed,
  transformOf,
} from "./scores.ts";
import { numbersAt, type Ways, walked } from "./walk.ts";

/** What trees add up to. */
interface Sums {
  /** `[N,K]`; 0 for targets that no tree gave a score. */
  readonly scores: TensorId;
  /** Which rows have a score for a target, `[N,1]` of bool; absent where all have. */
  readonly has: (target: number) => TensorId | undefined;
}

const REDUCTIONS = { SUM: "sum", AVERAGE: "sum", MIN: "reduceMin", MAX: "reduceMax" } as const;
type Aggregate = keyof typeof REDUCTIONS;

/** For each tree the weights of leaves that its ways end at. */
function leavesOf({ nodes, roots }: Forest): readonly (readonly Weights[])[] {
  return roots.map((root) => {
    const seen = new Set([root]);
    const found: Weights[] = [];
    for (const at of seen) {
      const node = nodes[at] as TreeNode;
      if (node.weights !== undefined) found.push(node.weights);
      else seen.add(node.yes).add(node.no);
    }
    return found;
  });
}

/** The targets of rows x in all trees. */
function sums(n: OnnxNode, forest: Forest, targets: number, aggregate: Aggregate): Sums {
  const { by, number, more, most } = kitOf(n);
  const x = rowsOf(n);
  const ways = walked(n, forest, isDouble(n) ? x : toFloat(n, x));
  const leaves = leavesOf(forest);
  const has = (target: number): TensorId | undefined => {
    const isOwn = (weights: Weights) => weights.some(([own]) => own === target);
    if (leaves.some((each) => each.every(isOwn))) return undefined;
    const each = numbersAt(n, ways, 1, (weights) => [Number(isOwn(weights))]);
    return more(most(each, 1), number(0));
  };
  const kind = REDUCTIONS[aggregate];
  if (kind !== "sum") return { scores: extremes(n, ways, targets, kind), has };
  const scores = summed(n, ways, leaves, targets);
  return { scores: aggregate === "SUM" ? scores : by(scores, number(forest.roots.length)), has };
}

/** Sums over trees. Where each has one target, a number for each tree is summed by its own; else rows of numbers. */
function summed(n: OnnxNode, ways: Ways, leaves: readonly (readonly Weights[])[], targets: number): TensorId {
  const [rows, trees] = n.b.tensor(ways.ends).shape as readonly [number, number];
  const owners = leaves.map((each) => new Set(each.flatMap((weights) => weights.map(([target]) => target))));
  if (targets > 1 && owners.every(({ size }) => size < 2)) {
    const each = numbersAt(n, ways, 1, (weights) => [weights.reduce((sum, [, value]) => sum + value, 0)]);
    const table = new Array<number>(entries(n, targets * trees)).fill(0);
    for (const [tree, [owner = 0]] of owners.entries()) table[owner * trees + tree] = 1;
    return product(n, reshapedTo(n, each, [rows, trees]), targets, table);
  }
  const each = numbersAt(n, ways, targets, (weights) => {
    const row = new Array<number>(targets).fill(0);
    // of one target onnxruntime looks at the first weight alone
    for (const [target, value] of weights.slice(0, targets > 1 ? undefined : 1))
      row[target] = (row[target] as number) + value;
    return row;
  });
  return kitOf(n).sum(each, 1);
}

/** The least or greatest over trees, 0 where there is none. */
function extremes(n: OnnxNode, ways: Ways, targets: number, kind: "reduceMin" | "reduceMax"): TensorId {
  const { choose, compared, number, over } = kitOf(n);
  const [none, best] =
    kind === "reduceMin" ? [Number.POSITIVE_INFINITY, Math.min] : [Number.NEGATIVE_INFINITY, Math.max];
  const each = numbersAt(n, ways, targets, (weights) => {
    const row = new Array<number>(targets).fill(none);
    for (const [target, value] of weights) row[target] = best(row[target] as number, value);
    return row;
  });
  const y = over(kind)(each, 1);
  return choose(compared("equal")(y, number(none)), number(0), y);
}

/** Scores `[N,K]` where there are any, `otherwise` elsewhere. */
function masked(n: OnnxNode, x: TensorId, has: Sums["has"], otherwise: number): TensorId {
  const { choose, joined, number } = kitOf(n);
  const [rows, targets] = n.b.tensor(x).shape as readonly [number, number];
  const columns = Array.from({ length: targets }, (_, k) => has(k));
  if (columns.every((is) => is === undefined)) return x;
  const all = n.b.constant("bool", [rows, 1], new Uint8Array(rows).fill(1));
  const mask = joined(
    columns.map((is = all) => is),
    "bool",
  );
  return choose(mask, x, number(otherwise));
}

const AGGREGATES: readonly Aggregate[] = ["AVERAGE", "SUM", "MIN", "MAX"];

/** The attribute `aggregate_function`, as a word or as TreeEnsemble's number. */
function aggregateOf(n: OnnxNode): Aggregate {
  const { string = "SUM", int = 1 } = n.attribute("aggregate_function") ?? {};
  const name = string || `${AGGREGATES[int]}`;
  return AGGREGATES.find((each) => each === name) ?? n.refuse("a known aggregate_function", name);
}

const isDouble = (n: OnnxNode) => n.input(0).dtype === "float64";

function regressor(n: OnnxNode): void {
  const { list, plus } = kitOf(n);
  const targets = entries(n, n.int("n_targets", 1));
  const transform = transformOf(n);
  const base = reals(n, "base_values");
  const isNew = n.operator === "TreeEnsemble";
  const forest = isNew ? newForestOf(n, targets, isDouble(n)) : forestOf(n, "target", targets, isDouble(n));
  let { scores, has } = sums(n, forest, targets, aggregateOf(n));
  if (base.length === targets) scores = plus(scores, list(base));
  // a target without a score has no base either
  if (base.length === targets && targets > 1) scores = masked(n, scores, has, 0);
  // of one target onnxruntime leaves out other transforms
  if (targets > 1 || transform === "PROBIT") scores = transformed(n, scores, transform);
  n.setPlain(0, isNew ? castAs(n, scores, n.input(0).dtype) : scores);
}

function classifier(n: OnnxNode): void {
  const { list, plus } = kitOf(n);
  const classes = classCount(n);
  const forest = forestOf(n, "class", classes, isDouble(n));
  const base = reals(n, "base_values");
  const transform = transformOf(n);
  const { scores, has } = sums(n, forest, classes, "SUM");
  if (classes < 3) return twoClasses(n, scores, has, base, transform);
  const filled = Array.from({ length: classes }, (_, k) => base[k] ?? 0);
  const whole = base.length > 0 ? plus(scores, list(filled)) : scores;
  // a class without a score is not the greatest
  const compared = masked(n, whole, (k) => (k < base.length ? undefined : has(k)), Number.NEGATIVE_INFINITY);
  setLabels(n, greatest(n, compared));
  if (n.outputs[1]) n.setPlain(1, transformed(n, whole, transform));
}

/** What a classifier of one or two classes gives: the score that decides, and all of them. */
interface Decided {
  readonly deciding: TensorId;
  readonly scores: TensorId;
}

/** Two classes, of which one may have all the scores, or one alone. */
function twoClasses(n: OnnxNode, scores: TensorId, has: Sums["has"], base: readonly number[], transform: string): void {
  const { choose, joined, number, of, part, plus } = kitOf(n);
  const [rows, classes] = n.b.tensor(scores).shape as readonly [number, number];
  const isOne = classes === 2 && new Set(n.ints("class_ids")).size === 1;
  const areChances = isOne && reals(n, "class_weights").every((weight) => weight >= 0);
  const [first, second] = Array.from({ length: classes }, (_, k) => part(scores, [0, k], [rows, 1])) as [
    TensorId,
    TensorId?,
  ];
  const pair = (a: TensorId, b: TensorId) => transformed(n, joined([masked(n, a, has, 0), b]), transform);
  const raised = (by = 0) => (by === 0 ? first : plus(first, number(by)));
  const decided = (isSecond: boolean): Decided => {
    if (base.length === 2 && isSecond) {
      const deciding = raised(base[1]);
      return { deciding, scores: pair(of("neg", deciding), deciding) };
    }
    // without a score the second class has no base either
    const deciding = raised(base.length > 2 ? 0 : base[0]);
    if (second === undefined) return { deciding, scores: deciding };
    if (isSecond) return { deciding: second, scores: pair(deciding, second) };
    return {
      deciding,
      scores: base.length === 2 ? pair(deciding, second) : bothOf(n, deciding, areChances, transform),
    };
  };
  const is = classes === 2 ? has(1) : undefined;
  let result = decided(true);
  if (is !== undefined) {
    const other = decided(false);
    result = {
      deciding: choose(is, result.deciding, other.deciding),
      scores: choose(is, result.scores, other.scores),
    };
  }
  setLabels(n, isMore(n, result.deciding, areChances ? 0.5 : 0), isOne ? undefined : [0, 1]);
  if (n.outputs[1]) n.setPlain(1, result.scores);
}

export const TREES: Conversions = {
  "ai.onnx.ml.TreeEnsemble": regressor,
  "ai.onnx.ml.TreeEnsembleClassifier": classifier,
  "ai.onnx.ml.TreeEnsembleRegressor": regressor,
};
