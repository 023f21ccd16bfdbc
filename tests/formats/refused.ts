/** What a refusal looks like. */
import assert from "node:assert/strict";
import { type ErrorCode, Pint8Error } from "../../bindings/errors.ts";
import { loadModel } from "../../bindings/public/index.ts";

/** The Pint8Error that `run` throws. Its code and message are as told, and it says where, expected and received. */
export function refused(run: () => unknown, code: ErrorCode, message: RegExp): Pint8Error {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof Pint8Error, `${error instanceof Error ? error.stack : error}`);
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    for (const part of [error.where, error.expected, error.received]) assert.notEqual(part, "");
    return error;
  }
  assert.fail(`no error; expected ${code}: ${message}`);
}

/** A model that `loadModel` refuses with that code and message. */
export function refusedModel(bytes: Uint8Array, code: ErrorCode, message: RegExp): Promise<void> {
  return assert.rejects(
    loadModel(bytes, { module: "scalar" }),
    (error) => error instanceof Pint8Error && error.code === code && message.test(error.message),
  );
}
