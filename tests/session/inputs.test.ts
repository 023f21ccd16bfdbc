/** Inputs that are not what they say, and that act when they are read. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Pint8Error } from "../../bindings/errors.ts";
import { network, sessionOf } from "./networks.ts";

const invalid = (error: unknown) => error instanceof Pint8Error && error.code === "INVALID_INPUT";
const A = Int8Array.from({ length: 12 }, (_, i) => i - 6);
const B = Int8Array.from({ length: 12 }, (_, i) => 3 * i);

test("arrays with forged lengths and tags, and detached ones, are refused or taken as they are", async () => {
  const session = await sessionOf(network());
  const expected = session.run([A, B]);
  const long = Object.defineProperty(new Int8Array(5), "length", { value: 12 });
  assert.throws(() => session.run([A, long]), invalid);
  const tagged = Object.defineProperty(new Int16Array(12), Symbol.toStringTag, { value: "Int8Array" });
  assert.throws(() => session.run([A, tagged as unknown as Int8Array]), invalid);
  const detached = new Int8Array(12);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  assert.throws(() => session.run([A, detached]), invalid);
  assert.throws(
    () => session.run([A, { length: 12, [Symbol.toStringTag]: "Int8Array" } as unknown as Int8Array]),
    invalid,
  );
  const short = Object.defineProperty(B.slice(), "length", { value: 3 });
  assert.deepEqual(session.run([A, short]), expected);
});

test("a getter that runs the same model changes nothing", async () => {
  const session = await sessionOf(network());
  const expected = session.run({ a: A, b: B });
  const inputs = {
    a: A,
    get b() {
      session.run({ a: B, b: A });
      return B;
    },
  };
  assert.deepEqual(session.run(inputs), expected);
});
