import { inFile } from "../errors.ts";
import type { Graph } from "../graph.ts";
import { importModel, loadModel } from "../public/index.ts";
import type { Session } from "../session/session.ts";
import { isLoadable, readExternalData, readModelBytes, spokenName } from "./files.ts";
import { type EngineOptions, type ReadingOptions, readingOf } from "./options.ts";
import type { Streams } from "./streams.ts";

/** Opens a model or a saved plan; warnings go to standard error. */
export async function open(
  path: string,
  { module, threads, memory, ...reading }: EngineOptions,
  { err }: Streams,
): Promise<Session> {
  const options = {
    module,
    onWarning: (message: string) => err(`warning: ${message}`),
    ...(threads === undefined ? {} : { threads }),
    ...(memory === undefined ? {} : { memory }),
    ...readingOf(reading),
  };
  if (isLoadable(path)) return loadModel(path, options);
  const bytes = await readModelBytes(path);
  return loadModel(bytes, { ...options, externalData: readExternalData(path, bytes) });
}

/**
 * The graph of a model and the bytes that it was read from, with tensors from beside it; what is wrong with it names the file. What is read
 * may depend on the bytes.
 */
export async function readGraph(
  path: string,
  reading: (bytes: Uint8Array) => ReadingOptions = () => ({}),
): Promise<{ readonly bytes: Uint8Array; readonly graph: Graph }> {
  const bytes = await readModelBytes(path);
  return inFile(spokenName(path), async () => ({
    bytes,
    graph: importModel(bytes, { ...readingOf(reading(bytes)), externalData: readExternalData(path, bytes) }),
  }));
}
