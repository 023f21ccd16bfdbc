import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checksum } from "../../bindings/plan/checksum.ts";

test("any single changed bit, and any change of length, changes the checksum", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), fc.nat(), fc.nat(7), (bytes, at, bit) => {
      const sum = checksum(bytes).join();
      const other = bytes.slice();
      other[at % bytes.length] = (other[at % bytes.length] as number) ^ (1 << bit);
      assert.notEqual(checksum(other).join(), sum);
      assert.notEqual(checksum(Uint8Array.of(...bytes, 0)).join(), sum);
    }),
    { seed: 2, numRuns: 500 },
  );
});

test("it does not depend on where the bytes lie", () => {
  const bytes = Uint8Array.from({ length: 37 }, (_, i) => i * 7);
  const moved = new Uint8Array(64);
  moved.set(bytes, 5);
  assert.deepEqual(checksum(moved.subarray(5, 42)), checksum(bytes));
});
