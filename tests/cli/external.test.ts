/** An .onnx model that keeps its weights in a file beside it: every command reads them from there. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { buildOnnx } from "../formats/build-onnx.ts";
import { folder, pint8 } from "./run.ts";

test("weights beside the model", async (t) => {
  const dir = folder(t);
  const [model, data] = [join(dir, "model.onnx"), join(dir, "data.csv")];
  const weights = Float32Array.from({ length: 64 }, (_, i) => Math.sin(i));
  writeFileSync(join(dir, "w.bin"), new Uint8Array(weights.buffer));
  writeFileSync(
    model,
    buildOnnx({
      nodes: [{ operator: "MatMul", inputs: ["x", "w"], outputs: ["y"] }],
      inputs: [{ name: "x", type: 1, dims: [1, 8] }],
      outputs: [{ name: "y", type: 1, dims: [1, 8] }],
      initializers: [{ name: "w", dims: [8, 8], type: 1, external: { location: "w.bin" } }],
    }),
  );
  writeFileSync(data, Array.from({ length: 4 }, (_, i) => weights.slice(i, i + 8).join()).join("\n"));
  const to = ["-o", join(dir, "out.tflite")];
  for (const args of [
    ["inspect", model],
    ["types", model],
    ["plan", model, "-o", join(dir, "out.plan")],
    ["quantize", model, "--data", data, ...to],
    ["prune", model, "--data", data, ...to],
    [
      "distil",
      model,
      "--student",
      model,
      "--objective",
      "values",
      "--epochs",
      "1",
      "--batch",
      "2",
      "--data",
      data,
      ...to,
    ],
    ["evaluate", model, "--against", model, "--data", data],
  ]) {
    const { status, err } = await pint8(...args);
    assert.equal(status, 0, `${args.join(" ")}: ${err}`);
  }
});
