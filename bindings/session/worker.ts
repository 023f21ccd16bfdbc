/** What every thread but the caller's runs: an instance of the same kernels over the shared memory, until it is told to end. */
import { controlOf, type Job, type ThreadsExports, threadsImports } from "./threads-control.ts";
import { hasWorkerThreads, workerThreads } from "./threads-host.ts";

function serve({ module, memory, control, thread }: Job): void {
  const state = controlOf(memory, control);
  try {
    const { exports } = new WebAssembly.Instance(module, threadsImports(memory));
    state.enter(thread);
    (exports as unknown as ThreadsExports).follow(control);
  } catch (cause) {
    state.fail(cause);
  }
}

if (hasWorkerThreads()) serve((await workerThreads()).workerData as Job);
else
  addEventListener(
    "message",
    ({ data }: MessageEvent<Job>) => {
      serve(data);
      close();
    },
    { once: true },
  );
