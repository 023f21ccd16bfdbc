/** Operators that run on the host and are pint8's own; who runs a model without them never loads their code. */
import { Pint8Error, textOf } from "../errors.ts";
import type { Plan } from "../plan/types.ts";
import type { CustomRunner } from "./hosts.ts";

const OWN: { readonly [name: string]: (() => Promise<CustomRunner>) | undefined } = {
  PosenetDecoderOp: () => import("./poses.ts"),
  Audio: () => import("./audio.ts"),
};

/**
 * The user's operators, and of pint8's own those that the plan needs and the user has not given.
 *
 * Errors: IO where a script cannot be loaded, as in service workers.
 */
export async function withOwnHosts(
  { hosts }: Plan,
  given: Readonly<Record<string, CustomRunner>> = {},
): Promise<Readonly<Record<string, CustomRunner>>> {
  const all = { ...given };
  for (const { name } of hosts) {
    const load = Object.hasOwn(OWN, name) && !Object.hasOwn(all, name) ? OWN[name] : undefined;
    if (load === undefined) continue;
    try {
      all[name] = await load();
    } catch (cause) {
      const hint = "Where no script is imported at run time, give it as the option customOperators.";
      throw new Pint8Error(
        "IO",
        { where: `"${name}"`, expected: "its script", received: textOf(cause), hint },
        { cause },
      );
    }
  }
  return all;
}
