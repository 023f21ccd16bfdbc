// Builds every module of asconfig.json into wasm/ and stamps it: a custom section "pint8" with the SHA-256 of the
// bytes before it, to which saved plans are bound. A threads build has the same kernels as its plain twin, so the same
// plans fit it: it carries the twin's hash, in a section "pint8.threads", and is built after it. Then the module that planning uses, and the
// peak loops, which measure this machine's ceiling.
// `node scripts/build-wasm.mjs [target…]`
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { main } from "assemblyscript/asc";

const root = fileURLToPath(new URL("..", import.meta.url));
const THREADS = ".threads";

/** The module with a custom section of 32 bytes appended. */
function stamp(wasm, section, hash) {
  const name = Buffer.from(section);
  const body = Buffer.concat([Buffer.from([name.length]), name, hash]);
  return Buffer.concat([wasm, Buffer.from([0, body.length]), body]);
}

/** The hash that a plain module was stamped with: its last bytes. This engine need not be able to compile it. */
const hashOf = (file) => readFileSync(file).subarray(-32);

/** Compiles with these arguments, or ends the program with what is wrong. */
async function compile(args) {
  const { error, stderr } = await main([...args, "--baseDir", root]);
  if (!error) return;
  process.stderr.write(`${stderr}\n${error.message}\n`);
  process.exit(1);
}

/** Modules with a memory of their own: entry and features, by target. */
const standalone = {
  planner: ["assembly/planner.ts", "--enable", "simd"],
  "peak.scalar": ["assembly/peak.ts", "--disable", "mutable-globals,nontrapping-f2i,bulk-memory"],
  "peak.simd": ["assembly/peak.ts", "--enable", "simd"],
  "peak.relaxed": ["assembly/peak.ts", "--enable", "simd,relaxed-simd"],
};

const { targets } = JSON.parse(readFileSync(`${root}asconfig.json`, "utf8"));
const wanted = process.argv.slice(2);
mkdirSync(`${root}wasm`, { recursive: true });
for (const target of wanted.length ? wanted : [...Object.keys(targets), ...Object.keys(standalone)]) {
  if (standalone[target]) {
    const options = ["--optimizeLevel", "3", "--noAssert", "--runtime", "stub", "--initialMemory", "1"];
    await compile([...standalone[target], "--config", "none", "--outFile", `wasm/${target}.wasm`, ...options]);
    continue;
  }
  const twin = target.endsWith(THREADS) ? target.slice(0, -THREADS.length) : undefined;
  const entries = twin === undefined ? [] : ["assembly/threads.ts"];
  await compile([
    ...entries,
    "--config",
    "asconfig.json",
    "--target",
    target,
    "--transform",
    "./scripts/fold-offsets.mjs",
  ]);
  const file = `${root}${targets[target].outFile}`;
  const wasm = readFileSync(file);
  const stamped =
    twin === undefined
      ? stamp(wasm, "pint8", createHash("sha256").update(wasm).digest())
      : stamp(wasm, "pint8.threads", hashOf(`${root}${targets[twin].outFile}`));
  writeFileSync(file, stamped);
}
