/** `npm run bench`: every measurement in a process of its own, a table on standard output, JSON and SVG in bench/results. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, Option } from "commander";
import { wholeFrom } from "../bindings/cli/options.ts";
import type { ModuleName } from "../bindings/public/kernels.ts";
import { chart } from "./chart.ts";
import { coldStarts } from "./coldstart.ts";
import type { Job } from "./job.ts";
import { casesLike, type KernelResult } from "./kernels.ts";
import type { ModelResult } from "./models.ts";
import { onnxStarts } from "./onnxstart.ts";
import { hasPeers } from "./peers.ts";
import { type EngineResults, type Results, reportLines } from "./report.ts";
import { benchWildCorpus } from "./wild/run.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const DIGITS = join(ROOT, "models/digits/digits_int8.tflite");
const MODELS = ["kws_ref_model", "vww_96_int8", "pretrainedResnet_quant", "ad01_int8", "tf2_mobilenet_v2_1.0_224_ptq"];
const PARTS = ["kernels", "models", "sparse", "start", "start-onnx", "wild"] as const;
/** What is measured where nothing is asked for: a few minutes. */
const ORDINARY: readonly Part[] = ["kernels", "models", "sparse", "start"];
type Part = (typeof PARTS)[number];

const DURATION_MS = 2500;
/** Many networks: the mean over them evens out what one lacks. */
const WILD_DURATION_MS = 600;

interface Options {
  readonly only?: string;
  readonly part: readonly Part[];
  readonly node: readonly string[];
  readonly models: string;
  readonly peers?: string;
  readonly module: readonly ModuleName[];
  readonly duration?: number;
  readonly repeats: number;
  readonly out: string;
  readonly wild: string;
  readonly onnx: string;
  readonly sample?: number;
  readonly seconds?: number;
  readonly continue?: true;
  readonly hog?: true;
}

const options = new Command("bench")
  .addOption(new Option("--part <name...>", "what to measure").choices(PARTS).default(ORDINARY))
  .option("--only <text>", "only cases and models whose name contains this")
  .option("--node <path...>", "engines: Node programs, 20 or newer", [process.execPath])
  .option("--models <folder>", ".tflite models beside the project's own digits", resolve(ROOT, "../shared/models"))
  .option(
    "--peers <folder>",
    "where LiteRT.js and tfjs-tflite are installed (or the variable PEERS_HOME)",
    process.env.PEERS_HOME,
  )
  .addOption(
    new Option("--module <name...>", "of kernel cases")
      .choices(["scalar", "simd", "relaxed"])
      .default(["simd", "relaxed"]),
  )
  .option("--duration <ms>", "of each model, after warm-up; 600 in the wild", wholeFrom(100, 600_000))
  .option("--repeats <n>", "processes of each start", wholeFrom(1, 1000), 7)
  .option("--wild <folder>", "wild: the networks", resolve(ROOT, "../shared/wild/models"))
  .option("--onnx <folder>", "start-onnx: the networks, with cases.json", resolve(ROOT, "../shared/zoo/onnx/large"))
  .option("--sample <n>", "wild: only so many networks, the same ones each time", wholeFrom(1, 100_000))
  .option("--seconds <n>", "wild: begin no network after so many", wholeFrom(1, 1_000_000))
  .option("--continue", "wild: keep what the last run measured")
  .option("--hog", "keep one core busy with another program meanwhile")
  .option("--out <folder>", "where results are written", join(ROOT, "bench/results"))
  .parse()
  .opts<Options>();

const folder = mkdtempSync(join(tmpdir(), "pint8-bench-"));
const load = loadavg()[0] as number;
const wants = (part: Part) => options.part.includes(part);
const matches = (name: string) => options.only === undefined || name.includes(options.only);

/** Runs a job in a fresh process; its results, or a note why there are none. */
function run<T>(node: string, job: Job, notes: string[]): readonly T[] {
  const target = join(folder, "result.json");
  rmSync(target, { force: true });
  const script = fileURLToPath(new URL("job.ts", import.meta.url));
  const label = job.kind === "kernels" ? `${job.name}, ${job.module}` : job.name;
  process.stderr.write(`${label} …\n`);
  const args = ["--import", "tsx", script, JSON.stringify(job), target];
  const { stderr } = spawnSync(node, args, { cwd: ROOT, encoding: "utf8", timeout: 120_000 });
  if (existsSync(target)) return JSON.parse(readFileSync(target, "utf8")) as T[];
  notes.push(`${label}: ${stderr.split("\n").find((line) => /^\w*Error\b.*:/.test(line)) ?? stderr.slice(-200)}`);
  return [];
}

async function measure(node: string): Promise<EngineResults> {
  const version = spawnSync(node, ["-p", "'Node ' + process.versions.node + ', V8 ' + process.versions.v8"], {
    encoding: "utf8",
  });
  if (version.status !== 0) throw new Error(`--node ${node}: it does not run`);
  const notes: string[] = [];
  const peers = options.peers === undefined ? undefined : resolve(options.peers);
  if (peers !== undefined && !hasPeers(peers))
    throw new Error(`--peers ${peers}: LiteRT.js and tfjs-tflite are not installed there`);
  if (peers === undefined) notes.push("no peers: see docs/BENCHMARKS.md for how to install them");

  const kernels: KernelResult[] = [];
  for (const module of wants("kernels") ? options.module : []) {
    const before = notes.length;
    for (const { name, from } of casesLike(""))
      if (matches(`${name} ${from}`) && notes.length === before)
        kernels.push(...run<KernelResult>(node, { kind: "kernels", module, name }, notes));
  }

  const models: ModelResult[] = [];
  const own = { ...(peers !== undefined && { peers }), durationMs: options.duration ?? DURATION_MS };
  for (const name of wants("models") ? MODELS.filter(matches) : []) {
    const path = join(options.models, `${name}.tflite`);
    if (existsSync(path)) models.push(...run<ModelResult>(node, { kind: "model", name, path, ...own }, notes));
    else notes.push(`${name}: not in ${options.models}`);
  }
  if (wants("models") && matches("digits_int8"))
    models.push(...run<ModelResult>(node, { kind: "model", name: "digits_int8", path: DIGITS, ...own }, notes));
  for (const name of wants("sparse") ? ["digits_block8x4_int8", "digits_sparse80_int8"].filter(matches) : []) {
    const path = join(options.models, `${name}.tflite`);
    const job = { kind: "model", name, path, against: DIGITS, durationMs: options.duration ?? DURATION_MS } as const;
    if (existsSync(path)) models.push(...run<ModelResult>(node, job, notes));
    else notes.push(`${name}: not in ${options.models}`);
  }
  for (const { name, skipped } of models) notes.push(...skipped.map((reason) => `${name}, ${reason}`));

  const mobilenet = join(options.models, "tf2_mobilenet_v2_1.0_224_ptq.tflite");
  const starts = wants("start") && matches("start") && existsSync(mobilenet);
  const cold = starts ? await coldStarts(node, mobilenet, peers, options.repeats) : [];
  const onnx = wants("start-onnx") ? onnxStarts(node, options.onnx, matches, peers, options.repeats) : [];
  return { engine: version.stdout.trim(), kernels, models, coldStarts: cold, onnxStarts: onnx, notes };
}

/** Everything but the wild: one report of all engines. */
async function measureAll(): Promise<void> {
  const engines: EngineResults[] = [];
  for (const node of options.node) engines.push(await measure(node));
  const [{ model = "unknown processor" } = {}] = cpus();
  const results: Results = {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} × ${model.trim()}`,
    load: [load, loadavg()[0] as number],
    engines,
  };
  for (const line of reportLines(results)) console.log(line);
  mkdirSync(options.out, { recursive: true });
  writeFileSync(join(options.out, "latest.json"), `${JSON.stringify(results, null, 1)}\n`);
  writeFileSync(join(options.out, "latest.svg"), chart(results));
  console.error(`written: ${join(options.out, "latest.json")} and latest.svg`);
}

/** The wild has a report and a file of its own for each module. */
function measureWild(): void {
  const { wild, sample, seconds, only, out } = options;
  const peers = options.peers === undefined ? undefined : resolve(options.peers);
  if (!existsSync(wild)) throw new Error(`--wild ${wild}: there is no such folder`);
  for (const node of options.node)
    for (const module of options.module)
      for (const line of benchWildCorpus({
        node,
        folder: wild,
        peers,
        module,
        only,
        sample,
        seconds,
        out,
        resume: options.continue === true,
        durationMs: options.duration ?? WILD_DURATION_MS,
      }))
        console.log(line);
}

const hog = options.hog ? spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" }) : undefined;
try {
  if (wants("wild")) measureWild();
  if (options.part.some((part) => part !== "wild")) await measureAll();
} finally {
  hog?.kill();
  rmSync(folder, { recursive: true, force: true });
}
