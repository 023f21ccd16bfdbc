/** ONNX as its first opsets have it, and windows and regions that onnxruntime takes otherwise than the standard. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadModel } from "../../../bindings/public/index.ts";
import { buildOnnx, type GraphSpec } from "../build-onnx.ts";

async function run(opset: number, spec: GraphSpec, ...inputs: readonly Float32Array[]) {
  const model = await loadModel(buildOnnx(spec, opset), { module: "simd" });
  const outputs = Object.values(model.run(inputs)).map((y) => Array.from(y as ArrayLike<number>));
  model.close();
  return outputs;
}

test("operators of opset 1 alone: Scale, Affine, ScaledTanh, ParametricSoftplus, ImageScaler", async () => {
  const outputs = await run(
    1,
    {
      nodes: [
        { operator: "Scale", inputs: ["x"], outputs: ["scale"], float: { scale: 3 } },
        { operator: "Affine", inputs: ["x"], outputs: ["affine"], float: { alpha: 2, beta: 1 } },
        { operator: "ScaledTanh", inputs: ["x"], outputs: ["tanh"], float: { alpha: 4, beta: 0 } },
        { operator: "ParametricSoftplus", inputs: ["x"], outputs: ["plus"], float: { alpha: 2, beta: 0 } },
        { operator: "ImageScaler", inputs: ["x"], outputs: ["image"], float: { scale: 2 }, floats: { bias: [1, 5] } },
      ],
      inputs: [{ name: "x", dims: [1, 2, 1, 2] }],
      outputs: ["scale", "affine", "tanh", "plus", "image"].map((name) => ({ name })),
    },
    Float32Array.of(0, 1, -2, 3),
  );
  const two = 2 * Math.log(2);
  assert.deepEqual(outputs.slice(0, 3), [
    [0, 3, -6, 9],
    [1, 3, -3, 7],
    [0, 0, 0, 0],
  ]);
  for (const value of outputs[3] ?? []) assert.ok(Math.abs(value - two) < 1e-6, `${value}`);
  assert.deepEqual(outputs[4], [1, 3, 1, 11]);
});

test("normalizations before opset 9: pictures by themselves, numbers for every place", async () => {
  const x = Float32Array.of(1, 3, 10, 30);
  const mvn = (across: number): GraphSpec => ({
    nodes: [{ operator: "MeanVarianceNormalization", inputs: ["x"], outputs: ["y"], int: { across_channels: across } }],
    inputs: [{ name: "x", dims: [1, 2, 1, 2] }],
    outputs: [{ name: "y" }],
  });
  const close = (y: readonly number[] | undefined, expected: readonly number[]) =>
    expected.forEach((value, i) => {
      assert.ok(Math.abs((y?.[i] as number) - value) < 1e-5, `${y}`);
    });
  close((await run(8, mvn(0), x))[0], [-1, 1, -1, 1]);
  const deviation = Math.sqrt((10 * 10 + 8 * 8 + 1 + 19 * 19) / 4);
  close((await run(8, mvn(1), x))[0], [-10 / deviation, -8 / deviation, -1 / deviation, 19 / deviation]);
  const each = (name: string, values: readonly number[]) => ({ name, dims: [2, 1, 2], type: 1 as const, values });
  const y = await run(
    7,
    {
      nodes: [
        {
          operator: "BatchNormalization",
          inputs: ["x", "s", "b", "m", "v"],
          outputs: ["y"],
          int: { spatial: 0 },
          float: { epsilon: 0 },
        },
      ],
      inputs: [{ name: "x", dims: [1, 2, 1, 2] }],
      outputs: [{ name: "y" }],
      initializers: [
        each("s", [1, 2, 3, 4]),
        each("b", [0, 0, 0, 1]),
        each("m", [1, 1, 10, 10]),
        each("v", [1, 4, 1, 4]),
      ],
    },
    x,
  );
  assert.deepEqual(y, [[0, 2, 0, 41]]);
});

test("RoiAlign without a ratio takes as many samples as a bin has pixels, and NaN of regions beyond the picture", async () => {
  const spec: GraphSpec = {
    nodes: [{ operator: "RoiAlign", inputs: ["x", "rois", "batch"], outputs: ["y"] }],
    inputs: [
      { name: "x", dims: [1, 1, 2, 4] },
      { name: "rois", dims: [2, 4] },
    ],
    outputs: [{ name: "y" }],
    initializers: [{ name: "batch", dims: [2], type: 7, values: [0, 0] }],
  };
  const x = Float32Array.from({ length: 8 }, (_, i) => i);
  // samples at 0.5, 1.5 and 2.5 of 3 columns and 0.5 of one row, half pixels before; of 9 columns there are too many
  const [y = []] = await run(16, spec, x, Float32Array.of(0.5, 0.5, 3.5, 1.5, 0, 0, 9, 1));
  assert.equal(y[0], 0.5 * 4 + 1.5);
  assert.ok(Number.isNaN(y[1]));
});

test("a pool's window that is too long by less than a step stands there once", async () => {
  const pool = (operator: string) => ({
    operator,
    inputs: ["x"],
    outputs: [operator],
    ints: { kernel_shape: [3], strides: [2] },
  });
  const outputs = await run(
    13,
    {
      nodes: [pool("MaxPool"), pool("AveragePool")],
      inputs: [{ name: "x", dims: [1, 1, 2] }],
      outputs: [{ name: "MaxPool" }, { name: "AveragePool" }],
    },
    Float32Array.of(-4, -2),
  );
  assert.deepEqual(outputs, [[-2], [-3]]);
});

test("Resize: sizes are products of float32, old ones shrink to the next pixel, what keeps its sizes is copied", async () => {
  const spec = (dims: readonly number[], scale: number, inputs: readonly string[], mode: string): GraphSpec => ({
    nodes: [{ operator: "Resize", inputs, outputs: ["y"], string: { mode } }],
    inputs: [{ name: "x", dims }],
    outputs: [{ name: "y" }],
    initializers: [{ name: "s", dims: [3], type: 1, values: [1, 1, scale] }],
  });
  const x = Float32Array.from({ length: 10 }, (_, i) => i * i);
  // 10·0.7 is 7 in float32, and less in reals
  assert.deepEqual(await run(10, spec([1, 1, 10], 0.7, ["x", "s"], "nearest"), x), [[0, 4, 9, 25, 36, 64, 81]]);
  assert.deepEqual(await run(13, spec([1, 1, 5], 1.1, ["x", "", "s"], "linear"), x.slice(0, 5)), [[0, 1, 4, 9, 16]]);
  const few = { ...spec([1, 1, 5], 1, ["x", "", "", "few"], "linear"), initializers: [] as GraphSpec["initializers"] };
  const sizes = { name: "few", dims: [2], type: 7 as const, values: [5, 9] };
  await assert.rejects(run(13, { ...few, initializers: [sizes] }, x.slice(0, 5)), /expected 3 sizes, received 2/);
});

test("opset 1: scales of Upsample, paddings and types by their first names; borders of Crop", async () => {
  const spec = (node: Partial<GraphSpec["nodes"][number]> & { readonly operator: string }): GraphSpec => ({
    nodes: [{ inputs: ["x"], outputs: ["y"], ...node }],
    inputs: [{ name: "x", dims: [1, 1, 2, 3] }],
    outputs: [{ name: "y" }],
  });
  const x = Float32Array.of(0, 1, 2, 3, 4.5, -5);
  const up = spec({ operator: "Upsample", float: { height_scale: 1, width_scale: 2 } });
  assert.deepEqual(await run(1, up, x), [[0, 0, 1, 1, 2, 2, 3, 3, 4.5, 4.5, -5, -5]]);
  const pad = spec({ operator: "Pad", ints: { paddings: [0, 0, 0, 1, 0, 0, 0, 0] }, float: { value: 7 } });
  assert.deepEqual(await run(1, pad, x), [[7, 0, 1, 2, 7, 3, 4.5, -5]]);
  assert.deepEqual(await run(1, spec({ operator: "Cast", string: { to: "INT32" } }), x), [[0, 1, 2, 3, 4, -5]]);
  assert.deepEqual(await run(1, spec({ operator: "Crop", ints: { border: [1, 0, 0, 1] } }), x), [[1, 2]]);
  const sized = spec({ operator: "Crop", ints: { border: [1, 1], scale: [1, 1] } });
  assert.deepEqual(await run(1, sized, x), [[4.5]]);
});

test("a list of slopes has one for each channel before opset 7, and one for each column from then on", async () => {
  const spec: GraphSpec = {
    nodes: [{ operator: "PRelu", inputs: ["x", "s"], outputs: ["y"] }],
    inputs: [{ name: "x", dims: [1, 2, 1, 2] }],
    outputs: [{ name: "y" }],
    initializers: [{ name: "s", dims: [2], type: 1, values: [2, 3] }],
  };
  const x = Float32Array.of(-1, -1, -1, -1);
  assert.deepEqual(await run(6, spec, x), [[-2, -2, -3, -3]]);
  assert.deepEqual(await run(7, spec, x), [[-2, -3, -2, -3]]);
});

test("BatchNormalization of several outputs is one in training before opset 14, unless it says that it is a test", async () => {
  const outputs = ["y", "mean", "variance", "saved", "inverse"];
  const one = (name: string, value: number) => ({ name, dims: [1], type: 1 as const, values: [value] });
  const spec = (int: Readonly<Record<string, number>>, names = outputs): GraphSpec => ({
    nodes: [
      {
        operator: "BatchNormalization",
        inputs: ["x", "s", "b", "m", "v"],
        outputs: names,
        int,
        float: { epsilon: 0, momentum: 0.5 },
      },
    ],
    inputs: [{ name: "x", dims: [1, 1, 2] }],
    outputs: names.map((name) => ({ name })),
    initializers: [one("s", 2), one("b", 1), one("m", 5), one("v", 4)],
  });
  const x = Float32Array.of(1, 5);
  const own = [[-1, 3], [4], [4], [3], [0.5]];
  for (const opset of [7, 9, 13]) assert.deepEqual(await run(opset, spec({}), x), own);
  assert.deepEqual(await run(6, spec({ is_test: 1 }, ["y"]), x), [[-3, 1]]);
  assert.deepEqual(await run(9, spec({}, ["y"]), x), [[-3, 1]]);
  const test = spec({ is_test: 1 });
  assert.deepEqual(await run(6, { ...test, outputs: [{ name: "y" }] }, x), [[-3, 1]]);
});

test("Resize to the nearest pixel by centres that are not moved back", async () => {
  const spec = (scale: number, nearest_mode: string): GraphSpec => ({
    nodes: [
      {
        operator: "Resize",
        inputs: ["x", "", "s"],
        outputs: ["y"],
        string: { mode: "nearest", coordinate_transformation_mode: "tf_half_pixel_for_nn", nearest_mode },
      },
    ],
    inputs: [{ name: "x", dims: [1, 1, 5] }],
    outputs: [{ name: "y" }],
    initializers: [{ name: "s", dims: [3], type: 1, values: [1, 1, scale] }],
  });
  const x = Float32Array.of(0, 1, 2, 3, 4);
  assert.deepEqual(await run(11, spec(2, "floor"), x), [[0, 0, 1, 1, 2, 2, 3, 3, 4, 4]]);
  assert.deepEqual(await run(13, spec(0.6, "floor"), x), [[0, 2, 4]]);
  assert.deepEqual(await run(13, spec(2, "ceil"), x), [[1, 1, 2, 2, 3, 3, 4, 4, 4, 4]]);
});

test("masks of Dropout: numbers before opset 10, all false before 12", async () => {
  const spec: GraphSpec = {
    nodes: [{ operator: "Dropout", inputs: ["x"], outputs: ["y", "m"] }],
    inputs: [{ name: "x", dims: [2] }],
    outputs: [{ name: "y" }, { name: "m" }],
  };
  for (const [opset, type, mask] of [
    [7, "float32", 0],
    [10, "bool", 0],
    [12, "bool", 1],
  ] as const) {
    const model = await loadModel(buildOnnx(spec, opset), { module: "simd" });
    const { y, m } = model.run([Float32Array.of(3, 4)]);
    assert.deepEqual(Array.from(y as Float32Array), [3, 4]);
    assert.deepEqual(Array.from(m as ArrayLike<number>), [mask, mask]);
    assert.equal(model.outputs[1]?.dtype, type);
    model.close();
  }
});

test("Scan of opset 8: batches of lengths of their own, filled up with zeros, from either end", async () => {
  const body: GraphSpec = {
    nodes: [
      { operator: "Add", inputs: ["s", "x"], outputs: ["t"] },
      { operator: "Identity", inputs: ["t"], outputs: ["u"] },
    ],
    inputs: [
      { name: "s", dims: [1] },
      { name: "x", dims: [1] },
    ],
    outputs: [{ name: "t" }, { name: "u" }],
  };
  const spec = (lengths: string, directions: readonly number[]): GraphSpec => ({
    nodes: [
      {
        operator: "Scan",
        inputs: [lengths, "a", "b"],
        outputs: ["t", "u"],
        int: { num_scan_inputs: 1 },
        ints: { directions },
        graph: { body },
      },
    ],
    inputs: [
      { name: "a", dims: [2, 1] },
      { name: "b", dims: [2, 3, 1] },
    ],
    outputs: [{ name: "t" }, { name: "u" }],
    initializers: [{ name: "l", dims: [2], type: 7, values: [3, 2] }],
  });
  const inputs = [Float32Array.of(10, 20), Float32Array.of(1, 2, 3, 4, 5, 6)];
  assert.deepEqual(await run(8, spec("", [0]), ...inputs), [
    [16, 35],
    [11, 13, 16, 24, 29, 35],
  ]);
  assert.deepEqual(await run(8, spec("l", [0]), ...inputs), [
    [16, 29],
    [11, 13, 16, 24, 29, 0],
  ]);
  assert.deepEqual(await run(8, spec("", [1]), ...inputs), [
    [16, 35],
    [13, 15, 16, 26, 31, 35],
  ]);
});

test("Shrink of whole numbers, and DynamicSlice", async () => {
  const starts = { name: "i", dims: [1], type: 7, values: [1] } as const;
  const [shrunk, cut] = await run(
    9,
    {
      nodes: [
        { operator: "Cast", inputs: ["x"], outputs: ["n"], int: { to: 6 } },
        { operator: "Shrink", inputs: ["n"], outputs: ["m"], float: { lambd: 1.5, bias: 0.5 } },
        { operator: "DynamicSlice", inputs: ["x", "i", "j"], outputs: ["y"] },
      ],
      inputs: [{ name: "x", dims: [4] }],
      outputs: [{ name: "m" }, { name: "y" }],
      initializers: [starts, { ...starts, name: "j", values: [3] }],
    },
    Float32Array.of(-4, -1, 1, 2),
  );
  assert.deepEqual(shrunk, [-3, 0, 0, 1]);
  assert.deepEqual(cut, [-1, 1]);
});
