/** Longest piece of a file's own text in a message. */
const LONGEST = 80;

/** A file's own text made fit for a message: one line, of bounded length. */
export function shorten(text: string): string {
  if (text.length <= LONGEST && /^[ -~]*$/.test(text)) return text;
  const line = text.slice(0, LONGEST + 1).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "?");
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}
