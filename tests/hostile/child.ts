/**
 * One hostile file through everything: `child.ts FILE MODULE…`. Prints a line of JSON for each way that was tried, with what came of
 * it, the processor's milliseconds, and the most memory over what the process had when it began.
 */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Pint8Error } from "../../bindings/errors.ts";
import { importModel } from "../../bindings/formats/index.ts";
import { runPasses } from "../../bindings/passes/index.ts";
import { isPlan, readPlan, writePlan } from "../../bindings/plan/file.ts";
import { planGraph } from "../../bindings/plan/plan.ts";
import type { Plan } from "../../bindings/plan/types.ts";
import type { ModuleName } from "../../bindings/primitives/modules.ts";
import { loadModule } from "../../bindings/session/modules.ts";
import { Session } from "../../bindings/session/session.ts";
import { typedCopy } from "../../bindings/tensor.ts";

const [, , file = "", ...modules] = process.argv;
const bytes = new Uint8Array(readFileSync(file));
/** Everything is loaded and compiled before anything is measured. */
const kernels = await Promise.all(
  modules.flatMap((name) =>
    (["core", "full"] as const).map((edition) => loadModule(name as ModuleName, undefined, edition)),
  ),
);
const before = process.resourceUsage().maxRSS;

/**
 * Frees what nobody holds, and waits until the process has become no smaller for a while: threads end, and the engine's helpers free
 * buffers, some time after the collection that found them.
 */
async function collect(): Promise<void> {
  let smallest = Number.POSITIVE_INFINITY;
  for (let quiet = 0; quiet < 5; quiet++) {
    globalThis.gc?.();
    await sleep(20);
    const rss = process.memoryUsage.rss();
    if (rss < smallest - 1e6) [smallest, quiet] = [rss, 0];
  }
}

async function attempt(what: string, work: () => unknown): Promise<unknown> {
  await collect(); // what the ways before left behind is not this one's
  const start = process.cpuUsage();
  const report = (outcome: object) => {
    const { user, system } = process.cpuUsage(start);
    const growth = (process.resourceUsage().maxRSS - before) / 1024;
    process.stdout.write(`${JSON.stringify({ what, milliseconds: (user + system) / 1000, growth, ...outcome })}\n`);
  };
  try {
    const result = await work();
    report({});
    return result;
  } catch (error) {
    const { message = String(error), stack = "" } = error as Error;
    report(error instanceof Pint8Error ? { code: error.code, message, hint: error.hint } : { raw: stack });
    return undefined;
  }
}

async function run(plan: Plan, threads: number): Promise<void> {
  const found = kernels.find(
    ({ name, edition }) => name === plan.module && (edition === "full" || plan.edition === "core"),
  );
  if (found === undefined) return;
  const session = await Session.open(plan, found, { threads, onWarning: () => {} });
  const inputs = Object.fromEntries(
    plan.inputs.map(({ name, dtype, bytes: length }) => [name, typedCopy(dtype, new Uint8Array(length))]),
  );
  const outputs = session.run(inputs);
  session.close();
  for (const { name } of plan.outputs) if (!Object.hasOwn(outputs, name)) throw new Error(`no output ${name}`);
}

if (isPlan(bytes)) {
  const plan = (await attempt("plan", () => readPlan(bytes))) as Plan | undefined;
  if (plan !== undefined)
    for (const threads of [1, 2]) await attempt(`run, ${threads} threads`, () => run(plan, threads));
} else
  for (const { name, hash } of kernels.filter(({ edition }) => edition === "full")) {
    const plan = (await attempt(`${name}: plan`, () =>
      planGraph(runPasses(importModel(bytes, {})), { module: name, moduleHash: hash }),
    )) as Plan | undefined;
    if (plan === undefined) continue;
    for (const threads of [1, 2]) await attempt(`${name}: run, ${threads} threads`, () => run(plan, threads));
    await attempt(`${name}: plan file`, () => run(readPlan(writePlan(plan)), 1));
  }
process.exit();
