/** Operators that the user brings: found by name when a session opens, run between two stretches of steps. */
import { ensure, Pint8Error, textOf } from "../errors.ts";
import type { Plan } from "../plan/types.ts";
import type { TypedArray } from "../tensor.ts";
import { bindPort } from "./ports.ts";

/** What a user's operator does: reads views of its inputs and fills views of its outputs. */
export type CustomRun = (inputs: readonly TypedArray[], outputs: readonly TypedArray[], options: Uint8Array) => void;

/** The part of a user's operator that a session needs. */
export interface CustomRunner {
  readonly run: CustomRun;
}

/** A user's operator bound to its tensors. */
export interface Host {
  /** The step before which it runs. */
  readonly step: number;
  run(): void;
}

/**
 * The operators of a plan, bound to a memory.
 *
 * Errors: INVALID_OPTION where one was not given.
 */
export function bindHosts(
  { hosts }: Plan,
  memory: ArrayBufferLike,
  given: Readonly<Record<string, CustomRunner>>,
): readonly Host[] {
  return hosts.map(({ step, name, options, inputs, outputs }) => {
    const run = Object.hasOwn(given, name) ? given[name]?.run : undefined;
    ensure(typeof run === "function", "INVALID_OPTION", () => ({
      where: "option customOperators",
      expected: `"${name}" with a function run, which the model needs`,
      received: typeof run,
    }));
    const views = [inputs, outputs].map((ports) => ports.map((port) => bindPort(port, memory).view));
    const bytes = Uint8Array.from(options);
    return {
      step,
      run() {
        try {
          run(views[0] as TypedArray[], views[1] as TypedArray[], bytes);
        } catch (cause) {
          if (cause instanceof Pint8Error) throw cause;
          const received = textOf(cause);
          throw new Pint8Error(
            "INVALID_OPTION",
            { where: `customOperators "${name}"`, expected: "run to end without an error", received },
            { cause },
          );
        }
      },
    };
  });
}
