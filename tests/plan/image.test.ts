/** Where images put what is packed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createImage } from "../../bindings/plan/image.ts";
import { reach } from "../../bindings/session/memory.ts";

const packing = (length: number, value: number, written: Uint8Array[]) => ({
  length,
  write(target: Uint8Array) {
    written.push(target);
    target.fill(value);
  },
});

test("with a memory, what is packed is written where it stands, once", () => {
  const written: Uint8Array[] = [];
  const image = createImage(4096, { reach });
  const [first, other] = [packing(100_000, 1, written), packing(300_000, 2, written)];
  const at = image.place(first);
  assert.equal(image.place(packing(100_000, 1, written)), at, "equal bytes are shared");
  assert.deepEqual([image.place(other), image.place(first)], [at + 100_000, at]);
  assert.equal(written.length, 3);
  const memory = image.memory() as WebAssembly.Memory;
  assert.ok(memory.buffer.byteLength < (4096 + 400_000) * (17 / 16) + 65_536);
  const bytes = new Uint8Array(memory.buffer);
  assert.deepEqual([bytes[at], bytes[at + 99_999], bytes[at + 100_000], bytes[at + 399_999]], [1, 1, 2, 2]);
  assert.ok(
    bytes.subarray(at + 400_000).every((byte) => byte === 0),
    "nothing is left of what was shared",
  );
  assert.ok(written.every((target) => target.buffer === memory.buffer || target.buffer.byteLength === 0));
});

test("without one, arrays of their own hold it", () => {
  const written: Uint8Array[] = [];
  const image = createImage(1024);
  assert.equal(image.place(packing(64, 3, written)), 1024);
  assert.deepEqual([...image.bytes()], new Array(64).fill(3));
});
