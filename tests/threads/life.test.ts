/** How threads begin and end: failures, closing, processes that end by themselves, places without shared memory. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { type ErrorCode, Pint8Error } from "../../bindings/errors.ts";
import { runPasses } from "../../bindings/passes/index.ts";
import { planGraph } from "../../bindings/plan/plan.ts";
import { memoryBytes } from "../../bindings/plan/types.ts";
import { fieldsOf } from "../../bindings/primitives/params.ts";
import { kernelNumber } from "../../bindings/primitives/registry.ts";
import { instanceOf, instantiate } from "../../bindings/session/instantiate.ts";
import { loadModule } from "../../bindings/session/modules.ts";
import { Session, type SessionOptions } from "../../bindings/session/session.ts";
import { controlOf, type ThreadsExports, threadsImports } from "../../bindings/session/threadsControl.ts";
import { compileThreads } from "../../bindings/session/threadsModules.ts";
import { network, planOf } from "../session/networks.ts";
import { openTeam, patchLookup, runProgram, shareAll } from "./support.ts";

const A = Int8Array.from({ length: 128 }, (_, i) => i - 64);
const kernels = await loadModule("auto");
const plan = shareAll(await planOf(network(128)));
const expected = (await Session.open(plan, kernels)).run([A, A]);

const fails = (code: ErrorCode) => (error: unknown) => error instanceof Pint8Error && error.code === code;

function caught(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}

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
  // The last chunk leaves memory: the other thread claims it first, if it wakes in time.
  const large = shareAll(await planOf(network(2 ** 22)));
  const inputs = [new Int8Array(2 ** 22), new Int8Array(2 ** 22)];
  const session = await openTeam(large, kernels, 2);
  const result = session.run(inputs);
  const outside = patchLookup(large, { x: session.memoryBytes - 31 * 2 ** 17 });
  for (let tries = 0; ; tries++) {
    assert.ok(tries < 100, "the other thread never claimed it");
    const broken = await openTeam(outside, kernels, 2);
    const failure = caught(() => broken.run(inputs));
    assert.ok(failure instanceof Pint8Error);
    if (failure.code === "WORKER") {
      assert.throws(() => broken.run(inputs), /out of bounds/);
      assert.deepEqual(session.run(inputs), result, "other sessions go on");
      broken.close();
      broken.close();
      assert.throws(() => broken.run(inputs), fails("CLOSED"));
      break;
    }
    broken.close();
  }
  session.close();
});

test("a trap of the calling thread is what it is on one thread; the model can only be closed then", async () => {
  const broken = await openTeam(patchLookup(plan, { y: 2 ** 31 }), kernels, 3);
  assert.throws(() => broken.run([A, A]), fails("TRAP"));
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

test("threads that are ended from outside, or that the system refuses, are done without", async () => {
  const workers: Worker[] = [];
  process.on("worker", (worker) => workers.push(worker));
  const warnings: string[] = [];
  const session = await Session.open(plan, kernels, { threads: 3, onWarning: (message) => warnings.push(message) });
  while (session.threads < 3) await new Promise((done) => setTimeout(done, 1));
  await workers[0]?.terminate();
  assert.deepEqual(session.run([A, A]), expected);
  assert.equal(session.threads, 2);
  assert.match(warnings.join(), /^pint8: a thread ended \(it was ended from outside.*the others do its work/);
  session.close();

  const start = Object.getOwnPropertyDescriptor(Worker.prototype, "unref");
  assert.ok(start);
  Object.defineProperty(Worker.prototype, "unref", {
    ...start,
    value(this: Worker) {
      if (this.constructor !== Worker) return start.value.call(this);
      void this.terminate();
      throw new Error("EAGAIN");
    },
  });
  try {
    const refused = await Session.open(plan, kernels, { threads: 4, onWarning: (message) => warnings.push(message) });
    assert.deepEqual(refused.run([A, A]), expected);
    assert.equal(warnings.filter((each) => /no thread can start here \(EAGAIN\)/.test(each)).length, 1);
    refused.close();
  } finally {
    Object.defineProperty(Worker.prototype, "unref", start);
  }
});

test("a thread that never gives its chunk back is an error in seconds, not a wait for ever", async () => {
  const compiled = await compileThreads(kernels);
  assert.ok(typeof compiled !== "string");
  const memory = new WebAssembly.Memory({ initial: 4, maximum: 4, shared: true });
  const { run } = await instantiate(compiled.module, memory);
  const { lead } = await instanceOf<ThreadsExports>(compiled.loop, threadsImports(memory, run));
  const [control, list, counts, block] = [0x8000, 0x9000, 0xa000, 0xb000];
  const words = new Int32Array(memory.buffer);
  const values = { x: 0x10000, y: 0x20000, table: 0xc000, count: 0x10000, flip: 0, channels: 1 };
  words.set([kernelNumber("lookup"), block], list / 4);
  words.set(
    fieldsOf("Lookup").map(({ name }) => values[name as keyof typeof values]),
    block / 4,
  );
  new Uint8Array(memory.buffer)[counts] = 4;
  controlOf(memory, control).setPatience(1);
  // Claims one chunk as `follow` does, and leaves.
  const thief = new Worker(
    `const { workerData } = require("node:worker_threads");
     const claims = new BigInt64Array(workerData, ${control}, 1);
     const isOpen = (claim) => (claim & 4095n) + ((claim >> 12n) & 4095n) < ((claim >> 24n) & 4095n);
     for (;;) if (isOpen(Atomics.load(claims, 0)) && isOpen(Atomics.add(claims, 0, 4096n))) break;`,
    { eval: true, workerData: memory.buffer },
  );
  await new Promise((done) => thief.once("online", done));
  let tries = 0;
  while (lead(control, list, 0, 1, counts, 1) !== 0) assert.ok(++tries < 1e6, "nobody claimed a chunk");
  await thief.terminate();
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
