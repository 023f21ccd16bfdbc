/**
 * The scalar kernels against plain loops in interpreters, which run most of the small engines:
 *
 *     node --import tsx bench/interpreters/run.ts --bun BUN [--models FOLDER] [--only TEXT] [--repeats N]
 *
 * BUN is Bun's program (`npm i bun`), used with its JITs switched off. wabt's interpreter is found as `spectest-interp`.
 * Prints a Markdown table: ms of CPU time per inference, least of N, and how much faster than plain. `size` and `speed`
 * are the two ways to compile; every output is compared.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { bun, type Interpreter, wabt } from "./measure.ts";
import { build, layers, model, readBoth, type Subject } from "./models.ts";

const MODELS = ["kws_ref_model", "vww_96_int8", "pretrainedResnet_quant", "ad01_int8"];
/** Multiply-adds of one measurement, at least one inference: seconds for plain loops. */
const MACS = 1e7;
const VARIANTS = ["plain", "size", "speed"] as const;

const { values } = parseArgs({
  options: {
    bun: { type: "string" },
    models: { type: "string", default: "../shared/models" },
    only: { type: "string", default: "" },
    repeats: { type: "string", default: "3" },
  },
});

const interpreters: (readonly [string, Interpreter])[] = [["wabt", wabt]];
if (values.bun !== undefined) interpreters.push(["Bun without JITs", bun(values.bun)]);
const files = MODELS.map((name) => ({ name, file: join(values.models, `${name}.tflite`) }));
const subjects = [
  ...layers(),
  ...files.flatMap(({ name, file }) => (existsSync(file) ? [model(name, new Uint8Array(readFileSync(file)))] : [])),
].filter(({ name }) => name.includes(values.only));

const kernels = await readBoth();
const folder = mkdtempSync(join(tmpdir(), "pint8-interpreters-"));
try {
  const header = interpreters.map(([name]) => `${name}: plain, ms | size | speed`);
  process.stdout.write(`| | ${header.join(" | ")} |\n|${"---|".repeat(1 + 3 * interpreters.length)}\n`);
  for (const subject of subjects) await row(subject);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function row(subject: Subject): Promise<void> {
  for (const variant of VARIANTS) {
    const own = variant !== "plain";
    const wasm = await build(subject, own ? kernels.ours : kernels.plain, own, own ? variant : "speed");
    writeFileSync(join(folder, `${variant}.wasm`), wasm);
  }
  const cells = interpreters.flatMap(([name, measure]) => {
    const count = Math.max(1, Math.round(MACS / subject.macs));
    const best = { plain: Infinity, size: Infinity, speed: Infinity };
    for (let repeat = 0; repeat < Number(values.repeats); repeat++) {
      const hashes = new Set<number>();
      for (const variant of VARIANTS) {
        const { ms, hash } = measure(folder, `${variant}.wasm`, count);
        best[variant] = Math.min(best[variant], ms);
        hashes.add(hash);
      }
      if (hashes.size !== 1) throw new Error(`${subject.name}: outputs differ in ${name}`);
    }
    const ratio = (variant: "size" | "speed") => `${(best.plain / best[variant]).toFixed(2)}×`;
    return [Number(best.plain.toPrecision(3)).toString(), ratio("size"), ratio("speed")];
  });
  process.stdout.write(`| ${[subject.name, ...cells].join(" | ")} |\n`);
}
