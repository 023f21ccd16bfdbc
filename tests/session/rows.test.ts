/** Networks behind a number of rows that only a run can tell: what WHERE finds, and slices of computed sizes. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Pint8Error } from "../../bindings/errors.ts";
import { importModel, loadModel, loadModule, planGraph, runPasses, writePlan } from "../../bindings/public/index.ts";
import { buildTflite, type OperatorSpec, type TensorSpec } from "../formats/build-tflite.ts";
import { options } from "../formats/tflite-options.ts";

type Numbers = readonly number[];

/** A chain of operators, each of which takes the result before it where its input is "before". */
class Chain {
  readonly tensors: TensorSpec[] = [];
  readonly operators: OperatorSpec[] = [];
  readonly inputs: number[] = [];

  input(dtype: TensorSpec["dtype"], ...shape: Numbers): number {
    this.inputs.push(this.tensors.length);
    return this.tensors.push({ name: `in${this.inputs.length}`, dtype, shape }) - 1;
  }

  ints(...values: Numbers): number {
    return this.tensors.push({ name: "", dtype: "int32", shape: [values.length], data: Int32Array.from(values) }) - 1;
  }

  floats(shape: Numbers, ...values: Numbers): number {
    return this.tensors.push({ name: "", dtype: "float32", shape, data: Float32Array.from(values) }) - 1;
  }

  add(code: string, inputs: Numbers, dtype: TensorSpec["dtype"], rank: number, own?: OperatorSpec["options"]): number {
    const shape = new Array<number>(rank).fill(1);
    const signature = new Array<number>(rank).fill(-1);
    const y = this.tensors.push({ name: `${code}${this.tensors.length}`, dtype, shape, signature }) - 1;
    this.operators.push({ code, inputs, outputs: [y], ...(own && { options: own }) });
    return y;
  }

  build(...outputs: Numbers): Uint8Array {
    return buildTflite({ tensors: this.tensors, operators: this.operators, inputs: this.inputs, outputs });
  }
}

/** The rows of x whose first element is above 0. */
function masked(chain: Chain, x: number): number {
  const first = chain.add("STRIDED_SLICE", [x, chain.ints(0, 0), chain.ints(0, 1), chain.ints(1, 1)], "float32", 1, {
    type: 32,
    fields: { 0: { int32: 1 }, 1: { int32: 1 }, 4: { int32: 2 } },
  });
  const mask = chain.add("GREATER", [first, chain.floats([], 0)], "bool", 1);
  const places = chain.add("WHERE", [mask], "int64", 2);
  const indices = chain.add("RESHAPE", [places, chain.ints(-1)], "int64", 1);
  return chain.add("GATHER", [x, indices], "float32", 2);
}

const X = Float32Array.of(1, 2, -1, 9, 3, 4, -5, 7, 0.5, 6);
const NONE = new Float32Array(10).fill(-1);

async function run(model: Uint8Array, ...inputs: readonly unknown[]): Promise<readonly Numbers[]> {
  const runs = [];
  for (const module of ["scalar", "simd"] as const) {
    const session = await loadModel(model, { module });
    runs.push(Object.values(session.run(inputs as never)).map((y) => Array.from(y as ArrayLike<number>, Number)));
    session.close();
  }
  assert.deepEqual(runs[1], runs[0]);
  return runs[0] as readonly Numbers[];
}

describe("rows of a mask", () => {
  test("a dense layer and sums of each row, sizes, and arithmetic of two tensors of the same rows", async () => {
    const chain = new Chain();
    const rows = masked(chain, chain.input("float32", 5, 2));
    const dense = chain.add("FULLY_CONNECTED", [rows, chain.floats([1, 2], 1, 10), -1], "float32", 2);
    const sum = chain.add("SUM", [rows, chain.ints(1)], "float32", 2, { type: 27, fields: { 0: { int8: 1 } } });
    const both = chain.add("ADD", [dense, sum], "float32", 2, options.add({}));
    const sizes = chain.add("SHAPE", [rows], "int32", 1);
    const model = chain.build(dense, both, sizes);
    assert.deepEqual(await run(model, X), [
      [21, 43, 60.5],
      [24, 50, 67],
      [3, 2],
    ]);
    assert.deepEqual(await run(model, NONE), [[], [], [0, 2]]);
  });

  test("sums, means and extremes over the rows are of those that are there", async () => {
    const chain = new Chain();
    const rows = masked(chain, chain.input("float32", 5, 2));
    const all = ["SUM", "MEAN", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD"].map((code) =>
      chain.add(code, [rows, chain.ints(0)], "float32", 1, { type: 27, fields: {} }),
    );
    const [sum, mean, most, least, product] = await run(chain.build(...all), X);
    assert.deepEqual(
      [sum, mean, most, least, product],
      [
        [4.5, 12],
        [1.5, 4],
        [3, 6],
        [0.5, 2],
        [1.5, 48],
      ],
    );
  });

  test("a saved plan has them, too", async () => {
    const chain = new Chain();
    const model = chain.build(masked(chain, chain.input("float32", 5, 2)));
    const { name, hash } = await loadModule("scalar");
    const plan = planGraph(runPasses(importModel(model, {})), { module: name, moduleHash: hash });
    const session = await loadModel(writePlan(plan));
    assert.deepEqual(Object.values(session.run([X])), [Float32Array.of(1, 2, 3, 4, 0.5, 6)]);
    session.close();
  });

  test("what looks at several rows, or joins other ones, is refused", async () => {
    const refused = (model: Uint8Array) =>
      assert.rejects(
        loadModel(model, { module: "scalar" }),
        (error) => error instanceof Pint8Error && /whose length only a run can tell/.test(error.message),
      );
    const turned = new Chain();
    const rows = masked(turned, turned.input("float32", 5, 2));
    await refused(turned.build(turned.add("TRANSPOSE", [rows, turned.ints(1, 0)], "float32", 2)));
    const two = new Chain();
    const [a, b] = [0, 1].map(() => masked(two, two.input("float32", 5, 2)));
    await refused(two.build(two.add("ADD", [a as number, b as number], "float32", 2, options.add({}))));
  });
});

describe("slices of computed sizes", () => {
  test("STRIDED_SLICE by begin and end, from the front and from the end, held inside", async () => {
    const chain = new Chain();
    const x = chain.input("float32", 5, 2);
    const [begin, end] = [chain.input("int32", 1), chain.input("int32", 1)];
    const y = chain.add("STRIDED_SLICE", [x, begin, end, chain.ints(1)], "float32", 2, { type: 32, fields: {} });
    const model = chain.build(y);
    for (const [b, e] of [
      [0, 3],
      [1, 4],
      [-2, 5],
      [0, -1],
      [-9, 9],
      [4, 2],
      [5, 5],
    ] as const) {
      const expected = Array.from({ length: 5 }, (_, i) => [...X.slice(2 * i, 2 * i + 2)])
        .slice(b, e)
        .flat();
      assert.deepEqual(await run(model, X, Int32Array.of(b), Int32Array.of(e)), [expected], `[${b}:${e}]`);
    }
  });

  test("SLICE of a size that is packed with constants", async () => {
    const chain = new Chain();
    const x = chain.input("float32", 5, 2);
    const [begin, size] = [chain.input("int32", 1), chain.input("int32", 1)];
    const join = options.concatenation({ axis: 0 });
    const begins = chain.add("CONCATENATION", [begin, chain.ints(1)], "int32", 1, join);
    const sizes = chain.add("CONCATENATION", [size, chain.ints(1)], "int32", 1, join);
    const model = chain.build(chain.add("SLICE", [x, begins, sizes], "float32", 2));
    assert.deepEqual(await run(model, X, Int32Array.of(1), Int32Array.of(3)), [[9, 4, 7]]);
    assert.deepEqual(await run(model, X, Int32Array.of(3), Int32Array.of(-1)), [[7, 6]]);
    assert.deepEqual(await run(model, X, Int32Array.of(4), Int32Array.of(7)), [[6]]);
    assert.deepEqual(await run(model, X, Int32Array.of(2), Int32Array.of(0)), [[]]);
  });
});
