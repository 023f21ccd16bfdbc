/**
 * The same API off the page's thread: `pint8/worker`. A model is planned and run in a worker of its own, so that a page stays
 * responsive; calls are promises.
 *
 * ```ts
 * import { loadModel } from "pint8/worker";
 *
 * const model = await loadModel("digits.tflite");
 * const out = await model.run([new Float32Array(784)]);
 * model.close();
 * ```
 *
 * @module
 */

import { inFile } from "../errors.ts";
import type { LoadOptions } from "../load.ts";
import type { RemoteOptions } from "../remote/messages.ts";
import { RemoteSession } from "../remote/session.ts";
import { packageFiles } from "../session/files.ts";
import { checkOptions } from "../session/options.ts";
import { nameOf, readSource, type Source } from "../session/source.ts";
import type { AnyModel, ModelTypes } from "../values/types.ts";

export { type ErrorCode, type ErrorDetail, Pint8Error } from "../errors.ts";
export type { LoadOptions } from "../load.ts";
export { RemoteSession } from "../remote/session.ts";
export type { Progress, ReadOptions, Source } from "../session/source.ts";
export { type ImageOptions, imageInput } from "../values/image.ts";
export * from "../values/index.ts";

/**
 * Loads a model in a new worker; options and errors are those of `pint8`'s `loadModel`, and WORKER where there is none to be
 * had or it ends.
 */
export function loadModel<M extends ModelTypes = AnyModel>(
  source: Source,
  options: LoadOptions = {},
): Promise<RemoteSession<M>> {
  return inFile(nameOf(source), () => load<M>(source, options));
}

async function load<M extends ModelTypes>(source: Source, options: LoadOptions): Promise<RemoteSession<M>> {
  // Their names are checked by the worker, which has the list.
  const given = Object.keys(Object(options)).map((name) => [name, true] as const);
  checkOptions("loadModel", options, Object.fromEntries(given));
  const { onWarning = console.warn, onProgress, signal, wasmUrl, ...rest } = options;
  const reading = { ...(onProgress && { onProgress }), ...(signal && { signal }) };
  const bytes = await readSource(source, reading);
  const places = wasmUrl && packageFiles().map((file) => [file, absolute(wasmUrl(file))] as const);
  const remote: RemoteOptions = { options: rest, ...(places && { files: Object.fromEntries(places) }) };
  return RemoteSession.open<M>({ call: "load", bytes, ...remote }, onWarning);
}

/** As the page sees it: a worker's relative URLs are others. */
function absolute(url: URL | string): string {
  return typeof document === "undefined" ? String(url) : new URL(url, document.baseURI).href;
}
