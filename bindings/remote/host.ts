import { builtin, isNode } from "../session/engine.ts";
import type { Reply, Request } from "./messages.ts";

/** A worker that runs `service.ts`. */
export interface Service {
  post(request: Request): void;
  close(): void;
}

/** Starts the worker. Throws where there are none. */
export async function startService(
  onReply: (reply: Reply) => void,
  onFailure: (cause: unknown) => void,
): Promise<Service> {
  if (isNode()) return startWorkerThread(await builtin("worker_threads"), onReply, onFailure);
  // Bundlers find the worker's file by this very expression.
  const worker = new Worker(new URL("./service.js", import.meta.url), { type: "module", name: "pint8-model" });
  worker.addEventListener("message", ({ data }: MessageEvent<Reply>) => onReply(data));
  worker.addEventListener("error", (event) => {
    event.preventDefault();
    onFailure(event.message ?? "its script could not be loaded");
  });
  return { post: (request) => worker.postMessage(request), close: () => worker.terminate() };
}

function startWorkerThread(
  { Worker }: typeof import("node:worker_threads"),
  onReply: (reply: Reply) => void,
  onFailure: (cause: unknown) => void,
): Service {
  // Not in one expression: bundlers would look for all files that it can mean.
  const here = import.meta.url;
  const file = here.endsWith(".ts") ? "../../dist/lib/service.js" : "./service.js";
  const worker = new Worker(new URL(file, here), { execArgv: [] });
  worker.on("message", onReply);
  worker.on("error", onFailure);
  worker.on("exit", () => onFailure("its worker has ended"));
  return { post: (request) => worker.postMessage(request), close: () => void worker.terminate() };
}
