/** The ending of a name says which format is written. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { loadModel } from "../../bindings/public/index.ts";
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
