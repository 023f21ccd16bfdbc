/** Second stages of detectors: the rows that a first one left are parted by their levels, computed, and put together again by places. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadModel } from "../../../bindings/public/index.ts";
import { buildOnnx, type NodeSpec, node, type TensorSpec } from "../build-onnx.ts";

const longs = (name: string, values: readonly number[], dims: readonly number[] = [values.length]): TensorSpec => ({
  name,
  type: 7,
  dims,
  values,
});
const AXIS0 = { int: { axis: 0 } };

/** Places where a mask holds, as PyTorch writes them. */
const places = (mask: string, to: string): readonly NodeSpec[] => [
  node("NonZero", mask, `${to}Nz`),
  node("Transpose", `${to}Nz`, `${to}Rows`, { ints: { perm: [1, 0] } }),
  node("Squeeze", `${to}Rows axis1`, to),
];

/** Rows of one level times a matrix, put to their places in `before`. */
const level = (name: string, weights: string, before: string, to: string): readonly NodeSpec[] => [
  node("Gather", `kept ${name}`, `${name}Kept`, AXIS0),
  node("MatMul", `${name}Kept ${weights}`, `${name}Y`),
  node("Reshape", `${name} column`, `${name}Column`),
  node("Shape", `${name}Column`, `${name}Shape`),
  node("Gather", `${name}Shape zero`, `${name}Count`, AXIS0),
  node("Unsqueeze", `${name}Count axis0`, `${name}Count1`),
  node("Concat", `${name}Count1 two1`, `${name}Both`, AXIS0),
  node("Reshape", `${name}Both flat`, `${name}Sizes`),
  node("Shape", `${name}Sizes`, `${name}Rank`),
  node("ConstantOfShape", `${name}Rank`, `${name}Zeros`),
  node("Cast", `${name}Zeros`, `${name}None`, { int: { to: 7 } }),
  node("Add", `${name}None one`, `${name}Ones`),
  node("Mul", `${name}Ones less`, `${name}Less`),
  node("Equal", `${name}Sizes ${name}Less`, `${name}IsLess`),
  node("Where", `${name}IsLess ${name}Ones ${name}Sizes`, `${name}To`),
  node("Expand", `${name}Column ${name}To`, `${name}Places`),
  node("ScatterElements", `${before} ${name}Places ${name}Y`, to, AXIS0),
];

const NODES: readonly NodeSpec[] = [
  node("Gather", "x zero", "scores", { int: { axis: 1 } }),
  node("Greater", "scores none", "isKept"),
  ...places("isKept", "rows"),
  node("Gather", "x rows", "kept", AXIS0),
  node("Gather", "kept one", "which", { int: { axis: 1 } }),
  node("Less", "which none", "isLow"),
  node("Not", "isLow", "isHigh"),
  ...places("isLow", "low"),
  ...places("isHigh", "high"),
  node("Shape", "kept", "keptShape"),
  node("Gather", "keptShape zero", "count", AXIS0),
  node("Unsqueeze", "count axis0", "count1"),
  node("Concat", "count1 two1", "size", AXIS0),
  node("ConstantOfShape", "size", "start"),
  ...level("low", "w", "start", "some"),
  ...level("high", "w2", "some", "all"),
  node("Add", "axis0 count1", "end"),
  node("Slice", "all axis0 end axis0", "y"),
  // of each value its row, where it is more than 1
  node("Range", "zero count one", "each"),
  node("Reshape", "each column", "eachColumn"),
  node("Shape", "y", "yShape"),
  node("Expand", "eachColumn yShape", "numbers"),
  node("Reshape", "numbers flat", "flatNumbers"),
  node("Reshape", "y flat", "flatY"),
  node("Greater", "flatY oneF", "isMore"),
  ...places("isMore", "more"),
  node("Gather", "flatNumbers more", "found", AXIS0),
];

const INITIALIZERS: readonly TensorSpec[] = [
  longs("zero", [0], []),
  longs("one", [1], []),
  longs("axis0", [0]),
  longs("axis1", [1]),
  longs("two1", [2]),
  longs("less", [-1], []),
  longs("flat", [-1]),
  longs("column", [-1, 1]),
  { name: "none", dims: [], type: 1, values: [0] },
  { name: "oneF", dims: [], type: 1, values: [1] },
  { name: "w", dims: [3, 2], type: 1, values: [1, 0, 0, 0, 0, 1] },
  { name: "w2", dims: [3, 2], type: 1, values: [0, 2, 1, 0, 0, 0] },
];

/** The same on arrays. */
function expected(x: readonly (readonly [number, number, number])[]) {
  const kept = x.filter(([score]) => score > 0);
  const y = kept.map(([a, b, c]) => (b < 0 ? [a, c] : [b, 2 * a]));
  return { y: y.flat(), found: y.flatMap((row, i) => row.flatMap((value) => (value > 1 ? [i] : []))) };
}

test("levels apart, and together by their places", async () => {
  const model = buildOnnx({
    nodes: NODES,
    inputs: [{ name: "x", dims: [5, 3] }],
    outputs: [{ name: "y" }, { name: "found" }],
    initializers: INITIALIZERS,
  });
  const sets: readonly (readonly (readonly [number, number, number])[])[] = [
    [
      [1, -1, 5],
      [0, 1, 1],
      [2, 3, 1],
      [-1, 1, 1],
      [3, -2, 0.5],
    ],
    [
      [-1, -1, 5],
      [-1, 1, 1],
      [-2, 3, 1],
      [-1, 1, 1],
      [-3, -2, 0.5],
    ],
    [
      [1, 1, 5],
      [2, 3, 1],
      [0.25, 3, 1],
      [4, 1, 1],
      [3, 2, 0.5],
    ],
    [
      [-1, 1, 5],
      [-1, 1, 1],
      [-2, 3, 1],
      [-1, 1, 1],
      [3, -2, 0.5],
    ],
  ];
  for (const module of ["scalar", "simd"] as const) {
    const session = await loadModel(model, { module });
    for (const x of sets) {
      const { y, found } = session.run([Float32Array.from(x.flat())]) as Record<string, ArrayLike<number | bigint>>;
      const own = { y: Array.from(y ?? [], Number), found: Array.from(found ?? [], Number) };
      assert.deepEqual(own, expected(x));
    }
    session.close();
  }
});

for (const [size, fill] of [
  [4, 0],
  [9, 7],
] as const)
  test(`rows filled up to ${size}, as detectors with suppression inside end`, async () => {
    const nodes: readonly NodeSpec[] = [
      node("Greater", "x none", "isKept"),
      ...places("isKept", "rows"),
      node("Gather", "x rows", "found", AXIS0),
      node("Unsqueeze", "found axis1", "values"),
      node("Shape", "values", "shape"),
      node("Gather", "shape zero", "count", AXIS0),
      node("Sub", "size count", "rest"),
      node("Unsqueeze", "rest axis0", "rest1"),
      node("Concat", "before rest1 axis0", "pads", AXIS0),
      node("Pad", "values pads fill", "y"),
    ];
    const model = buildOnnx({
      nodes,
      inputs: [{ name: "x", dims: [6] }],
      outputs: [{ name: "y" }],
      initializers: [
        ...INITIALIZERS,
        longs("size", [size], []),
        longs("before", [0, 0]),
        { name: "fill", dims: [], type: 1, values: [fill] },
      ],
    });
    for (const module of ["scalar", "simd"] as const) {
      const session = await loadModel(model, { module });
      for (const x of [
        [0, 3, -1, 2, 5, 0],
        [-1, 0, 0, 0, -1, 0],
        [0, 3, 4, 0, 6, 9],
      ]) {
        const { y } = session.run([Float32Array.from(x)]) as Record<string, Float32Array>;
        const kept = x.filter((value) => value > 0);
        assert.deepEqual([...(y ?? [])], [...kept, ...new Array<number>(size - kept.length).fill(fill)]);
      }
      session.close();
    }
  });

test("elements of found rows by indices of their own", async () => {
  const nodes: readonly NodeSpec[] = [
    node("Gather", "x zero", "scores", { int: { axis: 1 } }),
    node("Greater", "scores none", "isKept"),
    ...places("isKept", "rows"),
    node("Gather", "x rows", "kept", AXIS0),
    node("ArgMax", "x", "best", { int: { axis: 1, keepdims: 1 } }),
    node("Gather", "best rows", "which", AXIS0),
    node("GatherElements", "kept which", "y", { int: { axis: 1 } }),
  ];
  const model = buildOnnx({
    nodes,
    inputs: [{ name: "x", dims: [3, 2] }],
    outputs: [{ name: "y" }],
    initializers: INITIALIZERS,
  });
  const session = await loadModel(model, { module: "scalar" });
  assert.deepEqual(session.run([Float32Array.of(-1, 5, 2, 3, 4, 1)]).y, Float32Array.of(3, 4));
  session.close();
});
