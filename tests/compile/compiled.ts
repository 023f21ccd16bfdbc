/** Models compiled to files of a temporary folder, by the built package in one process of its own. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { CompileOptions, CompileReport } from "../../bindings/public/compile.ts";
import type { TypedArray } from "../../bindings/tensor.ts";

/** A model to compile. */
interface Job {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly options?: Omit<CompileOptions, "name" | "onProgress">;
}

/** The files of one model: `model.wasm`, `model.js`, `model.d.ts` and `model.h` in a folder of its own, and the report. */
export interface Files {
  readonly name: string;
  readonly folder: string;
  readonly report: CompileReport;
  readonly wasm: Uint8Array<ArrayBuffer>;
}

/** What OUT.js gives. */
export interface Model {
  readonly inputs: readonly { readonly name: string; readonly dtype: string; readonly shape: readonly number[] }[];
  readonly outputs: Model["inputs"];
  readonly memory: WebAssembly.Memory;
  run(values: Readonly<Record<string, TypedArray>> | readonly TypedArray[]): Record<string, TypedArray>;
  reset(): void;
}

/** The exports of a standalone module. */
export interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly __data_end: WebAssembly.Global;
  readonly __heap_base: WebAssembly.Global;
  input_ptr(i: number): number;
  input_bytes(i: number): number;
  output_ptr(i: number): number;
  output_bytes(i: number): number;
  invoke(): number;
  reset(): number;
}

/** A folder that goes when this file's tests have ended. */
export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), "pint8-compile-"));
  after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Compiles all of them; each ends in files or in an error. */
export function tryCompile(
  folder: string,
  jobs: readonly Job[],
): readonly (Files | { readonly error: { readonly code: string; readonly message: string } })[] {
  const list = jobs.map(({ name, bytes, options }) => {
    const own = join(folder, name);
    mkdirSync(own);
    const source = join(own, "source.bin");
    writeFileSync(source, bytes);
    return { source, out: join(own, "model"), options: { ...options, name: "model" } };
  });
  // Binaryen runs too short to be worth V8's optimizing compiler: without it this takes a third of the time.
  const script = fileURLToPath(new URL("compile.mjs", import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--liftoff-only", script], {
    input: JSON.stringify(list),
    encoding: "utf8",
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  assert.equal(status, 0, stderr);
  const results = JSON.parse(stdout) as readonly { readonly report: CompileReport }[];
  return results.map((result, i) => {
    if (!("report" in result)) return result;
    const name = jobs[i]?.name ?? "";
    const own = join(folder, name);
    return { ...result, name, folder: own, wasm: new Uint8Array(readFileSync(join(own, "model.wasm"))) };
  });
}

/** The same where none may fail. */
export function compileAll(folder: string, jobs: readonly Job[]): readonly Files[] {
  return tryCompile(folder, jobs).map((result) => {
    assert.ok(!("error" in result), "error" in result ? result.error.message : "");
    return result;
  });
}

/** The model by its own loader. */
export async function loadFiles({ folder }: Files): Promise<Model> {
  const { load } = (await import(pathToFileURL(join(folder, "model.js")).href)) as { load: () => Promise<Model> };
  return load();
}

/** The exports of a module, instantiated without imports. */
export function instantiate({ wasm }: Pick<Files, "wasm">): Exports {
  return new WebAssembly.Instance(new WebAssembly.Module(wasm)).exports as unknown as Exports;
}
