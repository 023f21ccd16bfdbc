/** Cholesky, inverses, Gram matrices, least squares and patch rows against plain loops. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Graph, TensorId } from "../../bindings/graph.ts";
import { invertDamped, solveCholesky } from "../../bindings/optimize/linear/cholesky.ts";
import { Gram } from "../../bindings/optimize/linear/gram.ts";
import { kernels } from "../../bindings/optimize/linear/kernels.ts";
import { addRows, gramsOf, layersOf, spread, weightsOf } from "../../bindings/optimize/linear/layers.ts";
import { solveKept } from "../../bindings/optimize/linear/leastSquares.ts";
import { runPasses } from "../../bindings/passes/index.ts";
import { numbers } from "./support/numbers.ts";
import { squaredError } from "./support/squared-error.ts";

/** XᵀX of random rows, positive definite where there are more rows than columns. */
function random(n: number, rows: number, seed: number) {
  const next = numbers(seed);
  const x = Float32Array.from({ length: rows * n }, next);
  const a = new Float64Array(n * n);
  for (let r = 0; r < rows; r++)
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) a[i * n + j] = at(a, i * n + j) + at(x, r * n + i) * at(x, r * n + j);
  return { x, a };
}
const at = (array: Float64Array | Float32Array, i: number) => array[i] as number;
const near = (a: number, b: number, scale: number) => assert.ok(Math.abs(a - b) <= 1e-9 * scale, `${a} is not ${b}`);

describe("linear algebra", () => {
  for (const n of [1, 2, 3, 47, 48, 49, 101])
    test(`factor, solve and invert ${n}`, () => {
      const { a } = random(n, 2 * n + 3, n);
      const u = a.slice();
      assert.ok(kernels.cholesky(u, n));
      for (let i = 0; i < n; i++)
        for (let j = i; j < n; j++) {
          let sum = 0;
          for (let k = 0; k <= i; k++) sum += at(u, k * n + i) * at(u, k * n + j);
          near(sum, at(a, i * n + j), n);
        }
      const b = Float64Array.from({ length: n }, numbers(7));
      const x = b.slice();
      solveCholesky(u, n, x);
      const inverse = kernels.invert(u, n);
      for (let i = 0; i < n; i++) {
        let [product, solved] = [0, 0];
        for (let j = 0; j < n; j++) {
          product += at(a, i * n + j) * at(x, j);
          solved += at(inverse, i * n + j) * at(b, j);
        }
        near(product, at(b, i), 1e3);
        near(solved, at(x, i), 1e3);
      }
    });

  test("a matrix that is not positive definite has no factor, and an inverse with damping", () => {
    assert.equal(kernels.cholesky(Float64Array.of(1, 2, 2, 1), 2), false);
    assert.equal(kernels.cholesky(Float64Array.of(Number.NaN), 1), false);
    const inverse = invertDamped(Float64Array.of(4, 0, 0, 0), 2, 0.01);
    near(at(inverse, 0), 1 / 4.02, 1);
    near(at(inverse, 3), 1 / 2.02, 1);
    const rounded = invertDamped(Float64Array.of(-1e-18, 0, 0, -1e-18), 2, 0.01);
    assert.ok(rounded.every(Number.isFinite), "inputs that never change");
    for (const lost of [Number.NaN, Infinity])
      assert.throws(() => invertDamped(Float64Array.of(1, 0, 0, lost), 2, 0.01), { code: "INVALID_INPUT" });
  });

  test("Gram matrices of pieces of any length", () => {
    const [n, rows] = [7, 201];
    const { x, a } = random(n, rows, 3);
    const y = Float32Array.from({ length: rows * 3 }, numbers(5));
    const gram = new Gram(n, { ones: "ones", outputs: 3 });
    for (const [from, count] of [
      [0, 1],
      [1, 150],
      [151, 50],
    ] as const)
      gram.add(x, count, from * n, n, y, from * 3);
    gram.finish();
    assert.equal(gram.rows, rows);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) near(at(gram.products, i * (n + 1) + j), at(a, i * n + j), rows);
      const column = Array.from({ length: rows }, (_, r) => at(x, r * n + i));
      near(
        at(gram.products, i * (n + 1) + n),
        column.reduce((s, v) => s + v, 0),
        rows,
      );
      for (let o = 0; o < 3; o++)
        near(
          at(gram.targets, o * (n + 1) + i),
          column.reduce((s, v, r) => s + v * at(y, r * 3 + o), 0),
          rows,
        );
    }
    assert.equal(at(gram.products, n * (n + 1) + n), rows);
  });

  test("least squares on kept inputs: the gradient is zero there, and no other weights there are better", () => {
    const n = 9;
    const { a } = random(n, 40, 11);
    const towards = Float64Array.from({ length: n }, numbers(13));
    const kept = [0, 2, 3, 7];
    const w = solveKept({ products: a, size: n, towards, ridge: 0 }, kept);
    for (let i = 0; i < n; i++) if (!kept.includes(i)) assert.equal(at(w, i), 0);
    for (const i of kept) {
      let gradient = 0;
      for (let j = 0; j < n; j++) gradient += at(a, i * n + j) * (at(w, j) - at(towards, j));
      near(gradient, 0, 100);
    }
    const least = squaredError(a, n, w, towards);
    for (const i of kept) {
      const other = w.slice();
      other[i] = at(w, i) + 0.01;
      assert.ok(squaredError(a, n, other, towards) > least);
    }
    const pulled = solveKept({ products: a, size: n, towards, ridge: 1e9 }, kept);
    for (const i of kept) assert.ok(Math.abs(at(pulled, i) - at(towards, i)) < 1e-6);
    assert.deepEqual(solveKept({ products: a, size: n, towards, ridge: 0 }, []), new Float64Array(n));
  });

  test("positions are spread evenly", () => {
    assert.deepEqual(spread(3, 5, 1), [0, 1, 2]);
    assert.deepEqual(spread(100, 4, 0), [0, 25, 50, 75]);
    for (let e = 0; e < 9; e++)
      assert.ok(spread(10, 3, e).every((row, i, all) => row < 10 && row > (all[i - 1] ?? -1)));
  });
});

/** A graph of one layer. */
function graphOf(
  kind: "conv2d" | "depthwiseConv2d" | "fullyConnected",
  x: number[],
  w: number[],
  attributes: object,
): Graph {
  const next = numbers(17);
  const constant = (shape: number[]) => {
    const data = Float32Array.from({ length: shape.reduce((p, s) => p * s, 1) }, next);
    return { name: "c", dtype: "float32" as const, shape, data: new Uint8Array(data.buffer) };
  };
  const outputs = kind === "depthwiseConv2d" ? (w[3] as number) : (w[0] as number);
  const node = {
    kind,
    where: "node 0",
    inputs: [0, 1, 2],
    outputs: [3],
    attributes: { activation: "none", ...attributes },
  };
  return runPasses(
    {
      name: "one",
      tensors: [
        { name: "x", dtype: "float32", shape: x },
        constant(w),
        constant([outputs]),
        { name: "y", dtype: "float32", shape: [] },
      ],
      nodes: [node as never],
      inputs: [{ name: "x", tensor: 0 as TensorId }],
      outputs: [{ name: "y", tensor: 3 as TensorId }],
      subgraphs: [],
    },
    { only: "none" },
  );
}

describe("layers as rows", () => {
  const spatial = { stride: [2, 1], dilation: [1, 2], padding: "same" };
  const cases = [
    { kind: "conv2d", x: [2, 5, 7, 6], w: [4, 3, 2, 3], attributes: spatial, groups: 2, inputs: 18, positions: 42 },
    {
      kind: "depthwiseConv2d",
      x: [1, 5, 7, 3],
      w: [1, 3, 2, 6],
      attributes: spatial,
      groups: 3,
      inputs: 6,
      positions: 21,
    },
    {
      kind: "fullyConnected",
      x: [5, 4],
      w: [3, 4],
      attributes: { keepDims: false },
      groups: 1,
      inputs: 4,
      positions: 5,
    },
  ] as const;
  for (const { kind, x, w, attributes, ...expected } of cases)
    test(`${kind}: rows times weights are what the engine computes`, async () => {
      const { openRunner } = await import("../../bindings/optimize/run.ts");
      const graph = graphOf(kind, [...x], [...w], attributes);
      const [layer] = layersOf(graph);
      assert.ok(layer);
      const { groups, inputs, positions, outputs } = layer;
      assert.deepEqual({ groups, inputs, positions }, expected);
      const values = Float32Array.from({ length: x.reduce<number>((p, s) => p * s, 1) }, numbers(23));
      const runner = await openRunner(graph);
      const y = (runner.run([values])[0] as Float32Array).slice();
      runner.close();
      // X·w = y on every row: so XᵀX·w = Xᵀy.
      const grams = gramsOf(layer, { ones: "ones", outputs: outputs / groups });
      addRows(layer, grams, values, spread(positions, positions, 0), y);
      const weights = weightsOf(graph, layer);
      const size = inputs + 1;
      for (const [group, gram] of grams.entries()) {
        gram.finish();
        for (let o = 0; o < outputs / groups; o++)
          for (let i = 0; i < size; i++) {
            const row = (group * (outputs / groups) + o) * size;
            let sum = 0;
            for (let j = 0; j < size; j++) sum += at(gram.products, i * size + j) * at(weights, row + j);
            assert.ok(Math.abs(sum - at(gram.targets, o * size + i)) < 1e-4);
          }
      }
    });
});
