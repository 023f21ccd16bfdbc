/** Damaged and forged plans are refused, or at worst stop with a Pint8Error when they run. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { Pint8Error } from "../../bindings/errors.ts";
import { readPlan, writePlan } from "../../bindings/plan/file.ts";
import type { Plan } from "../../bindings/plan/types.ts";
import { loadPlan } from "../../bindings/public/runtime.ts";
import { loadModule } from "../../bindings/session/modules.ts";
import { Session } from "../../bindings/session/session.ts";
import { network, planOf } from "../session/networks.ts";
import { cuts, flips } from "./damage.ts";

const invalid = (error: unknown) => error instanceof Pint8Error && error.code === "INVALID_PLAN";
const ZEROS = [new Int8Array(12), new Int8Array(12)];

describe("plan files", () => {
  let plan: Plan;
  before(async () => {
    plan = await planOf(network());
  });

  test("come back as they were written", () => {
    const back = readPlan(writePlan(plan));
    assert.deepEqual(back, plan);
  });

  test("every cut, every flipped byte and every byte too many is told", () => {
    const file = writePlan(plan);
    for (const damage of [cuts(file, 200), flips(file, 2000, 11)])
      for (const { what, bytes } of damage) assert.throws(() => readPlan(bytes), invalid, what);
    assert.throws(() => readPlan(Uint8Array.of(...file, 0)), invalid);
  });

  test("of other kernels are refused before anything runs", async () => {
    const file = writePlan({ ...plan, moduleHash: plan.moduleHash.replace(/^../, "zz") });
    await assert.rejects(loadPlan(file), invalid);
    const other = await loadModule("scalar");
    await assert.rejects(Session.open(plan, other), invalid);
  });

  test("forged headers are refused", () => {
    const port = plan.inputs[0] ?? assert.fail();
    const step = plan.steps[0] ?? assert.fail();
    const forged: readonly Partial<Plan>[] = [
      { module: "other" as never },
      { arenaAddress: 0 },
      { arenaBytes: plan.arenaBytes + 16 },
      { arenaBytes: -16, imageAddress: 1008 },
      { imageAddress: plan.imageAddress + 16 },
      { scratchAddress: plan.imageAddress },
      { scratchAddress: plan.scratchAddress + 1 },
      { scratchBytes: 2 ** 40 },
      { scratchBytes: Number.NaN },
      { stepsAddress: plan.stepsAddress + 2 ** 32 },
      { stepsAddress: 0 },
      { stepsAddress: plan.stepsAddress + 4 },
      { steps: [...plan.steps, step, step, step] },
      { inputs: [{ ...port, address: 0 }] },
      { inputs: [{ ...port, address: 2 ** 32 }] },
      { inputs: [{ ...port, address: port.address + 1 }] },
      { inputs: [{ ...port, bytes: port.bytes - 1 }] },
      { inputs: [{ ...port, shape: [2 ** 31], bytes: 2 ** 31 }] },
      { inputs: [{ ...port, shape: [-1] }] },
      { inputs: [{ ...port, dtype: "float" as never }] },
      { inputs: [{ ...port, name: 3 as never }] },
      { inputs: [port, port] },
      { inputs: {} as never },
      { outputs: undefined as never },
      { outputs: [null as never] },
      { variables: [{ address: port.address, bytes: 4 }] },
    ];
    for (const change of forged)
      assert.throws(() => readPlan(writePlan({ ...plan, ...change })), invalid, JSON.stringify(change));
  });

  test("a header that is not an object is refused", () => {
    const empty = writePlan({ ...plan, toJSON: () => "text" } as Plan);
    assert.throws(() => readPlan(empty), invalid);
  });

  test("forged parameters stop with an error and not with a trap", async () => {
    const image = plan.image.slice();
    const params = (plan.steps[0]?.params ?? 0) - plan.imageAddress;
    new DataView(image.buffer).setUint32(params, 0xfffffff0, true);
    const session = await loadPlan(writePlan({ ...plan, image }));
    assert.throws(
      () => session.run(ZEROS),
      (error: unknown) => error instanceof Pint8Error && error.code === "TRAP",
    );
  });
});
