/** Operators of the user, and models with several signatures. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Pint8Error } from "../../bindings/errors.ts";
import { importModel } from "../../bindings/formats/index.ts";
import { runPasses } from "../../bindings/passes/index.ts";
import { writePlan } from "../../bindings/plan/file.ts";
import { planGraph } from "../../bindings/plan/plan.ts";
import { compileModel } from "../../bindings/public/compile.ts";
import { type CustomOperator, loadModel, loadModule, loadPlan } from "../../bindings/public/index.ts";
import { buildTflite, type ModelSpec, type TensorSpec } from "../formats/build-tflite.ts";

const tensor = (name: string): TensorSpec => ({ name, dtype: "int8", shape: [1, 4], scale: [0.5], zeroPoint: [0] });

/** relu, then the user's operator, then relu again. */
const MODEL: ModelSpec = {
  tensors: ["x", "a", "b", "y"].map(tensor),
  operators: [
    { code: "RELU", inputs: [0], outputs: [1] },
    { code: "CUSTOM", custom: "Lower", inputs: [1], outputs: [2] },
    { code: "RELU", inputs: [2], outputs: [3] },
  ],
  inputs: [0],
  outputs: [3],
};

/** Takes 3 away. */
const lower: CustomOperator = {
  infer: (inputs) => inputs.map(({ dtype, shape }) => ({ dtype, shape })),
  run([x], [y]) {
    const [from, to] = [x as Int8Array, y as Int8Array];
    for (let i = 0; i < from.length; i++) to[i] = (from[i] as number) - 3;
  },
};

const X = Int8Array.of(-5, 2, 5, 9);
const Y = Int8Array.of(0, 0, 2, 6);

const fails = (code: string, message: RegExp) => (error: unknown) =>
  error instanceof Pint8Error && error.code === code && message.test(error.message);

for (const threads of [1, 2])
  test(`a user's operator runs between steps, threads: ${threads}`, async () => {
    const session = await loadModel(buildTflite(MODEL), { module: "simd", threads, customOperators: { Lower: lower } });
    for (let i = 0; i < 3; i++) assert.deepEqual(session.run([X]).y, Y);
    session.profile([X]);
    assert.deepEqual(session.run([X]).y, Y);
    session.close();
  });

test("a saved plan takes the operator again, and is refused without", async () => {
  const graph = runPasses(importModel(buildTflite(MODEL), { customOperators: { Lower: lower } }));
  const { name, hash } = await loadModule("scalar");
  const plan = planGraph(graph, { module: name, moduleHash: hash });
  const file = writePlan(plan);
  const session = await loadPlan(file, { customOperators: { Lower: { run: lower.run } } });
  assert.deepEqual(session.run([X]).y, Y);
  await assert.rejects(loadPlan(file), fails("INVALID_OPTION", /"Lower" with a function run/));
  await assert.rejects(compileModel(plan), fails("UNSUPPORTED", /one that runs on the host/));
});

test("what is wrong with a user's operator is said", async () => {
  const load = (Lower: Partial<CustomOperator>) =>
    loadModel(buildTflite(MODEL), { module: "scalar", customOperators: { Lower: Lower as CustomOperator } });
  await assert.rejects(loadModel(buildTflite(MODEL), { module: "scalar" }), fails("UNSUPPORTED", /CUSTOM "Lower"/));
  await assert.rejects(load({ run: lower.run }), fails("INVALID_OPTION", /functions infer and run/));
  await assert.rejects(load({ ...lower, infer: () => [] }), fails("INVALID_GRAPH", /C1: expected 1 types/));
  const broken = await load({
    ...lower,
    run() {
      throw new Error("out of paper");
    },
  });
  assert.throws(() => broken.run([X]), fails("INVALID_OPTION", /out of paper/));
});

test("a signature is chosen by its name, with its own names", async () => {
  const second = {
    tensors: ["p", "q"].map(tensor),
    operators: [{ code: "RELU", inputs: [0], outputs: [1] }],
    inputs: [0],
    outputs: [1],
  };
  const model = buildTflite({
    ...second,
    subgraphs: [second],
    signatures: [
      { key: "first", subgraph: 0, inputs: { one: 0 }, outputs: { two: 1 } },
      { key: "other", subgraph: 1, inputs: { from: 0 }, outputs: { to: 1 } },
    ],
  });
  const named = async (signature?: string) => {
    const options = signature === undefined ? {} : { signature };
    const { inputs, outputs } = await loadModel(model, { module: "scalar", ...options });
    return [...inputs, ...outputs].map(({ name }) => name);
  };
  assert.deepEqual(await named(), ["one", "two"]);
  assert.deepEqual(await named("first"), ["one", "two"]);
  assert.deepEqual(await named("other"), ["from", "to"]);
  const shaped = await loadModel(model, { module: "scalar", signature: "other", shapes: { p: [1, 8] } });
  assert.deepEqual(shaped.inputs[0]?.shape, [1, 8], "a shape goes by the name of the tensor, too");
  await assert.rejects(named("third"), fails("INVALID_OPTION", /"first", "other", received "third"/));
});
