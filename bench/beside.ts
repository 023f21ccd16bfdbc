/**
 * A second session of a model in a worker, which runs whenever it is asked to: what two cores give to two programs that have
 * nothing to do with each other is the most that two threads of one program can be.
 */
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { noise } from "../bindings/cli/commands/bench.ts";
import { loadModel, type ModuleName } from "../bindings/public/index.ts";

interface Work {
  readonly bytes: Uint8Array;
  readonly module: ModuleName;
  /** How many runs were asked for, and how many are done. */
  readonly counts: Int32Array;
}

/** Starts runs beside the caller's own: `begin` asks for one, `end` waits for it. */
export interface Beside {
  begin(): void;
  end(): void;
  close(): Promise<number>;
}

/** Reads this file: workers of Node 20 take no TypeScript by themselves. */
const PROGRAM = `import(${JSON.stringify(import.meta.resolve("tsx/esm/api"))}).then((tsx) => {
  tsx.register();
  return import(${JSON.stringify(import.meta.url)});
});`;

/** A session beside this thread, once it can run. */
export async function besideOf(bytes: Uint8Array, module: ModuleName): Promise<Beside> {
  const counts = new Int32Array(new SharedArrayBuffer(8));
  const workerData: Work = { bytes, module, counts };
  const worker = new Worker(PROGRAM, { eval: true, workerData });
  await new Promise((ready, failed) => worker.once("message", ready).once("error", failed));
  return {
    begin: () => {
      Atomics.add(counts, 0, 1);
      Atomics.notify(counts, 0);
    },
    end: () => {
      while (Atomics.load(counts, 1) !== Atomics.load(counts, 0));
    },
    close: () => worker.terminate(),
  };
}

if (!isMainThread) {
  const { bytes, module, counts } = workerData as Work;
  const session = await loadModel(bytes, { module });
  const inputs = noise(session.inputs);
  parentPort?.postMessage("ready");
  for (let done = 0; ; done++) {
    // Awake between runs that follow each other at once, and out of the way of what is measured next.
    for (let spins = 0; spins < 20_000 && Atomics.load(counts, 0) === done; spins++);
    Atomics.wait(counts, 0, done);
    session.run(inputs);
    Atomics.store(counts, 1, done + 1);
  }
}
