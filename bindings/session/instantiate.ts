/** What a module exports, besides every kernel by its name. */
export interface KernelExports {
  /** Runs `count` entries of the step table at `steps`, share `part` of `parts`. */
  run(steps: number, count: number, part: number, parts: number): void;
  /** 0: no relaxed dot product; 1: its second operand is unsigned; 2: signed; −1: it is not exact here. */
  dotProduct(): number;
}

/** The kernels over a memory. */
export async function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Promise<KernelExports> {
  return instanceOf<KernelExports>(module, { memory });
}

/** The exports of a module that imports `env` alone. A page must not wait for an instance; elsewhere that is the fastest. */
export async function instanceOf<Exports>(
  module: WebAssembly.Module,
  env: WebAssembly.ModuleImports,
): Promise<Exports> {
  const imports = { env };
  const inPage = "document" in globalThis;
  const instance = inPage ? await WebAssembly.instantiate(module, imports) : new WebAssembly.Instance(module, imports);
  return instance.exports as unknown as Exports;
}
