/** Damaged models, loaded and run to the end: results or Pint8Errors, in bounded time and memory. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Pint8Error } from "../../bindings/errors.ts";
import { importModel } from "../../bindings/formats/index.ts";
import type { Graph } from "../../bindings/graph.ts";
import { runPasses } from "../../bindings/passes/index.ts";
import { planGraph } from "../../bindings/plan/plan.ts";
import { type KernelModule, loadModule } from "../../bindings/session/modules.ts";
import { Session } from "../../bindings/session/session.ts";
import { byteLength, typedCopy } from "../../bindings/tensor.ts";
import { CASES, skipShared } from "../models/cases.ts";
import { cuts, flips } from "./damage.ts";

const CUTS = 200;
const SEED = 7;
/** Damage that leaves all but the constants' values as they were is run to the end this often. */
const SAME_RUNS_EVERY = 100;
/** A damaged shape may honestly ask for hours of work; such a network is planned and not run. */
const MOST_MACS = 5e8;
/** Milliseconds that loading may take, or this many times what the sound model takes. */
const SLOWEST = 2000;
const SLOWER = 5;
const GROWTH_BYTES = 400 * 2 ** 20;

/** Large models have few bytes that are not weights; the importer's own tests flip 2,000 in each of them. */
const MODELS = [
  ["hello_world_int8", 1000],
  ["kws_ref_model", 500],
  ["micro_speech_quantized", 2000],
  ["digits_res_int8", 500],
  ["str_ww_ref_model", 500],
  ["pretrainedResnet_quant", 200],
  ["ad01_int8", 200],
  ["person_detect", 100],
  ["tf2_mobilenet_v2_1.0_224_ptq", 20],
] as const;

for (const [name, count] of MODELS)
  test(`${name}: ${CUTS} cuts, ${count} flipped bytes`, { skip: skipShared }, async () => {
    const kernels = await loadModule("auto");
    const bytes = CASES.find((known) => known.name === name)?.model() ?? assert.fail();
    const sound = signature(runPasses(importModel(bytes, {})));
    const soundTime = await time(() => run(runPasses(importModel(bytes, {})), kernels, () => {}));
    const before = process.memoryUsage().rss;
    let same = 0;
    let refused = 0;
    for (const damage of [cuts(bytes, CUTS), flips(bytes, count, SEED)])
      for (const { what, bytes: damaged } of damage) {
        const start = performance.now();
        try {
          const graph = runPasses(importModel(damaged, {}));
          if (signature(graph) === sound && same++ % SAME_RUNS_EVERY !== 0) continue;
          await run(graph, kernels, () => checkTime(what, performance.now() - start, soundTime));
        } catch (error) {
          assert.ok(error instanceof Pint8Error, `${what}: ${error instanceof Error ? error.stack : error}`);
          refused++;
        }
        checkTime(what, performance.now() - start, soundTime);
      }
    assert.ok(refused >= CUTS / 2, "most cuts are refused");
    const growth = process.memoryUsage().rss - before;
    assert.ok(growth < GROWTH_BYTES, `memory grew by ${growth} bytes`);
  });

/** Everything of a graph but the values of its constants. */
function signature(graph: Graph): string {
  return JSON.stringify(graph, (key, value) => (key === "data" ? value.length : value));
}

/** Plans, opens and runs a graph on zeros, and tells when it is planned. */
async function run(graph: Graph, kernels: KernelModule, planned: () => void): Promise<void> {
  const plan = planGraph(graph, { module: kernels.name, moduleHash: kernels.hash });
  planned();
  if (plan.steps.reduce((sum, { macs }) => sum + macs, 0) > MOST_MACS) return;
  const session = await Session.open(plan, kernels);
  const outputs = session.run(plan.inputs.map((port) => typedCopy(port.dtype, new Uint8Array(port.bytes))));
  for (const port of plan.outputs) assert.equal(outputs[port.name]?.byteLength, byteLength(port));
  session.close();
}

async function time(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function checkTime(what: string, milliseconds: number, sound: number): void {
  assert.ok(milliseconds < Math.max(SLOWEST, SLOWER * sound), `${what}: ${milliseconds} ms`);
}
