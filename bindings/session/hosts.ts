/** Operators that the user brings: found by name when a session opens, run between two stretches of steps. */
import { type ErrorCode, type ErrorDetail, ensure, Pint8Error, textOf } from "../errors.ts";
import type { Plan, PlanStep } from "../plan/types.ts";
import { AT_MOST, type TypedArray } from "../tensor.ts";
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
 * The operators of a plan, bound to a memory; behind the last step what asks whether data wanted more of anything than there is room
 * for, where that can be: a step keeps the greatest of each number that has a bound, and begins with the bound.
 *
 * Errors: INVALID_OPTION where one was not given.
 */
export function bindHosts(
  { hosts, steps, bodies }: Plan,
  memory: ArrayBufferLike,
  given: Readonly<Record<string, CustomRunner>>,
): readonly Host[] {
  const bound = hosts.map(({ step, name, options, inputs, outputs }) => {
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
  const kept = [...steps, ...bodies.flatMap((body) => body.steps)].filter(({ note }) => note.startsWith(AT_MOST));
  if (kept.length > 0) bound.push({ step: steps.length, run: () => checkBounds(kept, new Int32Array(memory)) });
  return bound;
}

/** An error where one of the numbers was more than its bound; all begin with it again. */
function checkBounds(kept: readonly PlanStep[], words: Int32Array): void {
  let over: [ErrorCode, ErrorDetail] | undefined;
  for (const { where, note: expected, params } of kept) {
    const at = (words[params / 4 + 2] as number) / 4;
    const most = +expected.slice(AT_MOST.length);
    const received = `${words[at]}`;
    if (+received > most)
      over = [
        most ? "OUT_OF_MEMORY" : "INVALID_INPUT",
        { where, expected, received, hint: "Constants have no bound." },
      ];
    words[at] = most;
  }
  if (over) throw new Pint8Error(...over);
}
