import { ensure, kindOf } from "../errors.ts";

/** Every name that an options object may have: a list that TypeScript keeps whole. */
export type OptionNames<T> = { readonly [K in keyof T]-?: true };

/** Options that are functions, and those that hold others by names, wherever they are taken. */
const FUNCTIONS = ["onWarning", "onProgress", "wasmUrl"];
const OBJECTS = ["customOperators", "shapes", "constants", "externalData", "limits", "signal"];

const isObject = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Refuses options that are no object, names that are not known, and what cannot be such an option: a mistyped option must not
 * do nothing in silence.
 */
export function checkOptions(where: string, options: object, known: { readonly [name: string]: true }): void {
  const must = (condition: boolean, expected: string, received: string, hint = "") =>
    ensure(condition, "INVALID_OPTION", () => ({ where, expected, received, hint }));
  must(isObject(options), "an object of options", kindOf(options));
  const names = Object.keys(known);
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(known, name)) {
      const similar = names.find((each) => isNear(each.toLowerCase(), name.toLowerCase()));
      const hint = similar === undefined ? "" : `Did you mean "${similar}"?`;
      must(false, `the options ${names.join(", ")}`, `"${name}"`, hint);
    }
    if (value === undefined) continue;
    must(!FUNCTIONS.includes(name) || typeof value === "function", `a function as option ${name}`, kindOf(value));
    must(!OBJECTS.includes(name) || isObject(value), `an object as option ${name}`, kindOf(value));
  }
}

/** Whether two words differ by a letter more, less or another one, or by the order of two. */
function isNear(a: string, b: string): boolean {
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  const rest = (word: string, skip: number) => word.slice(start + skip);
  const swapped = a[start] === b[start + 1] && a[start + 1] === b[start] && rest(a, 2) === rest(b, 2);
  return swapped || rest(a, 1) === rest(b, 1) || rest(a, 1) === rest(b, 0) || rest(a, 0) === rest(b, 1);
}
