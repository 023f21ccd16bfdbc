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
    assert.throws(() => session.run([Int32Array.of(2 ** 20)]), /at most 65536/);
    assert.deepEqual(session.run([Int32Array.of(2)]).y, Int32Array.of(0));
    session.close();
  }
});

test("WHERE: places of what is true; their sizes, and no module is compiled of it", async () => {
  const session = await loadModel(WHERE(""), { module: "scalar" });
  const places = session.run([Uint8Array.of(0, 1, 0, 7, 0, 1)]).places;
  assert.deepEqual(places, BigInt64Array.of(0n, 1n, 1n, 0n, 1n, 2n));
  const sizes = await loadModel(WHERE("SHAPE"), { module: "scalar" });
  assert.deepEqual(sizes.run([Uint8Array.of(0, 1, 0, 7, 0, 1)]).sizes, Int32Array.of(3, 2));
  sizes.close();
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

test("PAD by paddings that are computed: as long as they make it, up to the bound", async () => {
  const model = (dtype: "int32" | "int64", value: boolean) =>
    buildTflite({
      tensors: [
        { name: "x", dtype: "int8", shape: [2, 3], scale: [0.5], zeroPoint: [-7] },
        { name: "pads", dtype, shape: [2, 2] },
        { name: "y", dtype: "int8", shape: [2, 3], signature: [-1, -1], scale: [0.5], zeroPoint: [-7] },
        { name: "v", dtype: "int8", shape: [1], scale: [0.5], zeroPoint: [-7], data: Int8Array.of(99) },
      ],
      operators: [{ code: value ? "PADV2" : "PAD", inputs: value ? [0, 1, 3] : [0, 1], outputs: [2] }],
      inputs: [0, 1],
      outputs: [2],
    });
  const x = Int8Array.of(1, 2, 3, 4, 5, 6);
  for (const module of ["scalar", "simd"] as const)
    for (const value of [false, true]) {
      const v = value ? 99 : -7;
      const session = await loadModel(model("int32", value), { module });
      assert.deepEqual(session.run([x, Int32Array.of(0, 0, 0, 0)]).y, x);
      assert.deepEqual(
        session.run([x, Int32Array.of(1, 0, 0, 2)]).y,
        Int8Array.of(v, v, v, v, v, 1, 2, 3, v, v, 4, 5, 6, v, v),
      );
      assert.deepEqual(session.run([x, Int32Array.of(0, 1, 1, 0)]).y, Int8Array.of(v, 1, 2, 3, v, 4, 5, 6, v, v, v, v));
      assert.throws(() => session.run([x, Int32Array.of(2 ** 30, 2 ** 30, 5, 5)]), /at most 65536/);
      assert.deepEqual(session.run([x, Int32Array.of(-5, 0, 0, -9)]).y, x, "none below 0");
      session.close();
      const wide = await loadModel(model("int64", value), { module });
      assert.deepEqual(
        wide.run([x, BigInt64Array.of(0n, 0n, 0n, 1n)] as never).y,
        Int8Array.of(1, 2, 3, v, 4, 5, 6, v),
      );
      wide.close();
    }
});

test("RESIZE_NEAREST_NEIGHBOR to a size that is computed: the pixels of the size when it is constant", async () => {
  const options = (corners: boolean, centres: boolean) => ({
    type: 74,
    fields: { 0: { int8: corners ? 1 : 0 }, 1: { int8: centres ? 1 : 0 } },
  });
  const model = (size: Int32Array | undefined, corners: boolean, centres: boolean) =>
    buildTflite({
      tensors: [
        { name: "x", dtype: "int16", shape: [2, 3, 4, 2], scale: [0.5] },
        { name: "size", dtype: "int32", shape: [2], ...(size && { data: size }) },
        { name: "y", dtype: "int16", shape: [2, 1, 1, 2], signature: [2, -1, -1, 2], scale: [0.5] },
      ],
      operators: [
        { code: "RESIZE_NEAREST_NEIGHBOR", inputs: [0, 1], outputs: [2], options: options(corners, centres) },
      ],
      inputs: size ? [0] : [0, 1],
      outputs: [2],
    });
  const x = Int16Array.from({ length: 48 }, (_, i) => i * 77 - 900);
  for (const module of ["scalar", "simd"] as const)
    for (const [corners, centres] of [
      [false, false],
      [true, false],
      [false, true],
    ] as const) {
      const open = await loadModel(model(undefined, corners, centres), { module });
      for (const size of [Int32Array.of(6, 4), Int32Array.of(1, 1), Int32Array.of(5, 7), Int32Array.of(2, 9)]) {
        const fixed = await loadModel(model(size, corners, centres), { module });
        assert.deepEqual(open.run([x, size]).y, fixed.run([x]).y, `${size}, ${corners}, ${centres}`);
        fixed.close();
      }
      assert.deepEqual(open.run([x, Int32Array.of(-1, 3)]).y, new Int16Array(0));
      const start = process.cpuUsage();
      assert.deepEqual(open.run([x, Int32Array.of(2 ** 31 - 1, 0)]).y, new Int16Array(0));
      assert.ok(process.cpuUsage(start).user < 1e6, "rows of no pixels are not walked");
      assert.throws(() => open.run([x, Int32Array.of(2 ** 20, 2 ** 20)]), /at most 65536/);
      open.close();
    }
});
