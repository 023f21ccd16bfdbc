import { ensure, kindOf } from "../errors.ts";
import { EDITIONS, type Edition, MODULES, type ModuleName, type WasmModule } from "../primitives/modules.ts";
import { dotProductIsExact, hasInstructions, requireEngine } from "./engine.ts";
import { packageFile, type WasmUrl } from "./files.ts";
import { compileFile } from "./wasm.ts";

/** A compiled build of the kernels. */
export interface KernelModule {
  readonly name: ModuleName;
  /** Which kernels it has. */
  readonly edition: Edition;
  readonly module: WasmModule;
  /** SHA-256 of its full edition's code in hexadecimal: plans are bound to it. */
  readonly hash: string;
  /** Where its other editions and the module of threads are. */
  readonly wasmUrl: WasmUrl;
}

/**
 * The kernels by name; `"auto"` takes the fastest that this engine runs correctly, or whatever `wasm` is: a module compiled
 * elsewhere, for workers that must import it statically. `edition` is the least that it must have. Compiled modules are
 * kept: asking again costs nothing.
 *
 * Errors: MODULE_UNAVAILABLE where the engine lacks the instructions, computes other results with them, or the file cannot
 * be read, or `wasm` is not what `name` says; INVALID_OPTION for an unknown name.
 */
export async function loadModule(
  name: ModuleName | "auto",
  wasm?: WasmModule,
  edition: Edition = "core",
  wasmUrl: WasmUrl = packageFile,
): Promise<KernelModule> {
  ensure(name === "auto" || MODULES.includes(name), "INVALID_OPTION", () => ({
    where: "module",
    expected: `auto, ${MODULES.join(", ")}`,
    received: kindOf(name),
  }));
  requireEngine();
  if (wasm !== undefined) return given(name, wasm, wasmUrl);
  const chosen = name === "auto" ? fastest() : name;
  checkEngine(chosen);
  return describe(chosen, await compileFile(`${buildName(chosen, edition)}.wasm`, wasmUrl), wasmUrl);
}

function fastest(): ModuleName {
  if (dotProductIsExact()) return "relaxed";
  return hasInstructions("simd") ? "simd" : "scalar";
}

function given(name: ModuleName | "auto", wasm: WebAssembly.Module, wasmUrl: WasmUrl): KernelModule {
  ensure(Object.prototype.toString.call(wasm) === "[object WebAssembly.Module]", "INVALID_OPTION", () => ({
    where: "wasm",
    expected: "a WebAssembly.Module",
    received: Object.prototype.toString.call(wasm).slice(8, -1),
    hint: "Compile the bytes first: await WebAssembly.compile(bytes).",
  }));
  const set = stampOf(wasm)?.build.split(".")[0];
  const chosen = name === "auto" ? (MODULES.find((each) => each === set) ?? "simd") : name;
  const described = describe(chosen, wasm, wasmUrl);
  checkEngine(chosen);
  return described;
}

/** Refuses a module that this engine cannot run correctly. */
function checkEngine(name: ModuleName): void {
  ensure(hasInstructions(name), "MODULE_UNAVAILABLE", () => ({
    where: `module ${name}`,
    expected: `an engine with ${name === "simd" ? "SIMD" : "relaxed SIMD"} instructions`,
    received: "one without",
    hint: 'Use module "auto".',
  }));
  ensure(name !== "relaxed" || dotProductIsExact(), "MODULE_UNAVAILABLE", () => ({
    where: "module relaxed",
    expected: "a relaxed dot product that is exact",
    received: "one that saturates, or is computed otherwise",
    hint: 'Use module "auto".',
  }));
}

/** The name of a build, which its section has: `simd`, `simd.full`. */
export function buildName(name: ModuleName, edition: Edition): string {
  return edition === "core" ? name : `${name}.${edition}`;
}

function describe(name: ModuleName, module: WebAssembly.Module, wasmUrl: WasmUrl): KernelModule {
  const stamp = stampOf(module);
  const edition = EDITIONS.find((each) => buildName(name, each) === stamp?.build);
  ensure(stamp !== undefined && edition !== undefined, "MODULE_UNAVAILABLE", () => ({
    where: `module ${name}`,
    expected: `${name}.wasm or ${name}.full.wasm as pint8 built it`,
    received: stamp === undefined ? "another module" : `${stamp.build}.wasm`,
    hint: "Modules and pint8 must be of one version, and the option module says which one wasm is.",
  }));
  return { name, edition, module, hash: stamp.hash, wasmUrl };
}

const HASH_BYTES = 32;

/** What the section `pint8` says: the hash in hexadecimal, and the build's name. */
export function stampOf(module: WebAssembly.Module): { readonly hash: string; readonly build: string } | undefined {
  const [section] = WebAssembly.Module.customSections(module, "pint8");
  if (section === undefined || section.byteLength <= HASH_BYTES) return undefined;
  const bytes = new Uint8Array(section);
  const hash = Array.from(bytes.subarray(0, HASH_BYTES), (byte) => byte.toString(16).padStart(2, "0"));
  return { hash: hash.join(""), build: new TextDecoder().decode(bytes.subarray(HASH_BYTES)) };
}
