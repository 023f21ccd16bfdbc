/** The package's wasm files, compiled once each, and what to do where one cannot be had. */
import { Pint8Error, textOf } from "../errors.ts";
import { servedOf } from "../served.ts";
import { isNode } from "./engine.ts";
import type { WasmUrl } from "./files.ts";
import { readSource } from "./source.ts";

type Change = (wasm: Uint8Array) => Uint8Array;

/** By URL and by what was changed. Those that failed are asked for again. */
const compiled = new Map<string, Promise<WebAssembly.Module>>();

/**
 * A file of `wasm/`, compiled, with its bytes changed before by `change`.
 *
 * Errors: MODULE_UNAVAILABLE, which says what was asked for, what came, and what to do.
 */
export async function compileFile(file: string, wasmUrl: WasmUrl, change?: Change): Promise<WebAssembly.Module> {
  const url = locate(file, wasmUrl);
  const key = `${change?.name} ${url}`;
  const known = compiled.get(key);
  if (known !== undefined) return known;
  const compiling = compile(file, url, change);
  compiled.set(key, compiling);
  compiling.catch(() => compiled.delete(key));
  return compiling;
}

function locate(file: string, wasmUrl: WasmUrl): string {
  try {
    return String(wasmUrl(file));
  } catch (cause) {
    throw unavailable(file, "a place where it can be read", textOf(cause), hintOf(""), cause);
  }
}

async function compile(file: string, url: string, change: Change = (wasm) => wasm): Promise<WebAssembly.Module> {
  const expected = `${file} at ${url.length > 200 ? `${url.slice(0, 100)}…` : url}`;
  const bytes = await readSource(url).catch((cause: unknown) => {
    const received = cause instanceof Pint8Error ? cause.received : textOf(cause);
    throw unavailable(file, expected, received, hintOf(url), cause);
  });
  if (!isWasm(bytes)) throw unavailable(file, expected, contentOf(bytes), hintOf(url));
  try {
    return await WebAssembly.compile(change(bytes) as BufferSource);
  } catch (cause) {
    const received = textOf(cause);
    throw /content security policy|unsafe-eval|\bCSP\b|disallowed/i.test(received)
      ? unavailable(file, "a place that may compile WebAssembly", "a policy that forbids it", POLICY, cause)
      : unavailable(file, `${expected}, whole`, received, hintOf(url), cause);
  }
}

/** Of pages, and of edge workers, where no bytes are compiled. */
const POLICY =
  "Add 'wasm-unsafe-eval' to script-src of the Content-Security-Policy; in an edge worker import pint8/wasm/simd.wasm as the option wasm.";

const isWasm = (bytes: Uint8Array) => bytes[0] === 0 && bytes[1] === 0x61 && bytes[2] === 0x73 && bytes[3] === 0x6d;

/** What came in place of a module. */
function contentOf(bytes: Uint8Array): string {
  return servedOf(bytes) ?? (bytes.length === 0 ? "no bytes" : `${bytes.length} bytes of something else`);
}

/** What to do, by what the URL tells of the tool that moved the scripts away from the files. */
function hintOf(url: string): string {
  const inline = 'or import "pint8/inline"';
  if (isNode() && url.startsWith("/_next/")) return 'In next.config, add serverExternalPackages: ["pint8"].';
  if (/\/node_modules\//.test(url) && /^https?:/.test(url))
    return `With Vite's server, add optimizeDeps: { exclude: ["pint8"] } to vite.config, ${inline}.`;
  const place = /^https?:|^file:/.test(url) ? new URL(".", url).href : "where they are served";
  return `Copy node_modules/pint8/wasm/*.wasm to ${place}, set the option wasmUrl, ${inline}.`;
}

function unavailable(file: string, expected: string, received: string, hint: string, cause?: unknown): Pint8Error {
  return new Pint8Error("MODULE_UNAVAILABLE", { where: `file ${file}`, expected, received, hint }, { cause });
}
