/** Sparse constants become the dense ones that they stand for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { importModel } from "../../../bindings/formats/index.ts";
import type { DType } from "../../../bindings/tensor.ts";
import { buildTflite, type SparsitySpec, type TensorSpec } from "../build-tflite.ts";
import { refused } from "../refused.ts";

function imported(tensor: Omit<TensorSpec, "name">): Uint8Array | undefined {
  const x: TensorSpec = { name: "x", dtype: "int8", shape: [1] };
  const model = { tensors: [x, { ...tensor, name: "w" }], operators: [], inputs: [0], outputs: [0, 1] };
  return importModel(buildTflite(model), {}).tensors[1]?.data;
}

const CSR: SparsitySpec = {
  traversalOrder: [0, 1],
  levels: [{ size: 3 }, { segments: [0, 2, 2, 3], indices: [0, 3, 1] }],
};
const MATRIX = { dtype: "int8", shape: [3, 4], data: Int8Array.of(5, -6, 7) } as const;
const DENSE = Int8Array.of(5, 0, 0, -6, 0, 0, 0, 0, 0, 7, 0, 0);

test("compressed rows, with each type of index", () => {
  for (const index of ["int32", "uint16", "uint8"] as const) {
    const [rows, columns] = CSR.levels as [{ size: number }, { segments: number[]; indices: number[] }];
    const sparsity = { ...CSR, levels: [rows, { ...columns, index }] };
    assert.deepEqual(imported({ ...MATRIX, sparsity }), new Uint8Array(DENSE.buffer));
  }
});

test("the example of the schema: a 2-D matrix of 2x2 blocks", () => {
  // Block row 0 holds block columns 0 and 1, block row 1 holds block column 1; inside a block row by row.
  const sparsity: SparsitySpec = {
    traversalOrder: [0, 1, 2, 3],
    blockMap: [0, 1],
    levels: [{ size: 2 }, { segments: [0, 2, 3], indices: [0, 1, 1] }, { size: 2 }, { size: 2 }],
  };
  const data = Int32Array.of(1, 0, 0, 4, 2, 3, 0, 0, 5, 0, 0, 6);
  const dense = Int32Array.of(1, 0, 2, 3, 0, 4, 0, 0, 0, 0, 5, 0, 0, 0, 0, 6);
  assert.deepEqual(imported({ dtype: "int32", shape: [4, 4], data, sparsity }), new Uint8Array(dense.buffer));
});

/** A random tensor and a way to store it. */
const stored = fc
  .record({
    sizes: fc.array(fc.record({ blocks: fc.integer({ min: 1, max: 3 }), block: fc.constantFrom(0, 1, 2, 4) }), {
      minLength: 1,
      maxLength: 4,
    }),
    seed: fc.infiniteStream(fc.integer({ min: 0, max: 2 ** 30 })),
    zeros: fc.integer({ min: 0, max: 100 }),
    dtype: fc.constantFrom<DType>("int8", "int16", "int32"),
  })
  .map(({ sizes, seed, zeros, dtype }) => {
    const draw = (limit: number) => (seed.next().value as number) % limit;
    const shape = sizes.map(({ blocks, block }) => blocks * Math.max(block, 1));
    const blockMap = [...sizes.keys()].filter((dimension) => sizes[dimension]?.block !== 0);
    const shuffled = (from: number, count: number) =>
      Array.from({ length: count }, (_, i) => ({ value: from + i, key: draw(1000) }))
        .sort((a, b) => a.key - b.key)
        .map(({ value }) => value);
    const rank = shape.length;
    const order = [...shuffled(0, rank), ...shuffled(rank, blockMap.length)];
    const sparse = order.map((dimension) => dimension < rank && draw(2) === 1);
    const count = shape.reduce((a, b) => a * b, 1);
    const dense = Array.from({ length: count }, () => (draw(100) < zeros ? 0 : draw(251) - 125));
    return { dtype, shape, blockSizes: blockMap.map((d) => sizes[d]?.block as number), blockMap, order, sparse, dense };
  });

type Stored = ReturnType<typeof stored.generate>["value"];

/** The reference encoder, by recursion over the levels: a sparse level skips children whose part is all zeros. */
function encode({ shape, blockSizes, blockMap, order, sparse, dense }: Stored): {
  sparsity: SparsitySpec;
  values: number[];
} {
  const rank = shape.length;
  const size = (dimension: number) =>
    dimension < rank
      ? (shape[dimension] as number) /
        (blockMap.includes(dimension) ? (blockSizes[blockMap.indexOf(dimension)] as number) : 1)
      : (blockSizes[dimension - rank] as number);
  const values: number[] = [];
  const compressed = order.map(() => ({ segments: [0], indices: [] as number[] }));
  const leaves = (depth: number, index: readonly number[]): number[] => {
    if (depth < order.length)
      return Array.from({ length: size(order[depth] as number) }, (_, i) => leaves(depth + 1, [...index, i])).flat();
    const at = (dimension: number) => index[order.indexOf(dimension)] as number;
    const flat = shape.reduce((sum, length, dimension) => {
      const block = blockMap.indexOf(dimension);
      const own = block === -1 ? at(dimension) : at(dimension) * (blockSizes[block] as number) + at(rank + block);
      return sum * length + own;
    }, 0);
    return [dense[flat] as number];
  };
  const walk = (depth: number, index: readonly number[]): void => {
    if (depth === order.length) {
      values.push(...leaves(depth, index));
      return;
    }
    const level = compressed[depth] as (typeof compressed)[number];
    for (let i = 0; i < size(order[depth] as number); i++) {
      if (sparse[depth] && leaves(depth + 1, [...index, i]).every((value) => value === 0)) continue;
      level.indices.push(i);
      walk(depth + 1, [...index, i]);
    }
    level.segments.push(level.indices.length);
  };
  walk(0, []);
  const levels = order.map((dimension, depth) =>
    sparse[depth] ? (compressed[depth] as (typeof compressed)[number]) : { size: size(dimension) },
  );
  return { sparsity: { traversalOrder: order, blockMap, levels }, values };
}

const ARRAYS = { int8: Int8Array, int16: Int16Array, int32: Int32Array } as const;

test("any order, any blocks, any mix of dense and sparse levels", () => {
  fc.assert(
    fc.property(stored, (tensor) => {
      const { sparsity, values } = encode(tensor);
      fc.pre(values.length > 0);
      const array = ARRAYS[tensor.dtype as keyof typeof ARRAYS];
      const { dtype, shape } = tensor;
      const data = imported({ dtype, shape, data: array.from(values), sparsity });
      assert.deepEqual(data, new Uint8Array(array.from(tensor.dense).buffer));
    }),
    { numRuns: 300 },
  );
});

const BLOCKS: SparsitySpec = { ...CSR, traversalOrder: [0, 1, 2], blockMap: [1], levels: [...CSR.levels, { size: 2 }] };
const columns = (segments: number[], indices: number[]): SparsitySpec => ({
  ...CSR,
  levels: [{ size: 3 }, { segments, indices }],
});

const BROKEN: { readonly [what: string]: readonly [SparsitySpec, RegExp] } = {
  "no levels": [{ traversalOrder: [0, 1], levels: [] }, /2 levels/],
  "an order that repeats": [{ ...CSR, traversalOrder: [0, 0] }, /traversal order/],
  "an order out of range": [{ ...CSR, traversalOrder: [0, 2] }, /traversal order/],
  "a dense level of another size": [{ ...CSR, levels: [{ size: 4 }, { size: 4 }] }, /level 0 of size 3, received 4/],
  "a negative dense level": [{ ...CSR, levels: [{ size: -3 }, { size: 4 }] }, /level 0 of size 3/],
  "too few values": [{ ...CSR, levels: [{ size: 3 }, { size: 4 }] }, /at most 3 values/],
  "too many values": [columns([0, 1, 1, 2], [0, 1]), /2 stored values, received 3/],
  "too few segments": [columns([0, 2, 3], [0, 3, 1]), /4 segments/],
  "segments that do not start at 0": [columns([1, 2, 2, 3], [0, 3, 1]), /segments from 0/],
  "segments that end early": [columns([0, 2, 2, 2], [0, 3, 1]), /segments from 0 to 3/],
  "segments that go back": [columns([0, 2, 1, 3], [0, 3, 1]), /segments in order|increasing/],
  "segments beyond the indices": [columns([0, 9, 2, 3], [0, 3, 1]), /increasing indices below 4/],
  "a negative segment": [columns([0, -5, 2, 3], [0, 3, 1]), /segments in order/],
  "an index out of range": [columns([0, 2, 2, 3], [0, 4, 1]), /below 4, received 4/],
  "a negative index": [columns([0, 2, 2, 3], [-1, 3, 1]), /received -1/],
  "an index twice": [columns([0, 2, 2, 3], [3, 3, 1]), /3 after 3/],
  "a block of a dimension that is none": [{ ...BLOCKS, blockMap: [2] }, /block map/],
  "a block that does not divide": [{ ...BLOCKS, levels: [{ size: 3 }, { size: 1 }, { size: 3 }] }, /level 1 of size/],
  "a block of size 0": [{ ...BLOCKS, levels: [{ size: 3 }, { size: 1 }, { size: 0 }] }, /above 0/],
};

for (const [what, [sparsity, message]] of Object.entries(BROKEN))
  test(`refused: ${what}`, () => {
    refused(() => imported({ ...MATRIX, sparsity }), "INVALID_MODEL", message);
  });

test("refused: a sparse tensor without data, of half bytes, or far larger than its file", () => {
  refused(() => imported({ dtype: "int8", shape: [3, 4], sparsity: CSR }), "INVALID_MODEL", /with data/);
  refused(() => imported({ ...MATRIX, dtype: "int4", sparsity: CSR }), "UNSUPPORTED", /whole bytes/);
  const shape = [30_000, 60_000];
  const levels = [
    { segments: [0, 1], indices: [7] },
    { segments: [0, 1], indices: [9] },
  ];
  const sparsity = { traversalOrder: [0, 1], levels };
  refused(
    () => imported({ dtype: "int8", shape, data: Int8Array.of(1), sparsity }),
    "UNSUPPORTED",
    /constants of at most/,
  );
});
