/** ONNX operators that read pictures at computed places. The expected numbers are onnxruntime's. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadModel } from "../../../bindings/public/index.ts";
import { buildOnnx, type GraphSpec } from "../build-onnx.ts";

async function run(spec: GraphSpec, inputs: Readonly<Record<string, Float32Array | Int32Array>>) {
  const all: (readonly number[])[] = [];
  for (const module of ["scalar", "simd"] as const) {
    const model = await loadModel(buildOnnx(spec, 19), { module });
    const [y] = Object.values(model.run(inputs as never));
    all.push(Array.from(y as unknown as ArrayLike<number>));
    model.close();
  }
  assert.deepEqual(all[1], all[0]);
  return all[0];
}

const x = { name: "x", dims: [1, 1, 4, 4] };
const PICTURE = Float32Array.from({ length: 16 }, (_, i) => i);

test("CropAndResize of a whole picture, and of a region that is turned over and begins beyond it", async () => {
  const cropped = (mode: string) =>
    run(
      {
        nodes: [
          {
            operator: "CropAndResize",
            domain: "com.microsoft",
            inputs: ["x", "r", "b", "c"],
            outputs: ["y"],
            string: { mode },
            float: { extrapolation_value: -1 },
          },
        ],
        inputs: [x, { name: "r", dims: [2, 4] }, { name: "b", type: 6, dims: [2] }],
        outputs: [{ name: "y" }],
        initializers: [{ name: "c", dims: [2], type: 7, values: [2, 3] }],
      },
      { x: PICTURE, r: Float32Array.of(0, 0, 1, 1, 0.5, -0.5, 0, 0.5), b: Int32Array.of(0, 0) },
    );
  assert.deepEqual(await cropped("bilinear"), [0, 1.5, 3, 12, 13.5, 15, -1, 6, 7.5, -1, 0, 1.5]);
  assert.deepEqual(await cropped("nearest"), [0, 2, 3, 12, 14, 15, -1, 8, 10, -1, 0, 2]);
});

test("MaxRoiPool: bins that overlap, and those beyond the picture, which are 0", async () => {
  const y = await run(
    {
      nodes: [
        {
          operator: "MaxRoiPool",
          inputs: ["x", "r"],
          outputs: ["y"],
          ints: { pooled_shape: [2, 2] },
          float: { spatial_scale: 0.5 },
        },
      ],
      inputs: [x, { name: "r", dims: [3, 5] }],
      outputs: [{ name: "y" }],
    },
    { x: PICTURE, r: Float32Array.of(0, 0, 0, 6, 6, 0, 2, 3, 4, 3, 0, 12, 12, 20, 20) },
  );
  assert.deepEqual(y, [5, 7, 13, 15, 9, 10, 9, 10, 0, 0, 0, 0]);
});

test("DeformConv: places between pixels and beyond them, and weights of each", async () => {
  const offsets = new Float32Array(8 * 9);
  for (const [at, value] of [[0, 0.5] as const, [1, -0.25] as const, [6, 1.5] as const, [7, 9] as const])
    offsets.fill(value, 9 * at, 9 * (at + 1));
  const spec: GraphSpec = {
    nodes: [{ operator: "DeformConv", inputs: ["x", "w", "o", "", "m"], outputs: ["y"] }],
    inputs: [x, { name: "o", dims: [1, 8, 3, 3] }, { name: "m", dims: [1, 4, 3, 3] }],
    outputs: [{ name: "y" }],
    initializers: [{ name: "w", dims: [1, 1, 2, 2], type: 1, values: [1, 2, 3, 4] }],
  };
  const m = new Float32Array(36).fill(1).fill(0.5, 9, 18);
  assert.deepEqual(
    await run(spec, { x: PICTURE, o: offsets, m }),
    [14.5, 19.75, 24.75, 33.5, 39.75, 44.75, 52.5, 59.75, 64.75],
  );
});

test("DeformConv without offsets is Conv: groups, paddings, strides and dilations", async () => {
  const [group, kernel] = [2, 3];
  const values = Array.from({ length: 6 * 2 * 9 }, (_, i) => ((i * 7) % 11) - 5);
  const picture = Float32Array.from({ length: 2 * 4 * 81 }, (_, i) => ((i * 13) % 17) - 8);
  const of = (operator: string, more: readonly string[], inputs: GraphSpec["inputs"]): GraphSpec => ({
    nodes: [
      {
        operator,
        inputs: ["x", "w", ...more],
        outputs: ["y"],
        int: operator === "Conv" ? { group } : { group, offset_group: 2 },
        ints: { kernel_shape: [kernel, kernel], pads: [1, 2, 1, 2], strides: [2, 1], dilations: [1, 2] },
      },
    ],
    inputs: [{ name: "x", dims: [2, 4, 9, 9] }, ...inputs],
    outputs: [{ name: "y" }],
    initializers: [{ name: "w", dims: [6, 2, kernel, kernel], type: 1, values }],
  });
  const o = new Float32Array(2 * 36 * 5 * 9);
  const deformed = await run(of("DeformConv", ["o"], [{ name: "o", dims: [2, 36, 5, 9] }]), { x: picture, o });
  assert.deepEqual(deformed, await run(of("Conv", [], []), { x: picture }));
});

test("RoiAlign takes the greatest of as many samples as a bin has pixels; onnxruntime's values", async () => {
  const spec = (mode: string, rois: readonly number[]): GraphSpec => ({
    nodes: [
      {
        operator: "RoiAlign",
        inputs: ["x", "rois", "batch"],
        outputs: ["y"],
        string: { mode, coordinate_transformation_mode: "output_half_pixel" },
        int: { output_height: 1, output_width: 2, sampling_ratio: 0 },
      },
    ],
    inputs: [{ name: "x", dims: [1, 1, 4, 5] }],
    outputs: [{ name: "y" }],
    initializers: [
      { name: "rois", dims: [rois.length / 4, 4], type: 1, values: rois },
      { name: "batch", dims: [rois.length / 4], type: 7, values: rois.slice(0, rois.length / 4).fill(0) },
    ],
  });
  const x = Float32Array.from({ length: 20 }, (_, i) => ((i * 7) % 11) - 3);
  const rois = [0, 0, 5, 3, 1, 1, 2, 2, 0.5, 0, 2.5, 4];
  for (const [mode, expected] of [
    ["max", [2.75, 3.5, 2.25, 1.5, 3, 6]],
    ["avg", [1.773148, 2.837963, 1.875, 2.625, 0.875, 3.75]],
  ] as const) {
    const session = await loadModel(buildOnnx(spec(mode, rois), 16), { module: "simd" });
    const { y } = session.run([x]) as { readonly y: Float32Array };
    session.close();
    for (const [i, value] of expected.entries())
      assert.ok(Math.abs((y[i] as number) - value) < 1e-6, `${mode} ${i}: ${y[i]}`);
  }
});

test("Resize of int32 is cut towards 0, and an axis of scale 1 is not cropped", async () => {
  const spec: GraphSpec = {
    nodes: [
      { operator: "Cast", inputs: ["x"], outputs: ["i"], int: { to: 6 } },
      { operator: "Resize", inputs: ["i", "", "larger"], outputs: ["r"], string: { mode: "linear" } },
      { operator: "Cast", inputs: ["r"], outputs: ["whole"], int: { to: 1 } },
      {
        operator: "Resize",
        inputs: ["x", "region", "smaller"],
        outputs: ["cropped"],
        string: { mode: "linear", coordinate_transformation_mode: "tf_crop_and_resize" },
      },
    ],
    inputs: [{ name: "x", dims: [1, 1, 2, 4] }],
    outputs: [{ name: "whole" }, { name: "cropped" }],
    initializers: [
      { name: "larger", dims: [4], type: 1, values: [1, 1, 1.5, 2] },
      { name: "smaller", dims: [4], type: 1, values: [1, 1, 1, 0.5] },
      { name: "region", dims: [8], type: 1, values: [0, 0, 0.25, 0.5, 1, 1, 1, 1] },
    ],
  };
  const model = await loadModel(buildOnnx(spec, 19), { module: "simd" });
  const { whole, cropped } = model.run([Float32Array.of(1, -2, 30, 4, 5, 60, 7, -80)]) as Record<string, Float32Array>;
  model.close();
  // onnxruntime 1.32
  const rows = [1, 0, -1, 6, 22, 23, 10, 4, 3, 9, 22, 26, 21, 4, -23, -38, 5, 18, 46, 46, 20, -14, -58, -80];
  assert.deepEqual([...(whole as Float32Array)], rows);
  assert.deepEqual([...(cropped as Float32Array)], [14, 4, 33.5, -80]);
});

test("operators that onnxruntime had before ONNX", async () => {
  const domain = "com.microsoft";
  const spec: GraphSpec = {
    nodes: [
      { operator: "Trilu", domain, inputs: ["x"], outputs: ["lower"], int: { upper: 0 } },
      { operator: "Pad", domain, inputs: ["x", "pads"], outputs: ["padded"], string: { mode: "edge" } },
      { operator: "TransposeMatMul", domain, inputs: ["x", "x"], outputs: ["product"], int: { transB: 1 } },
      { operator: "Range", domain, inputs: ["one", "four", "two"], outputs: ["range"] },
      { operator: "Add", inputs: ["x", "range"], outputs: ["sum"] },
    ],
    inputs: [{ name: "x", dims: [3, 2] }],
    outputs: ["lower", "padded", "product", "sum"].map((name) => ({ name })),
    initializers: [
      { name: "pads", dims: [4], type: 7, values: [0, 1, 0, 0] },
      { name: "one", dims: [], type: 1, values: [1] },
      { name: "four", dims: [], type: 1, values: [4] },
      { name: "two", dims: [], type: 1, values: [2] },
    ],
  };
  const model = await loadModel(buildOnnx(spec, 13), { module: "simd" });
  const outputs = Object.values(model.run([Float32Array.of(1, 2, 3, 4, 5, 6)])) as Float32Array[];
  model.close();
  assert.deepEqual(
    outputs.map((y) => [...y]),
    [
      [1, 0, 3, 4, 5, 6],
      [1, 1, 2, 3, 3, 4, 5, 5, 6],
      [5, 11, 17, 11, 25, 39, 17, 39, 61],
      [2, 5, 4, 7, 6, 9],
    ],
  );
});

test("onnxruntime's own Unique, whose outputs are others, is refused", async () => {
  const spec: GraphSpec = {
    nodes: [{ operator: "Unique", domain: "com.microsoft", inputs: ["x"], outputs: ["y", "i", "c"] }],
    inputs: [{ name: "x", dims: [3] }],
    outputs: [{ name: "y" }],
  };
  await assert.rejects(loadModel(buildOnnx(spec, 13), { module: "simd" }), { code: "UNSUPPORTED" });
});
