import { MODULES } from "../primitives/modules.ts";

/** Says where a file of `wasm/` is, by its name, for example `simd.wasm`. */
export type WasmUrl = (file: string) => URL | string;

/**
 * Where the package's own file is; throws where it does not know where it is itself, as in some bundles. Literal URLs, so that bundlers
 * find the files and take them along; in statements, because @vercel/nft, by which Next, Nitro and others copy what a server needs,
 * finds none that an arrow function gives as it is.
 */
export const packageFile: WasmUrl = (file) => {
  switch (file) {
    case "scalar.wasm":
      return new URL("../../wasm/scalar.wasm", import.meta.url);
    case "scalar.full.wasm":
      return new URL("../../wasm/scalar.full.wasm", import.meta.url);
    case "simd.wasm":
      return new URL("../../wasm/simd.wasm", import.meta.url);
    case "simd.full.wasm":
      return new URL("../../wasm/simd.full.wasm", import.meta.url);
    case "relaxed.wasm":
      return new URL("../../wasm/relaxed.wasm", import.meta.url);
    case "relaxed.full.wasm":
      return new URL("../../wasm/relaxed.full.wasm", import.meta.url);
    case "threads.wasm":
      return new URL("../../wasm/threads.wasm", import.meta.url);
    default:
      throw new Error(`${file} is not in the package`);
  }
};

/** The names of all of them. */
export const packageFiles = (): readonly string[] => [
  ...MODULES.flatMap((name) => [`${name}.wasm`, `${name}.full.wasm`]),
  "threads.wasm",
];
