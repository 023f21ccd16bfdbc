import type { WasmUrl } from "../session/files.ts";

/** Literal URLs, so that bundlers find the files and take them along; not among the engine's own, which every program gets. */
const URLS: { readonly [file: string]: () => URL } = {
  "simd.train.wasm": () => new URL("../../wasm/simd.train.wasm", import.meta.url),
  "simd.train.threads.wasm": () => new URL("../../wasm/simd.train.threads.wasm", import.meta.url),
};

/** Where the kernels of training are. */
export const trainFile: WasmUrl = (file) => {
  const url = URLS[file];
  if (url === undefined) throw new Error(`${file} is no module of training`);
  return url();
};
