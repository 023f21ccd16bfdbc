/** Random quantized ONNX operators: the same bytes in every module. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { importModel } from "../../bindings/formats/index.ts";
import { runPasses } from "../../bindings/passes/index.ts";
import { planGraph } from "../../bindings/plan/plan.ts";
import { loadModule } from "../../bindings/session/modules.ts";
import { Session } from "../../bindings/session/session.ts";
import { elementCount, typedCopy } from "../../bindings/tensor.ts";
import { runnable } from "../support/kernels.ts";
import { xorshift } from "./damage.ts";
import { bytesOf, quantizedModel } from "./quantized.ts";

const MODELS = 400;
const SEED = 20261129;

test(`${MODELS} quantized ONNX operators with scales near ties`, async () => {
  const names = (await runnable()).flatMap(({ name, skip }) => (skip ? [] : [name]));
  const modules = await Promise.all(names.map((name) => loadModule(name, undefined, "full")));
  assert.ok(modules.length > 1);
  const next = xorshift(SEED);
  for (let i = 0; i < MODELS; i++) {
    const { bytes, inputs } = quantizedModel(next);
    const graph = runPasses(importModel(bytes, {}));
    const values = inputs.map(({ dims = [] }) => bytesOf(next, elementCount(dims.map(Number))));
    let first: unknown;
    for (const module of modules) {
      const plan = planGraph(graph, { module: module.name, moduleHash: module.hash });
      const session = await Session.open(plan, module);
      const outputs = session.run(plan.inputs.map(({ dtype }, k) => typedCopy(dtype, values[k] ?? assert.fail())));
      session.close();
      first ??= outputs;
      assert.deepEqual(outputs, first, `model ${i}: ${module.name} against ${modules[0]?.name}`);
    }
  }
});
