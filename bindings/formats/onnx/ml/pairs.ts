/** Chances of classes from those of each two (Wu, Lin and Weng 2004, as libsvm has it): a loop that ends when all rows are settled. */
import type { TensorId } from "../../../graph.ts";
import type { Builder } from "../builder.ts";
import type { OnnxNode } from "../convert.ts";
import { given, type Part, whileOf } from "../ops/loops.ts";
import { entries, reshapedTo, truth } from "../ops/move.ts";
import { NONE } from "../types.ts";
import { kitOf } from "./kit.ts";
import { product } from "./scores.ts";

/** Turns at most, and how far from settled rows are that no turn changes, times the classes. */
const TURNS = 100;
const UNSETTLED = 0.005;
/** How near to 0 and 1 chances of two classes may be. */
const LEAST = 1e-7;

/** Chances `[N,C]` from scores of each two classes `[N,C·(C−1)/2]`, whose logistic functions have these slopes and offsets. */
export function chances(
  n: OnnxNode,
  scores: TensorId,
  classes: number,
  slopes: readonly number[],
  offsets: readonly number[],
): TensorId {
  const { add, plus, minus, times, of, number, list } = kitOf(n);
  const own = minus(number(1), of("logistic", plus(times(scores, list(slopes)), list(offsets))));
  const first = add("minimum", [add("maximum", [own, number(LEAST)], {}), number(1 - LEAST)], {});
  return settled(n, matrix(n, first, minus(number(1), first), classes), classes);
}

/** Q `[N,C,C]` of chances of the first and the second of two classes: on its diagonal sums of squares of the others', elsewhere −first·second. */
function matrix(n: OnnxNode, first: TensorId, second: TensorId, classes: number): TensorId {
  const { times, joined } = kitOf(n);
  const [rows, pairs] = n.b.tensor(first).shape as readonly [number, number];
  const width = 3 * pairs;
  const table = new Array<number>(entries(n, classes * classes * width)).fill(0);
  const put = (i: number, j: number, column: number, value: number) => {
    table[(i * classes + j) * width + column] = value;
  };
  let pair = 0;
  for (let i = 0; i < classes - 1; i++)
    for (let j = i + 1; j < classes; j++, pair++) {
      put(i, i, pair, 1);
      put(j, j, pairs + pair, 1);
      put(i, j, 2 * pairs + pair, -1);
      put(j, i, 2 * pairs + pair, -1);
    }
  const all = joined([times(second, second), times(first, first), times(first, second)]);
  return reshapedTo(n, product(n, all, classes * classes, table), [rows, classes, classes]);
}

/** p `[N,C]`, of which each row is changed, class by class, until Q·p is the same for all classes. */
function settled(n: OnnxNode, q: TensorId, classes: number): TensorId {
  const [rows] = n.b.tensor(q).shape as readonly [number];
  const b = n.scope.shared.inner.createBuilder(n.b.operators);
  const equal = new Float32Array(entries(n, rows * classes)).fill(1 / classes);
  const part = (outer: TensorId): Part => ({ outer, inner: given(b, n.b.tensor(outer)) });
  const [turn, limit] = [part(n.b.integers([0], [])), part(n.b.integers([TURNS], []))];
  const [goes, matrices] = [part(truth(n, true)), part(q)];
  const p = part(n.b.constant("float32", [rows, classes], equal));
  const { next, isOpen } = turned(n, b, matrices.inner, p.inner, classes);
  const [anyOpen] = b.add("reduceAny", n.where, [isOpen, b.integers([0, 1])], { keepDims: false }, [{ dtype: "bool" }]);
  const [after] = b.add("add", n.where, [turn.inner, b.integers([1], [])], NONE, [{ dtype: "int32" }]);
  const parts = [
    { ...turn, next: after },
    limit,
    { ...goes, next: anyOpen },
    matrices,
    { ...p, next },
  ] as readonly Part[];
  return whileOf(n, b, parts)[4] as TensorId;
}

/** A turn: p after it, and which rows it has changed, `[N,1]`. */
function turned(n: OnnxNode, b: Builder, q: TensorId, before: TensorId, classes: number) {
  const { plus, minus, times, by, of, number, choose, compared, list, sum, part, reshaped, most } = kitOf(n, b);
  const [rows] = b.tensor(q).shape as readonly [number];
  let p = before;
  let qp = sum(times(q, reshaped(p, [rows, 1, classes])), 2);
  let pqp = sum(times(p, qp), 1, true);
  const far = most(of("abs", minus(qp, pqp)), 1, true);
  const isOpen = compared("greaterEqual")(far, number(UNSETTLED / classes));
  for (let i = 0; i < classes; i++) {
    const own = reshaped(part(q, [0, i, 0], [rows, 1, classes]), [rows, classes]);
    const ownOwn = part(own, [0, i], [rows, 1]);
    const at = part(qp, [0, i], [rows, 1]);
    const step = by(minus(pqp, at), ownOwn);
    const whole = plus(step, number(1));
    const here = list(Array.from({ length: classes }, (_, k) => Number(k === i)));
    p = by(plus(p, times(step, here)), whole);
    pqp = by(by(plus(pqp, times(step, plus(times(step, ownOwn), plus(at, at)))), whole), whole);
    qp = by(plus(qp, times(step, own)), whole);
  }
  return { next: choose(isOpen, p, before), isOpen };
}
