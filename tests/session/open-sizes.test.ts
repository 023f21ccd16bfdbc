/** Results of computed sizes, and rows whose number is computed, through operators of many kinds. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadModel } from "../../bindings/public/index.ts";
import { buildTflite, type OperatorSpec, type TensorSpec } from "../formats/build-tflite.ts";
import { options } from "../formats/tflite-options.ts";

const ints = (name: string, ...data: number[]): TensorSpec => ({
  name,
  dtype: "int32",
  shape: [data.length],
  data: Int32Array.from(data),
});
const one = (name: string, value: number): TensorSpec => ({
  name,
  dtype: "int32",
  shape: [],
  data: Int32Array.of(value),
});
const X: TensorSpec = { name: "x", dtype: "float32", shape: [3, 4] };
const Y: TensorSpec = { name: "y", dtype: "float32", shape: [1, 1], signature: [-1, -1] };
const x = Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);

/** Results by computed sizes `k`: tensors 0 is x, 1 is k, 2 is y. */
const SIZED: readonly {
  readonly name: string;
  readonly size: TensorSpec;
  readonly more?: readonly TensorSpec[];
  readonly operator: OperatorSpec;
  readonly runs: readonly (readonly [k: readonly number[], y: readonly number[]])[];
}[] = [
  {
    name: "SLICE of two computed sizes",
    size: { name: "k", dtype: "int32", shape: [2] },
    more: [ints("begin", 1, 1)],
    operator: { code: "SLICE", inputs: [0, 3, 1], outputs: [2] },
    runs: [
      [
        [2, 2],
        [5, 6, 9, 10],
      ],
      [
        [-1, 1],
        [5, 9],
      ],
      [[0, 3], []],
    ],
  },
  {
    name: "STRIDED_SLICE backwards to computed ends",
    size: { name: "k", dtype: "int32", shape: [2] },
    more: [ints("begin", 2, 3), ints("strides", -1, -2)],
    operator: {
      code: "STRIDED_SLICE",
      inputs: [0, 3, 1, 4],
      outputs: [2],
      options: { type: 32, fields: {} },
    },
    runs: [
      [
        [0, 0],
        [11, 9, 7, 5],
      ],
      [[1, 1], [11]],
      [
        [-9, -9],
        [11, 9, 7, 5, 3, 1],
      ],
    ],
  },
  {
    name: "TILE by computed multiples",
    size: { name: "k", dtype: "int32", shape: [2] },
    operator: { code: "TILE", inputs: [0, 1], outputs: [2] },
    runs: [
      [[1, 1], [...x]],
      [[0, 5], []],
      [
        [1, 2],
        [0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 7, 4, 5, 6, 7, 8, 9, 10, 11, 8, 9, 10, 11],
      ],
    ],
  },
];

test("results of computed sizes", async () => {
  for (const { name, size, more = [], operator, runs } of SIZED) {
    const model = buildTflite({ tensors: [X, size, Y, ...more], operators: [operator], inputs: [0, 1], outputs: [2] });
    for (const module of ["scalar", "simd"] as const) {
      const session = await loadModel(model, { module });
      for (const [k, y] of runs)
        assert.deepEqual([...(session.run([x, Int32Array.from(k)]).y as Float32Array)], y, `${name} ${k}`);
      session.close();
    }
  }
});

test("functions of each element go on from results of computed sizes", async () => {
  const tensors: readonly TensorSpec[] = [
    X,
    { name: "k", dtype: "int32", shape: [2] },
    { ...Y, name: "tiled" },
    { name: "half", dtype: "float32", shape: [], data: Float32Array.of(0.5) },
    { ...Y, name: "halves" },
    Y,
    { name: "range", dtype: "int32", shape: [1], signature: [-1] },
    one("start", 0),
    one("delta", 1),
    { name: "limit", dtype: "int32", shape: [] },
    { name: "reals", dtype: "float32", shape: [1], signature: [-1] },
  ];
  const operators: readonly OperatorSpec[] = [
    { code: "TILE", inputs: [0, 1], outputs: [2] },
    { code: "MUL", inputs: [2, 3], outputs: [4], options: options.mul({}) },
    { code: "FLOOR", inputs: [4], outputs: [5] },
    { code: "RANGE", inputs: [7, 9, 8], outputs: [6] },
    { code: "CAST", inputs: [6], outputs: [10] },
  ];
  const model = buildTflite({ tensors, operators, inputs: [0, 1, 9], outputs: [5, 10] });
  for (const module of ["scalar", "simd"] as const) {
    const session = await loadModel(model, { module });
    const { y, reals } = session.run([x, Int32Array.of(2, 1), Int32Array.of(3)]);
    const half = [...x].map((each) => Math.floor(each / 2));
    assert.deepEqual([...(y as Float32Array)], [...half, ...half]);
    assert.deepEqual(reals, Float32Array.of(0, 1, 2));
    session.close();
  }
});

test("TILE past the room there is says so", async () => {
  const operators = [{ code: "TILE", inputs: [0, 1], outputs: [2] }];
  const tensors = [X, { name: "k", dtype: "int32", shape: [2] } as const, Y];
  const session = await loadModel(buildTflite({ tensors, operators, inputs: [0, 1], outputs: [2] }), {});
  for (const k of [
    [2 ** 30, 2 ** 30],
    [1, 65536],
    [2 ** 31 - 1, 1],
  ])
    assert.throws(() => session.run([x, Int32Array.from(k)]), /at most 65536/);
  session.close();
});

/** Tensors 4… of a model whose tensor 3 are the rows of x that `keep` says. */
const ROWS: readonly {
  readonly name: string;
  readonly more: readonly TensorSpec[];
  readonly operators: readonly OperatorSpec[];
  readonly output: number;
  /** The result for these rows. */
  readonly y: (rows: readonly (readonly number[])[]) => readonly number[];
}[] = [
  {
    name: "CONCATENATION of rows behind rows",
    more: [{ name: "own", dtype: "float32", shape: [1, 4], data: Float32Array.of(20, 21, 22, 23) }, Y],
    operators: [
      { code: "CONCATENATION", inputs: [3, 4, 3], outputs: [5], options: options.concatenation({ axis: 0 }) },
    ],
    output: 5,
    y: (rows) => [...rows.flat(), 20, 21, 22, 23, ...rows.flat()],
  },
  {
    name: "REVERSE_V2 of the rows",
    more: [ints("axis", 0), Y],
    operators: [{ code: "REVERSE_V2", inputs: [3, 4], outputs: [5] }],
    output: 5,
    y: (rows) => [...rows].reverse().flat(),
  },
  {
    name: "SPLIT, and the second half of each row",
    more: [one("axis", 1), { ...Y, name: "first" }, Y],
    operators: [{ code: "SPLIT", inputs: [4, 3], outputs: [5, 6], options: { type: 35, fields: { 0: { int32: 2 } } } }],
    output: 6,
    y: (rows) => rows.flatMap((row) => row.slice(2)),
  },
  {
    name: "TRANSPOSE of rows as matrices",
    more: [ints("shape", -1, 2, 2), { ...Y, name: "m" }, ints("order", 0, 2, 1), Y],
    operators: [
      { code: "RESHAPE", inputs: [3, 4], outputs: [5] },
      { code: "TRANSPOSE", inputs: [5, 6], outputs: [7] },
    ],
    output: 7,
    y: (rows) => rows.flatMap(([a, b, c, d]) => [a, c, b, d] as number[]),
  },
  {
    name: "PAD with a row before and two behind",
    more: [{ name: "pads", dtype: "int32", shape: [2, 2], data: Int32Array.of(1, 2, 0, 1) }, Y],
    operators: [{ code: "PAD", inputs: [3, 4], outputs: [5] }],
    output: 5,
    y: (rows) => [...new Array<number>(5).fill(0), ...rows.flatMap((row) => [...row, 0]), ...new Array(10).fill(0)],
  },
  {
    name: "rows beside a FILL of their number",
    more: [
      { name: "sizes", dtype: "int32", shape: [2] },
      ints("zero", 0),
      ints("one", 1),
      { name: "count", dtype: "int32", shape: [] },
      one("width", 1),
      { name: "wanted", dtype: "int32", shape: [2] },
      { name: "value", dtype: "float32", shape: [], data: Float32Array.of(9) },
      { ...Y, name: "filled" },
      Y,
    ],
    operators: [
      { code: "SHAPE", inputs: [3], outputs: [4], options: { type: 55, fields: { 0: { int8: 2 } } } },
      {
        code: "STRIDED_SLICE",
        inputs: [4, 5, 6, 6],
        outputs: [7],
        options: { type: 32, fields: { 4: { int32: 1 } } },
      },
      { code: "PACK", inputs: [7, 8], outputs: [9], options: { type: 59, fields: { 0: { int32: 2 } } } },
      { code: "FILL", inputs: [9, 10], outputs: [11] },
      { code: "CONCATENATION", inputs: [3, 11], outputs: [12], options: options.concatenation({ axis: 1 }) },
    ],
    output: 12,
    y: (rows) => rows.flatMap((row) => [...row, 9]),
  },
];

test("rows whose number is computed", async () => {
  for (const { name, more, operators, output, y } of ROWS) {
    const model = buildTflite({
      tensors: [
        X,
        { name: "keep", dtype: "bool", shape: [3] },
        { name: "places", dtype: "int64", shape: [1, 1], signature: [-1, 1] },
        { name: "rows", dtype: "float32", shape: [1, 4], signature: [-1, 4] },
        ...more,
      ],
      operators: [
        { code: "WHERE", inputs: [1], outputs: [2] },
        { code: "GATHER_ND", inputs: [0, 2], outputs: [3] },
        ...operators,
      ],
      inputs: [0, 1],
      outputs: [output],
    });
    for (const module of ["scalar", "simd"] as const) {
      const session = await loadModel(model, { module });
      for (const keep of [
        [1, 0, 1],
        [0, 1, 0],
        [1, 1, 1],
        [0, 0, 0],
      ]) {
        const rows = keep.flatMap((isKept, i) => (isKept === 1 ? [[...x.subarray(4 * i, 4 * i + 4)]] : []));
        const got = session.run([x, Uint8Array.from(keep)])[more.at(-1)?.name ?? ""];
        assert.deepEqual([...(got as Float32Array)], y(rows), `${name}: ${keep}`);
      }
      session.close();
    }
  }
});
