/** Boxes from anchors and the best of them → ONNX operators: decoding, NonMaxSuppression, and as many rows as there may be. */
import type { Node, OpKind, TensorId } from "../../../graph.ts";
import { dimensions, GREATEST_FLOAT, sizeOf } from "../../../tensor.ts";
import type { Emitter } from "./emit.ts";
import { best, filled, rows, setCount, upTo } from "./found.ts";
import { cast, input, real, reshaped, sliced, type Writer } from "./steps.ts";

/** The score of no box. */
const LEAST = -GREATEST_FLOAT;

type Detection = Node<"detectionPostProcess">;

/** Corners `[N, 4]` of boxes: y and x of the first, then of the other. */
function decoded(node: Detection, to: Emitter): string {
  const [count, size] = dimensions(to.tensor(input(node, 0)).shape.slice(1), 2);
  const offsets = reshaped(to, to.real(input(node, 0)), [count, size]);
  const column = (x: string, i: number) => sliced(to, x, [i], [i + 1], [1]);
  const anchors = to.real(input(node, 2));
  const [y, x, h, w] = node.attributes.scales.map((scale, i) =>
    to.step("Div", [column(offsets, i), real(to, scale, "scale")]),
  ) as [string, string, string, string];
  const centre = (offset: string, i: 0 | 1) =>
    to.step("Add", [to.step("Mul", [offset, column(anchors, i + 2)]), column(anchors, i)]);
  const half = (offset: string, i: 0 | 1) =>
    to.step("Mul", [to.step("Mul", [to.step("Exp", [offset]), real(to, 0.5)]), column(anchors, i + 2)]);
  const [centres, halves] = [
    [centre(y, 0), centre(x, 1)],
    [half(h, 0), half(w, 1)],
  ] as const;
  const corners = ["Sub", "Add"].flatMap((type) =>
    centres.map((each, i) => to.step(type, [each, halves[i] as string])),
  );
  return to.step("Concat", corners, { axis: 1 });
}

/** A value just below: what is compared with "more than" where "not less than" is meant. */
function below(value: number): number {
  const bits = new Int32Array(Float32Array.of(value).buffer);
  const [own = 0] = bits;
  if (value === 0) return -1.401298464324817e-45;
  return new Float32Array(Int32Array.of(value > 0 ? own - 1 : own + 1).buffer)[0] as number;
}

/** Rows `[n, 3]` of class and box, of those in each class that overlap no better one. Scores `[1, classes, N]`. */
function suppressed(to: Emitter, boxes: string, scores: string, count: number, most: number, node: Detection): string {
  const { overlapThreshold, scoreThreshold } = node.attributes;
  return to.step("NonMaxSuppression", [
    reshaped(to, boxes, [1, count, 4]),
    scores,
    to.integers("most", [most]),
    real(to, overlapThreshold, "overlap"),
    real(to, below(scoreThreshold), "threshold"),
  ]);
}

/** As many rows as there are, zeros in the others. */
function masked(to: Emitter, x: string, count: string, shape: readonly number[], none = 0): string {
  const [length = 0, ...rest] = shape;
  const is = to.step("Less", [upTo(to, length, [length, ...rest.map(() => 1)]), count]);
  return to.step("Where", [is, x, real(to, none, "none")]);
}

interface Found {
  /** `[length]`, and how many of them there are, `[1]`. */
  readonly length: number;
  readonly box: string;
  readonly count: string;
  /** `[length, classes]` of each box. */
  readonly label: string;
  readonly score: string;
}

/** Boxes by their best class, and the best classes of each that is left. */
function bestClasses(node: Detection, to: Emitter, boxes: string, scores: string, count: number): Found {
  const { classes, classesPerDetection, mostDetections } = node.attributes;
  const [values, labels] = [to.fresh("scores"), to.fresh("classes")];
  const k = Math.min(classesPerDetection, classes);
  to.add("TopK", [scores, to.integers("k", [k])], values, { axis: 1 }, [labels]);
  const top = reshaped(to, sliced(to, values, [0], [1], [1]), [1, 1, count]);
  const found = suppressed(to, boxes, top, count, mostDetections, node);
  const length = Math.min(mostDetections, count);
  const box = filled(to, reshaped(to, sliced(to, found, [2], [3], [1]), [-1]), length);
  const own = (x: string) => to.step("Gather", [x, box], { axis: 0 });
  return { length, box, count: rows(to, found), label: own(labels), score: own(values) };
}

/** The best of all classes, each of which is thinned out by itself. */
function everyClass(node: Detection, to: Emitter, boxes: string, scores: string, count: number): Found {
  const { classes, detectionsPerClass, mostDetections } = node.attributes;
  const byClass = reshaped(to, to.step("Transpose", [scores], { perm: [1, 0] }), [1, classes, count]);
  const found = suppressed(to, boxes, byClass, count, detectionsPerClass, node);
  const all = classes * Math.min(detectionsPerClass, count);
  const length = Math.min(all, mostDetections);
  const number = rows(to, found);
  const column = (i: number) => filled(to, reshaped(to, sliced(to, found, [i], [i + 1], [1]), [-1]), all);
  const [label, box] = [column(1), column(2)];
  const flat = to.step("Add", [to.step("Mul", [box, to.integers("classes", [classes])]), label]);
  const values = to.step("Gather", [reshaped(to, scores, [-1]), flat], { axis: 0 });
  const [score, order] = [to.fresh("scores"), to.fresh("order")];
  const given = masked(to, values, number, [all], LEAST);
  to.add("TopK", [given, to.integers("k", [length])], score, { axis: 0 }, [order]);
  const own = (x: string) => to.step("Gather", [x, order], { axis: 0 });
  return {
    length,
    box: own(box),
    count: to.step("Min", [number, to.integers("most", [length])]),
    label: own(label),
    score,
  };
}

const detection: Writer<"detectionPostProcess"> = (node, to) => {
  const { classes, classesPerDetection, mostDetections, everyClass: isEvery } = node.attributes;
  const scores = to.tensor(input(node, 1));
  const [count, columns] = [sizeOf(scores, 1), sizeOf(scores, 2)];
  const boxes = decoded(node, to);
  const whole = reshaped(to, to.real(input(node, 1)), [count, columns]);
  const own = columns === classes ? whole : sliced(to, whole, [columns - classes], [columns], [1]);
  const found = (isEvery ? everyClass : bestClasses)(node, to, boxes, own, count);
  const [yBoxes, yClasses, yScores, yCount] = node.outputs as readonly [TensorId, TensorId, TensorId, TensorId];
  // Each has room for as many classes as are asked for, and the whole for more rows than are found.
  const [all, room] = [mostDetections * classesPerDetection, isEvery ? 1 : classesPerDetection];
  const wide = Math.min(room, classes);
  const put = (id: TensorId, x: string, rest: readonly number[]) => {
    const sizes = [found.length, wide, ...rest];
    const kept = masked(to, reshaped(to, x, sizes), found.count, sizes);
    const missing = [all / room - found.length, room - wide, ...rest.map(() => 0)];
    const pads = to.integers("pads", [...sizes.map(() => 0), ...missing]);
    const whole = missing.every((size) => size === 0) ? kept : to.step("Pad", [kept, pads]);
    to.loose.add(id);
    to.set(id, reshaped(to, whole, [1, all, ...rest]));
  };
  const corners = to.step("Gather", [boxes, found.box], { axis: 0 });
  put(yBoxes, wide === 1 ? corners : to.step("Tile", [corners, to.integers("times", [1, wide])]), [4]);
  put(yClasses, to.step("Cast", [found.label], { to: 1 }), []);
  put(yScores, found.score, []);
  return cast(yCount, to, found.count);
};

/** Scores do not fall where boxes overlap: those that are kept are the first ones'. */
const withScores: Writer<"nonMaxSuppressionV5"> = (node, to) => {
  const [limit] = to.numbers(node.inputs[2]) ?? [];
  const { data } = to.tensor(input(node, 5));
  const [y, score, count] = node.outputs as readonly [TensorId, TensorId, TensorId];
  const isHard = data !== undefined && new Float32Array(new Uint8Array(data).buffer)[0] === 0;
  if (limit === undefined || !isHard) return false;
  const found = best(node, to);
  const all = filled(to, found, limit);
  const values = to.step("Gather", [to.real(input(node, 1)), all], { axis: 0 });
  to.set(score, masked(to, values, rows(to, found), [limit]));
  return cast(y, to, all) && setCount(to, count, rows(to, found));
};

/** Writers by kind. */
export const DETECTED: { readonly [K in OpKind]?: Writer<K> } = {
  detectionPostProcess: detection,
  nonMaxSuppressionV5: withScores,
};
