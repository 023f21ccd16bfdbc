import assert from "node:assert/strict";
import { test } from "node:test";
import { type ErrorCode, Pint8Error } from "../../bindings/errors.ts";
import type { Inputs } from "../../bindings/values/types.ts";
import { network, sessionOf } from "./networks.ts";

const A = Int8Array.from({ length: 12 }, (_, i) => i * 20 - 120);
const B = Int8Array.from({ length: 12 }, (_, i) => 60 - i * 11);
const RELU = A.map((a) => Math.max(a, -3));
const SUM = RELU.map((a, i) => Math.max(-128, Math.min(127, a + (B[i] as number) + 3)));

const fails = (code: ErrorCode, message: RegExp) => (error: unknown) =>
  error instanceof Pint8Error && error.code === code && message.test(`${error.message} ${error.hint}`);

test("runs by name and in input order, again and again, and leaves the inputs alone", async () => {
  const session = await sessionOf(network());
  for (let i = 0; i < 3; i++) {
    assert.deepEqual(session.run({ a: A, b: B }), { flat: RELU, sum: SUM });
    assert.deepEqual(session.run([A, B]), { flat: RELU, sum: SUM });
  }
  assert.equal(A[0], -120);
});

test("returns copies", async () => {
  const session = await sessionOf(network());
  const first = session.run([A, B]);
  session.run([B, B]);
  assert.deepEqual(first.flat, RELU);
  assert.equal(first.flat?.byteLength, first.flat?.buffer.byteLength, "not a view of the whole memory");
});

test("says what goes in and out", async () => {
  const session = await sessionOf(network());
  const [a] = session.inputs;
  assert.deepEqual(a, { name: "a", dtype: "int8", shape: [1, 12], scale: 0.5, zeroPoint: -3 });
  assert.deepEqual(
    session.outputs.map(({ name, shape }) => [name, shape]),
    [
      ["flat", [12]],
      ["sum", [1, 12]],
    ],
  );
  assert.throws(() => Object.assign(session.inputs, { 0: undefined }), TypeError);
  assert.throws(() => Object.assign(a ?? {}, { name: "other" }), TypeError);
});

test("refuses inputs of other names, types and lengths", async () => {
  const session = await sessionOf(network());
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [
      { a: A },
      /input "b": expected Int8Array of 12 elements \(\[1,12\] int8\), or as many real numbers in a Float32Array or list, received nothing/,
    ],
    [{ a: A, b: B, c: B }, /expected the names "a", "b", received "c"/],
    [{ a: A, toString: B }, /received "toString"/],
    [[A], /expected 2 arrays: "a", "b", received 1/],
    [[A, B, B], /received 3/],
    [[A, undefined], /received nothing/],
    [[A, B.subarray(1)], /received Int8Array of 11 elements/],
    [[A, new Uint8Array(12)], /received Uint8Array of 12 elements/],
    [[A, new Float64Array(12)], /received Float64Array/],
    [[A, new DataView(new ArrayBuffer(12))], /received DataView/],
    [[A, Array.from(B, String)], /received Array of 12 elements/],
    [[A, new ArrayBuffer(12)], /received ArrayBuffer/],
    [[A, null], /received null/],
    [[A, 3], /received 3/],
    [A, /received Int8Array/],
    [undefined, /received nothing/],
    [null, /received null/],
    ["a", /received "a"/],
  ];
  for (const [inputs, message] of cases)
    assert.throws(() => session.run(inputs as Inputs), fails("INVALID_INPUT", message), `${message}`);
  assert.deepEqual(session.run([A, B]), { flat: RELU, sum: SUM }, "still good");
});

test("is closed once closed", async () => {
  const session = await sessionOf(network());
  session.close();
  session.close();
  for (const use of [() => session.run([A, B]), () => session.reset(), () => session.profile()])
    assert.throws(use, fails("CLOSED", /received a closed one/));
  assert.equal(session.inputs.length, 2, "what it was can still be asked");
});

test("two sessions in one process do not know of each other", async () => {
  const [one, two] = await Promise.all([sessionOf(network()), sessionOf(network(5))]);
  one.run([A, B]);
  two.run([new Int8Array(5), new Int8Array(5)]);
  one.close();
  assert.equal(two.run([new Int8Array(5), new Int8Array(5)]).flat?.length, 5);
});

test("takes all memory when it opens, in whole pages, and no more", async () => {
  const session = await sessionOf(network(100_000));
  assert.equal(session.memoryBytes % 65536, 0);
  assert.ok(session.memoryBytes < 6 * 65536 + 300_000, `${session.memoryBytes}`);
});

test("profiles every step", async () => {
  const session = await sessionOf(network());
  let clock = 0;
  const times = session.profile([A, B], () => clock++);
  assert.deepEqual(
    [...times],
    session.steps.map(() => 1),
  );
  assert.deepEqual(
    session.steps.map(({ where }) => where),
    ["node (relu 2)", "node (add 4)"],
  );
});
