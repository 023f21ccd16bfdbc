import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { ensure, Pint8Error, textOf } from "../errors.ts";
import { externalFiles } from "../formats/index.ts";
import { readSource } from "../session/source.ts";

/** Bytes that are read of what is no file, as a pipe or a device, which may have no end. */
const MOST_STREAMED = 2 ** 28;
/** The code of an error where an output would take the place of an input. */
const INPUT = "INPUT";
/** The code of an error where standard input is asked for again. */
const TWICE = "TWICE";
/** The files read so far, by their real places: none of them is written over. */
const inputs = new Set<string>();

/** Begins another command, which may write over what one before it read. */
export const forgetInputs = (): void => inputs.clear();

/** What errors call a file that the command line names, as an input and as an output. */
export const spokenName = (path: string): string => (path === "-" ? "standard input" : path || '""');
const spokenOutput = (path: string): string => (path === "-" ? "standard output" : spokenName(path));

/** The bytes of a model: a file, `-` for standard input, or a URL. */
export async function readModelBytes(path: string): Promise<Uint8Array> {
  return /^https?:/i.test(path) ? readSource(path) : readBytes(path);
}

/** Whether this is the path of a .tflite file, which is read where it is loaded: its bytes take no memory of their own then. */
export function isLoadable(path: string): boolean {
  const is =
    /\.tflite$/i.test(path) && !/^[a-z][a-z\d+.-]+:/i.test(path) && statSync(path, { throwIfNoEntry: false })?.isFile();
  if (is) inputs.add(realpathSync(path));
  return is === true;
}

/** The files that a model keeps tensors in, from beside it: never outside of its folder, links followed. */
export function readExternalData(path: string, model: Uint8Array): Readonly<Record<string, Uint8Array>> {
  const isFile = path !== "-" && !/^https?:/i.test(path);
  const names = isFile ? externalFiles(model) : [];
  return Object.fromEntries(
    names.flatMap((name): readonly (readonly [string, Uint8Array])[] => {
      const file = join(dirname(path), name);
      if (!existsSync(file)) return [];
      const folder = realpathSync(dirname(path));
      const inside = relative(folder, realpathSync(file));
      if (inside.split(sep)[0] === ".." || isAbsolute(inside))
        throw new Pint8Error("INVALID_MODEL", {
          where: path,
          expected: "external data inside the model's folder",
          received: JSON.stringify(name.slice(0, 80)),
        });
      return [[name, readBytes(file)]];
    }),
  );
}

/** The bytes of a file, `-` for standard input; IO where it cannot be read, with a hint of what to do where it is absent. */
export function readBytes(path: string, absent = "Check the path and its permissions."): Uint8Array {
  try {
    const isFile = path !== "-" && statSync(path).isFile();
    const { buffer, byteOffset, byteLength } = isFile ? readFileSync(path) : readStream(path);
    if (isFile) inputs.add(realpathSync(path));
    return new Uint8Array(buffer, byteOffset, byteLength);
  } catch (cause) {
    throw failed(spokenName(path), "a readable file", cause, absent);
  }
}

/** The bytes of a checkpoint, which the next one is written over. There is none of a command that ended before its training began. */
export function readCheckpoint(path: string): Uint8Array {
  const bytes = readBytes(path, "Begin without --resume: there is none before training begins.");
  inputs.delete(existsSync(path) ? realpathSync(path) : path);
  return bytes;
}

/** Removes the checkpoint that has an output's name, once there is that output: nothing goes on from it. */
export function dropCheckpoint(output: string, path: string | undefined): void {
  if (path === checkpointOf(output)) rmSync(path, { force: true });
}

/** Where training can go on from when nobody says another place. */
export const checkpointOf = (output: string) => `${output}.checkpoint`;

/** All bytes of a pipe or device, or of standard input. */
function readStream(path: string): Uint8Array {
  if (path === "-") {
    if (inputs.has(path)) throw Object.assign(new Error(), { code: TWICE });
    inputs.add(path);
  }
  const file = path === "-" ? 0 : openSync(path, "r");
  try {
    const parts: Uint8Array[] = [];
    for (let total = 0; ; ) {
      const part = new Uint8Array(1 << 20);
      const length = patiently(() => readSync(file, part));
      if (length === 0) return Buffer.concat(parts);
      parts.push(part.slice(0, length));
      total += length;
      if (total > MOST_STREAMED) throw new Error(`more than ${MOST_STREAMED} bytes of something that is no file`);
    }
  } finally {
    if (file !== 0) closeSync(file);
  }
}

/**
 * Writes a file as a whole or not at all: to a name beside it first, which then takes its place. A link is followed; a
 * device or pipe is written to.
 */
export function writeWhole(path: string, parts: readonly Uint8Array[]): void {
  try {
    if (path === "-") return pour(1, parts);
    const target = targetOf(path);
    if (existsSync(target) && !statSync(target).isFile()) writeFileSync(target, Buffer.concat(parts));
    else replaceFile(target, parts);
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

/**
 * Refuses places that no file can be written to, and one place for two of them, before work begins that takes long; with `json` standard
 * output is taken. Errors: IO, INVALID_OPTION.
 */
export function requirePlaces(paths: readonly (string | undefined)[], json?: true): void {
  const taken = new Set<string>(json && ["-"]);
  for (const path of paths) {
    if (path === undefined) continue;
    if (path !== "-") requirePlace(path);
    const place = placeOf(path);
    ensure(place === undefined || !taken.has(place), "INVALID_OPTION", () => ({
      where: spokenOutput(path),
      expected: "a place of its own for each output",
      received: path === "-" && json ? "that of --json" : "the same for two",
    }));
    if (place !== undefined) taken.add(place);
  }
}

/** What tells places apart, of which a file replaces what was there: devices take any number of them. */
function placeOf(path: string): string | undefined {
  if (path === "-") return path;
  if (!existsSync(path)) return resolve(path);
  return statSync(path).isFile() ? realpathSync(path) : undefined;
}

function requirePlace(path: string): void {
  try {
    const target = targetOf(path);
    const exists = existsSync(target);
    if (exists && statSync(target).isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
    accessSync(exists ? target : dirname(target), constants.W_OK);
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

/** Where a file is written: behind links that lead somewhere; an error where it was read before. */
function targetOf(path: string): string {
  const target = existsSync(path) ? realpathSync(path) : path;
  if (inputs.has(target)) throw Object.assign(new Error("a file that was read as input"), { code: INPUT });
  return target;
}

/**
 * Writes several files as a whole, or none of them: what stood in their places comes back where one cannot be written. One may be `-`,
 * standard output.
 */
export function writeTogether(files: readonly { readonly path: string; readonly bytes: Uint8Array }[]): void {
  const temporary: string[] = [];
  const undo: (() => void)[] = [];
  let current = "";
  try {
    const moves = files.flatMap(({ path, bytes }) => {
      if (path === "-") return [];
      current = path;
      const target = targetOf(path);
      const exists = existsSync(target);
      if (exists && !statSync(target).isFile()) throw new Error("a folder or device");
      const from = `${target}.${process.pid}.tmp`;
      temporary.push(from);
      writeNew(from, [bytes]);
      return [{ path, from, target, exists }];
    });
    for (const { path, from, target, exists } of moves) {
      current = path;
      const old = `${target}.${process.pid}.old`;
      if (exists) {
        temporary.push(old);
        renameSync(target, old);
        undo.push(() => renameSync(old, target));
      }
      renameSync(from, target);
      if (!exists) undo.push(() => rmSync(target, { force: true }));
    }
    current = "-";
    for (const { path, bytes } of files) if (path === current) writeWhole(path, [bytes]);
  } catch (cause) {
    for (const step of undo.reverse()) step();
    throw cause instanceof Pint8Error ? cause : unwritable(current, cause);
  } finally {
    for (const path of temporary) rmSync(path, { force: true });
  }
}

const unwritable = (path: string, cause: unknown) =>
  failed(spokenOutput(path), "a file that can be written", cause, "Check that its folder exists.");

function failed(where: string, expected: string, cause: unknown, hint: string): Pint8Error {
  return new Pint8Error("IO", { where, expected, received: reason(cause), hint: hintOf(cause, hint) }, { cause });
}

/** What the system refused, wherever that was: IO. Undefined for other errors. */
export function refusedBySystem(cause: unknown): Pint8Error | undefined {
  const { path, syscall } = Object(cause) as NodeJS.ErrnoException;
  if (syscall === undefined) return undefined;
  return failed(path ?? syscall, "what can be opened", cause, "Check the path and its permissions.");
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

function pour(file: number, parts: readonly Uint8Array[]): void {
  for (const part of parts) for (let at = 0; at < part.length; ) at += patiently(() => writeSync(file, part, at));
}

/** Work on a file, again and again while a pipe's other end is not ready: Node makes those of standard streams say so at once. */
function patiently<T>(work: () => T): T {
  for (;;)
    try {
      return work();
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "EAGAIN") throw cause;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    }
}

function writeNew(path: string, parts: readonly Uint8Array[]): void {
  const file = openSync(path, "wx");
  try {
    pour(file, parts);
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
  [TWICE]: "its end: it was read before",
};

/** What to do, where the system's reason says so. */
const HINTS: { readonly [code: string]: string } = {
  ENOSPC: "Make room on the disk.",
  EDQUOT: "Make room within the quota.",
  EBUSY: "Close the program that uses it.",
  EACCES: "Check its permissions.",
  EPERM: "Check its permissions.",
  EROFS: "Write to another place.",
  EISDIR: "Name a file inside of it.",
  [INPUT]: "Choose another name.",
  [TWICE]: "Give one - at most, and files for the others.",
};

const hintOf = (cause: unknown, other: string) => HINTS[(cause as NodeJS.ErrnoException).code ?? ""] ?? other;

function reason(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException).code ?? "";
  return REASONS[code] ?? ((code !== INPUT && code) || textOf(cause));
}
