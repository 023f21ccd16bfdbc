import { controls } from "../errors.ts";

/** Longest piece of a file's own text in a message. */
const LONGEST = 80;

/** A file's own text made fit for a message: one line, of bounded length. */
export function shorten(text: string): string {
  if (text.length <= LONGEST && isPlain(text)) return text;
  const line = text.slice(0, LONGEST + 1).replace(controls("Cc", ""), "?");
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}

/** Whether there are printable letters of ASCII only. (Every tensor's name comes here; an engine compiles a pattern first.) */
function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code > 0x7e) return false;
  }
  return true;
}

/** Names of operators that a message has, at most. */
const MOST_NAMES = 40;

/** The first of these, and how many more there are. */
export function someOf(items: readonly (string | number)[], most = MOST_NAMES): string {
  const more = items.length - most;
  return items.slice(0, most).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

/** What to do with a model whose operators are not known; the page is made from the importers' own tables. */
export const KNOWN_OPERATORS = "docs/OPERATORS.md lists the operators that pint8 runs";

/** What helps where sizes depend on data. */
export const COMPUTED =
  "Give inputs that are known as { constants: { name: values } }; export detectors without the steps after their boxes and scores.";
