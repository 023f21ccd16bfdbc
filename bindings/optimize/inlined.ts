/** What the package has in the place of `files.ts`: the kernels of training inside the script, which the builder makes deflated bytes as letters. */
import simd from "../../wasm/simd.train.wasm";
import { packageFile, type WasmUrl } from "../session/files.ts";
import { urlOf } from "../session/letters.ts";

let url: string | undefined;

export const trainFile: WasmUrl = (file) => {
  if (file !== "simd.train.wasm") return packageFile(file);
  url ??= urlOf(simd);
  return url;
};
