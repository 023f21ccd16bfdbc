import { builtin, isNode } from "./engine.ts";
import type { Job } from "./threadsControl.ts";

/** Starts a thread of `worker.ts`; what is returned ends it. `onEnd` is told once where it ends in any other way. Throws where that is forbidden. */
export type StartThread = (job: Job, onEnd: (cause: unknown) => void) => () => void;

/** How threads start here. */
export async function threadStarter(): Promise<StartThread> {
  return isNode() ? startWorkerThread(await builtin("worker_threads")) : startWebWorker;
}

/** A worker thread that does not keep its process alive. */
function startWorkerThread({ Worker }: typeof import("node:worker_threads")): StartThread {
  return (job, onEnd) => {
    const worker = new Worker(workerFile(), { workerData: job, execArgv: [] });
    let tell = onEnd;
    const end = (cause: unknown) => {
      tell(cause);
      tell = () => {};
    };
    worker.on("error", end);
    worker.on("exit", (code) => end(`it was ended from outside, with code ${code}`));
    worker.unref();
    return () => {
      tell = () => {};
      void worker.terminate();
    };
  };
}

/** Beside the bundles; the sources, as tests run them, use the bundles' worker, because loaders of TypeScript do not reach workers. */
function workerFile(): URL {
  // Not in one expression: bundlers would look for all files that it can mean.
  const here = import.meta.url;
  return new URL(here.endsWith(".ts") ? "../../dist/lib/worker.js" : "./worker.js", here);
}

/** Bundlers find the worker's file by this very expression. */
const startWebWorker: StartThread = (job, onEnd) => {
  const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "pint8-thread" });
  worker.addEventListener("error", (event) => {
    event.preventDefault();
    onEnd(event.message ?? "its script could not be loaded");
  });
  worker.postMessage(job);
  return () => worker.terminate();
};
