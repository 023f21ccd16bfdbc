/** The wasm files inside the scripts: the builder makes these imports deflated bytes in base64. */
import { inflateSync } from "fflate";
import packer from "../../wasm/packer.wasm";
import relaxed from "../../wasm/relaxed.full.wasm";
import scalar from "../../wasm/scalar.full.wasm";
import simd from "../../wasm/simd.full.wasm";
import type { WasmUrl } from "./files.ts";

const FILES: { readonly [name: string]: string } = { packer, scalar, simd, relaxed };
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

function urlOf(deflated: string): string {
  const bytes = inflateSync(Uint8Array.from(atob(deflated), (letter) => letter.charCodeAt(0)));
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return `data:application/wasm;base64,${btoa(text)}`;
}
