import type { WasmModule } from "../primitives/modules.ts";
import type { WasmUrl } from "./files.ts";
import type { OptionNames } from "./options.ts";
import type { SessionOptions } from "./session.ts";
import type { ReadOptions } from "./source.ts";

/** How a saved plan is run. A plan is bound to one module, so there is none to choose. */
export interface LoadPlanOptions extends SessionOptions, ReadOptions {
  /** The module, compiled elsewhere: for workers that must import it statically. What it is stands in it. */
  readonly wasm?: WasmModule;
  /**
   * Where the package's wasm files are, by their names: for bundlers that leave them behind, and for files on another host.
   * Without it they are looked for beside the package's scripts, in `../../wasm/`.
   */
  readonly wasmUrl?: WasmUrl;
}

export const PLAN_OPTIONS: OptionNames<LoadPlanOptions> = {
  threads: true,
  customOperators: true,
  onWarning: true,
  signal: true,
  onProgress: true,
  wasm: true,
  wasmUrl: true,
};
