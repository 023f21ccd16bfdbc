/** The wasm files inside the scripts: the builder makes these imports deflated bytes as letters, two for 13 bits. */
import relaxed from "../../wasm/relaxed.full.wasm";
import scalar from "../../wasm/scalar.full.wasm";
import simd from "../../wasm/simd.full.wasm";
import type { WasmUrl } from "./files.ts";
import { urlOf } from "./letters.ts";

const FILES: { readonly [name: string]: string } = { scalar, simd, relaxed };
/** Data URLs of those that were asked for. */
const urls = new Map<string, string>();

/** The full edition, whichever was asked for; there are no threads. */
export const inlineFile: WasmUrl = (file) => {
  const [name = ""] = file.split(".");
  const deflated = FILES[name];
  if (deflated === undefined) throw new Error(`pint8/inline has no ${file}`);
  const url = urls.get(name) ?? urlOf(deflated);
  urls.set(name, url);
  return url;
};
