/** Flex tensor lists of loops, and composites by what they decompose to. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { loadModel } from "../../../bindings/public/index.ts";
import { runnable } from "../../support/kernels.ts";
import { buildTflite, type SubgraphSpec, type TensorSpec } from "../build-tflite.ts";
import { options } from "../tflite-options.ts";

const int = (name: string, ...values: number[]): TensorSpec => ({
  name,
  dtype: "int32",
  shape: values.length === 1 ? [] : [values.length],
  data: Int32Array.from(values),
});
const scalar = (name: string): TensorSpec => ({ name, dtype: "int32", shape: [] });
const list = (name: string): TensorSpec => ({ name, dtype: "variant", shape: [] });
const row = (name: string): TensorSpec => ({ name, dtype: "float32", shape: [1, 2] });

const condition: SubgraphSpec = {
  tensors: [scalar("i"), list("list"), row("h"), int("most", 3), { name: "go", dtype: "bool", shape: [] }],
  operators: [{ code: "LESS", inputs: [0, 3], outputs: [4] }],
  inputs: [0, 1, 2],
  outputs: [4],
};

/** h becomes h + x[i] by a list, and is stored at i. */
const body: SubgraphSpec = {
  tensors: [scalar("i"), list("list"), row("h"), int("one", 1), scalar("next"), row("twice"), list("longer")],
  operators: [
    { code: "ADD", inputs: [0, 3], outputs: [4], options: options.add({}) },
    { code: "ADD", inputs: [2, 2], outputs: [5], options: options.add({}) },
    { code: "CUSTOM", custom: "FlexTensorListSetItem", inputs: [1, 0, 5], outputs: [6] },
  ],
  inputs: [0, 1, 2],
  outputs: [4, 6, 5],
};

const doubling = (shape: readonly number[], count: number) =>
  buildTflite({
    tensors: [
      row("x"),
      int("shape", ...shape),
      int("count", count),
      int("zero", 0),
      ...[list("empty"), scalar("i"), list("full"), row("last")],
      { name: "y", dtype: "float32", shape: [3, 1, 2] },
    ],
    operators: [
      { code: "CUSTOM", custom: "FlexTensorListReserve", inputs: [1, 2], outputs: [4] },
      {
        code: "WHILE",
        inputs: [3, 4, 0],
        outputs: [5, 6, 7],
        options: { type: 93, fields: { 0: { int32: 1 }, 1: { int32: 2 } } },
      },
      { code: "CUSTOM", custom: "FlexTensorListStack", inputs: [6, 1], outputs: [8] },
    ],
    inputs: [0],
    outputs: [8],
    subgraphs: [condition, body],
  });

const composite = (subgraph: number) =>
  buildTflite({
    tensors: [row("x"), row("y")],
    operators: [
      {
        code: "STABLEHLO_COMPOSITE",
        inputs: [0],
        outputs: [1],
        options: { type: -21, fields: { 1: { int32: subgraph } } },
      },
    ],
    inputs: [0],
    outputs: [1],
    subgraphs: [
      {
        tensors: [row("a"), row("b")],
        operators: [{ code: "MUL", inputs: [0, 0], outputs: [1], options: options.mul({}) }],
        inputs: [0],
        outputs: [1],
      },
    ],
  });

/** A loop over [3] whose i-th number becomes the square of x[i], set by slices before and after it. */
const squares = () => {
  const numbers = (name: string, size: number): TensorSpec => ({ name, dtype: "float32", shape: [size] });
  const index = (name: string): TensorSpec => ({ name, dtype: "int32", shape: [1] });
  const most: SubgraphSpec = {
    ...condition,
    tensors: [scalar("i"), numbers("list", 3), numbers("x", 3), int("most", 3), condition.tensors[4] as TensorSpec],
  };
  const open = (name: string): TensorSpec => ({ ...numbers(name, 1), signature: [-1] });
  const vector = (name: string, value: number): TensorSpec => ({
    name,
    dtype: "int32",
    shape: [1],
    data: Int32Array.of(value),
  });
  const step: SubgraphSpec = {
    tensors: [
      ...[
        scalar("i"),
        open("list"),
        numbers("x", 3),
        int("one", 1),
        vector("shape", 1),
        vector("zero", 0),
        vector("rest", -1),
      ],
      ...[scalar("next"), index("at"), index("after"), numbers("x[i]", 1), numbers("square", 1)],
      ...[open("before"), open("behind"), open("longer")],
    ],
    operators: [
      { code: "ADD", inputs: [0, 3], outputs: [7], options: options.add({}) },
      { code: "RESHAPE", inputs: [0, 4], outputs: [8] },
      { code: "RESHAPE", inputs: [7, 4], outputs: [9] },
      { code: "GATHER", inputs: [2, 8], outputs: [10] },
      { code: "MUL", inputs: [10, 10], outputs: [11], options: options.mul({}) },
      { code: "SLICE", inputs: [1, 5, 8], outputs: [12] },
      { code: "SLICE", inputs: [1, 9, 6], outputs: [13] },
      { code: "CONCATENATION", inputs: [12, 11, 13], outputs: [14], options: options.concatenation({ axis: 0 }) },
    ],
    inputs: [0, 1, 2],
    outputs: [7, 14, 2],
  };
  const start: TensorSpec = { ...numbers("start", 3), data: new Float32Array(3) };
  return buildTflite({
    tensors: [numbers("x", 3), int("zero", 0), start, scalar("i"), open("y"), numbers("same", 3)],
    operators: [
      {
        code: "WHILE",
        inputs: [1, 2, 0],
        outputs: [3, 4, 5],
        options: { type: 93, fields: { 0: { int32: 1 }, 1: { int32: 2 } } },
      },
    ],
    inputs: [0],
    outputs: [4],
    subgraphs: [most, step],
  });
};

for (const { name, skip } of await runnable())
  describe(`lists, ${name}`, { skip }, () => {
    test("a loop that fills a list", async () => {
      for (const shape of [
        [1, 2],
        [-1, 2],
      ]) {
        const session = await loadModel(doubling(shape, 3), { module: name });
        assert.deepEqual(session.run([Float32Array.of(1, -3)]).y, Float32Array.of(2, -6, 4, -12, 8, -24));
        session.close();
      }
    });

    test("a loop that sets numbers between slices of computed lengths", async () => {
      const session = await loadModel(squares(), { module: name });
      assert.deepEqual(session.run([Float32Array.of(3, -5, 7)]).y, Float32Array.of(9, 25, 49));
      session.close();
    });

    test("STABLEHLO_COMPOSITE runs its decomposition", async () => {
      const session = await loadModel(composite(1), { module: name });
      assert.deepEqual(session.run([Float32Array.of(3, -5)]).y, Float32Array.of(9, 25));
      session.close();
    });
  });

test("what has no size or no subgraph is refused", async () => {
  await assert.rejects(loadModel(composite(7)), /a subgraph below 2/);
  await assert.rejects(loadModel(composite(0)), /runs itself/);
  await assert.rejects(loadModel(doubling([1, 2, -1, -1], 3)), /length and elements are known/);
});
