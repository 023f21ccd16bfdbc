import { planner as inJavaScript, type Planner, type PlannerExports, wasmPlanner } from "../kernels/planner.ts";
import { readSource } from "./source.ts";

const URL_OF_WASM = () => new URL("../../wasm/planner.wasm", import.meta.url);

/**
 * Whatever makes plans fastest here: planner.wasm, or JavaScript where the engine has no SIMD, compiles nothing while it
 * runs, or the file is not at hand. Plans are the same.
 */
export async function loadPlanner(): Promise<Planner> {
  try {
    const { instance } = await WebAssembly.instantiate((await readSource(URL_OF_WASM())) as BufferSource);
    return wasmPlanner(instance.exports as unknown as PlannerExports);
  } catch {
    return inJavaScript;
  }
}
