/** Detectors' ends: the boxes of all classes that reach a score, the best of each, together, and those that stay. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadModel } from "../../../bindings/public/index.ts";
import { buildOnnx, type GraphSpec, type NodeSpec, node, type TensorSpec } from "../build-onnx.ts";

const BOXES = 40;
const CLASSES = 3;
/** The best of a class, and of all, that go on. */
const [EACH, ALL] = [9, 12];
const [LEAST, OVERLAP] = [0.3, 0.5];

const longs = (name: string, values: readonly number[], dims: readonly number[] = [values.length]): TensorSpec => ({
  name,
  type: 7,
  dims,
  values,
});
const float = (name: string, value: number): TensorSpec => ({ name, type: 1, dims: [], values: [value] });

/** As torchvision writes it: a class's scores above a bound, at most so many, and their boxes. */
function ofClass(c: number): readonly NodeSpec[] {
  const at = (name: string) => `${name}${c}`;
  return [
    node("Gather", `scores class${c}`, at("s"), { int: { axis: 1 } }),
    node("Greater", `${at("s")} least`, at("isMore")),
    node("NonZero", at("isMore"), at("nz")),
    node("Transpose", at("nz"), at("rows"), { ints: { perm: [1, 0] } }),
    node("GatherND", `${at("s")} ${at("rows")}`, at("kept")),
    node("NonZero", at("isMore"), at("nz2")),
    node("Transpose", at("nz2"), at("rows2"), { ints: { perm: [1, 0] } }),
    node("GatherND", `boxes ${at("rows2")}`, at("keptBoxes")),
    node("Shape", at("kept"), at("shape")),
    node("Gather", `${at("shape")} zero`, at("size"), { int: { axis: 0 } }),
    node("Unsqueeze", `${at("size")} axis0`, at("size1")),
    node("Concat", `each ${at("size1")}`, at("both"), { int: { axis: 0 } }),
    node("ReduceMin", at("both"), at("k"), { int: { keepdims: 0 } }),
    node("Reshape", `${at("k")} one`, at("k1")),
    node("TopK", `${at("kept")} ${at("k1")}`, `${at("best")} ${at("places")}`, { int: { axis: -1 } }),
    node("Gather", `${at("keptBoxes")} ${at("places")}`, at("bestBoxes"), { int: { axis: 0 } }),
    node("Shape", at("best"), at("count")),
    node("ConstantOfShape", at("count"), at("ones")),
    node("Add", `${at("ones")} label${c}`, at("labels")),
  ];
}

const each = (name: string) => Array.from({ length: CLASSES }, (_, c) => `${name}${c}`).join(" ");

/** The part that has no boxes to look at where there are none. */
const ELSE: GraphSpec = {
  nodes: [
    node("ReduceMax", "all", "far", { int: { keepdims: 0 } }),
    node("Add", "far oneF", "step"),
    node("Mul", "allLabels step", "offsets"),
    node("Slice", "offsets begin end axis0", "offsets1"),
    node("Unsqueeze", "offsets1 axis1", "offsets2"),
    node("Add", "all offsets2", "apart"),
    node("Unsqueeze", "apart axis0", "boxes3"),
    node("Unsqueeze", "allScores axis0", "scores2"),
    node("Unsqueeze", "scores2 axis0", "scores3"),
    node("NonMaxSuppression", "boxes3 scores3 end overlap", "found"),
    node("Gather", "found column", "keep2", { int: { axis: 1 } }),
    node("Squeeze", "keep2 axis1", "keep"),
  ],
  inputs: [],
  outputs: [{ name: "keep" }],
};
const THEN: GraphSpec = {
  nodes: [node("Identity", "empty", "none")],
  inputs: [],
  outputs: [{ name: "none" }],
};

const DETECTOR: GraphSpec = {
  nodes: [
    ...Array.from({ length: CLASSES }, (_, c) => ofClass(c)).flat(),
    node("Concat", each("bestBoxes"), "all", { int: { axis: 0 } }),
    node("Concat", each("best"), "allScores", { int: { axis: 0 } }),
    node("Concat", each("labels"), "allLabels", { int: { axis: 0 } }),
    node("Shape", "all", "sizes"),
    node("ReduceProd", "sizes", "elements", { int: { keepdims: 0 } }),
    node("Equal", "elements zero", "isNone"),
    node("Cast", "isNone", "isNone2", { int: { to: 9 } }),
    node("If", "isNone2", "stay", { graph: { then_branch: THEN, else_branch: ELSE } }),
    node("Slice", "stay begin most axis0", "first"),
    node("Gather", "all first", "y", { int: { axis: 0 } }),
    node("Gather", "allScores first", "z", { int: { axis: 0 } }),
    node("Gather", "allLabels first", "w", { int: { axis: 0 } }),
  ],
  inputs: [
    { name: "boxes", type: 1, dims: [BOXES, 4] },
    { name: "scores", type: 1, dims: [BOXES, CLASSES] },
  ],
  outputs: [{ name: "y" }, { name: "z" }, { name: "w" }],
  initializers: [
    ...[0, 1, 2].flatMap((c) => [longs(`class${c}`, [c], []), float(`label${c}`, c)]),
    float("least", LEAST),
    { name: "overlap", type: 1, dims: [1], values: [OVERLAP] },
    float("oneF", 1),
    longs("zero", [0], []),
    ...[longs("axis0", [0]), longs("axis1", [1]), longs("one", [1]), longs("column", [2])],
    ...[longs("each", [EACH]), longs("begin", [0]), longs("end", [2 ** 40]), longs("most", [ALL]), longs("empty", [])],
  ],
};

const f = Math.fround;

function overlapOf(a: readonly number[], b: readonly number[]): number {
  const [top, left, bottom, right] = a as [number, number, number, number];
  const [top2, left2, bottom2, right2] = b as [number, number, number, number];
  const areas = [f(f(bottom - top) * f(right - left)), f(f(bottom2 - top2) * f(right2 - left2))] as const;
  const height = f(Math.min(bottom, bottom2) - Math.max(top, top2));
  const width = f(Math.min(right, right2) - Math.max(left, left2));
  if (height <= 0 || width <= 0 || areas[0] <= 0 || areas[1] <= 0) return 0;
  const common = f(height * width);
  return f(common / f(f(areas[0] + areas[1]) - common));
}

/** The same, written down plainly. */
function detected(boxes: Float32Array, scores: Float32Array) {
  const found = Array.from({ length: CLASSES }, (_, c) =>
    Array.from({ length: BOXES }, (_, i) => ({
      score: scores[i * CLASSES + c] as number,
      box: Array.from(boxes.subarray(i * 4, i * 4 + 4)),
      c,
    }))
      .filter(({ score }) => score > f(LEAST))
      .sort((a, b) => b.score - a.score)
      .slice(0, EACH),
  ).flat();
  const far = f(Math.max(...found.flatMap(({ box }) => box)) + 1);
  const apart = found.map((each) => ({ ...each, moved: each.box.map((x) => f(x + f(each.c * far))) }));
  const stay: typeof apart = [];
  for (const each of [...apart].sort((a, b) => b.score - a.score))
    if (stay.every(({ moved }) => overlapOf(moved, each.moved) <= OVERLAP)) stay.push(each);
  const first = stay.slice(0, ALL);
  return [first.flatMap(({ box }) => box), first.map(({ score }) => score), first.map(({ c }) => c)];
}

test("a detector's end: some of the boxes, none of them, most of them", async () => {
  let state = 12345;
  const real = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  const sets = [0.3, 0, 0.05, 1, 0.3].map((share) => {
    const boxes = new Float32Array(BOXES * 4);
    for (let i = 0; i < BOXES; i++) {
      const [top, left] = [real() * 50, real() * 50];
      // some have no area, as those that are cut off at a picture's edge
      const [height, width] = real() < 0.2 ? [0, real() * 9] : [real() * 40, real() * 40];
      boxes.set([top, left, top + height, left + width], i * 4);
    }
    return [boxes, Float32Array.from({ length: BOXES * CLASSES }, () => (real() < share ? real() : 0))] as const;
  });
  for (const module of ["scalar", "simd"] as const) {
    const model = await loadModel(buildOnnx(DETECTOR), { module });
    for (const [boxes, scores] of sets) {
      const results = Object.values(model.run({ boxes, scores })).map((y) => Array.from(y as Float32Array));
      assert.deepEqual(results, detected(boxes, scores));
    }
    model.close();
  }
});

test("boxes without an area stay, each once", async () => {
  const graph: GraphSpec = {
    nodes: [node("NonMaxSuppression", "boxes scores end overlap", "y")],
    inputs: [
      { name: "boxes", type: 1, dims: [1, 4, 4] },
      { name: "scores", type: 1, dims: [1, 1, 4] },
    ],
    outputs: [{ name: "y" }],
    initializers: [longs("end", [100]), { name: "overlap", type: 1, dims: [1], values: [OVERLAP] }],
  };
  const model = await loadModel(buildOnnx(graph));
  const boxes = Float32Array.of(5, 5, 5, 9, 0, 0, 4, 4, 4, 4, 0, 0, 5, 5, 5, 9);
  const [y] = Object.values(model.run([boxes, Float32Array.of(0.9, 0.7, 0.8, 0.6)]));
  assert.deepEqual(Array.from(y as unknown as BigInt64Array, Number), [0, 0, 0, 0, 0, 2, 0, 0, 3]);
  model.close();
});

test("lengths that grow or chain without end are refused at once", async () => {
  const found = [
    node("NonZero", "x", "nz"),
    node("Transpose", "nz", "rows", { ints: { perm: [1, 0] } }),
    node("GatherND", "x rows", "v0"),
    node("Shape", "v0", "k0"),
  ];
  const x = [{ name: "x", type: 1, dims: [4] }];
  const doubled = Array.from({ length: 40 }, (_, i) =>
    node("Concat", `v${i} v${i}`, `v${i + 1}`, { int: { axis: 0 } }),
  );
  const grown: GraphSpec = { nodes: [...found, ...doubled], inputs: x, outputs: [{ name: "v40" }] };
  await assert.rejects(loadModel(buildOnnx(grown)), { code: "UNSUPPORTED" });
  const least = Array.from({ length: 60 }, (_, i) => node("Min", `k${i} k${i}`, `k${i + 1}`));
  const chain: GraphSpec = {
    nodes: [...found, ...least, node("TopK", "v0 k60", "y places")],
    inputs: x,
    outputs: [{ name: "y" }],
  };
  const model = await loadModel(buildOnnx(chain));
  assert.deepEqual(Array.from(Object.values(model.run([Float32Array.of(3, 0, 9, 4)]))[0] as Float32Array), [9, 4, 3]);
  model.close();
  const padded: GraphSpec = {
    nodes: [node("Pad", "x pads", "y")],
    inputs: x,
    outputs: [{ name: "y" }],
    initializers: [longs("pads", [2 ** 40, 0])],
  };
  await assert.rejects(loadModel(buildOnnx(padded)), { code: "UNSUPPORTED", message: /32 bits/ });
});
