import { ensure } from "../errors.ts";

/** The text of a file by its byte order mark: UTF-8, or UTF-16 as Windows writes it. Errors: INVALID_OPTION for other bytes. */
export function decodeText(bytes: Uint8Array, where: string): string {
  const [first, second] = bytes;
  const encoding =
    first === 0xff && second === 0xfe ? "utf-16le" : first === 0xfe && second === 0xff ? "utf-16be" : "utf-8";
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    if (!text.includes("\0")) return text;
  } catch {}
  return ensure(false, "INVALID_OPTION", () => ({
    where,
    expected: "text in UTF-8, or in UTF-16 with its byte order mark",
    received: "bytes that are neither",
    hint: "Save the file as UTF-8.",
  })) as never;
}

/** One label per line, whatever ends lines; empty lines at the end do not count. */
export function labelsOf(bytes: Uint8Array, where: string): readonly string[] {
  const labels = decodeText(bytes, where)
    .split(/\r\n|\n|\r/)
    .map((label) => label.trimEnd());
  while (labels.at(-1) === "") labels.pop();
  ensure(labels.length > 0, "INVALID_OPTION", () => ({ where, expected: "one label per line", received: "no label" }));
  return labels;
}
