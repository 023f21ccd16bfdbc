/** What the engine is that this runs in, asked without running anything of it. */
import { ensure } from "../errors.ts";
import type { ModuleName } from "../primitives/modules.ts";

/** Node, Deno and Bun: all of them have `process.versions.node`, files and worker threads. */
export const isNode = (): boolean => typeof host()?.versions?.node === "string";

/** Asked of the global object: some bundlers put a process of their own in place of its bare name. */
const host = () => (globalThis as { readonly process?: NodeJS.Process }).process;

interface Builtins {
  readonly fs: typeof import("node:fs");
  readonly "fs/promises": typeof import("node:fs/promises");
  readonly os: typeof import("node:os");
  readonly worker_threads: typeof import("node:worker_threads");
}

/** One of Node's own modules. Bundlers for the browser leave it alone; nothing is imported where Node gives it without. */
export async function builtin<N extends keyof Builtins>(name: N): Promise<Builtins[N]> {
  const given = host()?.getBuiltinModule?.(`node:${name}`);
  return (given ?? (await import(/* @vite-ignore */ /* webpackIgnore: true */ `node:${name}`))) as Builtins[N];
}

/** Processors that threads can run on; 1 where nobody says. */
export async function processors(): Promise<number> {
  if (isNode()) return (await builtin("os")).availableParallelism();
  return globalThis.navigator?.hardwareConcurrency ?? 1;
}

/** Refuses engines without what every model needs. */
export function requireEngine(): void {
  ensure(typeof WebAssembly !== "undefined", "MODULE_UNAVAILABLE", () => ({
    where: "engine",
    expected: "WebAssembly",
    received: "an engine without it",
    hint: "Lockdown Mode, --jitless and some app runtimes switch it off; allow it for this site or process.",
  }));
  ensure(typeof TextDecoder !== "undefined", "UNSUPPORTED", () => ({
    where: "engine",
    expected: "TextDecoder",
    received: "an engine without it",
    hint: "In Jest's jsdom, set globalThis.TextDecoder to node:util's, or test with the environment node.",
  }));
}

/** A function of type i32 → v128 that uses SIMD. */
const SIMD = "AGFzbQEAAAABBQFgAAF7AwIBAAoKAQgAQQD9D/1iCw==";
/** `d(w, x)`: lane 0 of `i32x4.relaxed_dot_i8x16_i7x16_add_s` of both, each in all lanes, and 0. */
const RELAXED = "AGFzbQEAAAABBwFgAn9/AX8DAgEABwUBAWQAAAoWARQAIAD9ESAB/RFBAP0R/ZMC/RsACw==";

const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
/** Whether this engine takes a module. */
export const validates = (base64: string) => WebAssembly.validate(bytesOf(base64));

/** Whether this engine has the instructions of a module. */
export function hasInstructions(name: ModuleName): boolean {
  return name === "scalar" || validates(name === "simd" ? SIMD : RELAXED);
}

let exact: boolean | undefined;

/**
 * Whether the relaxed dot product is exact here where its second operand has its top bit set, which the specification
 * leaves open: `assembly/common/probe.ts` says which results are. Asked once.
 */
export function dotProductIsExact(): boolean {
  exact ??= hasInstructions("relaxed") && probe();
  return exact;
}

function probe(): boolean {
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytesOf(RELAXED)));
    const dot = exports.d as (w: number, x: number) => number;
    const [most, least] = [dot(0x7f7f7f7f, -1), dot(-0x7f7f7f80, -1)];
    return (most === 129540 && least === -130560) || (most === -508 && least === 512);
  } catch {
    return false; // a policy that forbids compiling: the module that is compiled next says so
  }
}
