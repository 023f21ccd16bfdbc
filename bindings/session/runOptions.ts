import { ensure, kindOf } from "../errors.ts";
import { checkOptions, type OptionNames } from "./options.ts";

/** How one inference is run. */
export interface RunOptions {
  /** Copies, the default, or views of the model's memory: nothing is allocated for them, and the next run overwrites them. */
  readonly outputs?: "copies" | "views";
}

/** What a run takes that is told nothing. */
export const DEFAULT_RUN: RunOptions = {};

const RUN_OPTIONS: OptionNames<RunOptions> = { outputs: true };

/**
 * Whether views are asked for.
 *
 * Errors: INVALID_OPTION.
 */
export function asksViews(options: RunOptions): boolean {
  if (options === null || typeof options !== "object") checkOptions("run", options, RUN_OPTIONS);
  for (const name in options) if (name !== "outputs") checkOptions("run", options, RUN_OPTIONS);
  const { outputs = "copies" } = options;
  ensure(outputs === "copies" || outputs === "views", "INVALID_OPTION", () => ({
    where: "outputs",
    expected: '"copies" or "views"',
    received: kindOf(outputs),
  }));
  return outputs === "views";
}
