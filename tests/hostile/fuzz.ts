/**
 * Mutates models, plans and pictures, and makes random networks and quantized operators, until the time is over: each must end in a result or a
 * Pint8Error, and what runs gives the same bytes in every module, with two threads and from a plan. `fuzz.ts --minutes N
 * [--seed S: that one alone] [--from S: from there on] [--runs N: at most]`; prints the seed of what it finds.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { decodePicture, pictureFormat } from "../../bindings/cli/picture/decode.ts";
import { Pint8Error } from "../../bindings/errors.ts";
import { importModel } from "../../bindings/formats/index.ts";
import type { Graph } from "../../bindings/graph.ts";
import { runPasses } from "../../bindings/passes/index.ts";
import { readPlan, writePlan } from "../../bindings/plan/file.ts";
import { planGraph } from "../../bindings/plan/plan.ts";
import type { Plan } from "../../bindings/plan/types.ts";
import { loadModule } from "../../bindings/session/modules.ts";
import { Session } from "../../bindings/session/session.ts";
import { typedCopy } from "../../bindings/tensor.ts";
import { runnable } from "../support/kernels.ts";
import { xorshift } from "./damage.ts";
import { randomNetwork } from "./networks.ts";
import { quantizedModel } from "./quantized.ts";
import { resized } from "./sizes.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "5" },
    seed: { type: "string" },
    from: { type: "string" },
    runs: { type: "string" },
  },
});
const minutes = Number(values.minutes);
const first = Number(values.seed ?? values.from ?? Date.now() % 2 ** 31);
const most = Number(values.runs ?? Infinity);
/** With a seed, that one alone. */
const end = values.seed === undefined ? Date.now() + minutes * 60_000 : 0;
/** Bytes of models that are mutated: of larger ones nearly all bytes are weights. */
const MOST_BYTES = 200_000;
/** Work of a run, so that many are done. */
const LIMITS = { work: 2e7, memory: 64 * 2 ** 20, planning: 64 * 2 ** 20 };
/** Runs with threads, which take the longest to open. */
const THREADS_EVERY = 16;

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const filesOf = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder, { recursive: true, encoding: "utf8" }).map((file) => `${folder}/${file}`);
  } catch {
    return [];
  }
};
const read = (file: string) => new Uint8Array(readFileSync(file));
const models = ["models", "../shared/models", "../shared/edge", "../shared/hostile", "../shared/zoo/onnx"]
  .flatMap((folder) => filesOf(ROOT + folder))
  .filter((file) => /\.(tflite|onnx)$/.test(file))
  .map((file) => ({ file, bytes: read(file) }))
  .filter(({ bytes }) => bytes.length < MOST_BYTES);
const pictures = filesOf(`${ROOT}models/digits/samples`).map((file) => ({ file, bytes: read(file) }));
const names = (await runnable()).flatMap(({ name, skip }) => (skip ? [] : [name]));
const kernels = await Promise.all(names.map((name) => loadModule(name, undefined, "full")));
assert.ok(models.length > 0 && pictures.length > 0 && kernels.length > 0);

/** A copy with some of its bytes changed, moved or cut off. */
function mutate(bytes: Uint8Array, next: () => number): Uint8Array {
  const copy = bytes.slice();
  for (let count = 1 + (next() % 4); count; count--) {
    const at = next() % copy.length;
    const kind = next() % 5;
    if (kind === 0) copy[at] = next();
    else if (kind === 1) copy[at] = (copy[at] as number) ^ (1 << (next() % 8));
    else if (kind === 2) copy.set(copy.subarray(next() % copy.length).subarray(0, 4), Math.min(at, copy.length - 4));
    else if (kind === 3) copy.fill([0, 0xff, 0x7f, 0x80][next() % 4] as number, at, at + (next() % 4) + 1);
    else if (next() % 8 === 0) return copy.slice(0, at);
  }
  return copy;
}

/** Runs a plan on numbers of the seed; its outputs. */
async function outputs(plan: Plan, seed: number, threads: number) {
  const found = kernels.find(({ name }) => name === plan.module) ?? assert.fail();
  const session = await Session.open(plan, found, { threads, onWarning: () => {} });
  const next = xorshift(seed);
  const inputs = plan.inputs.map(({ dtype, bytes }) => {
    const values = Uint8Array.from({ length: Math.min(bytes, 4099) }, () => (dtype === "bool" ? next() & 1 : next()));
    const all = new Uint8Array(bytes);
    // Large ones repeat them: that many random numbers would take longer than the network.
    for (let at = 0; at < bytes; at += values.length) all.set(values.subarray(0, bytes - at), at);
    return typedCopy(dtype, all);
  });
  try {
    const results = session.run(Object.fromEntries(inputs.map((input, i) => [plan.inputs[i]?.name ?? "", input])));
    // WebAssembly leaves sign and payload of a NaN open, and V8's compilers differ in them.
    for (const { name, dtype } of plan.outputs) {
      const result = results[name] ?? assert.fail();
      const isNaN16 = (value: number) => dtype === "float16" && (value & 0x7fff) > 0x7c00;
      for (let at = 0; at < result.length; at++)
        if (Number.isNaN(result[at])) result[at] = Number.NaN;
        else if (isNaN16(Number(result[at]))) result[at] = 0x7e00;
    }
    return results;
  } finally {
    session.close();
  }
}

async function model(next: () => number, seed: number): Promise<void> {
  const { file, bytes } = models[next() % models.length] ?? assert.fail();
  const isResized = file.endsWith(".onnx") && next() % 2 === 0;
  await compare(importModel(isResized ? resized(bytes, next) : mutate(bytes, next), {}), seed);
}

/** The same bytes everywhere. */
async function compare(imported: Graph, seed: number): Promise<void> {
  const graph = runPasses(imported, { limits: LIMITS });
  const plans = kernels.map(({ name, hash }) => planGraph(graph, { module: name, moduleHash: hash, limits: LIMITS }));
  const [reference] = plans;
  assert.ok(reference);
  const wanted = await outputs(reference, seed, 1);
  for (const plan of plans.slice(1)) {
    const same = await outputs(plan, seed, 1);
    assert.deepEqual(same, wanted, `${plan.module} against ${reference.module}`);
    assert.deepEqual(await outputs(readPlan(writePlan(plan)), seed, 1), same, "from a plan");
    if (seed % THREADS_EVERY === 0) assert.deepEqual(await outputs(plan, seed, 2), same, "with two threads");
  }
}

async function plan(next: () => number, seed: number): Promise<void> {
  const { bytes } = models[next() % models.length] ?? assert.fail();
  const graph = runPasses(importModel(bytes, {}), { limits: LIMITS });
  const { name, hash } = kernels[next() % kernels.length] ?? assert.fail();
  const sound = planGraph(graph, { module: name, moduleHash: hash, limits: LIMITS });
  if (next() % 2) readPlan(mutate(writePlan(sound), next));
  else {
    // Sealed again: what its parameters say is trusted, and memory is all that they can reach; loops may be long.
    const { image, ...rest } = sound;
    const header = JSON.stringify(rest);
    const mutated = JSON.parse(new TextDecoder().decode(mutate(new TextEncoder().encode(header), next)));
    // What has lost a list is no plan that could be written.
    if (["steps", "bodies"].every((list) => Array.isArray(mutated[list]))) readPlan(writePlan({ ...mutated, image }));
  }
  void seed;
}

async function picture(next: () => number): Promise<void> {
  const { bytes, file } = pictures[next() % pictures.length] ?? assert.fail();
  const mutated = mutate(bytes, next);
  const format = pictureFormat(mutated);
  if (format !== undefined) await decodePicture(format, mutated, file);
}

/** What a loop is ended by whose condition always holds; kernels go out of bounds where they are wrong. */
const isEndless = ({ code, received }: Pint8Error) => code === "TRAP" && received === "unreachable";

let runs = 0;
let results = 0;
for (let seed = first; runs === 0 || (Date.now() < end && runs < most); seed = (seed + 1) % 2 ** 31) {
  const next = xorshift(seed * 2654435761 + 1);
  for (let i = 0; i < 4; i++) next();
  const kind = next() % 9;
  const start = process.cpuUsage();
  runs++;
  try {
    if (kind < 4) await model(next, seed + 1);
    else if (kind < 6) await compare(randomNetwork(next), seed + 1);
    else if (kind === 8) await compare(importModel(quantizedModel(next).bytes, {}), seed + 1);
    else if (kind === 6) await plan(next, seed);
    else await picture(next);
    results++;
  } catch (error) {
    const expected = error instanceof Pint8Error && (!/mistake in pint8/.test(error.hint) || isEndless(error));
    if (!expected && !(error instanceof SyntaxError && kind === 6)) {
      console.error(`found with --seed ${seed}: ${error instanceof Error ? error.stack : error}`);
      console.error(error instanceof Pint8Error ? error.cause : "");
      process.exitCode = 1;
      if (values.seed !== undefined) break;
    }
  }
  const { user } = process.cpuUsage(start);
  if (user > 4e6) {
    console.error(`found with --seed ${seed}: ${user / 1e6} s`);
    process.exitCode = 1;
  }
}
console.log(`${runs} mutations and networks from seed ${first}, ${results} of which run; the others are refused`);
process.exit();
