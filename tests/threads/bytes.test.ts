/** Any number of threads gives the bytes of one: against the goldens, again and again, and whatever order parts run in. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fieldsOf } from "../../bindings/plan/blocks.ts";
import type { Plan } from "../../bindings/plan/types.ts";
import { CASES, difference, join, modules, skipShared, split } from "../models/cases.ts";
import { kernelsOf } from "../support/kernels.ts";
import { openTeam, planOf, shareAll } from "./support.ts";

/** Gives every part scratch of its own, where a session gives it to every thread. */
function spreadScratch(plan: Plan, memory: ArrayBuffer): void {
  for (const { kernel, params } of plan.steps) {
    const field = fieldsOf({ kernel }).indexOf("scratchStride");
    if (field >= 0) new DataView(memory).setUint32(params + field * 4, plan.scratchBytes, true);
  }
}

interface Instance {
  readonly bytes: Uint8Array;
  readonly kernels: ReturnType<typeof kernelsOf>;
}

const NAMES = [
  "kws_ref_model",
  "vww_96_int8",
  "pretrainedResnet_quant",
  "ad01_int8",
  "tf2_mobilenet_v2_1.0_224_ptq",
  "str_ww_ref_model",
  "digits_int8",
  "digits_block8x4_int8",
  "digits_res_int8",
];
const MODELS = CASES.filter(({ name }) => NAMES.includes(name));

for (const { name: module, kernels, skip } of await modules())
  describe(`threads, ${module}`, { skip: skipShared || skip || (module === "scalar" && "no threads build") }, () => {
    for (const threads of [1, 2, 3, 4])
      test(`${threads} threads, ${MODELS.length} models`, async () => {
        assert.ok(kernels);
        assert.equal(MODELS.length, NAMES.length);
        for (const { name, model, runs } of MODELS) {
          const plan = planOf(model(), kernels);
          for (const each of [plan, shareAll(plan)]) {
            const session = await openTeam(each, kernels, threads);
            for (const { input, output } of runs().slice(0, 2))
              assert.equal(difference(join(session.run(split(session, input))), output), "", name);
            session.close();
          }
        }
      });

    test("a thousand runs in a row, two sessions at once, a profile in between", async () => {
      assert.ok(kernels);
      const [first, second] = MODELS.filter(({ name }) => /^kws|^ad01/.test(name));
      assert.ok(first && second);
      const teams = await Promise.all(
        [first, second].map(async ({ model, runs }, i) => {
          const plan = planOf(model(), kernels);
          const session = await openTeam(i === 0 ? plan : shareAll(plan), kernels, 2 + i);
          const [run] = runs();
          assert.ok(run);
          return { session, inputs: split(session, run.input), output: run.output };
        }),
      );
      for (let i = 0; i < 1000; i++)
        for (const { session, inputs, output } of teams) {
          if (i % 100 === 0) session.profile(inputs);
          assert.equal(difference(join(session.run(inputs)), output), "", `run ${i}`);
        }
      for (const { session } of teams) session.close();
    });

    test("64 threads, far more than cores", { skip: module !== "simd" && "once is enough" }, async () => {
      assert.ok(kernels);
      const { model, runs } = MODELS[0] ?? assert.fail("no model");
      const session = await openTeam(shareAll(planOf(model(), kernels)), kernels, 64);
      for (const { input, output } of runs())
        assert.equal(difference(join(session.run(split(session, input))), output), "");
      session.close();
    });
  });

for (const { name: module, kernels, skip } of await modules())
  describe(`parts, ${module}`, { skip: skipShared || skip }, () => {
    // Threads run at the same time: a part that writes past its share, or needs what another has done, shows when the
    // last part runs first.
    test("parts in any order, each with its own scratch", () => {
      assert.ok(kernels);
      const { module: compiled } = kernels;
      for (const { name, model } of CASES.filter(
        (known) => !/^digits/.test(known.name) || NAMES.includes(known.name),
      )) {
        const plan = planOf(model(), kernels);
        const memories = [1, 2, 3, 4].map(() => {
          const memory = new WebAssembly.Memory({
            initial: Math.ceil((plan.scratchAddress + 5 * plan.scratchBytes) / 65536),
          });
          new Uint8Array(memory.buffer).set(plan.image, plan.imageAddress);
          spreadScratch(plan, memory.buffer);
          return { bytes: new Uint8Array(memory.buffer), kernels: kernelsOf(compiled, memory) };
        });
        const arena = ({ bytes }: Instance) => bytes.subarray(0, plan.scratchAddress);
        const guard = new Uint8Array(6 * plan.scratchBytes + 65536).fill(0xa5);
        const [one, ...others]: readonly Instance[] = memories;
        assert.ok(one);
        for (const [i, { address, bytes }] of plan.inputs.entries())
          for (let at = 0; at < bytes; at++) one.bytes[address + at] = (at * 37 + i) & 255;
        for (const { kernel, params, where } of plan.steps) {
          for (const { bytes } of others) bytes.set(one.bytes.subarray(0, plan.scratchAddress));
          one.kernels(kernel)(params, 0, 1);
          for (const [i, other] of others.entries()) {
            const parts = i + 2;
            const what = `${name}, ${where} (${kernel}), ${parts} parts`;
            for (let part = parts - 1; part >= 0; part--) {
              const own = plan.scratchAddress + part * plan.scratchBytes;
              other.bytes.fill(0xa5, plan.scratchAddress);
              other.kernels(kernel)(params, part, parts);
              for (const beside of [
                other.bytes.subarray(plan.scratchAddress, own),
                other.bytes.subarray(own + plan.scratchBytes),
              ])
                assert.equal(
                  Buffer.compare(beside, guard.subarray(0, beside.length)),
                  0,
                  `${what}: beside its scratch`,
                );
            }
            assert.equal(Buffer.compare(arena(other), arena(one)), 0, what);
          }
        }
      }
    });
  });
