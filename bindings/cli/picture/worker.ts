/** A thread that decodes pictures for `pool.ts`. */
import { parentPort } from "node:worker_threads";
import { type ErrorDetail, Pint8Error, textOf } from "../../errors.ts";
import { decodePicture, pictureFormat } from "./decode.ts";
import type { Answer, Question } from "./pool.ts";

parentPort?.on("message", async ({ id, bytes, where }: Question) => {
  const answer = await answerTo(bytes, where);
  const { data } = "picture" in answer && answer.picture !== undefined ? answer.picture : { data: undefined };
  parentPort?.postMessage({ id, ...answer }, data === undefined ? [] : [data.buffer as ArrayBuffer]);
});

async function answerTo(bytes: Uint8Array, where: string): Promise<Answer> {
  try {
    const format = pictureFormat(bytes);
    return { picture: format === undefined ? undefined : await decodePicture(format, bytes, where) };
  } catch (cause) {
    if (!(cause instanceof Pint8Error)) return { failure: textOf(cause) };
    const { code, where: place, expected, received, hint } = cause;
    const detail: ErrorDetail = { where: place, expected, received, hint };
    return { code, detail };
  }
}
