/** Plans and sessions for tests of threads. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { importModel } from "../../bindings/formats/index.ts";
import { runPasses } from "../../bindings/passes/index.ts";
import { planGraph } from "../../bindings/plan/plan.ts";
import type { Plan } from "../../bindings/plan/types.ts";
import { fieldsOf, type ParamBlocks } from "../../bindings/primitives/params.ts";
import type { KernelModule } from "../../bindings/session/modules.ts";
import { Session } from "../../bindings/session/session.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export function planOf(model: Uint8Array, { name, hash }: KernelModule): Plan {
  return planGraph(runPasses(importModel(model, {})), { module: name, moduleHash: hash });
}

/** The same plan with every step said to be large, so that threads share them all. */
export function shareAll(plan: Plan): Plan {
  return { ...plan, steps: plan.steps.map((step) => ({ ...step, elements: 1e9 })) };
}

/** A session once all its threads have joined; a warning fails the test. */
export async function openTeam(plan: Plan, kernels: KernelModule, threads: number): Promise<Session> {
  const session = await Session.open(plan, kernels, { threads, onWarning: (message) => assert.fail(message) });
  for (const end = Date.now() + 30000; session.threads < threads; await setTimeout(1))
    assert.ok(Date.now() < end, `${session.threads} of ${threads} threads have joined`);
  return session;
}

/** The plan with one field of its first lookup's parameters changed: the way to a kernel that leaves its memory. */
export function patchLookup(plan: Plan, values: Partial<Record<keyof ParamBlocks["Lookup"], number>>): Plan {
  const step = plan.steps.find(({ kernel }) => kernel === "lookup");
  assert.ok(step);
  const image = plan.image.slice();
  const block = new DataView(image.buffer, step.params - plan.imageAddress);
  for (const [field, value] of Object.entries(values))
    block.setUint32(fieldsOf("Lookup").findIndex(({ name }) => name === field) * 4, value, true);
  return { ...plan, image };
}

/** Runs a program in another process on the built package; what it wrote, and how it ended. */
export function runProgram(program: string, command = process.execPath, args = ["--input-type=module", "--eval"]) {
  const { stdout, stderr, status, signal } = spawnSync(command, [...args, program], {
    cwd: ROOT,
    encoding: "utf8",
    timeout: 60000,
  });
  return { stdout, stderr, status, signal };
}
