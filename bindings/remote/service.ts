/** What the worker of `pint8/worker` runs: one model, asked by messages. A script of its own, as `worker.ts` is. */
import { importModel } from "../formats/index.ts";
import { loadBy } from "../load.ts";
import { operators } from "../ops/index.ts";
import { provide } from "../ops/later.ts";
import { builtin, isNode } from "../session/engine.ts";
import type { Session } from "../session/session.ts";
import { type Loaded, type Reply, type Request, refusalOf, type Values } from "./messages.ts";

provide(operators);

type Post = (reply: Reply, transfer: ArrayBuffer[]) => void;

/** Answers requests one after the other. */
function service(post: Post): (request: Request) => Promise<void> {
  let session: Session | undefined;
  const load = async ({ bytes, options, files }: Extract<Request, { call: "load" }>): Promise<Loaded> => {
    session = await loadBy(importModel, bytes, {
      ...options,
      onWarning: (message) => post({ kind: "warning", message }, []),
      ...(files === undefined ? {} : { wasmUrl: (file) => files[file] ?? file }),
    });
    const { inputs, outputs, module, steps, memoryBytes, threads } = session;
    return { inputs, outputs, module, steps, memoryBytes, threads };
  };
  const answer = async (request: Request): Promise<unknown> => {
    if (request.call === "load") return load(request);
    if (session === undefined) throw new Error("no model is loaded");
    if (request.call === "run") return session.run(request.inputs as never);
    if (request.call === "profile") return session.profile(request.inputs as never);
    return session.reset();
  };
  return async (request) => {
    try {
      const value = await answer(request);
      const buffers = request.call === "run" ? Object.values(value as Values).map(({ buffer }) => buffer) : [];
      post({ kind: "answer", value, threads: session?.threads ?? 1 }, buffers as ArrayBuffer[]);
    } catch (cause) {
      post({ kind: "refusal", refusal: refusalOf(cause) }, []);
    }
  };
}

if (isNode())
  builtin("worker_threads").then(({ parentPort }) => {
    const serve = service((reply, transfer) => parentPort?.postMessage(reply, transfer));
    parentPort?.on("message", (request: Request) => void serve(request));
  });
else {
  const scope = globalThis as unknown as Worker;
  const serve = service((reply, transfer) => scope.postMessage(reply, transfer));
  scope.addEventListener("message", ({ data }: MessageEvent<Request>) => void serve(data));
}
