/** Start of a process to the first result: fresh processes, in turns. Ours is the built package, in plain Node. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { quantile } from "./measure.ts";

export interface ColdStart {
  readonly name: string;
  /** Milliseconds since the process began, by its own clock. */
  readonly median: number;
  readonly min: number;
  readonly p90: number;
  readonly samples: number;
}

const LIBRARY = new URL("../dist/lib/", import.meta.url);
const PRINT = "console.log(performance.now());";

/** An entry point of the built package, as a program imports it. */
export const library = (name: string): string => JSON.stringify(new URL(name, LIBRARY).href);

/** Saves a model's plan by the built command line. */
export function savePlan(node: string, model: string, plan: string, options: readonly string[] = []): void {
  const args = [fileURLToPath(new URL("cli.js", LIBRARY)), "plan", model, "-o", plan, ...options];
  const saved = spawnSync(node, args, { encoding: "utf8" });
  if (saved.status !== 0) throw new Error(saved.stderr);
}

/** Runs programs that print their time and end, in fresh processes in turns. */
export function timesOf(
  node: string,
  folder: string,
  programs: readonly (readonly [name: string, text: string])[],
  repeats: number,
): readonly ColdStart[] {
  const times = programs.map((): number[] => []);
  for (const [i, [, text]] of programs.entries())
    writeFileSync(join(folder, `${i}.mjs`), `${text} ${PRINT} process.exit(0);`);
  for (let round = 0; round < repeats; round++)
    for (const [i, [name]] of programs.entries()) {
      const { stdout, stderr, status } = spawnSync(node, [join(folder, `${i}.mjs`)], {
        encoding: "utf8",
        timeout: 60_000,
      });
      if (status !== 0) throw new Error(`${name}: ${stderr}`);
      times[i]?.push(Number(stdout.trim().split("\n").at(-1)));
    }
  return programs.map(([name], i) => {
    const samples = times[i] as number[];
    return {
      name,
      median: quantile(samples, 0.5),
      min: Math.min(...samples),
      p90: quantile(samples, 0.9),
      samples: samples.length,
    };
  });
}

/** Ours from a .tflite model and from a saved plan, then tfjs-tflite and LiteRT.js where they are installed. */
export async function coldStarts(
  node: string,
  model: string,
  peers: string | undefined,
  repeats: number,
): Promise<readonly ColdStart[]> {
  const folder = mkdtempSync(join(tmpdir(), "pint8-cold-"));
  try {
    const path = JSON.stringify(model);
    const plan = join(folder, "model.plan");
    const run = `const [{ dtype, shape }] = model.inputs; const n = shape.reduce((a, b) => a * b, 1);
      model.run([dtype === "uint8" ? new Uint8Array(n) : dtype === "float32" ? new Float32Array(n) : new Int8Array(n)]);`;
    const programs: [string, string][] = [
      ["pint8", `import { loadModel } from ${library("node.js")}; const model = await loadModel(${path}); ${run}`],
      [
        "pint8, saved plan",
        `import { loadPlan } from ${library("runtime.js")}; const model = await loadPlan(${JSON.stringify(plan)}); ${run}`,
      ],
    ];
    savePlan(node, model, plan);
    if (peers !== undefined) {
      const adapter = join(folder, "peers.mjs");
      await build({
        entryPoints: [fileURLToPath(new URL("peers.ts", import.meta.url))],
        outfile: adapter,
        bundle: true,
        format: "esm",
        platform: "node",
      });
      for (const name of ["tfjs-tflite", "litert"])
        programs.push([
          name,
          `import { readFileSync } from "node:fs"; import { loadPeer } from ${JSON.stringify(pathToFileURL(adapter).href)};
           const peer = await loadPeer(${JSON.stringify(peers)}, "${name}", new Uint8Array(readFileSync(${path})));
           await peer.run();`,
        ]);
    }
    return timesOf(node, folder, programs, repeats);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
