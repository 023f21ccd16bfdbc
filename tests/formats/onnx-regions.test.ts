/** ONNX operators that read pictures at computed places. The expected numbers are onnxruntime's. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadModel } from "../../bindings/public/index.ts";
import { buildOnnx, type GraphSpec } from "./build-onnx.ts";

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
