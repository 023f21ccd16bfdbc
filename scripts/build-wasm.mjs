// Builds the modules into wasm/. Of each target of asconfig.json there are two editions, `core` with the kernels of
// ordinary int8 networks (`simd.wasm`) and `full` with all of them (`simd.full.wasm`), and of simd a third, `simd.train.wasm`, with
// what training takes. All editions of one instruction
// set take the same plans, so all carry one hash, the SHA-256 of the full module: a custom section "pint8" of 32 bytes hash
// and the build's name. Then the modules that threads and planning use, and the peak
// loops, which measure this machine's ceiling.
// `node scripts/build-wasm.mjs [build…]`
import { fork } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { main } from "assemblyscript/asc";
import { ROOT } from "./files.mjs";
import { writeKernelTable } from "./kernel-table.mjs";
import { shrinkWasm } from "./shrink-wasm.mjs";

/** Modules of no kernels: entry and features. */
const STANDALONE = {
  threads: [
    ...["assembly/threads.ts", "--enable", "threads", "--importMemory", "--noExportMemory"],
    ...["--sharedMemory", "--maximumMemory", "65536"],
  ],
  packer: ["assembly/packer.ts", "--enable", "simd"],
  "peak.scalar": ["assembly/peak.ts", "--disable", "mutable-globals,nontrapping-f2i,bulk-memory"],
  "peak.simd": ["assembly/peak.ts", "--enable", "simd"],
  "peak.relaxed": ["assembly/peak.ts", "--enable", "simd,relaxed-simd"],
};

/** Every module of kernels, those that others take their hash from first. */
const KERNELS = [...["scalar.full", "simd.full", "relaxed.full"], ...["scalar", "simd", "relaxed", "simd.train"]];

/** Every build by name. */
export const BUILDS = [...KERNELS, ...Object.keys(STANDALONE)];

const fileOf = (build) => join(ROOT, `wasm/${build}.wasm`);

/** What asc is called with. */
function argumentsOf(build) {
  const out = ["--outFile", `wasm/${build}.wasm`];
  if (STANDALONE[build]) {
    const options = ["--optimizeLevel", "3", "--noAssert", "--runtime", "stub", "--initialMemory", "1"];
    return [...STANDALONE[build], "--config", "none", ...out, ...options];
  }
  const edition = /\.(full|train)/.exec(build)?.[1] ?? "core";
  const [target] = build.split(".");
  const has = { CORE: edition !== "train", FULL: edition === "full", TRAIN: edition === "train" };
  const flags = Object.entries(has).map(([name, value]) => `${name}=${value ? 1 : 0}`);
  return [
    "assembly/run.ts",
    ...["--config", "asconfig.json", "--target", target, "--use", flags.join(",")],
    ...["--transform", "./scripts/shape-wasm.mjs", ...out],
    // Full modules are shrunk, by the names of their functions.
    ...(edition === "full" ? ["--shrinkLevel", "1", "--debug"] : []),
  ];
}

/** Compiles here, or ends this process with what is wrong. */
async function compile(build) {
  const { error, stderr } = await main([...argumentsOf(build), "--baseDir", ROOT]);
  if (!error && build.endsWith(".full")) shrinkWasm(fileOf(build));
  if (!error) return;
  process.stderr.write(`${build}: ${stderr}\n${error.message}\n`);
  process.exit(1);
}

/** The module with its section appended; its instruction set's full module must have been built. */
function stamp(build) {
  const [set] = build.split(".");
  const wasm = readFileSync(fileOf(build));
  const hash = build === `${set}.full` ? createHash("sha256").update(wasm).digest() : hashOf(`${set}.full`);
  const name = Buffer.from("pint8");
  const body = Buffer.concat([Buffer.from([name.length]), name, hash, Buffer.from(build)]);
  writeFileSync(fileOf(build), Buffer.concat([wasm, Buffer.from([0, body.length]), body]));
}

/** The hash in the section of a module, which is its last: this engine need not be able to compile it. */
function hashOf(build) {
  const wasm = readFileSync(fileOf(build));
  return wasm.subarray(wasm.length - build.length - 32, wasm.length - build.length);
}

/** Builds these, in as many processes as there are cores: each compiles faster the longer it lives. */
async function buildAll(workers, builds) {
  const waiting = [...builds];
  const work = async (worker) => {
    for (let build = waiting.shift(); build !== undefined; build = waiting.shift()) {
      worker.send(build);
      const [done] = await Promise.race([once(worker, "message"), once(worker, "exit")]);
      if (done !== build) process.exit(1);
      if (!STANDALONE[build]) stamp(build);
    }
  };
  await Promise.all(workers.map(work));
}

/** Everything named, or all; the full modules first, since the others carry their hashes. */
async function buildNamed(wanted) {
  for (const build of wanted) if (!BUILDS.includes(build)) throw new Error(`${build} is none of ${BUILDS.join(", ")}`);
  mkdirSync(join(ROOT, "wasm"), { recursive: true });
  writeKernelTable();
  const builds = wanted.length ? wanted : BUILDS;
  const isFull = (build) => /^\w+\.full$/.test(build);
  const sets = new Set(builds.filter((build) => !STANDALONE[build]).map((build) => build.split(".")[0]));
  const first = BUILDS.filter((build) => isFull(build) && sets.has(build.split(".")[0]));
  const workers = Array.from({ length: availableParallelism() }, () => fork(fileURLToPath(import.meta.url)));
  await buildAll(
    workers,
    first.filter((build) => builds.includes(build) || !existsSync(fileOf(build))),
  );
  await buildAll(
    workers,
    builds.filter((build) => !isFull(build)),
  );
  for (const worker of workers) worker.disconnect();
}

const isProgram = import.meta.url === pathToFileURL(process.argv[1] ?? "").href;
if (isProgram && process.send === undefined) await buildNamed(process.argv.slice(2));
else if (isProgram)
  process.on("message", async (build) => {
    await compile(build);
    process.send(build);
  });
