/** MediaPipe's operators on landmarks, in both versions, held against plain loops over their definitions. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ErrorCode } from "../../../bindings/errors.ts";
import { loadModel } from "../../../bindings/public/index.ts";
import { centred, cornered, moved, sampled } from "../../reference/landmarks.ts";
import { buildTflite } from "../build-tflite.ts";
import { refusedModel } from "../refused.ts";
import { type FlexOption, flexMap } from "./flex.ts";

interface Example {
  readonly operator: string;
  readonly options: { readonly [key: string]: FlexOption };
  readonly shapes: readonly (readonly number[])[];
  readonly output: readonly number[];
}

function model({ operator, options, shapes, output }: Example): Uint8Array {
  const inputs = shapes.map((_, i) => i);
  return buildTflite({
    tensors: [...shapes, output].map((shape, i) => ({ name: `t${i}`, dtype: "float32", shape })),
    operators: [
      { code: "CUSTOM", custom: operator, customOptions: flexMap(options), inputs, outputs: [shapes.length] },
    ],
    inputs,
    outputs: [shapes.length],
  });
}

/** The output, the same in both modules; in an array of the shape that the operator gives. */
async function run(example: Example, inputs: readonly Float32Array[]): Promise<readonly number[]> {
  const runs = [];
  for (const module of ["scalar", "simd"] as const) {
    const session = await loadModel(model(example), { module });
    assert.deepEqual(session.outputs[0]?.shape, example.output);
    const [y] = Object.values(session.run(inputs as never));
    runs.push([...(y as Float32Array)]);
    session.close();
  }
  assert.deepEqual(runs[1], runs[0]);
  return runs[0] as readonly number[];
}

function near(got: readonly number[], expected: readonly number[]): void {
  const largest = Math.max(...expected.map(Math.abs));
  assert.equal(got.length, expected.length);
  for (const [i, value] of expected.entries())
    assert.ok(Math.abs((got[i] as number) - value) <= 1e-5 * largest, `element ${i}: ${got[i]}, not ${value}`);
}

/** Landmarks of three coordinates around (60, 90), from a linear congruential generator. */
function draw(length: number, seed: number, scale = 40, middle = 60): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return middle + scale * (state / 2 ** 31 - 1);
  });
}

const subset = [1, 4, 2, 7, 5, 11, 3];

describe("Landmarks2TransformMatrix", () => {
  for (const [seed, target] of [
    [1, 0],
    [2, 0.5],
    [3, -1.25],
  ] as const)
    test(`version 2, turned to ${target}`, async () => {
      const options = {
        subset_idxs: subset,
        left_rotation_idx: 2,
        right_rotation_idx: 9,
        target_rotation_radians: target,
        output_height: 16,
        output_width: 24,
        scale_x: 1.5,
        scale_y: 2,
      };
      const landmarks = draw(36, seed);
      const example = { operator: "Landmarks2TransformMatrix", options, shapes: [[1, 12, 3]], output: [1, 4, 4] };
      const own = { left: 2, right: 9, subset, target, output: [24, 16], scale: [1.5, 2] } as const;
      near(await run(example, [landmarks]), centred(landmarks, own));
    });

  for (const upright of [false, true])
    test(`version 1${upright ? ", one end above the other" : ""}`, async () => {
      const options = {
        subset,
        left_rotation_idx: 0,
        right_rotation_idx: 6,
        dimensions: 3,
        landmarks_range: 192,
        bbox_size_multiplier: 1.25,
        input_hw: [48, 40],
        output_hw: [16, 12],
      };
      const landmarks = draw(36, 5);
      if (upright) landmarks[18] = landmarks[0] as number;
      const example = { operator: "Landmarks2TransformMatrix", options, shapes: [[1, 1, 1, 36]], output: [1, 4, 4] };
      const own = { left: 0, right: 6, subset, range: 192, grown: 1.25, input: [40, 48], output: [12, 16] } as const;
      near(await run(example, [landmarks]), cornered(landmarks, own));
    });
});

describe("TransformLandmarks", () => {
  const matrix = draw(16, 8, 2, 0);
  for (const dimensions of [2, 3])
    test(`version 2, ${dimensions} coordinates`, async () => {
      const shape = [1, 9, dimensions];
      const landmarks = draw(9 * dimensions, 6);
      const example = { operator: "TransformLandmarks", options: {}, shapes: [shape, [1, 4, 4]], output: shape };
      near(await run(example, [landmarks, matrix]), moved(landmarks, dimensions, matrix));
    });

  test("version 1, whose landmarks are channels and whose shift is scaled", async () => {
    const shape = [1, 1, 1, 27];
    const landmarks = draw(27, 6);
    const options = { dimensions: 3, scale: 2.5 };
    const example = { operator: "TransformLandmarks", options, shapes: [shape, [1, 4, 4]], output: shape };
    near(await run(example, [landmarks, matrix]), moved(landmarks, 3, matrix, 2.5));
  });
});

describe("TransformTensorBilinear", () => {
  const picture = draw(7 * 9 * 3, 11, 4, 0);
  /** Turned and partly outside; exactly the pixels; with its last row and column on the border. */
  const matrices = [
    [0.8, -0.5, 0, 1.5, 0.4, 0.7, 0, -0.5],
    [1, 0, 0, 0, 0, 1, 0, 0],
    [2, 0, 0, 0, 0, 1.5, 0, 0],
    [Number.NaN, 0, 0, 0, 0, 1, 0, 0],
  ].map((rows) => Float32Array.from([...rows, 0, 0, 1, 0, 0, 0, 0, 1]));
  for (const [i, matrix] of matrices.entries()) {
    const shapes = [
      [1, 7, 9, 3],
      [1, 4, 4],
    ];
    test(`version 2, matrix ${i}`, async () => {
      const options = { output_height: 5, output_width: 6 };
      const example = { operator: "TransformTensorBilinear", options, shapes, output: [1, 5, 6, 3] };
      near(await run(example, [picture, matrix]), sampled(picture, [7, 9, 3], matrix, [5, 6], 0.5));
    });
    test(`version 1, matrix ${i}`, async () => {
      const options = { output_size: [5, 5], mode: "bilinear" };
      const example = { operator: "TransformTensor", options, shapes, output: [1, 5, 5, 3] };
      near(await run(example, [picture, matrix]), sampled(picture, [7, 9, 3], matrix, [5, 5], 0));
    });
  }
});

describe("what they refuse", () => {
  const fails = (example: Example, code: ErrorCode, message: RegExp) => refusedModel(model(example), code, message);
  const pixels = {
    operator: "TransformTensorBilinear",
    shapes: [
      [1, 4, 4, 1],
      [1, 4, 4],
    ],
    output: [1, 2, 2, 1],
  };
  const size = { output_height: 2, output_width: 2 };
  const points = { operator: "Landmarks2TransformMatrix", shapes: [[1, 4, 3]], output: [1, 4, 4] };
  const plain = { ...size, left_rotation_idx: 0, right_rotation_idx: 1, scale_x: 1, scale_y: 1 };

  test("options that are not there, or outside", async () => {
    await fails({ ...pixels, options: { output_height: 2 } }, "INVALID_MODEL", /"output_width" above 0/);
    await fails({ ...pixels, options: { ...size, output_width: 1e6 } }, "INVALID_MODEL", /from 1 to 4096/);
    await fails({ ...points, options: plain }, "INVALID_MODEL", /"subset_idxs"/);
    await fails({ ...points, options: { ...plain, subset_idxs: [0, 4] } }, "INVALID_MODEL", /indices of 4 landmarks/);
    await fails(
      { ...points, options: { ...plain, subset_idxs: [0], scale_x: 0 } },
      "INVALID_MODEL",
      /"scale_x" above 0/,
    );
  });

  test("shapes that do not fit", async () => {
    await fails(
      {
        ...pixels,
        shapes: [
          [2, 4, 4, 1],
          [1, 4, 4],
        ],
        options: size,
      },
      "INVALID_MODEL",
      /one picture/,
    );
    await fails(
      {
        ...pixels,
        shapes: [
          [1, 4, 4, 1],
          [1, 3, 3],
        ],
        options: size,
      },
      "INVALID_MODEL",
      /4 × 4/,
    );
    await fails({ ...pixels, shapes: [[1, 4, 4, 1]], options: size }, "UNSUPPORTED", /2 inputs/);
    const moves = {
      operator: "TransformLandmarks",
      shapes: [
        [1, 9, 4],
        [1, 4, 4],
      ],
      output: [1, 9, 4],
      options: {},
    };
    await fails(moves, "INVALID_MODEL", /2 or 3 coordinates/);
  });
});
