import { ensure } from "../errors.ts";

/** Every name that an options object may have: a list that TypeScript keeps whole. */
export type OptionNames<T> = { readonly [K in keyof T]-?: true };

/** Refuses options that are no object, and names that are not known: a mistyped option must not do nothing in silence. */
export function checkOptions(where: string, options: object, known: { readonly [name: string]: true }): void {
  ensure(typeof options === "object" && options !== null, "INVALID_OPTION", () => ({
    where,
    expected: "an object of options",
    received: String(options),
  }));
  for (const name of Object.keys(options))
    ensure(Object.hasOwn(known, name), "INVALID_OPTION", () => ({
      where,
      expected: `the options ${Object.keys(known).join(", ")}`,
      received: `"${name}"`,
    }));
}
