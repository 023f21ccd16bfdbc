/** Values of attributes and constants that files may have and seldom do, with what onnxruntime makes of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Pint8Error } from "../../../bindings/errors.ts";
import { importModel } from "../../../bindings/formats/index.ts";
import { runPasses } from "../../../bindings/passes/index.ts";
import { planGraph } from "../../../bindings/plan/plan.ts";
import { loadModel } from "../../../bindings/public/index.ts";
import { buildOnnx, type NodeSpec, node, type TensorSpec } from "../build-onnx.ts";

const MODULE = { module: "simd", moduleHash: "" } as const;

function model(nodes: readonly NodeSpec[], dims: readonly number[], initializers: readonly TensorSpec[] = []) {
  return buildOnnx({ nodes, inputs: [{ name: "x", dims }], outputs: [{ name: "y" }], initializers }, 17);
}

async function outputOf(bytes: Uint8Array, x: Float32Array) {
  const session = await loadModel(bytes);
  const { y } = session.run([x]);
  const shape = session.outputs[0]?.shape;
  session.close();
  return [shape, Array.from(y as Float32Array)];
}

test("keepdims is 1 or none, in reductions and in places of extremes", async () => {
  for (const [keepdims, shape] of [
    [1, [1, 2]],
    [0, [2]],
    [256, [2]],
    [-3, [2]],
  ] as const)
    for (const operator of ["ReduceMax", "ReduceSumSquare", "ReduceLogSumExp", "ArgMax"]) {
      const axis = operator === "ArgMax" ? { int: { axis: 0, keepdims } } : { ints: { axes: [0] }, int: { keepdims } };
      const cast = node("Cast", "t", "y", { int: { to: 1 } });
      const bytes = model([node(operator, "x", "t", axis), cast], [3, 2]);
      assert.deepEqual((await outputOf(bytes, Float32Array.of(1, 2, 5, 0, 3, 9)))[0], shape, operator);
    }
});

test("Shrink whose bound is below 0: what is below its opposite is shrunk upwards, whatever else holds", async () => {
  const bytes = model([node("Shrink", "x", "y", { float: { lambd: -1, bias: 0.25 } })], [3]);
  assert.deepEqual((await outputOf(bytes, Float32Array.of(-2, 0.5, 3)))[1], [-1.75, 0.75, 2.75]);
});

test("OneHot of a depth of floats: cut to whole ones, refused where there is none", async () => {
  const hot = (depth: number) =>
    model(
      [node("Cast", "x", "i", { int: { to: 7 } }), node("OneHot", "i depth values", "y")],
      [2],
      [
        { name: "depth", dims: [], type: 1, values: [depth] },
        { name: "values", dims: [2], type: 1, values: [0, 1] },
      ],
    );
  assert.deepEqual(await outputOf(hot(3.75), Float32Array.of(2, 0)), [
    [2, 3],
    [0, 0, 1, 1, 0, 0],
  ]);
  for (const depth of [Number.NaN, Number.POSITIVE_INFINITY, -1, 1e30])
    await assert.rejects(loadModel(hot(depth)), (error) => error instanceof Pint8Error && error.code === "UNSUPPORTED");
});

test("a transposed convolution counts the products that it takes, however few pixels its kernel meets", () => {
  // nine pixels and four taps far apart: 35 million products add what 387 billion gathered ones give
  const w = { name: "w", dims: [4, 5, 4], type: 1, values: new Array(80).fill(0.5) } as const;
  const bytes = model(
    [node("ConvTranspose", "x w", "y", { ints: { strides: [2], dilations: [65536] } })],
    [1, 4, 9],
    [w],
  );
  const graph = runPasses(importModel(bytes, {}));
  assert.ok(planGraph(graph, MODULE).steps.length > 0);
  const small = { ...MODULE, limits: { work: 1e11 } };
  assert.throws(
    () => planGraph(graph, small),
    (error) => error instanceof Pint8Error && /one run/.test(error.message),
  );
});

test("products of activations with infinities, quantized on the way, end in every module, with the same bytes", async () => {
  const initializers = [
    { name: "w", dims: [3, 2], type: 3, raw: Uint8Array.of(1, 2, 3, 4, 5, 6) },
    { name: "ws", dims: [], type: 1, values: [0.5] },
  ] as const;
  const nodes = [
    node("DynamicQuantizeLinear", "x", "q s z"),
    node("MatMulInteger", "q w z", "i"),
    node("Cast", "i", "f", { int: { to: 1 } }),
    node("Mul", "s ws", "t"),
    node("Mul", "f t", "y"),
  ];
  const outputs = [];
  for (const module of ["scalar", "simd"] as const) {
    const session = await loadModel(model(nodes, [2, 3], initializers), { module });
    const { y } = session.run([Float32Array.of(Number.NEGATIVE_INFINITY, 1, Number.NaN, 2, 3, 4)]);
    outputs.push(Array.from(y as Float32Array));
    session.close();
  }
  assert.deepEqual(outputs[0], outputs[1]);
});
