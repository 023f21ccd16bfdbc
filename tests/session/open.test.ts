/** Outputs whose length only a run can tell: cut to it, kept by a saved plan, refused by what needs a shape. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { compileModel } from "../../bindings/public/compile.ts";
import { importModel, loadModel, loadModule, planGraph, runPasses, writePlan } from "../../bindings/public/index.ts";
import { buildTflite, type TensorSpec } from "../formats/build-tflite.ts";

const scalar = (name: string, value: number): TensorSpec => ({
  name,
  dtype: "int32",
  shape: [],
  data: Int32Array.of(value),
});

/** 0, 2, 4, … below the input. */
const RANGE = buildTflite({
  tensors: [
    { name: "limit", dtype: "int32", shape: [] },
    scalar("start", 0),
    scalar("delta", 2),
    { name: "y", dtype: "int32", shape: [1], signature: [-1] },
  ],
  operators: [{ code: "RANGE", inputs: [1, 0, 2], outputs: [3] }],
  inputs: [0],
  outputs: [3],
});

const WHERE = (then: "" | "SHAPE") =>
  buildTflite({
    tensors: [
      { name: "x", dtype: "bool", shape: [2, 3] },
      { name: "places", dtype: "int64", shape: [1, 2], signature: [-1, 2] },
      { name: "sizes", dtype: "int32", shape: [2] },
    ],
    operators: [
      { code: "WHERE", inputs: [0], outputs: [1] },
      ...(then === "" ? [] : [{ code: then, inputs: [1], outputs: [2] }]),
    ],
    inputs: [0],
    outputs: [then === "" ? 1 : 2],
  });

test("RANGE to a limit that is computed: as long as it asks for, up to the bound", async () => {
  const { name, hash } = await loadModule("scalar");
  const plan = writePlan(planGraph(runPasses(importModel(RANGE, {})), { module: name, moduleHash: hash }));
  for (const source of [RANGE, plan]) {
    const session = await loadModel(source, source === RANGE ? { module: "scalar" } : {});
    assert.deepEqual(session.run([Int32Array.of(7)]).y, Int32Array.of(0, 2, 4, 6));
    assert.deepEqual(session.run([Int32Array.of(-1)]).y, new Int32Array(0));
    assert.throws(() => session.run([Int32Array.of(2 ** 20)]), /at most 65536 elements/);
    assert.deepEqual(session.run([Int32Array.of(2)]).y, Int32Array.of(0));
    session.close();
  }
});

test("WHERE: places of what is true; nothing that needs a shape may follow, and no module is compiled of it", async () => {
  const session = await loadModel(WHERE(""), { module: "scalar" });
  const places = session.run([Uint8Array.of(0, 1, 0, 7, 0, 1)]).places;
  assert.deepEqual(places, BigInt64Array.of(0n, 1n, 1n, 0n, 1n, 2n));
  await assert.rejects(loadModel(WHERE("SHAPE"), { module: "scalar" }), /whose length only a run can tell/);
  await assert.rejects(compileModel(WHERE(""), { name: "m" }), /lengths are known when compiled/);
});

test("SEGMENT_SUM of computed ids: as many rows as the last one says", async () => {
  const model = buildTflite({
    tensors: [
      { name: "x", dtype: "float32", shape: [4, 2] },
      { name: "ids", dtype: "int32", shape: [4] },
      { name: "y", dtype: "float32", shape: [1, 2], signature: [-1, 2] },
    ],
    operators: [{ code: "SEGMENT_SUM", inputs: [0, 1], outputs: [2] }],
    inputs: [0, 1],
    outputs: [2],
  });
  for (const module of ["scalar", "simd"] as const) {
    const session = await loadModel(model, { module });
    const x = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    assert.deepEqual(session.run([x, Int32Array.of(0, 0, 1, 1)]).y, Float32Array.of(4, 6, 12, 14));
    assert.deepEqual(session.run([x, Int32Array.of(0, 0, 0, 0)]).y, Float32Array.of(16, 20));
    assert.deepEqual(session.run([x, Int32Array.of(0, 1, 2, 2 ** 30)]).y?.length, 8, "never more than there are rows");
    session.close();
  }
});

test("a scale of 0 is refused where it is computed with, and nowhere else", async () => {
  const x: TensorSpec = { name: "x", dtype: "int8", shape: [4], scale: [0.5], zeroPoint: [1] };
  const model = (scale: number) =>
    buildTflite({
      tensors: [
        { ...x, scale: [scale] },
        { ...x, name: "y" },
        { ...x, name: "unused", scale: [0] },
      ],
      operators: [{ code: "RELU", inputs: [0], outputs: [1] }],
      inputs: [0],
      outputs: [1],
    });
  const session = await loadModel(model(0.5), { module: "scalar" });
  assert.deepEqual(session.run([Int8Array.of(-3, 0, 1, 5)]).y, Int8Array.of(1, 1, 1, 5));
  await assert.rejects(loadModel(model(0)), /a finite scale above 0/);
});
