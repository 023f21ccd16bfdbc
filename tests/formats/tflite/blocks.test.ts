/** int4 weights with a scale for each block of a row, and inputs that go by the names of their tensors. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { loadModel } from "../../../bindings/public/index.ts";
import { runnable } from "../../support/kernels.ts";
import { buildTflite } from "../build-tflite.ts";
import { options } from "../tflite-options.ts";

const [M, N, K, BLOCK] = [3, 5, 24, 8];
const weights = Int8Array.from({ length: N * K }, (_, i) => ((i * 7) % 16) - 8);
const nibbles = Uint8Array.from({ length: (N * K) / 2 }, (_, i) => {
  const [low = 0, high = 0] = [weights[2 * i], weights[2 * i + 1]];
  return (low & 15) | ((high & 15) << 4);
});
/** float16 of 1, 1/2, 1/4, … */
const halves = Uint16Array.from({ length: (N * K) / BLOCK }, (_, i) => (15 - (i % 4)) << 10);
const scaleOf = (row: number, k: number) => 2 ** -((row * (K / BLOCK) + Math.floor(k / BLOCK)) % 4);
const bias = Float32Array.of(1, -2, 3, -4, 5);

const model = (block: number, scales = 3) =>
  buildTflite({
    tensors: [
      { name: "x", dtype: "float32", shape: [M, K] },
      {
        name: "w",
        dtype: "int4",
        shape: [N, K],
        data: nibbles,
        extra: { 4: { table: { 4: { int8: 2 }, 5: { table: { 0: { int32: scales }, 2: { int32: block } } } } } },
      },
      { name: "b", dtype: "float32", shape: [N], data: bias },
      { name: "s", dtype: "float16", shape: [N, K / BLOCK], data: halves },
      { name: "y", dtype: "float32", shape: [M, N] },
    ],
    operators: [
      { code: "FULLY_CONNECTED", inputs: [0, 1, 2], outputs: [4], options: options.fullyConnected({ activation: 1 }) },
    ],
    inputs: [0],
    outputs: [4],
  });

/** Rows quantized with a zero point, products of blocks in whole numbers. */
function expected(x: Float32Array): Float32Array {
  const y = new Float32Array(M * N);
  for (let m = 0; m < M; m++) {
    const row = x.subarray(m * K, (m + 1) * K);
    const [least, most] = [Math.min(0, ...row), Math.max(0, ...row)];
    const scale = (most - least) / 255;
    const zero = Math.round(-128 - least / scale);
    const q = Array.from(row, (v) => Math.min(127, Math.max(-128, Math.round(v / scale) + zero)) - zero);
    for (let n = 0; n < N; n++) {
      const sum = q.reduce((all, v, k) => all + v * (weights[n * K + k] as number) * scaleOf(n, k), 0);
      y[m * N + n] = Math.max(0, sum * scale + (bias[n] as number));
    }
  }
  return y;
}

const x = Float32Array.from({ length: M * K }, (_, i) => Math.sin(i * 1.7) * (1 + (i % 5)));

for (const { name, skip } of await runnable())
  describe(`blocks, ${name}`, { skip }, () => {
    test("FULLY_CONNECTED", async () => {
      const session = await loadModel(model(BLOCK), { module: name });
      const { y } = session.run([x]) as { readonly y: Float32Array };
      for (const [i, value] of expected(x).entries())
        assert.ok(Math.abs((y[i] as number) - value) < 1e-4, `element ${i}: ${y[i]}, not ${value}`);
    });
  });

test("blocks that do not fit, and scales that are none, are refused", async () => {
  await assert.rejects(loadModel(model(7)), /int4 \[N,K\] in blocks that K is whole numbers of/);
  await assert.rejects(loadModel(model(4)), /30 finite scales, one per block, received 15/);
  await assert.rejects(loadModel(model(BLOCK, 0)), /scales that are constants/);
  await assert.rejects(loadModel(model(BLOCK, 9)), /a tensor of scales, received 9/);
  await assert.rejects(loadModel(model(BLOCK, 1)), /blocks|scales/);
});
