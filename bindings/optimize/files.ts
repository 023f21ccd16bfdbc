import { packageFile, type WasmUrl } from "../session/files.ts";

/** Literal URLs, so that bundlers find the files and take them along; not among the engine's own, which every program gets. */
const URLS: { readonly [file: string]: () => URL } = {
  "simd.train.wasm": () => new URL("../../wasm/simd.train.wasm", import.meta.url),
};

/** Where the kernels of training are, and the files that come with any kernels. */
export const trainFile: WasmUrl = (file) => URLS[file]?.() ?? packageFile(file);
