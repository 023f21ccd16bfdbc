/** Losses of classes, as exports of networks in training have them at their ends. */
import type { TensorId } from "../../../graph.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import { adderOf } from "../elementwise.ts";
import { permuted, toLast } from "../layout.ts";
import { FLOAT, NONE } from "../types.ts";
import { cast, longs } from "./move.ts";
import { added } from "./reduce.ts";

/** −Σ w·p of the classes that targets name, of log-probabilities `[N,C,…]` with the classes last: inputs 1 and 2 are targets and weights. */
function loss(n: OnnxNode, last: TensorId): void {
  const add = adderOf(n);
  const { shape } = n.b.tensor(last);
  const [rank, classes] = [shape.length, shape.at(-1) as number];
  const target = cast(n, n.plain(n.input(1)), "int64");
  if (`${n.input(1).shape}` !== `${shape.slice(0, -1)}`)
    n.refuse(`targets of ${shape.slice(0, -1)}`, `${n.input(1).shape}`);
  const ignored = n.attribute("ignore_index") === undefined ? -1 : n.int("ignore_index", -1);
  const counted = add("notEqual", [target, longs(n, [ignored], [])], {}, "bool");
  const places = add("selectV2", [counted, target, longs(n, [-1], [])], {}, "int64");
  const choice = [cast(n, places, "int32"), n.b.integers([classes], []), n.b.float(1), n.b.float(0)];
  const chosen = add("oneHot", choice, { axis: rank - 1 });
  const weights = n.inputs[2] === undefined ? chosen : add("mul", [chosen, n.plain(n.input(2))], NONE);
  const along = n.b.integers([rank - 1]);
  const total = add("sum", [add("mul", [weights, last], NONE), along], { keepDims: false });
  const each = add("sub", [n.b.float(0), total], NONE);
  const reduction = n.string("reduction", "mean");
  if (reduction === "none") return n.setPlain(0, each);
  const all = (id: TensorId) => {
    const axes = n.b.tensor(id).shape.map((_, d) => d);
    return axes.length === 0 ? id : added(n, "sum", id, axes, false);
  };
  const sum = all(each);
  n.setPlain(0, reduction === "sum" ? sum : add("div", [sum, all(weights)], NONE));
}

/** `[N,C,…]` with the classes last. */
function classesLast(n: OnnxNode): TensorId {
  const x = n.input(0);
  return permuted(n.b, n.where, n.plain(x), x.shape, toLast(x.shape.length));
}

function softmaxLoss(n: OnnxNode): void {
  const logs = n.add("logSoftmax", [classesLast(n)], {}, FLOAT)[0] as TensorId;
  loss(n, logs);
  const { shape } = n.b.tensor(logs);
  const back = [0, shape.length - 1, ...Array.from({ length: shape.length - 2 }, (_, i) => i + 1)];
  if (n.outputs[1]) n.setPlain(1, permuted(n.b, n.where, logs, shape, back));
}

export const LOSSES: Conversions = {
  NegativeLogLikelihoodLoss: (n) => loss(n, classesLast(n)),
  SoftmaxCrossEntropyLoss: softmaxLoss,
};
