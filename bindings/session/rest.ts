/** A file in the memory that its session will have: so it takes none of its own while it is planned. */
import { Pint8Error, textOf } from "../errors.ts";
import { isPath } from "./again.ts";
import { builtin } from "./engine.ts";
import { reach } from "./memory.ts";
import type { ReadOptions, Source } from "./source.ts";

/** A file at the beginning of a memory, whose parts can be read again as long as it is open. */
export interface Rest {
  readonly bytes: Uint8Array;
  readonly memory: WebAssembly.Memory;
  /** Bytes of the file from a place on. Errors: IO where they cannot be read any more. */
  read(at: number, target: Uint8Array): void;
  close(): void;
}

/** Files below are not worth it, and a memory holds none above. */
const LEAST = 2 ** 16;
const MOST = 2 ** 30;

/** Reads a .tflite file so; undefined where it is none, or cannot be read: who reads it otherwise says why. */
export function restFile(source: Source, options: ReadOptions): Promise<Rest | undefined> | undefined {
  return isPath(source) && /\.tflite$/i.test(String(source)) ? opened(source, options) : undefined;
}

async function opened(source: string | URL, { signal, onProgress }: ReadOptions): Promise<Rest | undefined> {
  const { closeSync, openSync, readSync, statSync } = await builtin("fs");
  const path = /^file:/i.test(String(source)) ? new URL(source) : source;
  let file = -1;
  const read = (from: number, target: Uint8Array) => {
    try {
      for (let at = 0; at < target.length; ) {
        const count = readSync(file, target, at, target.length - at, from + at);
        if (count === 0) throw new Error("a file that was cut short meanwhile");
        at += count;
      }
    } catch (cause) {
      const detail = { where: String(source), expected: "a readable file", received: textOf(cause) };
      throw new Pint8Error("IO", detail, { cause });
    }
  };
  const close = () => closeSync(file);
  try {
    // at once: planning takes far longer than reading, and the threads that read otherwise compile kernels meanwhile
    const stat = statSync(path);
    const { size } = stat;
    if (!stat.isFile() || size < LEAST || size > MOST || signal?.aborted) return undefined;
    file = openSync(path, "r");
    const memory = reach(size);
    const bytes = new Uint8Array(memory.buffer, 0, size);
    read(0, bytes);
    onProgress?.({ loaded: size, total: size });
    return { bytes, memory, read, close };
  } catch {
    if (file >= 0) close();
    return undefined;
  }
}
