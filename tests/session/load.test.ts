import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { type ErrorCode, Pint8Error } from "../../bindings/errors.ts";
import {
  importModel,
  inspectModel,
  loadModel,
  loadModule,
  loadPlan,
  planGraph,
  planModel,
  runPasses,
  writePlan,
} from "../../bindings/public/index.ts";
import { shared, skipShared } from "../models/cases.ts";

const DIGITS = new URL("../../models/digits/digits_int8.tflite", import.meta.url);
const model = new Uint8Array(readFileSync(DIGITS));

const fails = (code: ErrorCode, message: RegExp) => (error: unknown) =>
  error instanceof Pint8Error && error.code === code && message.test(`${error.message} ${error.hint}`);

async function planFile(): Promise<Uint8Array> {
  const { name, hash } = await loadModule("simd");
  return writePlan(planGraph(runPasses(importModel(model, {})), { module: name, moduleHash: hash }));
}

test("loads bytes, URLs and paths, and plans by their first bytes", async () => {
  const input = Int8Array.from({ length: 784 }, (_, i) => (i * 37) % 251);
  const plan = await planFile();
  const sessions = await Promise.all(
    [model, model.buffer, DIGITS, DIGITS.pathname, plan].map((source) => loadModel(source)),
  );
  const [first, ...others] = sessions.map((session) => session.run([input]));
  for (const other of others) assert.deepEqual(other, first);
});

test("every module gives the same bytes", async () => {
  const input = Int8Array.from({ length: 784 }, (_, i) => (i * 91) % 256);
  const [scalar, simd] = await Promise.all((["scalar", "simd"] as const).map((module) => loadModel(model, { module })));
  assert.equal(scalar?.module, "scalar");
  assert.deepEqual(scalar?.run([input]), simd?.run([input]));
});

test("memory low: the same bytes of smaller weights", { skip: skipShared }, async () => {
  const network = shared("models/pretrainedResnet_quant.tflite");
  const input = Int8Array.from({ length: 3072 }, (_, i) => (i * 91) % 256);
  const [quick, low] = await Promise.all([
    planModel(network, { module: "simd" }),
    planModel(network, { module: "simd", memory: "low" }),
  ]);
  assert.ok(low.length < 0.5 * quick.length, `${low.length} of ${quick.length}`);
  assert.deepEqual((await loadPlan(low)).run([input]), (await loadPlan(quick)).run([input]));
  assert.deepEqual(
    (await loadModel(network, { module: "simd", memory: "low" })).run([input]),
    (await loadPlan(low)).run([input]),
  );
  await assert.rejects(
    loadModel(model, { memory: "high" as "low" }),
    fails("INVALID_OPTION", /memory: expected "low"/),
  );
  await assert.rejects(loadModel(low, { memory: "low" }), fails("INVALID_OPTION", /memory: expected none/));
});

test("a batch is so many images one after the other", async () => {
  const one = await loadModel(model);
  const three = await loadModel(model, { batch: 3 });
  assert.deepEqual(three.inputs[0]?.shape, [3, 28, 28, 1]);
  const images = Int8Array.from({ length: 3 * 784 }, (_, i) => (i * 7919) % 256);
  const parts = [0, 1, 2].flatMap((i) =>
    Object.values(one.run([images.slice(i * 784, (i + 1) * 784)])).map((y) => [...y]),
  );
  assert.deepEqual(
    Object.values(three.run([images])).flatMap((y) => [...y]),
    parts.flat(),
  );
});

test("a batch that needs more than 4 GiB is refused with the largest tensors", async () => {
  await assert.rejects(
    loadModel(model, { batch: 500_000 }),
    fails("OUT_OF_MEMORY", /GiB; the largest tensors: ".*smaller batch/),
  );
  await assert.rejects(
    loadModel(model, { batch: 1_000_000 }),
    fails("OUT_OF_MEMORY", /node 2 \(CONV_2D\).*smaller batch/),
  );
});

test("a plan's module and shapes are what they are", async () => {
  const plan = await planFile();
  await assert.rejects(
    loadModel(plan, { module: "scalar" }),
    fails("INVALID_OPTION", /simd, which the plan was made for.*scalar/),
  );
  await assert.rejects(loadModel(plan, { batch: 2 }), fails("INVALID_OPTION", /batch/));
});

test("what is no model is said to be none", async () => {
  for (const bytes of [new Uint8Array(0), new Uint8Array(100), new TextEncoder().encode("a text that is no model")])
    await assert.rejects(loadModel(bytes), fails("INVALID_MODEL", /./));
  await assert.rejects(loadModel("/no/such/model.tflite"), fails("IO", /no\/such/));
});

test("inspect tells what a model costs", async () => {
  const { inputs, operators, totals, module } = await inspectModel(model, { module: "simd" });
  assert.equal(module, "simd");
  assert.deepEqual(inputs[0]?.shape, [1, 28, 28, 1]);
  assert.equal(totals.macs, 804_512, "as counted when the model was made");
  assert.equal(operators[0]?.kind, "conv2d");
  assert.deepEqual(operators[0]?.outputs[0]?.shape, [1, 14, 14, 16]);
  assert.ok(operators[0]?.kernels[0]?.length);
  assert.equal(
    operators.reduce((sum, { weightBytes }) => sum + weightBytes, 0),
    totals.weightBytes,
  );
  assert.ok(totals.memoryBytes >= totals.arenaBytes + totals.imageBytes + totals.scratchBytes);
  const plan = await inspectModel(await planFile());
  assert.equal(plan.totals.macs, totals.macs);
  assert.deepEqual(JSON.parse(JSON.stringify(plan)), plan, "plain JSON");
  for (const options of [{ batch: 2 }, { shapes: { input: [1, 28, 28, 1] } }])
    await assert.rejects(inspectModel(await planFile(), options), { code: "INVALID_OPTION" });
});
