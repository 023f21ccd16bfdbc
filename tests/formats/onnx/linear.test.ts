/** LinearAttention and CausalConvWithState of opset 27 against their definitions in doubles. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadModel } from "../../../bindings/public/index.ts";
import { buildOnnx, type NodeSpec } from "../build-onnx.ts";

const noise = (count: number, seed: number) =>
  Float32Array.from({ length: count }, (_, i) => 0.5 * Math.sin((i + seed) * (seed + 1.7)));

/** One node on inputs of these sizes; those without a size are absent. */
async function run(
  node: Partial<NodeSpec>,
  dims: readonly (readonly number[] | undefined)[],
  x: readonly Float32Array[],
) {
  const names = dims.map((each, i) => (each === undefined ? "" : `x${i}`));
  const spec = {
    nodes: [{ operator: "", inputs: names, outputs: ["y", "z"], ...node }],
    inputs: names.flatMap((name, i) => (name === "" ? [] : [{ name, type: 1, dims: dims[i] as readonly number[] }])),
    outputs: [{ name: "y" }, { name: "z" }],
  };
  const model = await loadModel(buildOnnx(spec, 27), { module: "simd" });
  const outputs = Object.values(model.run(x)) as readonly ArrayLike<number>[];
  model.close();
  return outputs.map((y) => Array.from(y));
}

function near(actual: readonly (readonly number[])[], expected: readonly (readonly number[])[]) {
  for (const [i, values] of expected.entries()) {
    assert.equal(actual[i]?.length, values.length);
    for (const [j, value] of values.entries())
      assert.ok(
        Math.abs((actual[i]?.[j] as number) - value) <= 1e-5,
        `output ${i}, ${j}: ${actual[i]?.[j]} for ${value}`,
      );
  }
}

const SIZES = [
  { batch: 1, length: 5, count: 2, own: 2, k: 4, v: 3, decays: 1, betas: 2, hasPast: false },
  { batch: 2, length: 4, count: 4, own: 2, k: 4, v: 6, decays: 4, betas: 1, hasPast: true },
  { batch: 1, length: 1, count: 4, own: 1, k: 8, v: 8, decays: 1, betas: 1, hasPast: true },
];

for (const rule of ["linear", "gated", "delta", "gated_delta"])
  for (const { batch, length, count, own, k, v, decays, betas, hasPast } of SIZES)
    test(`linear attention: ${rule}, ${length} tokens, ${count} heads of ${own}`, async () => {
      const dims = [
        [batch, length, count * k],
        [batch, length, own * k],
        [batch, length, own * v],
        hasPast ? [batch, own, k, v] : undefined,
        rule.startsWith("gated") ? [batch, length, own * decays] : undefined,
        rule.endsWith("delta") ? [batch, length, betas] : undefined,
      ];
      const x = dims.map((each, i) => noise(each?.reduce((all, size) => all * size, 1) ?? 0, i + 1));
      const [query, key, value, past, decay, beta] = x as unknown as readonly (readonly number[])[];
      const at = (values: readonly number[] | undefined, i: number, otherwise: number) => values?.[i] ?? otherwise;
      const y = new Array<number>(batch * length * count * v).fill(0);
      const state = Array.from({ length: batch * own * k * v }, (_, i) => (hasPast ? at(past, i, 0) : 0));
      for (let b = 0; b < batch; b++)
        for (let t = 0; t < length; t++)
          for (let h = 0; h < own; h++) {
            const row = b * length + t;
            const cell = (i: number, j: number) => ((b * own + h) * k + i) * v + j;
            const keys = Array.from({ length: k }, (_, i) => at(key, (row * own + h) * k + i, 0));
            for (let i = 0; i < k; i++)
              for (let j = 0; j < v; j++)
                if (dims[4])
                  (state[cell(i, j)] as number) *= Math.exp(at(decay, (row * own + h) * decays + (i % decays), 0));
            for (let j = 0; j < v; j++) {
              let news = at(value, (row * own + h) * v + j, 0);
              if (dims[5]) {
                news -= keys.reduce((sum, each, i) => sum + each * (state[cell(i, j)] as number), 0);
                news *= at(beta, row * betas + (h % betas), 0);
              }
              for (const [i, each] of keys.entries()) (state[cell(i, j)] as number) += each * news;
              for (let g = 0; g < count / own; g++) {
                const head = row * count + (h * count) / own + g;
                y[head * v + j] =
                  keys.reduce((sum, _, i) => sum + at(query, head * k + i, 0) * (state[cell(i, j)] as number), 0) /
                  Math.sqrt(k);
              }
            }
          }
      const node = {
        operator: "LinearAttention",
        int: { q_num_heads: count, kv_num_heads: own },
        string: { update_rule: rule },
      };
      near(
        await run(
          node,
          dims,
          x.filter((_, i) => dims[i]),
        ),
        [y, state],
      );
    });

for (const { length, taps, hasPast, hasBias, activation } of [
  { length: 6, taps: 4, hasPast: true, hasBias: true, activation: "silu" },
  { length: 1, taps: 4, hasPast: true, hasBias: false, activation: "none" },
  { length: 2, taps: 4, hasPast: false, hasBias: true, activation: "swish" },
  { length: 5, taps: 1, hasPast: false, hasBias: false, activation: "none" },
])
  test(`causal convolution of ${length} tokens by ${taps} taps, ${activation}`, async () => {
    const rows = 6;
    const dims = [[2, 3, length], [3, 1, taps], hasBias ? [3] : undefined, hasPast ? [2, 3, taps - 1] : undefined];
    const x = dims.map((each, i) => noise(each?.reduce((all, size) => all * size, 1) ?? 0, i + 1));
    const [input, weights, bias, past] = x as [Float32Array, Float32Array, Float32Array, Float32Array];
    const all = Array.from({ length: rows }, (_, row) => [
      ...(hasPast ? past.subarray(row * (taps - 1), (row + 1) * (taps - 1)) : new Float32Array(taps - 1)),
      ...input.subarray(row * length, (row + 1) * length),
    ]);
    const y = all.flatMap((line, row) =>
      Array.from({ length }, (_, t) => {
        let sum = hasBias ? (bias[row % 3] as number) : 0;
        for (let i = 0; i < taps; i++) sum += (line[t + i] as number) * (weights[(row % 3) * taps + i] as number);
        return activation === "none" ? sum : sum / (1 + Math.exp(-sum));
      }),
    );
    const node = { operator: "CausalConvWithState", string: { activation } };
    near(
      await run(
        node,
        dims,
        x.filter((_, i) => dims[i]),
      ),
      [y, all.flatMap((line) => line.slice(length))],
    );
  });
