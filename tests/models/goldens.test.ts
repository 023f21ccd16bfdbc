/** Every model's outputs equal the reference's on every byte: in each module, with the passes and without. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readPlan, writePlan } from "../../bindings/plan/file.ts";
import { planGraph } from "../../bindings/plan/plan.ts";
import { Session } from "../../bindings/session/session.ts";
import { CASES, difference, join, modules, open, prepare, skipShared, split } from "./cases.ts";

for (const { name: module, kernels, skip } of await modules())
  describe(`goldens, ${module}`, { skip: skipShared || skip }, () => {
    for (const { name, model, runs } of CASES)
      for (const only of ["all", "none"] as const)
        test(`${name}, passes: ${only}`, async () => {
          assert.ok(kernels);
          const session = await open(prepare(model(), only), kernels);
          for (const { input, output } of runs())
            assert.equal(difference(join(session.run(split(session, input))), output), "");
          session.close();
        });

    test("a saved plan gives the same bytes", async () => {
      assert.ok(kernels);
      const { model, runs } = CASES.find(({ name }) => name === "kws_ref_model") ?? assert.fail("no kws_ref_model");
      const plan = planGraph(prepare(model(), "all"), { module: kernels.name, moduleHash: kernels.hash });
      const session = await Session.open(readPlan(writePlan(plan)), kernels);
      for (const { input, output } of runs())
        for (let i = 0; i < 2; i++) assert.equal(difference(join(session.run(split(session, input))), output), "");
    });
  });
