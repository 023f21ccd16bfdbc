/** What threads run, compiled for memory that they share. */
import { textOf } from "../errors.ts";
import { buildName, type KernelModule, stampOf } from "./modules.ts";
import { compileFile } from "./wasm.ts";

/** What several threads run. */
interface ThreadsModules {
  /** The kernels over shared memory. */
  readonly module: WebAssembly.Module;
  /** The step loop of `assembly/threads.ts`. */
  readonly loop: WebAssembly.Module;
}

/** The same kernels for several threads, or the reason why there are none, as the end of a sentence. */
export async function compileThreads({ name, edition, hash, wasmUrl }: KernelModule): Promise<ThreadsModules | string> {
  let file = "threads.wasm";
  try {
    const loop = await compileFile(file, wasmUrl);
    file = `${buildName(name, edition)}.wasm`;
    const module = await compileFile(file, wasmUrl, shareMemory);
    return stampOf(module)?.hash === hash ? { module, loop } : `${file} is of another build`;
  } catch (cause) {
    return `${file} cannot be used: ${textOf(cause)}`;
  }
}

/** The section of imports of a module of kernels: `env.memory`, a page at least. */
const OWN = [2, 15, 1, 3, 0x65, 0x6e, 0x76, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2, 0, 1];
/** The same of shared memory, which has a maximum: 65536 pages. */
const SHARED = [2, 18, ...OWN.slice(2, -2), 3, 1, 0x80, 0x80, 4];

/** A module of kernels that takes shared memory in place of its own. */
function shareMemory(wasm: Uint8Array): Uint8Array {
  const at = wasm.findIndex((_, start) => OWN.every((byte, i) => wasm[start + i] === byte));
  if (at < 0) throw new Error("it imports no memory");
  const shared = new Uint8Array(wasm.length + SHARED.length - OWN.length);
  shared.set(wasm.subarray(0, at));
  shared.set(SHARED, at);
  shared.set(wasm.subarray(at + OWN.length), at + SHARED.length);
  return shared;
}
