import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { Pint8Error } from "../errors.ts";
import { readSource } from "../session/source.ts";

/** The bytes of a model: a file, `-` for standard input, or a URL. */
export async function readModelBytes(path: string): Promise<Uint8Array> {
  return /^https?:/i.test(path) ? readSource(path) : readBytes(path);
}

/** The bytes of a file, `-` for standard input; IO where it cannot be read. */
export function readBytes(path: string): Uint8Array {
  try {
    const { buffer, byteOffset, byteLength } = readFileSync(path === "-" ? 0 : path);
    return new Uint8Array(buffer, byteOffset, byteLength);
  } catch (cause) {
    throw new Pint8Error(
      "IO",
      {
        where: path,
        expected: "a readable file",
        received: reason(cause),
        hint: "Check the path and its permissions.",
      },
      { cause },
    );
  }
}

/**
 * Writes a file as a whole or not at all: to a name beside it first, which then takes its place. A link is followed; a
 * device or pipe is written to.
 */
export function writeWhole(path: string, parts: readonly Uint8Array[]): void {
  try {
    if (path === "-") {
      writeFileSync(1, Buffer.concat(parts));
      return;
    }
    const target = existsSync(path) ? realpathSync(path) : path;
    if (existsSync(target) && !statSync(target).isFile()) writeFileSync(target, Buffer.concat(parts));
    else replaceFile(target, parts);
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

/** Writes several files as a whole, or none of them. */
export function writeTogether(files: readonly { readonly path: string; readonly bytes: Uint8Array }[]): void {
  const created: string[] = [];
  const temporary: string[] = [];
  let current = "";
  try {
    const moves = files.map(({ path, bytes }) => {
      current = path;
      const target = existsSync(path) ? realpathSync(path) : path;
      if (!existsSync(target)) created.push(target);
      else if (!statSync(target).isFile()) throw new Error("a folder or device");
      const from = `${target}.${process.pid}.tmp`;
      temporary.push(from);
      writeNew(from, [bytes]);
      return { path, from, target };
    });
    for (const { path, from, target } of moves) {
      current = path;
      renameSync(from, target);
    }
  } catch (cause) {
    for (const path of [...temporary, ...created]) rmSync(path, { force: true });
    throw unwritable(current, cause);
  }
}

function unwritable(path: string, cause: unknown): Pint8Error {
  return new Pint8Error(
    "IO",
    {
      where: path,
      expected: "a file that can be written",
      received: reason(cause),
      hint: "Check that its folder exists.",
    },
    { cause },
  );
}

function replaceFile(path: string, parts: readonly Uint8Array[]): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeNew(temporary, parts);
    renameSync(temporary, path);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw cause;
  }
}

function writeNew(path: string, parts: readonly Uint8Array[]): void {
  const file = openSync(path, "wx");
  try {
    for (const part of parts) for (let at = 0; at < part.length; ) at += writeSync(file, part, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

const REASONS: { readonly [code: string]: string } = {
  ENOENT: "no such file or folder",
  EACCES: "no permission",
  EPERM: "no permission",
  EISDIR: "a folder",
  ENOTDIR: "a path through a file that is not a folder",
  ENOSPC: "a full disk",
  EROFS: "a read-only file system",
};

function reason(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException).code ?? "";
  return REASONS[code] ?? (code || (cause instanceof Error ? cause.message : String(cause)));
}
