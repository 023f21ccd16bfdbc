/** Says where a file of `wasm/` is, by its name, for example `simd.wasm`. */
export type WasmUrl = (file: string) => URL | string;

/** Literal URLs, so that bundlers find the files and take them along. */
const URLS: { readonly [file: string]: () => URL } = {
  "scalar.wasm": () => new URL("../../wasm/scalar.wasm", import.meta.url),
  "scalar.full.wasm": () => new URL("../../wasm/scalar.full.wasm", import.meta.url),
  "simd.wasm": () => new URL("../../wasm/simd.wasm", import.meta.url),
  "simd.full.wasm": () => new URL("../../wasm/simd.full.wasm", import.meta.url),
  "relaxed.wasm": () => new URL("../../wasm/relaxed.wasm", import.meta.url),
  "relaxed.full.wasm": () => new URL("../../wasm/relaxed.full.wasm", import.meta.url),
  "threads.wasm": () => new URL("../../wasm/threads.wasm", import.meta.url),
};

/** Where the package's own file is; throws where it does not know where it is itself, as in some bundles. */
export const packageFile: WasmUrl = (file) => {
  const url = URLS[file];
  if (url === undefined) throw new Error(`${file} is not in the package`);
  return url();
};

/** The names of all of them. */
export const packageFiles = (): readonly string[] => Object.keys(URLS);
