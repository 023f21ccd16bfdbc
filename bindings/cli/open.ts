import { loadModel } from "../public/index.ts";
import type { Session } from "../session/session.ts";
import { readExternalData, readModelBytes } from "./files.ts";
import type { EngineOptions } from "./options.ts";
import type { Streams } from "./streams.ts";

/** Opens a model or a saved plan; warnings go to standard error. */
export async function open(
  path: string,
  { module, threads, shape: shapes, memory, batch }: EngineOptions,
  { err }: Streams,
): Promise<Session> {
  const options = {
    ...(threads === undefined ? {} : { threads }),
    ...(shapes === undefined ? {} : { shapes }),
    ...(memory === undefined ? {} : { memory }),
    ...(batch === undefined ? {} : { batch }),
  };
  const bytes = await readModelBytes(path);
  return loadModel(bytes, {
    ...options,
    externalData: readExternalData(path, bytes),
    module,
    onWarning: (message) => err(`warning: ${message}`),
  });
}
