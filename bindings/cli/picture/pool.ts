/** Pictures decoded in threads beside the one that runs the network, where there are processors for them. */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { type ErrorCode, type ErrorDetail, Pint8Error } from "../../errors.ts";
import type { PictureDecoder } from "../../optimize/data/files.ts";
import type { Picture } from "../../values/picture.ts";
import { decodePicture, pictureFormat } from "./decode.ts";
import { DECODES } from "./decodes.ts";

/** What a thread is asked. */
export interface Question {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly where: string;
}

/** What it answers: a picture, undefined where the bytes are none; a refusal; or a failure of its own. */
export type Answer =
  | { readonly picture: Picture | undefined }
  | { readonly code: ErrorCode; readonly detail: ErrorDetail }
  | { readonly failure: string };

/** Pictures of a few files are decoded before a thread has started. */
const FEW = 16;
/** More threads than this wait for each other's files. */
const MOST_THREADS = 4;

/** Threads for decoding: all processors but that of the network. */
const decodeThreads = (): number => Math.min(availableParallelism() - 1, MOST_THREADS);

/** A decoder that hands pictures to `threads` threads once there are more than a few; where none start it decodes them itself. */
export function createDecoder(threads = decodeThreads(), few = FEW): PictureDecoder {
  let seen = 0;
  let pool: Pool | undefined;
  return async (bytes, where) => {
    if (threads >= 1 && seen++ >= few) pool ??= createPool(threads);
    const answer = await pool?.(bytes, where);
    if (answer === undefined || "failure" in answer) return decodeHere(bytes, where);
    if ("code" in answer) throw new Pint8Error(answer.code, answer.detail);
    return answer.picture;
  };
}

async function decodeHere(bytes: Uint8Array, where: string): Promise<Picture | undefined> {
  const format = pictureFormat(bytes);
  return format === undefined ? undefined : decodePicture(format, bytes, where);
}

type Pool = (bytes: Uint8Array, where: string) => Promise<Answer | undefined>;

/** The program itself; the sources, as tests run them, use the bundled one, because loaders of TypeScript do not reach workers. */
function script(): URL {
  const here = import.meta.url;
  return new URL(here.endsWith(".ts") ? "../../../dist/lib/cli.js" : "./cli.js", here);
}

function createPool(count: number): Pool | undefined {
  const file = script();
  if (!existsSync(file)) return undefined;
  const threads = Array.from({ length: count }, () => createThread(file));
  return async (bytes, where) => {
    const [least, ...others] = threads.filter(({ ended }) => !ended());
    if (least === undefined) return undefined;
    const free = others.reduce((best, each) => (each.waiting() < best.waiting() ? each : best), least);
    return free.ask(bytes, where);
  };
}

/** One thread, which keeps the process alive only while it works. Undefined answers: it ended. */
function createThread(file: URL) {
  const worker = new Worker(file, { execArgv: [], workerData: DECODES });
  const open = new Map<number, (answer: Answer | undefined) => void>();
  let id = 0;
  let ended = false;
  const end = () => {
    ended = true;
    for (const answer of open.values()) answer(undefined);
    open.clear();
  };
  worker.on("error", end);
  worker.on("exit", end);
  worker.on("message", ({ id: of, ...answer }: Answer & { readonly id: number }) => {
    open.get(of)?.(answer as Answer);
    open.delete(of);
    if (open.size === 0) worker.unref();
  });
  worker.unref();
  return {
    ended: () => ended,
    waiting: () => open.size,
    ask: (bytes: Uint8Array, where: string) =>
      new Promise<Answer | undefined>((resolve) => {
        worker.ref();
        open.set(id, resolve);
        worker.postMessage({ id: id++, bytes, where } satisfies Question);
      }),
  };
}
