/** In place of `files.ts` in the bundle of `pint8/inline`: the builder makes these imports data URLs. */
import packer from "../../wasm/packer.wasm";
import relaxed from "../../wasm/relaxed.full.wasm";
import scalar from "../../wasm/scalar.full.wasm";
import simd from "../../wasm/simd.full.wasm";
import type { WasmUrl } from "./files.ts";

const FILES: { readonly [name: string]: string } = { packer, scalar, simd, relaxed };

/** The full edition, whichever was asked for; there are no threads. */
export const packageFile: WasmUrl = (file) => {
  const [name = ""] = file.split(".");
  const url = file.includes(".threads") ? undefined : FILES[name];
  if (url === undefined) throw new Error(`pint8/inline has no ${file}`);
  return url;
};

export const packageFiles = (): readonly string[] => [];
