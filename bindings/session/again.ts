/** Bytes of a source when they are wanted once more, without holding on to them meanwhile where they can be read again. */
import { ensure } from "../errors.ts";
import { isNode } from "./engine.ts";
import { nameOf, readSource, type Source } from "./source.ts";

/**
 * Reads again what lies in a file, and holds on to it from then on; everything else it holds on to at once: what comes over a network
 * may not come again.
 *
 * Errors, when it reads: those of `readSource`; IO where the file is another by now.
 */
export function readAgain(source: Source, bytes: Uint8Array): () => Promise<Uint8Array> {
  return isFile(source) ? fromFile(source, stampOf(bytes)) : held(bytes);
}

// Functions of their own: a closure holds on to all that closures around it name.
const held = (bytes: Uint8Array) => async () => bytes;

function fromFile(source: Source, stamp: string): () => Promise<Uint8Array> {
  let read: Promise<Uint8Array> | undefined;
  return () => {
    read ??= sameAs(stamp, source);
    read.catch(() => {
      read = undefined;
    });
    return read;
  };
}

async function sameAs(stamp: string, source: Source): Promise<Uint8Array> {
  const bytes = await readSource(source);
  ensure(stampOf(bytes) === stamp, "IO", () => ({
    where: nameOf(source) ?? "source",
    expected: "the file that the model was loaded from",
    received: "another one in its place",
    hint: "Load the model again, or give its bytes instead of its path.",
  }));
  return bytes;
}

/** Whether this is a path or the URL of a file, where there are such. */
export function isPath(source: Source): source is string | URL {
  if (typeof source !== "string" && !(source instanceof URL)) return false;
  const text = String(source);
  return isNode() && (/^file:/i.test(text) || !/^[a-z][a-z\d+.-]+:/i.test(text));
}

/** Whether this can be read again. */
const isFile = (source: Source): boolean => isPath(source) || (typeof Blob !== "undefined" && source instanceof Blob);

/** Length and up to 512 spread bytes, which tell a file from one that was put in its place. */
function stampOf(bytes: Uint8Array): string {
  const stride = Math.max(1, Math.floor(bytes.length / 512));
  let hash = 0;
  for (let i = 0; i < bytes.length; i += stride) hash = (Math.imul(hash, 31) + (bytes[i] as number)) | 0;
  return `${bytes.length} ${hash}`;
}
