/** The ending of a name says which format is written. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { writeTflite } from "../../bindings/formats/tflite/write/index.ts";
import { loadModel } from "../../bindings/public/index.ts";
import type { Tensor } from "../../bindings/tensor.ts";
import { graphOf } from "../formats/run-graph.ts";
import { folder, pint8 } from "./run.ts";

const MODEL = new URL("../../../shared/models/digits_f32.onnx", import.meta.url);
const PICTURES = fileURLToPath(new URL("../../models/digits/samples", import.meta.url));

test("quantize writes .tflite and .onnx, and no other", {
  skip: existsSync(MODEL) ? false : "no ../shared folder",
}, async (t) => {
  const input = Float32Array.from({ length: 784 }, (_, i) => (i % 28 > 12 && i % 28 < 16 ? 1 : 0));
  const best = [];
  for (const ending of ["tflite", "onnx"]) {
    const file = join(folder(t), `digits.${ending}`);
    const { status, err } = await pint8("quantize", fileURLToPath(MODEL), "--data", PICTURES, "-o", file);
    assert.equal(status, 0, err);
    const model = await loadModel(new Uint8Array(readFileSync(file)), { module: "simd" });
    const scores = Array.from(model.run([input])[model.outputs[0].name] as ArrayLike<number>);
    best.push(scores.indexOf(Math.max(...scores)));
  }
  assert.deepEqual(best, [1, 1]);
  const { status, err } = await pint8(
    "quantize",
    fileURLToPath(MODEL),
    "--data",
    PICTURES,
    "-o",
    join(folder(t), "x.bin"),
  );
  assert.equal(status, 1);
  assert.match(err, /\.tflite or \.onnx/);
});

test("shapes that a file leaves out are no reason to refuse it", async (t) => {
  const w: Tensor = { name: "w", dtype: "float32", shape: [2, 3, 3, 2], data: new Uint8Array(4 * 36) };
  const image = { dtype: "float32", shape: [1, 6, 6, 2] } as const;
  const tensors: Tensor[] = [{ name: "x", ...image }, w, { ...image, name: "h", shape: [] }, { ...image, name: "y" }];
  const window = { activation: "none", stride: [1, 1], dilation: [1, 1], padding: "same" };
  const steps = [
    ["conv2d", [0, 1], [2], window],
    ["conv2d", [2, 1], [3], window],
  ] as const;
  const model = join(folder(t), "left-out.tflite");
  writeFileSync(model, writeTflite(graphOf(tensors, [0], [3], steps)));
  const { status, err } = await pint8("quantize", model, "-o", join(folder(t), "left-out.onnx"));
  assert.equal(status, 0, err);
});
