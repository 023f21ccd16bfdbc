/** Where constants' bytes stand in a file, and what they become. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { importModel } from "../../../bindings/formats/index.ts";
import { buildTflite, type ModelSpec, type TensorSpec } from "../build-tflite.ts";

const X: TensorSpec = { name: "x", dtype: "int8", shape: [1, 4], scale: [0.5], zeroPoint: [-3] };

/** One RELU from x to y. */
const RELU = {
  operators: [{ code: "RELU", inputs: [0], outputs: [1] }],
  inputs: [0],
  outputs: [1],
};

/** The graph of a RELU beside which these tensors stand. */
function imported(constants: readonly TensorSpec[], spec: Partial<ModelSpec> = {}) {
  return importModel(buildTflite(specOf(constants, spec)), {});
}

const specOf = (constants: readonly TensorSpec[], spec: Partial<ModelSpec> = {}): ModelSpec => ({
  ...RELU,
  tensors: [X, { ...X, name: "y" }, ...constants],
  ...spec,
});

test("buffers behind the FlatBuffer give the same graph as buffers in it, which TFLite Micro would not read", () => {
  const w: TensorSpec = { name: "w", dtype: "int32", shape: [2], data: Int32Array.of(123456, -5) };
  const constants = [w, { ...w, data: Int32Array.of(77, 78) }];
  const inside = imported(constants);
  const outside = imported(constants, { outside: true });
  assert.deepEqual(outside, { ...inside, withoutMicro: true });
  assert.deepEqual(outside.tensors[3]?.data, new Uint8Array(Int32Array.of(77, 78).buffer));
});

test("bytes in a buffer count, whatever place behind the FlatBuffer it also names", () => {
  const own = Int32Array.of(123456, -5);
  const w: TensorSpec = { name: "w", dtype: "int32", shape: [2], buffer: 1 };
  const buffers = [{ 0: { bytes: new Uint8Array(own.buffer) }, 1: { int64: 16n }, 2: { int64: 8n } }];
  const graph = imported([w], { buffers });
  assert.deepEqual(graph.tensors[2]?.data, new Uint8Array(own.buffer));
});

test("a Node Buffer's constants are plain arrays, whose slice copies", () => {
  const w: TensorSpec = { name: "w", dtype: "int8", shape: [1], data: Int8Array.of(5) };
  const graph = importModel(Buffer.from(buildTflite(specOf([w]))), {});
  assert.equal(graph.tensors[2]?.data?.constructor, Uint8Array);
});
