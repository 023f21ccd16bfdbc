import { relaxedSimd, simd } from "wasm-feature-detect";
import { ensure, Pint8Error } from "../errors.ts";
import { MODULES, type ModuleName } from "../kernels/modules.ts";
import { instantiate } from "./instantiate.ts";
import { readSource } from "./source.ts";

/** A compiled build of the kernels. */
export interface KernelModule {
  readonly name: ModuleName;
  readonly module: WebAssembly.Module;
  /** SHA-256 of its code in hexadecimal: plans are bound to it. */
  readonly hash: string;
}

/** Literal URLs, so that bundlers find the files. */
const URLS: { readonly [M in ModuleName]: () => URL } = {
  scalar: () => new URL("../../wasm/scalar.wasm", import.meta.url),
  simd: () => new URL("../../wasm/simd.wasm", import.meta.url),
  relaxed: () => new URL("../../wasm/relaxed.wasm", import.meta.url),
};

const THREADS_URLS: { readonly [M in ModuleName]?: () => URL } = {
  simd: () => new URL("../../wasm/simd.threads.wasm", import.meta.url),
  relaxed: () => new URL("../../wasm/relaxed.threads.wasm", import.meta.url),
};

/**
 * The kernels by name; `"auto"` takes the fastest that this engine runs correctly. `wasm` is a module compiled elsewhere,
 * for workers that must import it statically: it is the one that `name` says.
 *
 * Errors: MODULE_UNAVAILABLE where the engine lacks the instructions, computes other results with them, or the file cannot
 * be read; INVALID_OPTION for an unknown name.
 */
export async function loadModule(name: ModuleName | "auto", wasm?: WebAssembly.Module): Promise<KernelModule> {
  ensure(name === "auto" || MODULES.includes(name), "INVALID_OPTION", () => ({
    where: "module",
    expected: `auto, ${MODULES.join(", ")}`,
    received: String(name),
  }));
  if (name !== "auto") return check(name, wasm ?? (await compile(name)));
  ensure(wasm === undefined, "INVALID_OPTION", () => ({
    where: "module",
    expected: "the name of the module given as wasm",
    received: "auto",
    hint: 'For example { module: "simd", wasm }.',
  }));
  if (await relaxedSimd()) {
    const relaxed = await compile("relaxed");
    if (await isExact(relaxed)) return describe("relaxed", relaxed);
  }
  const fallback = (await simd()) ? "simd" : "scalar";
  return describe(fallback, await compile(fallback));
}

async function compile(name: ModuleName): Promise<WebAssembly.Module> {
  const supported = name === "scalar" || (await (name === "simd" ? simd() : relaxedSimd()));
  ensure(supported, "MODULE_UNAVAILABLE", () => ({
    where: `module ${name}`,
    expected: `an engine with ${name === "simd" ? "SIMD" : "relaxed SIMD"} instructions`,
    received: "one without",
    hint: 'Use module "auto".',
  }));
  try {
    return await WebAssembly.compile((await readSource(URLS[name]())) as BufferSource);
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
export async function compileThreads({ name, hash }: KernelModule): Promise<WebAssembly.Module | string> {
  const url = THREADS_URLS[name];
  if (url === undefined) return `the module ${name} has no threads build`;
  try {
    const module = await WebAssembly.compile((await readSource(url())) as BufferSource);
    return hashIn(module, "pint8.threads") === hash ? module : `${name}.threads.wasm is of another build`;
  } catch (cause) {
    return `${name}.threads.wasm cannot be used: ${cause instanceof Error ? cause.message : cause}`;
  }
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
  const hash = hashIn(module, "pint8");
  ensure(hash !== undefined, "MODULE_UNAVAILABLE", () => ({
    where: `module ${name}`,
    expected: "a module built by pint8, with its hash in the section pint8",
    received: "another",
  }));
  return { name, module, hash };
}

/** The 32 bytes of a custom section in hexadecimal. */
function hashIn(module: WebAssembly.Module, section: string): string | undefined {
  const [bytes] = WebAssembly.Module.customSections(module, section);
  if (bytes?.byteLength !== 32) return undefined;
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
