import type { Job } from "./threads-control.ts";

/** Starts a thread of `worker.ts`; what is returned ends it. */
export type StartThread = (job: Job, onError: (cause: unknown) => void) => () => void;

/** Node, Deno and Bun. */
export const hasWorkerThreads = () => typeof process !== "undefined" && typeof process.versions?.node === "string";

/** How threads start here; undefined where there are none, as in edge workers. */
export async function threadStarter(): Promise<StartThread | undefined> {
  if (hasWorkerThreads()) return startWorkerThread(await workerThreads());
  return typeof Worker === "undefined" ? undefined : startWebWorker;
}

/** A variable, so that bundlers for the browser leave it alone. */
export function workerThreads(): Promise<typeof import("node:worker_threads")> {
  const module = "node:worker_threads";
  return import(/* @vite-ignore */ /* webpackIgnore: true */ module);
}

/** A worker thread that does not keep its process alive. */
function startWorkerThread({ Worker }: typeof import("node:worker_threads")): StartThread {
  return (job, onError) => {
    const worker = new Worker(workerFile(), { workerData: job, execArgv: [] });
    worker.on("error", onError);
    worker.unref();
    return () => void worker.terminate();
  };
}

/** Beside the bundles; the sources, as tests run them, use the bundles' worker, because loaders of TypeScript do not reach workers. */
const workerFile = () =>
  new URL(import.meta.url.endsWith(".ts") ? "../../dist/lib/worker.js" : "./worker.js", import.meta.url);

/** Bundlers find the worker's file by this very expression. */
const startWebWorker: StartThread = (job, onError) => {
  const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "pint8" });
  worker.addEventListener("error", (event) => {
    event.preventDefault();
    onError(event.message ?? "its script could not be loaded");
  });
  worker.postMessage(job);
  return () => worker.terminate();
};
