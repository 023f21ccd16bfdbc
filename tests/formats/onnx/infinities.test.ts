/** What onnxruntime has otherwise than TensorFlow Lite: floats beyond the largest, rows that see nothing, long sums, large pictures. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadModel } from "../../../bindings/public/index.ts";
import { buildOnnx, type GraphSpec } from "../build-onnx.ts";

const run = (spec: GraphSpec, ...inputs: readonly Float32Array[]) => runOf(24, spec, inputs);

async function runOf(
  opset: number,
  spec: GraphSpec,
  inputs: readonly Float32Array[],
): Promise<readonly (readonly number[])[]> {
  const model = await loadModel(buildOnnx(spec, opset), { module: "simd" });
  const outputs = Object.values(model.run(inputs)).map((y) => Array.from(y as ArrayLike<number>));
  model.close();
  return outputs;
}

test("arithmetic gives infinities and no largest number", async () => {
  const operators = ["Add", "Sub", "Mul", "Div"];
  const outputs = await run(
    {
      nodes: operators.map((operator) => ({ operator, inputs: ["x", "c"], outputs: [operator] })),
      inputs: [{ name: "x", dims: [2] }],
      outputs: operators.map((name) => ({ name })),
      initializers: [{ name: "c", dims: [2], type: 1, values: [0, -Infinity] }],
    },
    Float32Array.of(1, 3e38),
  );
  assert.deepEqual(outputs, [
    [1, -Infinity],
    [1, Infinity],
    [0, -Infinity],
    [Infinity, -0],
  ]);
});

test("a query of Attention that may see no key has a result of 0, within windows and masks that end early", async () => {
  const spec = (attributes: Readonly<Record<string, number>>, mask?: readonly number[]): GraphSpec => ({
    nodes: [{ operator: "Attention", inputs: ["q", "k", "v", mask ? "m" : ""], outputs: ["y"], int: attributes }],
    inputs: [
      { name: "q", dims: [1, 1, 3, 1] },
      { name: "k", dims: [1, 1, 3, 1] },
      { name: "v", dims: [1, 1, 3, 1] },
    ],
    outputs: [{ name: "y" }],
    initializers: mask ? [{ name: "m", dims: [3, mask.length / 3], type: 1, values: mask }] : [],
  });
  const [q, v] = [new Float32Array(3), Float32Array.of(2, 4, 9)];
  const far = -Infinity;
  assert.deepEqual(await run(spec({}, [0, 0, far, far, 0, far]), q, q, v), [[3, 0, 2]]);
  assert.deepEqual(await run(spec({ left_window_size: 0, right_window_size: 1 }), q, q, v), [[3, 6.5, 9]]);
  assert.deepEqual(await run(spec({ left_window_size: 1, is_causal: 1 }), q, q, v), [[2, 3, 6.5]]);
});

test("means of many equal numbers keep their last places; pictures of more pixels than a window has", async () => {
  const [all, mean, largest] = await run(
    {
      nodes: [
        { operator: "ReduceMean", inputs: ["x"], outputs: ["all"] },
        { operator: "GlobalAveragePool", inputs: ["x"], outputs: ["mean"] },
        { operator: "GlobalMaxPool", inputs: ["x"], outputs: ["largest"] },
      ],
      inputs: [{ name: "x", dims: [1, 2, 256, 300] }],
      outputs: [{ name: "all" }, { name: "mean" }, { name: "largest" }],
    },
    new Float32Array(2 * 256 * 300).fill(0.1),
  );
  for (const value of [...(all ?? []), ...(mean ?? [])]) assert.ok(Math.abs(value - 0.1) < 1e-6, `${value}`);
  assert.deepEqual(largest, [Math.fround(0.1), Math.fround(0.1)]);
});

test("BatchNormalization in training takes the batch's own numbers and moves the running ones", async () => {
  const one = (name: string, value: number) => ({ name, dims: [1], type: 1 as const, values: [value] });
  const [y = [], mean = [], variance = []] = await run(
    {
      nodes: [
        {
          operator: "BatchNormalization",
          inputs: ["x", "s", "b", "m", "v"],
          outputs: ["y", "mean", "variance"],
          int: { training_mode: 1 },
          float: { momentum: 0.5, epsilon: 0 },
        },
      ],
      inputs: [{ name: "x", dims: [1, 1, 4] }],
      outputs: [{ name: "y" }, { name: "mean" }, { name: "variance" }],
      initializers: [one("s", 2), one("b", 1), one("m", 10), one("v", 3)],
    },
    Float32Array.of(1, 3, 1, 3),
  );
  assert.deepEqual([y, mean, variance], [[-1, 3, -1, 3], [6], [2]]);
});

test("CastLike takes types of few bits, SpaceToDepth both orders", async () => {
  const [few, blocks] = await run(
    {
      nodes: [
        { operator: "CastLike", inputs: ["x", "t"], outputs: ["few"] },
        {
          operator: "SpaceToDepth",
          inputs: ["p"],
          outputs: ["blocks"],
          int: { blocksize: 2 },
          string: { mode: "CRD" },
        },
      ],
      inputs: [
        { name: "x", dims: [3] },
        { name: "p", dims: [1, 2, 2, 2] },
      ],
      outputs: [{ name: "few" }, { name: "blocks" }],
      initializers: [{ name: "t", dims: [1], type: 21, raw: Uint8Array.of(0) }],
    },
    Float32Array.of(17, 3, -1),
    Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7),
  );
  assert.deepEqual(few, [1, 3, 15]);
  assert.deepEqual(blocks, [0, 1, 2, 3, 4, 5, 6, 7]);
});

test("Pow has the type of its base, whatever that of the exponent is", async () => {
  const outputs = await run(
    {
      nodes: [
        { operator: "Cast", inputs: ["x"], outputs: ["i"], int: { to: 6 } },
        { operator: "Pow", inputs: ["i", "e"], outputs: ["known"] },
        { operator: "Pow", inputs: ["i", "f"], outputs: ["computed"] },
        { operator: "Pow", inputs: ["i", "l"], outputs: ["whole"] },
        { operator: "Pow", inputs: ["x", "l"], outputs: ["real"] },
      ],
      inputs: [
        { name: "x", dims: [2] },
        { name: "f", dims: [2] },
      ],
      outputs: ["known", "computed", "whole", "real"].map((name) => ({ name })),
      initializers: [
        { name: "e", dims: [], type: 1, values: [0.5] },
        { name: "l", dims: [], type: 7, values: [3] },
      ],
    },
    Float32Array.of(16, -2),
    Float32Array.of(0.5, 2),
  );
  assert.deepEqual(outputs.slice(1), [
    [4, 4],
    [4096, -8],
    [4096, -8],
  ]);
  assert.equal(outputs[0]?.[0], 4);
});

test("what is no number goes through Clip, Max, Min and functions that hold their values", async () => {
  const nodes = [
    { operator: "Clip", inputs: ["x", "low", "high"], outputs: ["clip"] },
    { operator: "Max", inputs: ["x", "z"], outputs: ["max"] },
    { operator: "Min", inputs: ["x", "z", "x"], outputs: ["min"] },
    { operator: "Max", inputs: ["x", "low"], outputs: ["bound"] },
    { operator: "HardSigmoid", inputs: ["x"], outputs: ["sigmoid"] },
    { operator: "Celu", inputs: ["x"], outputs: ["celu"], float: { alpha: 2 } },
  ];
  const outputs = await run(
    {
      nodes,
      inputs: [
        { name: "x", dims: [4] },
        { name: "z", dims: [4] },
      ],
      outputs: nodes.map(({ outputs: [name = ""] }) => ({ name })),
      initializers: [
        { name: "low", dims: [], type: 1, values: [-1] },
        { name: "high", dims: [], type: 1, values: [1] },
      ],
    },
    Float32Array.of(Number.NaN, 1, -Infinity, 5),
    Float32Array.of(0, Number.NaN, 2, 3),
  );
  const { NaN: nan } = Number;
  assert.deepEqual(outputs, [
    [nan, 1, -1, 1],
    [nan, nan, 2, 5],
    [nan, nan, -Infinity, 3],
    [nan, 1, -1, 5],
    [nan, Math.fround(Math.fround(0.2) + 0.5), 0, 1],
    [nan, 1, -2, 5],
  ]);
});

test("means of dequantized rows are rounded row by row", async () => {
  const rows = [
    [12, 21, 96, 213],
    [102, 201, 81, 61],
    [202, 224, 20, 14],
    [171, 86, 146, 38],
    [220, 115, 229, 203],
    [180, 59, 196, 13],
    [145, 103, 255, 50],
    [242, 23, 159, 148],
  ];
  const spec: GraphSpec = {
    nodes: [
      { operator: "Cast", inputs: ["x"], outputs: ["q"], int: { to: 2 } },
      { operator: "DequantizeLinear", inputs: ["q", "s", "z"], outputs: ["d"] },
      { operator: "ReduceMean", inputs: ["d", "a"], outputs: ["m"] },
      { operator: "QuantizeLinear", inputs: ["m", "s", "z"], outputs: ["r"] },
      { operator: "Cast", inputs: ["r"], outputs: ["y"], int: { to: 1 } },
    ],
    inputs: [{ name: "x", dims: [1, 8, 2, 2] }],
    outputs: [{ name: "y" }],
    initializers: [
      { name: "s", dims: [], type: 1, values: [0.02] },
      { name: "z", dims: [], type: 2, raw: Uint8Array.of(128) },
      { name: "a", dims: [1], type: 7, values: [1] },
    ],
  };
  // the last is a tie of integers
  assert.deepEqual(await run(spec, Float32Array.from(rows.flat())), [[159, 104, 148, 93]]);
});

test("means of dequantized windows are summed columns first before opset 19, where padding counts too", async () => {
  type Ints = Readonly<Record<string, readonly number[]>>;
  const means = (opset: number, ints: Ints, counted: number, x: number[], ceil = 0) => {
    const int = { count_include_pad: counted, ceil_mode: ceil };
    const spec: GraphSpec = {
      nodes: [
        { operator: "Cast", inputs: ["x"], outputs: ["q"], int: { to: 2 } },
        { operator: "DequantizeLinear", inputs: ["q", "s", "z"], outputs: ["d"] },
        { operator: "AveragePool", inputs: ["d"], outputs: ["m"], ints, int },
        { operator: "QuantizeLinear", inputs: ["m", "s", "z"], outputs: ["r"] },
        { operator: "Cast", inputs: ["r"], outputs: ["y"], int: { to: 1 } },
      ],
      inputs: [{ name: "x", dims: [1, 1, 3, 4] }],
      outputs: [{ name: "y" }],
      initializers: [
        { name: "s", dims: [], type: 1, values: [0.02] },
        { name: "z", dims: [], type: 2, raw: Uint8Array.of(128) },
      ],
    };
    return runOf(opset, spec, [Float32Array.from(x)]);
  };
  // onnxruntime 1.32
  const padded = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
  const x = [190, 72, 22, 106, 229, 246, 116, 108, 212, 104, 149, 36];
  assert.deepEqual(await means(13, padded, 0, x), [[184, 146, 112, 88, 176, 149, 107, 90, 198, 176, 127, 102]]);
  assert.deepEqual(await means(24, padded, 0, x), [[184, 146, 112, 88, 176, 149, 107, 90, 198, 176, 126, 102]]);
  const plain = { kernel_shape: [3, 2] };
  const counted = { kernel_shape: [3, 2], pads: [1, 0, 0, 1], strides: [1, 2] };
  const even = [76, 26, 52, 80, 109, 115, 41, 210, 15, 64, 196, 25];
  assert.deepEqual(await means(13, plain, 0, even), [[68, 82, 101]]);
  assert.deepEqual(await means(13, plain, 0, even, 1), [[68, 82, 101]]);
  assert.deepEqual(await means(13, plain, 1, even, 1), [[67, 82, 101]]);
  assert.deepEqual(await means(19, plain, 0, even), [[67, 82, 101]]);
  assert.deepEqual(await means(13, counted, 1, even), [[97, 106, 68, 101]]);
  assert.deepEqual(await means(19, counted, 1, even), [[97, 106, 67, 101]]);
});

test("Clip without a bound has the largest numbers as bounds, and keeps NaN", async () => {
  const most = Math.fround(3.4028234663852886e38);
  const outputs = await run(
    {
      nodes: [
        { operator: "Clip", inputs: ["x"], outputs: ["none"] },
        { operator: "Clip", inputs: ["x", "", "half"], outputs: ["upper"] },
        { operator: "Clip", inputs: ["x", "half"], outputs: ["lower"] },
      ],
      inputs: [{ name: "x", dims: [4] }],
      outputs: [{ name: "none" }, { name: "upper" }, { name: "lower" }],
      initializers: [{ name: "half", dims: [], type: 1, values: [0.5] }],
    },
    Float32Array.of(Infinity, -Infinity, NaN, 1),
  );
  assert.deepEqual(outputs, [
    [most, -most, NaN, 1],
    [0.5, -most, NaN, 0.5],
    [most, 0.5, NaN, 1],
  ]);
});

test("ReduceLogSumExp of infinities", async () => {
  const outputs = await run(
    {
      nodes: [{ operator: "ReduceLogSumExp", inputs: ["x", "axes"], outputs: ["y"], int: { keepdims: 0 } }],
      inputs: [{ name: "x", dims: [4, 2] }],
      outputs: [{ name: "y" }],
      initializers: [{ name: "axes", dims: [1], type: 7, values: [1] }],
    },
    Float32Array.of(-Infinity, -Infinity, 1, Infinity, Infinity, -Infinity, -Infinity, 2),
  );
  assert.deepEqual(outputs, [[-Infinity, Infinity, Infinity, 2]]);
});
