import { Pint8Error } from "../errors.ts";

/** Bytes, a URL, or a path in Node, Deno and Bun. */
export type Source = Uint8Array | ArrayBuffer | URL | string;

/**
 * The bytes of a source. Strings with a scheme are URLs; others are paths where there is a file system, and relative URLs
 * where there is none.
 *
 * Errors: IO where the file or URL cannot be read.
 */
export async function readSource(source: Source): Promise<Uint8Array> {
  if (source instanceof URL) return readUrl(source.href);
  if (typeof source !== "string") return ArrayBuffer.isView(source) ? viewOf(source) : new Uint8Array(source);
  return /^[a-z][a-z\d+.-]+:/i.test(source) || !hasFiles() ? readUrl(source) : readFile(source, source);
}

const viewOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) => new Uint8Array(buffer, byteOffset, byteLength);

/** Node, Deno and Bun: all of them have `process.versions` and `node:fs`. */
const hasFiles = () => typeof process !== "undefined" && typeof process.versions?.node === "string";

async function readUrl(href: string): Promise<Uint8Array> {
  if (href.startsWith("file:") && hasFiles()) return readFile(new URL(href), href);
  try {
    const response = await fetch(href);
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    throw unreadable(href, cause);
  }
}

async function readFile(path: string | URL, name: string): Promise<Uint8Array> {
  try {
    // A variable, so that bundlers for the browser leave it alone.
    const module = "node:fs/promises";
    const { readFile } = (await import(
      /* @vite-ignore */ /* webpackIgnore: true */ module
    )) as typeof import("node:fs/promises");
    return viewOf(await readFile(path));
  } catch (cause) {
    throw unreadable(name, cause);
  }
}

function unreadable(name: string, cause: unknown): Pint8Error {
  const received = cause instanceof Error ? cause.message : String(cause);
  return new Pint8Error("IO", { where: name, expected: "a readable file or URL", received }, { cause });
}
