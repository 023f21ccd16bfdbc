/** What servers and checkouts give in place of a file that they do not have. */

const SERVED = [
  [/^\s*<(!doctype|html|head|body|!--)/i, "an HTML page"],
  [/^\s*</, "an XML file"],
  [/^version https:\/\/git-lfs/, "a Git LFS pointer"],
] as const;

/** Its name. */
export type Served = (typeof SERVED)[number][1];

/** Which of them bytes are; undefined where they are none. */
export function servedOf(bytes: Uint8Array): Served | undefined {
  const start = new TextDecoder().decode(bytes.subarray(0, 64));
  return SERVED.find(([begins]) => begins.test(start))?.[1];
}
