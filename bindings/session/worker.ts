/**
 * What every thread but the caller's runs: an instance of the same kernels over the shared memory, until it is told to end.
 * A script of its own that imports nothing and waits for nothing while it loads, so that every bundler takes it as it is.
 */
import { builtin, isNode } from "./engine.ts";
import { controlOf, type Job, type ThreadsExports, threadsImports } from "./threadsControl.ts";

function serve({ module, loop, memory, control, steps, thread }: Job): void {
  const state = controlOf(memory, control);
  try {
    const { run } = new WebAssembly.Instance(module, { env: { memory } }).exports;
    const { exports } = new WebAssembly.Instance(loop, { env: threadsImports(memory, run as CallableFunction) });
    state.enter(thread);
    (exports as unknown as ThreadsExports).follow(control, steps);
  } catch (cause) {
    state.fail(cause);
  }
}

if (isNode()) builtin("worker_threads").then(({ workerData }) => serve(workerData as Job));
else
  addEventListener(
    "message",
    ({ data }: MessageEvent<Job>) => {
      serve(data);
      close();
    },
    { once: true },
  );
