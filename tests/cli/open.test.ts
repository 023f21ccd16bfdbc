/** .onnx models of open sizes, and operators that an output's format lacks: what every tool says of them, and takes. */
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { buildOnnx, node } from "../formats/build-onnx.ts";
import { folder, pint8 } from "./run.ts";

const weights = Array.from({ length: 64 }, (_, i) => Math.sin(i));
const row = (i: number) => weights.slice(i, i + 8).join();

function files(t: TestContext, dims: readonly (number | string)[], operator = "MatMul") {
  const dir = folder(t);
  const [model, data] = [join(dir, "model.onnx"), join(dir, "data.csv")];
  const graph = {
    nodes:
      operator === "MatMul" ? [node("MatMul", "x w", "y")] : [node("MatMul", "x w", "z"), node(operator, "z", "y")],
    inputs: [{ name: "x", type: 1, dims }],
    outputs: [{ name: "y", type: operator === "NonZero" ? 7 : 1, dims: [] }],
    initializers: [{ name: "w", dims: [8, 8], type: 1 as const, values: weights }],
  };
  writeFileSync(model, buildOnnx(graph));
  writeFileSync(data, Array.from({ length: 4 }, (_, i) => row(i)).join("\n"));
  return {
    model,
    data: ["--data", data],
    to: (name: string) => ["-o", join(dir, name)],
    path: (name: string) => join(dir, name),
  };
}

test("sizes that a model leaves open", async (t) => {
  const { model, data, to } = files(t, ["rows", "columns"]);
  const teach = ["--objective", "values", "--epochs", "1", "--batch", "2"];
  const given = ["--shape", "x=1,8"];
  for (const [args, more] of [
    [["evaluate", model, ...data], given],
    [["prune", model, "--sparsity", "50%", ...to("p.onnx")], given],
    [["quantize", model, ...data, ...to("q.onnx")], given],
    [
      ["distil", model, "--student", model, ...data, ...teach, ...to("s.onnx")],
      [...given, "--student-shape", "x=1,8"],
    ],
  ] as const) {
    const { status, err } = await pint8(...args);
    assert.equal(status, 1);
    assert.match(err, /open dimensions.*\n.*--shape /);
    const { status: good, err: said } = await pint8(...args, ...more);
    assert.equal(good, 0, `${args.join(" ")}: ${said}`);
  }
});

test("what a format lacks is said before any work", async (t) => {
  const { model, path, to } = files(t, [1, 8], "NonZero");
  // Data that is not there would be the next to be missed.
  for (const command of ["quantize", "prune"]) {
    const { status, err } = await pint8(command, model, "--data", path("none.csv"), ...to("out.tflite"));
    assert.equal(status, 1);
    assert.match(err, /UNSUPPORTED.*nonZero/);
    assert.ok(!existsSync(path("out.tflite")));
  }
});
