import { packageFile, type WasmUrl } from "../session/files.ts";

/** Where the kernels of training are, and the files that come with any kernels; the package has `inlined.ts` in the place of this. */
export const trainFile: WasmUrl = (file) =>
  file === "simd.train.wasm" ? new URL("../../wasm/simd.train.wasm", import.meta.url) : packageFile(file);
