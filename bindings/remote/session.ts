import { ensure, Pint8Error, textOf } from "../errors.ts";
import type { PlanStep } from "../plan/types.ts";
import type { ModuleName } from "../primitives/modules.ts";
import type { AnyModel, Inputs, ModelTypes, Outputs } from "../values/types.ts";
import { type Service, startService } from "./host.ts";
import { errorOf, type Loaded, type Request } from "./messages.ts";

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (cause: unknown) => void;
}

/** A model that runs in a worker of its own: a session whose calls are promises. Calls are answered in their order. */
export class RemoteSession<M extends ModelTypes = AnyModel> {
  readonly inputs: M["inputs"];
  readonly outputs: M["outputs"];
  /** The kernels that run it. */
  readonly module: ModuleName;
  /** The kernel calls of one run, in order. */
  readonly steps: readonly PlanStep[];
  /** Bytes of linear memory. */
  readonly memoryBytes: number;

  readonly #line: Line;

  private constructor(line: Line, { inputs, outputs, module, steps, memoryBytes }: Loaded) {
    this.#line = line;
    this.inputs = inputs as M["inputs"];
    this.outputs = outputs as M["outputs"];
    this.module = module;
    this.steps = steps;
    this.memoryBytes = memoryBytes;
  }

  /** Loads a model in a new worker. */
  static async open<M extends ModelTypes = AnyModel>(
    request: Request,
    onWarning: (message: string) => void,
  ): Promise<RemoteSession<M>> {
    const line = await connect(onWarning);
    try {
      // Not by its name: bundlers rename a class that says it to _RemoteSession.
      return new this<M>(line, (await line.ask(request)) as Loaded);
    } catch (cause) {
      line.close("closed");
      throw cause;
    }
  }

  /** Threads that took part in the last run. */
  get threads(): number {
    return this.#line.threads();
  }

  /** One inference, as `Session.run`; always copies. */
  run(inputs: Inputs<M>): Promise<Outputs<M>> {
    return this.#line.ask({ call: "run", inputs }) as Promise<Outputs<M>>;
  }

  /** One inference step by step: the milliseconds of each entry of `steps`. */
  profile(inputs?: Inputs<M>): Promise<Float64Array> {
    return this.#line.ask({ call: "profile", inputs }) as Promise<Float64Array>;
  }

  /** Puts the state that lives from run to run back to its start. */
  async reset(): Promise<void> {
    await this.#line.ask({ call: "reset" });
  }

  /** Ends the worker; what it has not answered is an error. Closing twice is fine. */
  close(): void {
    this.#line.close("closed");
  }
}

/** A worker that can be asked. */
interface Line {
  ask(request: Request): Promise<unknown>;
  threads(): number;
  close(why: string): void;
}

async function connect(onWarning: (message: string) => void): Promise<Line> {
  const waiting: Waiting[] = [];
  let ended: Pint8Error | undefined;
  let threads = 1;
  let service: Service | undefined;
  const end = (error: Pint8Error) => {
    if (ended !== undefined) return;
    ended = error;
    service?.close();
    for (const { reject } of waiting.splice(0)) reject(error);
  };
  const fail = (cause: unknown) => end(failure(cause));
  try {
    service = await startService((reply) => {
      if (reply.kind === "warning") return onWarning(reply.message);
      const { resolve, reject } = waiting.shift() as Waiting;
      if (reply.kind === "refusal") return reject(errorOf(reply.refusal));
      threads = reply.threads;
      resolve(reply.value);
    }, fail);
  } catch (cause) {
    throw failure(cause);
  }
  const { post } = service;
  return {
    threads: () => threads,
    ask: (request) =>
      new Promise((resolve, reject) => {
        ensure(ended === undefined, ended?.code ?? "CLOSED", () => ended as Pint8Error);
        try {
          post(request);
        } catch (cause) {
          throw unsendable(request, cause);
        }
        waiting.push({ resolve, reject });
      }),
    close: () => end(new Pint8Error("CLOSED", { where: "model", expected: "an open model", received: "a closed one" })),
  };
}

/** Functions stay where they are: those of options that the page itself calls were taken out before. */
function unsendable({ call }: Request, cause: unknown): Pint8Error {
  const [code, where, what] =
    call === "load"
      ? (["INVALID_OPTION", "loadModel", "options"] as const)
      : (["INVALID_INPUT", "inputs", "arrays"] as const);
  const hint = 'Operators of your own run with loadModel of "pint8".';
  return new Pint8Error(
    code,
    { where, expected: `${what} that can be sent to a worker`, received: textOf(cause), hint },
    { cause },
  );
}

function failure(cause: unknown): Pint8Error {
  const received = textOf(cause);
  const hint = 'Use loadModel of "pint8" where there are no workers.';
  return new Pint8Error("WORKER", { where: "worker", expected: "a worker that runs", received, hint }, { cause });
}
