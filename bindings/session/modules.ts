import { relaxedSimd, simd } from "wasm-feature-detect";
import { ensure, Pint8Error } from "../errors.ts";
import { type Edition, MODULES, type ModuleName } from "../primitives/modules.ts";
import { instantiate } from "./instantiate.ts";
import { readSource } from "./source.ts";

/** A compiled build of the kernels. */
export interface KernelModule {
  readonly name: ModuleName;
  /** Which kernels it has. */
  readonly edition: Edition;
  readonly module: WebAssembly.Module;
  /** SHA-256 of its full edition's code in hexadecimal: plans are bound to it. */
  readonly hash: string;
}

/** Literal URLs, so that bundlers find the files. */
const URLS: { readonly [M in ModuleName]: { readonly [E in Edition]: () => URL } } = {
  scalar: {
    core: () => new URL("../../wasm/scalar.wasm", import.meta.url),
    full: () => new URL("../../wasm/scalar.full.wasm", import.meta.url),
  },
  simd: {
    core: () => new URL("../../wasm/simd.wasm", import.meta.url),
    full: () => new URL("../../wasm/simd.full.wasm", import.meta.url),
  },
  relaxed: {
    core: () => new URL("../../wasm/relaxed.wasm", import.meta.url),
    full: () => new URL("../../wasm/relaxed.full.wasm", import.meta.url),
  },
};

const THREADS_URLS: { readonly [M in ModuleName]?: { readonly [E in Edition]: () => URL } } = {
  simd: {
    core: () => new URL("../../wasm/simd.threads.wasm", import.meta.url),
    full: () => new URL("../../wasm/simd.full.threads.wasm", import.meta.url),
  },
  relaxed: {
    core: () => new URL("../../wasm/relaxed.threads.wasm", import.meta.url),
    full: () => new URL("../../wasm/relaxed.full.threads.wasm", import.meta.url),
  },
};

/**
 * The kernels by name; `"auto"` takes the fastest that this engine runs correctly. `wasm` is a module compiled elsewhere,
 * for workers that must import it statically: it is the one that `name` says. `edition` is the least that it must have.
 *
 * Errors: MODULE_UNAVAILABLE where the engine lacks the instructions, computes other results with them, or the file cannot
 * be read; INVALID_OPTION for an unknown name.
 */
export async function loadModule(
  name: ModuleName | "auto",
  wasm?: WebAssembly.Module,
  edition: Edition = "core",
): Promise<KernelModule> {
  ensure(name === "auto" || MODULES.includes(name), "INVALID_OPTION", () => ({
    where: "module",
    expected: `auto, ${MODULES.join(", ")}`,
    received: String(name),
  }));
  if (name !== "auto") return check(name, wasm ?? (await compile(name, edition)));
  ensure(wasm === undefined, "INVALID_OPTION", () => ({
    where: "module",
    expected: "the name of the module given as wasm",
    received: "auto",
    hint: 'For example { module: "simd", wasm }.',
  }));
  if (await relaxedSimd()) {
    const relaxed = await compile("relaxed", edition);
    if (await isExact(relaxed)) return describe("relaxed", relaxed);
  }
  const fallback = (await simd()) ? "simd" : "scalar";
  return describe(fallback, await compile(fallback, edition));
}

async function compile(name: ModuleName, edition: Edition): Promise<WebAssembly.Module> {
  const supported = name === "scalar" || (await (name === "simd" ? simd() : relaxedSimd()));
  ensure(supported, "MODULE_UNAVAILABLE", () => ({
    where: `module ${name}`,
    expected: `an engine with ${name === "simd" ? "SIMD" : "relaxed SIMD"} instructions`,
    received: "one without",
    hint: 'Use module "auto".',
  }));
  try {
    return await WebAssembly.compile((await readSource(URLS[name][edition]())) as BufferSource);
  } catch (cause) {
    const received = cause instanceof Error ? cause.message : String(cause);
    const hint = "Build it with `npm run build`, or pass the compiled module as the option `wasm`.";
    throw new Pint8Error(
      "MODULE_UNAVAILABLE",
      { where: `module ${name}`, expected: `a readable ${name}.wasm`, received, hint },
      { cause },
    );
  }
}

/** The build of the same kernels for several threads, or the reason why there is none, as the end of a sentence. */
export async function compileThreads({ name, edition, hash }: KernelModule): Promise<WebAssembly.Module | string> {
  const url = THREADS_URLS[name]?.[edition];
  if (url === undefined) return `the module ${name} has no threads build`;
  const build = `${buildName(name, edition)}.threads`;
  try {
    const module = await WebAssembly.compile((await readSource(url())) as BufferSource);
    const found = stampOf(module);
    return found?.hash === hash && found.build === build ? module : `${build}.wasm is of another build`;
  } catch (cause) {
    return `${build}.wasm cannot be used: ${cause instanceof Error ? cause.message : cause}`;
  }
}

/** The name of a build, which its section has: `simd`, `simd.full`. */
function buildName(name: ModuleName, edition: Edition): string {
  return edition === "full" ? `${name}.full` : name;
}

async function check(name: ModuleName, module: WebAssembly.Module): Promise<KernelModule> {
  const described = describe(name, module);
  ensure(name !== "relaxed" || (await isExact(module)), "MODULE_UNAVAILABLE", () => ({
    where: "module relaxed",
    expected: "a relaxed dot product that is exact",
    received: "one that saturates, or is computed otherwise",
    hint: 'Use module "auto".',
  }));
  return described;
}

/** The probe that the module itself makes of the relaxed dot product. */
async function isExact(module: WebAssembly.Module): Promise<boolean> {
  const kernels = await instantiate(module, new WebAssembly.Memory({ initial: 1 }));
  const kind = kernels.dotProduct();
  return kind === 1 || kind === 2;
}

function describe(name: ModuleName, module: WebAssembly.Module): KernelModule {
  const stamp = stampOf(module);
  const edition = (["core", "full"] as const).find((each) => buildName(name, each) === stamp?.build);
  ensure(stamp !== undefined && edition !== undefined, "MODULE_UNAVAILABLE", () => ({
    where: `module ${name}`,
    expected: `${name}.wasm or ${name}.full.wasm as pint8 built it`,
    received: stamp === undefined ? "another module" : `${stamp.build}.wasm`,
  }));
  return { name, edition, module, hash: stamp.hash };
}

const HASH_BYTES = 32;

/** What the section `pint8` says: the hash in hexadecimal, and the build's name. */
function stampOf(module: WebAssembly.Module): { readonly hash: string; readonly build: string } | undefined {
  const [section] = WebAssembly.Module.customSections(module, "pint8");
  if (section === undefined || section.byteLength <= HASH_BYTES) return undefined;
  const bytes = new Uint8Array(section);
  const hash = Array.from(bytes.subarray(0, HASH_BYTES), (byte) => byte.toString(16).padStart(2, "0"));
  return { hash: hash.join(""), build: new TextDecoder().decode(bytes.subarray(HASH_BYTES)) };
}
