/** What a file says in one operator and the graph in several, and what it says otherwise than converters do. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadModel } from "../../../bindings/public/index.ts";
import { buildTflite, type TensorSpec } from "../build-tflite.ts";
import { options } from "../tflite-options.ts";

const MODULES = ["scalar", "simd"] as const;
const affine = (scale: number, zeroPoint: number) => ({ scale: [scale], zeroPoint: [zeroPoint] });
const int8 = (name: string, shape: readonly number[], scale = 0.05, zeroPoint = 0): TensorSpec => ({
  name,
  dtype: "int8",
  shape,
  ...affine(scale, zeroPoint),
});

/** Outputs of a model of one operator over all its inputs, the same in both modules. */
async function outputsOf(model: Uint8Array, inputs: readonly unknown[]): Promise<readonly unknown[]> {
  const runs = [];
  for (const module of MODULES) {
    const session = await loadModel(model, { module });
    runs.push(Object.values(session.run(inputs as never)).map((y) => [...(y as Iterable<number>)]));
    session.close();
  }
  assert.deepEqual(runs[1], runs[0]);
  return runs[0] as readonly unknown[];
}

test("CONCATENATION with a fused activation clamps what it joins", async () => {
  const model = buildTflite({
    tensors: [int8("a", [1, 2], 0.05, 3), int8("b", [1, 2], 0.05, 3), int8("y", [1, 4], 0.05, 3)],
    operators: [
      {
        code: "CONCATENATION",
        inputs: [0, 1],
        outputs: [2],
        options: options.concatenation({ axis: 1, activation: "relu6" }),
      },
    ],
    inputs: [0, 1],
    outputs: [2],
  });
  const [y] = await outputsOf(model, [Int8Array.of(-100, 5), Int8Array.of(2, 127)]);
  assert.deepEqual(y, [3, 5, 3, 123]);
});

test("SOFTMAX of int8 to another scale than 1/256: as TFLite's optimized kernel", async () => {
  const model = buildTflite({
    tensors: [int8("x", [1, 10], 0.1, 3), { name: "y", dtype: "int16", shape: [1, 10], ...affine(2 ** -15, 0) }],
    operators: [{ code: "SOFTMAX", inputs: [0], outputs: [1], options: options.softmax({ beta: 1 }) }],
    inputs: [0],
    outputs: [1],
  });
  const [y] = await outputsOf(model, [Int8Array.of(-7, 3, 65, 115, -120, -92, 82, 114, -65, -49)]);
  assert.deepEqual(y, [0, 0, 113, 16817, 0, 0, 620, 15217, 0, 0]);
});

test("RESHAPE: a size of 0 is the input's own where the input is not empty", async () => {
  const model = buildTflite({
    tensors: [
      int8("x", [1, 2, 3]),
      { name: "shape", dtype: "int32", shape: [2], data: Int32Array.of(0, 6) },
      int8("y", [1, 6]),
    ],
    operators: [{ code: "RESHAPE", inputs: [0, 1], outputs: [2] }],
    inputs: [0],
    outputs: [2],
  });
  const [y] = await outputsOf(model, [Int8Array.of(1, 2, 3, 4, 5, 6)]);
  assert.deepEqual(y, [1, 2, 3, 4, 5, 6]);
});

test("BATCH_MATMUL of int16 by int8 with a scale for each column", async () => {
  const scales = [0.01, 0.02, 0.005];
  const model = buildTflite({
    tensors: [
      { name: "a", dtype: "int16", shape: [2, 2], ...affine(0.001, 0) },
      {
        name: "b",
        dtype: "int8",
        shape: [2, 3],
        data: Int8Array.of(100, -50, 127, 3, 7, -128),
        scale: scales,
        axis: 1,
      },
      { name: "y", dtype: "int16", shape: [2, 3], ...affine(0.002, 0) },
    ],
    operators: [{ code: "BATCH_MATMUL", inputs: [0, 1], outputs: [2] }],
    inputs: [0],
    outputs: [2],
  });
  const a = [20000, -1234, -32768, 77];
  const b = [100, -50, 127, 3, 7, -128];
  const [y] = await outputsOf(model, [Int16Array.from(a)]);
  for (const [i, value] of (y as readonly number[]).entries()) {
    const [row, column] = [Math.floor(i / 3), i % 3];
    const sum = [0, 1].reduce((all, k) => all + (a[2 * row + k] as number) * (b[3 * k + column] as number), 0);
    const real = (sum * 0.001 * (scales[column] as number)) / 0.002;
    assert.ok(Math.abs(value - Math.min(Math.max(real, -32768), 32767)) <= 1, `${i}: ${value}, not ${real}`);
  }
});

test("a variable that is an input is the caller's", async () => {
  const model = buildTflite({
    tensors: [int8("x", [1, 2]), { ...int8("s", [1, 2]), variable: true }, int8("y", [1, 2])],
    operators: [{ code: "ADD", inputs: [0, 1], outputs: [2] }],
    inputs: [0, 1],
    outputs: [2],
  });
  assert.deepEqual(await outputsOf(model, [Int8Array.of(1, 2), Int8Array.of(10, 20)]), [[11, 22]]);
});

test("constants of scale 0 are zeros in ADD, SUB and MUL", async () => {
  const outputs = ["ADD", "SUB", "MUL"].map((code) =>
    buildTflite({
      tensors: [
        int8("x", [3], 0.5, 1),
        { name: "zeros", dtype: "int8", shape: [3], ...affine(0, 0), data: Int8Array.of(0, 5, -9) },
        int8("y", [3], 0.25, -3),
      ],
      operators: [
        { code, inputs: [0, 1], outputs: [2], options: options[code.toLowerCase() as "add" | "sub" | "mul"]({}) },
      ],
      inputs: [0],
      outputs: [2],
    }),
  );
  const expected = [
    [-3, -1, 35],
    [-3, -1, 35],
    [-3, -3, -3],
  ];
  for (const [i, model] of outputs.entries())
    assert.deepEqual(await outputsOf(model, [Int8Array.of(1, 2, 20)]), [expected[i]]);
});

test("products of what has scale 0 are zeros, whatever the bias; a FILL begins a recurrent layer so", async () => {
  const shape = { name: "shape", dtype: "int32", shape: [2], data: Int32Array.of(1, 2) } as const;
  const model = buildTflite({
    tensors: [
      ...[int8("x", [1, 2], 0.5, 1), shape, { ...int8("0", [], 0, 0), data: Int8Array.of(7) }],
      int8("zeros", [1, 2], 0, 0),
      { ...int8("w", [2, 2], 0.5, 0), data: Int8Array.of(1, 2, 3, 4) },
      { name: "b", dtype: "int32", shape: [2], ...affine(0, 0), data: Int32Array.of(100, 200) },
      ...[int8("h", [1, 2], 0.25, -3), int8("y", [1, 2], 0.5, 1)],
    ],
    operators: [
      { code: "FILL", inputs: [1, 2], outputs: [3] },
      { code: "FULLY_CONNECTED", inputs: [3, 4, 5], outputs: [6], options: options.fullyConnected({}) },
      { code: "ADD", inputs: [0, 6], outputs: [7], options: options.add({}) },
    ],
    inputs: [0],
    outputs: [6, 7],
  });
  assert.deepEqual(await outputsOf(model, [Int8Array.of(5, -6)]), [
    [-3, -3],
    [5, -6],
  ]);
});

test("weights of two bits, four to a byte from the lowest bits on", async () => {
  const weights = [1, -2, 0, -1, -1, 1, 1, 0, -2, 1];
  const bytes = new Uint8Array(3);
  for (const [i, w] of weights.entries()) bytes[i >> 2] = (bytes[i >> 2] as number) | ((w & 3) << (2 * (i & 3)));
  const model = (data: Uint8Array) =>
    buildTflite({
      tensors: [
        { name: "x", dtype: "float32", shape: [1, 5] },
        { name: "w", dtype: 19, shape: [2, 5], scale: [0.5], zeroPoint: [0], data },
        { name: "y", dtype: "float32", shape: [1, 2] },
      ],
      operators: [{ code: "FULLY_CONNECTED", inputs: [0, 1, -1], outputs: [2], options: options.fullyConnected({}) }],
      inputs: [0],
      outputs: [2],
    });
  const x = [1, 127, -3, 5, 8];
  const sums = [0, 5].map((from) => x.reduce((sum, value, i) => sum + value * (weights[from + i] as number), 0) / 2);
  assert.deepEqual(await outputsOf(model(bytes), [Float32Array.from(x)]), [sums]);
  await assert.rejects(loadModel(model(new Uint8Array(4))), /3 bytes for 10 numbers of 2 bits/);
});

test("FlexErf, as which converters write the GELU of older graphs, is the error function", async () => {
  const real = (name: string): TensorSpec => ({ name, dtype: "float32", shape: [5] });
  const model = buildTflite({
    tensors: [real("x"), real("y")],
    operators: [{ code: "CUSTOM", custom: "FlexErf", inputs: [0], outputs: [1] }],
    inputs: [0],
    outputs: [1],
  });
  const [y] = await outputsOf(model, [Float32Array.of(-2, -0.5, 0, 0.5, 3)]);
  const expected = [-0.9953222650189527, -0.5204998778130465, 0, 0.5204998778130465, 0.9999779095030014];
  for (const [i, value] of (y as readonly number[]).entries())
    assert.ok(Math.abs(value - (expected[i] as number)) < 2e-7, `${value}`);
});
