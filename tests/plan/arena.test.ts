import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Block, placeBlocks } from "../../bindings/plan/arena.ts";
import { peakBytes } from "../support/peak.ts";

const block = fc
  .record({ bytes: fc.nat(5000), first: fc.integer({ min: -1, max: 30 }), length: fc.nat(8) })
  .map(({ bytes, first, length }): Block => ({ bytes, first, last: first + length }));

test("blocks that live at the same time never overlap, and all lie in the arena", () => {
  fc.assert(
    fc.property(fc.array(block, { maxLength: 40 }), (blocks) => {
      const { offsets, bytes } = placeBlocks(blocks);
      for (const [i, a] of blocks.entries()) {
        const from = offsets[i] as number;
        assert.equal(from % 16, 0);
        assert.ok(from + a.bytes <= bytes);
        for (const [j, b] of blocks.entries()) {
          if (i >= j || a.last < b.first || b.last < a.first || a.bytes === 0 || b.bytes === 0) continue;
          const other = offsets[j] as number;
          assert.ok(from + a.bytes <= other || other + b.bytes <= from, `${i} and ${j}`);
        }
      }
      assert.ok(bytes >= peakBytes(blocks));
    }),
    { seed: 1, numRuns: 300 },
  );
});

test("a chain of tensors takes the largest neighbouring pair and no more", () => {
  const sizes = [4096, 1024, 8192, 2048, 64, 8192, 4096];
  const blocks = sizes.map((bytes, i): Block => ({ bytes, first: i, last: i + 1 }));
  assert.equal(placeBlocks(blocks).bytes, peakBytes(blocks));
});

test("a residual connection keeps its memory while the branch runs", () => {
  const blocks: Block[] = [
    { bytes: 1000, first: -1, last: 3 },
    { bytes: 2000, first: 0, last: 1 },
    { bytes: 2000, first: 1, last: 2 },
    { bytes: 1000, first: 2, last: 3 },
    { bytes: 1000, first: 3, last: 4 },
  ];
  const { bytes } = placeBlocks(blocks);
  assert.ok(bytes <= peakBytes(blocks) * 1.1, `${bytes} of ${peakBytes(blocks)}`);
});

test("an empty graph has an empty arena", () => assert.deepEqual(placeBlocks([]), { offsets: [], bytes: 0 }));
