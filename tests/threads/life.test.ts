/** How threads begin and end: failures, closing, processes that end by themselves, places without shared memory. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type ErrorCode, Pint8Error } from "../../bindings/errors.ts";
import { runPasses } from "../../bindings/passes/index.ts";
import { planGraph } from "../../bindings/plan/plan.ts";
import { memoryBytes } from "../../bindings/plan/types.ts";
import { loadModule } from "../../bindings/session/modules.ts";
import { Session, type SessionOptions } from "../../bindings/session/session.ts";
import { network, planOf } from "../session/networks.ts";
import { openTeam, patchLookup, runProgram, shareAll } from "./support.ts";

const A = Int8Array.from({ length: 128 }, (_, i) => i - 64);
const kernels = await loadModule("auto");
const plan = shareAll(await planOf(network(128)));
const expected = (await Session.open(plan, kernels)).run([A, A]);

const fails = (code: ErrorCode) => (error: unknown) => error instanceof Pint8Error && error.code === code;

/** A session that must run on one thread, and what it warned. */
async function alone(options: SessionOptions, module = kernels, of = plan) {
  const warnings: string[] = [];
  const session = await Session.open(of, module, { ...options, onWarning: (message) => warnings.push(message) });
  assert.equal(session.threads, 1);
  assert.deepEqual(session.run([A, A]), expected);
  session.close();
  return warnings;
}

test("a trap of another thread is an error, now and from then on; closing works", async () => {
  const session = await openTeam(plan, kernels, 2);
  // The calling thread's half ends where memory ends.
  const broken = await openTeam(patchLookup(plan, { y: session.memoryBytes - 64 }), kernels, 2);
  assert.throws(() => broken.run([A, A]), fails("WORKER"));
  assert.throws(() => broken.run([A, A]), /out of bounds/);
  assert.deepEqual(session.run([A, A]), expected, "other sessions go on");
  broken.close();
  broken.close();
  assert.throws(() => broken.run([A, A]), fails("CLOSED"));
  session.close();
});

test("a trap of the calling thread is what it is on one thread; the model can only be closed then", async () => {
  const broken = await openTeam(patchLookup(plan, { y: 2 ** 31 }), kernels, 3);
  assert.throws(() => broken.run([A, A]), fails("INVALID_PLAN"));
  assert.throws(() => broken.run([A, A]), fails("WORKER"));
  broken.close();
});

test("threads that sleep wake up for the next run, and close while they sleep", async () => {
  const session = await openTeam(plan, kernels, 4);
  for (let i = 0; i < 5; i++) {
    await new Promise((done) => setTimeout(done, 20));
    assert.deepEqual(session.run([A, A]), expected);
  }
  session.close();
  assert.throws(() => session.threads, fails("CLOSED"));
});

test("runs do not wait for threads that have not come yet", async () => {
  for (let i = 0; i < 5; i++) {
    const session = await Session.open(plan, kernels, { threads: 4 });
    for (let run = 0; run < 50; run++) assert.deepEqual(session.run([A, A]), expected);
    session.close();
  }
});

test("one thread needs no shared memory and looks for none", async () => {
  const own = Object.getOwnPropertyDescriptor(globalThis, "SharedArrayBuffer");
  assert.ok(own);
  Object.defineProperty(globalThis, "SharedArrayBuffer", {
    configurable: true,
    get: () => assert.fail("looked for SharedArrayBuffer"),
  });
  try {
    assert.deepEqual(await alone({}), []);
    assert.deepEqual(await alone({ threads: 1 }), []);
    assert.equal((await Session.open(plan, kernels, { threads: 1 })).memoryBytes, memoryBytes(plan, 1));
  } finally {
    Object.defineProperty(globalThis, "SharedArrayBuffer", own);
  }
});

test("without SharedArrayBuffer one thread runs, and one warning says why", async () => {
  const own = globalThis.SharedArrayBuffer;
  Object.assign(globalThis, { SharedArrayBuffer: undefined });
  try {
    const warnings = await alone({ threads: 4 });
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? "", /one thread .*4.* no SharedArrayBuffer.*Cross-Origin-Opener-Policy/);
  } finally {
    Object.assign(globalThis, { SharedArrayBuffer: own });
  }
});

test("the module scalar, and kernels of another build, run on one thread with a warning", async () => {
  const scalar = await loadModule("scalar");
  const planned = planGraph(runPasses(network(128)), { module: "scalar", moduleHash: scalar.hash });
  assert.match((await alone({ threads: 2 }, scalar, planned)).join(), /scalar has no threads build/);
  const moduleHash = "0".repeat(64);
  const other = await alone({ threads: 2 }, { ...kernels, hash: moduleHash }, { ...plan, moduleHash });
  assert.match(other.join(), /another build/);
});

test("numbers of threads that are none are refused; more than there can be are as many as there can be", async () => {
  for (const threads of [0, -1, 1.5, Number.NaN, "2" as unknown as number])
    await assert.rejects(Session.open(plan, kernels, { threads }), fails("INVALID_OPTION"));
  const scalar = await loadModule("scalar");
  const planned = planGraph(runPasses(network(128)), { module: "scalar", moduleHash: scalar.hash });
  const warnings: string[] = [];
  const onWarning = (message: string) => void warnings.push(message);
  for (const threads of [96, "auto"] as const) {
    const session = await Session.open(planned, scalar, { threads, onWarning });
    assert.equal(session.threads, 1);
    session.close();
  }
  assert.equal(warnings.length, 1, "auto takes what there is in silence");
});

const FORBIDDEN = `
  import { loadModel } from "./dist/lib/index.js";
  const warnings = [];
  const options = { threads: 3, module: "simd", onWarning: (message) => warnings.push(message) };
  const model = await loadModel("models/digits/digits_int8.tflite", options);
  model.run([new Int8Array(784)]);
  console.log(model.threads, warnings.length, /no thread can start here/.test(warnings[0]));`;

test("where workers are forbidden one thread runs, and one warning says so", () => {
  const flag = process.allowedNodeEnvironmentFlags.has("--permission") ? "--permission" : "--experimental-permission";
  const args = [flag, "--allow-fs-read=*", "--input-type=module", "--eval"];
  const { stdout, stderr, status } = runProgram(FORBIDDEN, process.execPath, args);
  assert.deepEqual({ stdout, status }, { stdout: "1 1 true\n", status: 0 }, stderr);
});

test("frozen intrinsics forbid nothing", () => {
  const args = ["--frozen-intrinsics", "--input-type=module", "--eval"];
  const { stdout, stderr, status } = runProgram(FORBIDDEN, process.execPath, args);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^\d 0 false\n$/);
});

const PROGRAM = `
  import { loadModel } from "./dist/lib/index.js";
  const models = [];
  for (let i = 0; i < 6; i++) models.push(await loadModel("models/digits/digits_int8.tflite", { module: "simd", threads: 3 }));
  const { setTimeout: sleep } = await import("node:timers/promises");
  for (const model of models) while (model.threads < 3) await sleep(1);
  const input = new Int8Array(784).map((_, i) => (i * 37) % 256 - 128);
  const one = await loadModel("models/digits/digits_int8.tflite", { module: "scalar", threads: 2 });
  const all = [one, ...models].map((model) => Object.values(model.run([input]))[0].join());
  console.log(new Set(all).size, all[0].split(",").length);
  for (const model of models.slice(0, 3)) model.close();`;

test("a process ends by itself, with models closed and forgotten; warnings go to standard error", () => {
  const { stdout, stderr, status, signal } = runProgram(PROGRAM);
  assert.deepEqual({ stdout, status, signal }, { stdout: "1 10\n", status: 0, signal: null }, stderr);
  assert.match(
    stderr,
    /^pint8: one thread runs where 2 were asked for, because the module scalar has no threads build\.\n$/,
  );
});

for (const [engine, args] of [
  ["deno", ["eval", "--ext=mjs"]],
  ["bun", ["--eval"]],
] as const) {
  const found = runProgram("", engine, ["--version"]).status === 0;
  test(`the same in ${engine}`, { skip: found ? false : `no ${engine} on the path` }, () => {
    const { stdout, stderr, status, signal } = runProgram(PROGRAM, engine, [...args]);
    assert.deepEqual({ stdout, status, signal }, { stdout: "1 10\n", status: 0, signal: null }, stderr);
  });
}
