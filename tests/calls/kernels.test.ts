/** `pint8/kernels`: memory, regions, weights, and what is refused. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  createKernels,
  denseWeights,
  type ErrorCode,
  type Kernels,
  Pint8Error,
  prunedWeights,
} from "../../bindings/public/kernels.ts";
import { runnable } from "../support/kernels.ts";

const fails = (code: ErrorCode, message: RegExp) => (error: unknown) =>
  error instanceof Pint8Error && error.code === code && message.test(error.message);
const UNIT = { scale: 1, zeroPoint: 0 };
const identity = (n: number) =>
  denseWeights({
    shape: [n, n],
    data: Int8Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0)),
    scale: 1,
  });
const gemmOf = (kernels: Kernels, n = 8) => {
  const x = kernels.tensor("int8", [2, n], UNIT);
  return { x, call: kernels.gemm({ x, weights: identity(n), y: UNIT }) };
};

describe("memory", () => {
  test("tensors are aligned, zeroed views that stay valid, and calls write where they say", async () => {
    const kernels = await createKernels({ pages: 3 });
    const first = kernels.tensor("int8", [3], UNIT);
    const second = kernels.tensor("int32", [2]);
    assert.equal(second.address % 16, 0);
    assert.deepEqual([...first.data, ...second.data], [0, 0, 0, 0, 0]);
    const { x, call } = gemmOf(kernels);
    x.data.set([1, 2, 3]);
    call.run();
    assert.deepEqual([...call.y.data.subarray(0, 4)], [1, 2, 3, 0]);
    assert.equal(first.data.buffer, kernels.memory.buffer);
    assert.equal(call.macs, 2 * 8 * 8);
    assert.ok(call.bytes >= 64);
    assert.ok(call.kernels.length > 0);
  });

  test("a released region refuses its calls and tensors, what was before it runs on", async () => {
    const kernels = await createKernels({ pages: 3 });
    const kept = gemmOf(kernels);
    const { used } = kernels;
    const mark = kernels.mark();
    const freed = gemmOf(kernels, 32);
    freed.call.run();
    assert.ok(kernels.used > used);
    kernels.release(mark);
    assert.equal(kernels.used, used);
    assert.throws(() => freed.call.run(), fails("CLOSED", /released/));
    assert.throws(() => kernels.gemm({ x: freed.x, weights: identity(32), y: UNIT }), fails("CLOSED", /released/));
    assert.throws(() => kernels.release(mark), fails("CLOSED", /mark/));
    kept.x.data.fill(5);
    kept.call.run();
    assert.deepEqual(new Set(kept.call.y.data), new Set([5]));
    kernels.reset();
    assert.throws(() => kept.call.run(), fails("CLOSED", /released/));
    gemmOf(kernels).call.run();
  });

  test("regions nest, and scratch of an inner one is not used after it", async () => {
    const kernels = await createKernels({ pages: 8 });
    const small = gemmOf(kernels);
    const outer = kernels.mark();
    kernels.mark();
    gemmOf(kernels, 128).call.run();
    kernels.release(outer);
    const guard = kernels.tensor("int8", [4096], UNIT);
    guard.data.fill(77);
    small.x.data.fill(3);
    small.call.run();
    assert.deepEqual(new Set(guard.data), new Set([77]));
    assert.deepEqual(new Set(small.call.y.data), new Set([3]));
  });

  test("a memory that is full says so", async () => {
    const kernels = await createKernels({ pages: 1 });
    assert.throws(
      () => kernels.tensor("int8", [65536], UNIT),
      fails("OUT_OF_MEMORY", /tensor \[65536\] int8: expected at most/),
    );
    await assert.rejects(createKernels({ pages: 0 }), fails("INVALID_OPTION", /pages/));
    await assert.rejects(createKernels({ pages: 1.5 }), fails("INVALID_OPTION", /pages/));
  });
});

describe("weights", () => {
  const blocks = { shape: [4, 4], block: [2, 2], scale: 1 } as const;

  test("blocks are written out", () => {
    const weights = prunedWeights({
      ...blocks,
      rowStarts: [0, 1, 3],
      columns: [1, 0, 1],
      values: Int8Array.from({ length: 12 }, (_, i) => i + 1),
    });
    assert.deepEqual([...weights.data], [0, 0, 1, 2, 0, 0, 3, 4, 5, 6, 9, 10, 7, 8, 11, 12]);
    assert.equal(weights.zeros, 4);
  });

  test("what does not fit is refused", () => {
    const refused = (change: Partial<Parameters<typeof prunedWeights>[0]>, message: RegExp) =>
      assert.throws(
        () => prunedWeights({ ...blocks, rowStarts: [0, 1, 2], columns: [0, 1], values: new Int8Array(8), ...change }),
        fails("INVALID_INPUT", message),
      );
    refused({ block: [3, 2] }, /blocks that divide/);
    refused({ rowStarts: [0, 2] }, /3 row starts/);
    refused({ rowStarts: [0, 3, 2] }, /ascend/);
    refused({ rowStarts: [0, Number.NaN, 2] }, /ascend/);
    refused({ columns: [0, 2] }, /column from 0 to 1/);
    refused({ rowStarts: [0, 2, 2], columns: [1, 1] }, /column from 2 to 1/);
    refused({ values: new Int8Array(7) }, /8 values/);
    refused({ scale: [] }, /scales/);
    refused({ scale: Number.NaN }, /scales/);
    assert.throws(
      () => denseWeights({ shape: [2, 2], data: new Int8Array(3), scale: 1 }),
      fails("INVALID_INPUT", /Int8Array of 4/),
    );
    assert.throws(() => denseWeights({ shape: [], data: new Int8Array(1), scale: 1 }), fails("INVALID_INPUT", /shape/));
  });
});

const modules = await runnable();

describe("calls", () => {
  test("shapes that do not fit are refused with what was expected", async () => {
    const kernels = await createKernels({ pages: 3 });
    const other = await createKernels({ pages: 1 });
    const x = kernels.tensor("int8", [2, 8], UNIT);
    const weights = identity(8);
    const odd = denseWeights({ shape: [3, 5], data: new Int8Array(15), scale: 1 });
    assert.throws(
      () => kernels.gemm({ x, weights: odd, y: UNIT }),
      fails("INVALID_GRAPH", /^gemm, C6: expected .* rows of 5/),
    );
    assert.throws(() => kernels.gemm({ x, weights, y: x }), fails("INVALID_INPUT", /another tensor than x/));
    assert.throws(
      () => kernels.gemm({ x, weights, y: kernels.tensor("int8", [2, 7], UNIT) }),
      fails("INVALID_INPUT", /\[2,8\]/),
    );
    assert.throws(() => kernels.gemm({ x, weights, y: { scale: 0, zeroPoint: 0 } }), fails("INVALID_GRAPH", /C2/));
    assert.throws(() => kernels.gemm({ x, weights, y: { scale: 1, zeroPoint: 500 } }), fails("INVALID_GRAPH", /C2/));
    assert.throws(() => other.gemm({ x, weights, y: UNIT }), fails("INVALID_INPUT", /of other kernels/));
    assert.throws(() => kernels.conv2d({ x, weights, y: UNIT }), fails("INVALID_GRAPH", /conv2d, C5/));
    assert.throws(
      () => kernels.depthwiseConv2d({ x, weights, y: UNIT }),
      fails("INVALID_GRAPH", /depthwiseConv2d, C5/),
    );
    const wide = denseWeights({ shape: [2, 8], data: new Int8Array(16), scale: 1, bias: new Int32Array(3) });
    assert.throws(() => kernels.gemm({ x, weights: wide, y: UNIT }), fails("INVALID_GRAPH", /C4/));
    const accumulators = kernels.tensor("int32", [2, 2]);
    const requantize = (change: object) => () =>
      kernels.requantize({ x: accumulators, y: UNIT, multiplier: 1, ...change });
    assert.throws(requantize({ multiplier: [1, 1, 1] }), fails("INVALID_INPUT", /multiplier: expected 1 or 2/));
    assert.throws(requantize({ multiplier: -1 }), fails("INVALID_INPUT", /multiplier/));
    assert.throws(requantize({ multiplier: 2 ** 31 }), fails("INVALID_INPUT", /multiplier/));
    assert.throws(requantize({ bias: new Int32Array(1) }), fails("INVALID_INPUT", /bias/));
    assert.throws(requantize({ range: [5, 4] }), fails("INVALID_INPUT", /range/));
    assert.throws(requantize({ y: { scale: 1, zeroPoint: 128 } }), fails("INVALID_INPUT", /zero point/));
    assert.throws(requantize({ x }), fails("INVALID_INPUT", /int32 tensor/));
  });

  for (const subject of modules)
    test(`pruned weights give the bytes of the same dense ones, ${subject.name}`, { skip: subject.skip }, async () => {
      const kernels = await createKernels({ module: subject.name, pages: 16 });
      const [m, n, k] = [20, 32, 64];
      const columns = [0, 3, 15, 1, 7, 8, 2, 5];
      const values = Int8Array.from({ length: columns.length * 32 }, (_, i) => ((i * 37) % 255) - 127);
      const pruned = prunedWeights({
        shape: [n, k],
        block: [8, 4],
        scale: 0.01,
        rowStarts: [0, 3, 6, 6, 8],
        columns,
        values,
      });
      const dense = denseWeights({ shape: [n, k], data: pruned.data, scale: 0.01 });
      const x = kernels.tensor("int8", [m, k], { scale: 1, zeroPoint: -5 });
      x.data.set(Int8Array.from({ length: m * k }, (_, i) => ((i * 91) % 256) - 128));
      const y = { scale: 3, zeroPoint: 7 };
      const [a, b] = [kernels.spmm({ x, weights: pruned, y }), kernels.gemm({ x, weights: dense, y })];
      a.run();
      b.run();
      assert.deepEqual(a.y.data, b.y.data);
      const acc = (row: number, o: number) =>
        Array.from(
          { length: k },
          (_, i) => ((x.data[row * k + i] as number) + 5) * (pruned.data[o * k + i] as number),
        ).reduce((p, q) => p + q);
      const off = Array.from(a.y.data, (q, i) =>
        Math.abs(q - Math.min(127, Math.max(-128, 7 + acc(Math.floor(i / n), i % n) / 300))),
      );
      assert.ok(Math.max(...off) <= 0.51, `at most rounding away from the exact result, ${Math.max(...off)}`);
    });
});
