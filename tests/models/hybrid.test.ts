/** Layers of int8 weights between floats: on numbers that are none the same in every module, without a trap, and how images are read. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { loadModel } from "../../bindings/public/index.ts";
import { buildTflite } from "../formats/build-tflite.ts";
import { options } from "../formats/tflite-options.ts";

const ZOO = new URL("../../../shared/zoo/tflite/", import.meta.url);
const names = existsSync(ZOO)
  ? readdirSync(ZOO).filter((name) => /^(bi)?(lstm|rnn|svdf).*hybrid.*\.tflite$/.test(name))
  : [];

describe("hybrid layers of infinities and NaN", { skip: names.length === 0 && "no ../shared/zoo" }, () => {
  for (const name of names)
    test(name, async () => {
      for (const odd of [Number.POSITIVE_INFINITY, Number.NaN, 3e38]) {
        const results = [];
        for (const module of ["scalar", "simd"] as const) {
          const model = await loadModel(new Uint8Array(readFileSync(new URL(name, ZOO))), { module });
          const inputs = model.inputs.map(({ shape }) => new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.5));
          for (const input of inputs) input[0] = odd;
          results.push(Object.values(model.run(inputs)));
          model.close();
        }
        assert.deepEqual(results[0], results[1], `${odd}`);
      }
    });
});

describe("a hybrid depthwise convolution of one channel", () => {
  const depthwise = buildTflite({
    tensors: [
      { name: "x", dtype: "float32", shape: [1, 1, 3, 1] },
      { name: "w", dtype: "int8", shape: [1, 1, 1, 1], scale: [1], data: Int8Array.of(1) },
      { name: "b", dtype: "float32", shape: [1], data: Float32Array.of(0) },
      { name: "y", dtype: "float32", shape: [1, 1, 3, 1] },
    ],
    operators: [{ code: "DEPTHWISE_CONV_2D", inputs: [0, 1, 2], outputs: [3], options: options.depthwiseConv2d({}) }],
    inputs: [0],
    outputs: [3],
  });

  for (const module of ["scalar", "simd"] as const)
    test(`reads its image in 255 steps from the least to the largest, ${module}`, async () => {
      const model = await loadModel(depthwise, { module });
      const [y] = Object.values(model.run([Float32Array.of(0, 1, 100 / 255)])) as [Float32Array];
      model.close();
      // in 127 steps to each side of zero it is 50 / 127
      assert.ok(Math.abs((y[2] as number) - 100 / 255) < 1e-6, `${y[2]}`);
    });
});
