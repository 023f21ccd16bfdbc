/** What a module exports, besides every kernel by its name. */
export interface KernelExports {
  /** Runs `count` entries of the step table at `steps`, share `part` of `parts`. */
  run(steps: number, count: number, part: number, parts: number): void;
  /** 0: no relaxed dot product; 1: its second operand is unsigned; 2: signed; −1: it is not exact here. */
  dotProduct(): number;
}

/**
 * The kernels over a memory. The loader is imported here and not above because it acts when it is imported; what it wraps
 * around exports is left aside: calls go straight into wasm.
 */
export async function instantiate(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  env: WebAssembly.ModuleImports = {},
): Promise<KernelExports> {
  const loader = await import("@assemblyscript/loader");
  const imports = { env: { ...env, memory } };
  // `loader.instantiate` asks whether it was given a Response, for which Node loads its HTTP client, some 70 ms. A page
  // must not wait for an instance.
  const inPage = "document" in globalThis;
  const { instance } = await (inPage ? loader.instantiate(module, imports) : loader.instantiateSync(module, imports));
  return instance.exports as unknown as KernelExports;
}
