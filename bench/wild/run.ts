/** `npm run bench -- --part wild`: every network of a corpus against the peers, one process each; stops and goes on anywhere. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ModuleName } from "../../bindings/public/kernels.ts";
import { type WildModel, wildModels } from "./corpus.ts";
import type { WildJob, WildResult } from "./model.ts";
import { type WildEntry, wildLines } from "./report.ts";

interface WildOptions {
  readonly node: string;
  readonly folder: string;
  readonly peers: string | undefined;
  readonly module: ModuleName;
  readonly durationMs: number;
  /** Only networks whose name or kind contains this. */
  readonly only: string | undefined;
  /** How many networks at most. */
  readonly sample: number | undefined;
  /** No network is begun after so many. */
  readonly seconds: number | undefined;
  /** Keep the results that the file of results has. */
  readonly resume: boolean;
  /** Where results are written. */
  readonly out: string;
}

interface Saved {
  readonly date: string;
  readonly machine: string;
  readonly engine: string;
  readonly load: number;
  readonly entries: readonly WildEntry[];
}

const TIMEOUT_MS = 90_000;

/** Measures and returns the lines to print. Results are written after each network. */
export function benchWildCorpus(options: WildOptions): readonly string[] {
  const { node, out, only = "", sample = Infinity, seconds = Infinity, module } = options;
  const engine = spawnSync(node, ["-p", "'Node ' + process.versions.node"], { encoding: "utf8" }).stdout.trim();
  const models = wildModels(options.folder)
    .filter(({ name, kind }) => name.includes(only) || kind === only)
    .slice(0, sample);
  mkdirSync(out, { recursive: true });
  const file = join(out, `wild.${module}.json`);
  const kept = options.resume && existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Saved).entries : [];
  const entries: WildEntry[] = kept.filter(({ name }) => models.some((model) => model.name === name));
  const done = new Set(entries.map(({ name }) => name));
  const folder = mkdtempSync(join(tmpdir(), "pint8-wild-"));
  const start = performance.now();
  try {
    for (const [i, model] of models.entries()) {
      if (done.has(model.name)) continue;
      if (performance.now() - start > seconds * 1000) break;
      progress(i, models.length, model.name);
      entries.push(measure(model, options, join(folder, "result.json")));
      const [{ model: processor = "unknown processor" } = {}] = cpus();
      const saved: Saved = {
        date: new Date().toISOString().slice(0, 10),
        machine: `${cpus().length} × ${processor.trim()}`,
        engine,
        load: loadavg()[0] as number,
        entries,
      };
      writeFileSync(file, `${JSON.stringify(saved, null, 1)}\n`);
    }
    progress(entries.length, models.length, `written: ${file}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return [`wild, ${module}, ${engine}, load ${(loadavg()[0] as number).toFixed(1)}`, "", ...wildLines(entries)];
}

function measure(model: WildModel, { node, peers, module, durationMs }: WildOptions, target: string): WildEntry {
  const { name, kind, path, shapes } = model;
  const job: WildJob = { name, path, shapes, module, durationMs, ...(peers !== undefined && { peers }) };
  rmSync(target, { force: true });
  const script = fileURLToPath(new URL("../job.ts", import.meta.url));
  const args = ["--import", "tsx", script, JSON.stringify({ kind: "wild", ...job }), target];
  const { stderr } = spawnSync(node, args, { encoding: "utf8", timeout: TIMEOUT_MS });
  if (existsSync(target)) {
    const [result] = JSON.parse(readFileSync(target, "utf8")) as WildResult[];
    if (result !== undefined) return { name, kind, result };
  }
  const why = (stderr ?? "").split("\n").find((line) => /Error/.test(line)) ?? "no result in time";
  return { name, kind, refusal: why.slice(0, 300) };
}

const WIDTH = 24;

/** A bar on a terminal, a line for each network elsewhere. */
function progress(done: number, all: number, text: string): void {
  const full = Math.round((done / Math.max(all, 1)) * WIDTH);
  const bar = `${"█".repeat(full)}${"░".repeat(WIDTH - full)} ${done}/${all}`;
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${bar} ${text.slice(0, 60)}`);
  else process.stderr.write(`${done}/${all} ${text.trimEnd()}\n`);
}
