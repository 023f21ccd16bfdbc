/** The `batch` option: refused at the first node where samples would meet; `shapes`: what it sets and refuses. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Pint8Error } from "../../bindings/errors.ts";
import { setBatch } from "../../bindings/formats/batch.ts";
import { setShapes } from "../../bindings/formats/shapes.ts";
import type { AnyNode, Graph, TensorId } from "../../bindings/graph.ts";
import { runPasses } from "../../bindings/passes/index.ts";
import { loadModel } from "../../bindings/public/index.ts";
import type { Tensor } from "../../bindings/tensor.ts";
import { buildTflite } from "../formats/build-tflite.ts";
import { tensor } from "../support/kernels.ts";

const id = (n: number) => n as TensorId;
const A = { scale: 0.5, zeroPoint: 0 };
const ints = (...values: number[]) => tensor("int32", [values.length], undefined, Int32Array.from(values));

interface Step {
  readonly kind: AnyNode["kind"];
  readonly attributes?: object;
  readonly constants?: readonly Tensor[];
}

/** A chain of nodes behind one int8 input; constants follow the running tensor. */
function chain(shape: readonly number[], ...steps: readonly Step[]): Graph {
  const tensors: Tensor[] = [tensor("int8", shape, A)];
  let at = 0;
  const nodes = steps.map(({ kind, attributes = {}, constants = [] }, i) => {
    const inputs = [at, ...constants.map((constant) => tensors.push(constant) - 1)].map(id);
    at = tensors.push(tensor("int8", [1], A)) - 1;
    return { kind, where: `node ${i}`, inputs, outputs: [id(at)], attributes } as unknown as AnyNode;
  });
  return {
    name: "chain",
    tensors,
    nodes,
    inputs: [{ name: "x", tensor: id(0) }],
    outputs: [{ name: "y", tensor: id(at) }],
    subgraphs: [],
  };
}

const TRANSPOSE = (...order: number[]): Step => ({ kind: "transpose", constants: [ints(...order)] });
const RESHAPE = (...shape: number[]): Step => ({ kind: "reshape", constants: [ints(...shape)] });
const MEAN = (...axes: number[]): Step => ({
  kind: "mean",
  attributes: { keepDims: true },
  constants: [ints(...axes)],
});
const PAD = (...pads: number[]): Step => ({
  kind: "pad",
  constants: [tensor("int32", [pads.length / 2, 2], undefined, Int32Array.from(pads))],
});

const shapeAfter = (graph: Graph, batch: number) => {
  const passed = runPasses(setBatch(graph, batch));
  return passed.tensors[passed.outputs[0]?.tensor as number]?.shape;
};
const refused = (run: () => unknown, code: string, message: RegExp) =>
  assert.throws(run, (error: unknown) => {
    assert.ok(error instanceof Pint8Error);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });

test("batch runs through what leaves the first dimension alone", () => {
  assert.deepEqual(shapeAfter(chain([1, 2, 3], TRANSPOSE(0, 2, 1), RESHAPE(1, 6), { kind: "relu" }), 3), [3, 6]);
  assert.deepEqual(shapeAfter(chain([1, 4, 4, 2], PAD(0, 0, 1, 1, 1, 1, 0, 0), MEAN(1, 2)), 5), [5, 1, 1, 2]);
  assert.deepEqual(shapeAfter(chain([1, 2, 3], RESHAPE(2, 3), RESHAPE(-1, 6)), 3), [3, 6]);
});

const SLICE = (...sizes: number[]): Step => ({
  kind: "slice",
  constants: [ints(...sizes.map(() => 0)), ints(...sizes)],
});

test("sizes and ranges that name the one sample name all of them", () => {
  const masks = { beginMask: 0, endMask: 0, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 0 };
  const range: Step = { kind: "stridedSlice", attributes: masks, constants: [ints(0, 1), ints(1, 3), ints(1, 1)] };
  assert.deepEqual(shapeAfter(chain([1, 4, 2], SLICE(1, 2, 2)), 3), [3, 2, 2]);
  assert.deepEqual(shapeAfter(chain([1, 4, 2], range), 3), [3, 2, 2]);
  assert.deepEqual(shapeAfter(chain([1, 1, 2], { kind: "broadcastTo", constants: [ints(1, 5, 2)] }), 3), [3, 5, 2]);
  for (const step of [SLICE(1, 3), { ...range, constants: [ints(0, 0), ints(1, 3), ints(1, 1)] }])
    assert.throws(() => shapeAfter(chain([1, 2, 3], RESHAPE(2, 3), step), 2), /option batch 2: expected operators/);
});

test("transposed convolutions and spectra of several samples are those of each", async () => {
  const [size, channels] = [[1, 6, 6, 3], 3] as const;
  /** TransposeConvOptions: strides of 2. */
  const STRIDES = { 1: { int32: 2 }, 2: { int32: 2 } };
  const model = buildTflite({
    tensors: [
      { name: "x", dtype: "float32", shape: [1, 3, 3, 2] },
      { dtype: "int32", shape: [4], data: Int32Array.from(size) },
      { dtype: "float32", shape: [channels, 3, 3, 2], data: Float32Array.from({ length: 54 }, (_, i) => (i % 7) - 3) },
      { name: "wide", dtype: "float32", shape: size },
      { dtype: "int32", shape: [4], data: Int32Array.of(0, 0, 0, 0) },
      { dtype: "int32", shape: [4], data: Int32Array.of(1, 4, 4, 1) },
      { name: "part", dtype: "float32", shape: [1, 4, 4, 1] },
      { dtype: "int32", shape: [3], data: Int32Array.of(1, 4, 4) },
      { name: "rows", dtype: "float32", shape: [1, 4, 4] },
      { dtype: "int32", shape: [2], data: Int32Array.of(4, 4) },
      { name: "spectrum", dtype: "complex64", shape: [1, 4, 3] },
      { name: "y", dtype: "float32", shape: [1, 4, 3] },
    ],
    operators: [
      { code: "TRANSPOSE_CONV", inputs: [1, 2, 0], outputs: [3], options: { type: 49, fields: STRIDES } },
      { code: "SLICE", inputs: [3, 4, 5], outputs: [6] },
      { code: "RESHAPE", inputs: [6, 7], outputs: [8] },
      { code: "RFFT2D", inputs: [8, 9], outputs: [10] },
      { code: "COMPLEX_ABS", inputs: [10], outputs: [11] },
    ],
    inputs: [0],
    outputs: [11, 3],
  });
  const x = Float32Array.from({ length: 54 }, (_, i) => Math.sin(i));
  const [one, three] = [await loadModel(model), await loadModel(model, { batch: 3 })];
  const run = (session: typeof one, part: Float32Array) =>
    Object.values(session.run({ x: part })).map((y) => [...(y as Float32Array)]);
  const each = [0, 1, 2].map((i) => run(one, x.slice(18 * i, 18 * i + 18)));
  assert.deepEqual(
    run(three, x),
    [0, 1].map((output) => each.flatMap((outputs) => outputs[output] ?? [])),
  );
  one.close();
  three.close();
});

test("batch is refused where samples would meet", () => {
  const meets: readonly (readonly [string, Graph])[] = [
    ["TRANSPOSE of the first dimension", chain([1, 2, 3], TRANSPOSE(1, 0, 2), RESHAPE(1, 6))],
    ["MEAN over it", chain([1, 2, 3], MEAN(0))],
    ["MEAN over all", chain([1, 2, 3], MEAN(-3, 1, 2))],
    ["PAD of it", chain([1, 3], PAD(1, 0, 0, 0))],
    ["TILE along it", chain([1, 3], { kind: "tile", constants: [ints(2, 1)] })],
    ["REVERSE_V2 of it", chain([1, 3], { kind: "reverse", constants: [ints(0)] })],
    ["CONCATENATION along it", chain([1, 3], { kind: "concat", attributes: { axis: 0, activation: "none" } })],
    ["PACK before it", chain([1, 3], { kind: "pack", attributes: { axis: 0 } })],
    ["RESHAPE across it", chain([1, 2, 3], RESHAPE(-1, 4))],
    [
      "ADD of a constant for each sample",
      chain([1, 3], {
        kind: "add",
        attributes: { activation: "none" },
        constants: [tensor("int8", [2, 3], A, new Int8Array(6))],
      }),
    ],
    [
      "SPACE_TO_BATCH_ND",
      chain([1, 4, 4, 1], {
        kind: "spaceToBatch",
        constants: [ints(2, 2), tensor("int32", [2, 2], undefined, new Int32Array(4))],
      }),
    ],
  ];
  for (const [why, graph] of meets)
    assert.throws(() => shapeAfter(graph, 2), /option batch 2: expected operators/, why);
});

test("shapes are set by name, inferred afresh, and refused where they are none", () => {
  const graph = chain([1, 1], { kind: "relu" });
  const shapeOf = (shapes: Record<string, readonly number[]>) => {
    const passed = runPasses(setShapes(graph, shapes));
    return passed.tensors[passed.outputs[0]?.tensor as number]?.shape;
  };
  assert.deepEqual(shapeOf({ x: [4, 5, 6] }), [4, 5, 6]);
  refused(() => shapeOf({ y: [1] }), "INVALID_OPTION", /"x"/);
  for (const shape of [[-1], [1.5], new Array<number>(9).fill(1)])
    refused(() => shapeOf({ x: shape }), "INVALID_OPTION", /whole/);
  refused(() => shapeOf({ x: [2 ** 31, 2] }), "OUT_OF_MEMORY", /4 GiB/);
});

test("what does not take another shape than the file's says both shapes first", () => {
  const graph = chain([1, 4, 4, 2], RESHAPE(1, 32));
  const asked = (...x: number[]) => runPasses(setShapes(graph, { x }));
  const first = (shape: string) =>
    new RegExp(`^shape of "x": expected \\[1,4,4,2\\] as in the file, or .*, received \\[${shape}\\]: node 0, C4: `);
  const hintOf = (...x: number[]) => {
    try {
      asked(...x);
    } catch (error) {
      assert.match((error as Pint8Error).message, first(String(x)));
      return (error as Pint8Error).hint;
    }
    return assert.fail("not refused");
  };
  assert.match(hintOf(3, 4, 4, 2), /option batch: 3/);
  assert.match(hintOf(1, 5, 4, 2), /file's shape/);
  assert.doesNotMatch(hintOf(0, 4, 4, 2), /batch/);
  assert.equal(asked(1, 8, 4, 1).tensors[0]?.shape.join(), "1,8,4,1", "as many elements fit");
  const bad = chain([1, 4, 4, 2], RESHAPE(1, 31));
  refused(() => runPasses(setShapes(bad, { x: [1, 5, 4, 2] })), "INVALID_GRAPH", /^node 0, C4: /);
});
