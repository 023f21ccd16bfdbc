/** Runs graphs on the engine's own kernels, with a look at tensors in the middle. */
import type { Graph, TensorId } from "../graph.ts";
import type { PassOptions } from "../passes/index.ts";
import { type KernelModule, loadModule } from "../session/modules.ts";
import type { Session } from "../session/session.ts";
import type { TypedArray } from "../tensor.ts";
import type { NumberArray, TensorInfo } from "../values/types.ts";
import { openGraph } from "./tap.ts";

export interface RunnerOptions {
  /** Tensors whose values are wanted besides the graph's outputs; constants cannot be. */
  readonly taps?: readonly TensorId[];
  /** The kernels, in the full edition; the fastest that this engine runs when absent. */
  readonly kernels?: KernelModule;
  /** Passes before it is planned; without taps all when absent, with taps none, so that every tensor keeps its value. */
  readonly passes?: PassOptions["only"];
}

/** A graph that is ready to run, one example at a time. */
export interface Runner {
  readonly inputs: readonly TensorInfo[];
  /** The graph's outputs, then the taps. */
  readonly outputs: readonly TensorInfo[];
  /**
   * One example: integers in the tensor's type, or real numbers, which are quantized. Returns outputs and taps as views that the
   * next run overwrites.
   */
  run(inputs: readonly (TypedArray | NumberArray)[]): readonly TypedArray[];
  /** Puts the state that lives from run to run back to its start. */
  reset(): void;
  close(): void;
  /** The session behind it. */
  readonly session: Session;
}

let kernelsOnce: Promise<KernelModule> | undefined;

/** The full edition of the fastest kernels, loaded once. */
export function engineKernels(): Promise<KernelModule> {
  kernelsOnce ??= loadModule("auto", undefined, "full");
  kernelsOnce.catch(() => {
    kernelsOnce = undefined;
  });
  return kernelsOnce;
}

/**
 * Plans and opens a graph as `importModel` gives it or as passes left it.
 *
 * Errors: those of `openGraph`.
 */
export async function openRunner(graph: Graph, options: RunnerOptions = {}): Promise<Runner> {
  const { taps = [], passes = taps.length > 0 ? "none" : "all" } = options;
  const kernels = options.kernels ?? (await engineKernels());
  const outputs = [...graph.outputs, ...taps.map((tensor, i) => ({ name: `tap ${i}`, tensor }))];
  const session = await openGraph({ ...graph, outputs }, { kernels, passes });
  const names = session.outputs.map(({ name }) => name);
  const views = { outputs: "views" } as const;
  return {
    inputs: session.inputs,
    outputs: session.outputs,
    session,
    run(inputs) {
      const result = session.run(inputs as never, views) as { readonly [name: string]: TypedArray };
      return names.map((name) => result[name] as TypedArray);
    },
    reset: () => session.reset(),
    close: () => session.close(),
  };
}
