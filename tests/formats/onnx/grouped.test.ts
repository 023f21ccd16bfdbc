/**
 * GroupQueryAttention against its definition in doubles: prompts, tokens after a past, buffers longer than what is in them, samples of
 * several lengths, windows, rotated positions. onnxruntime 1.32 agrees with each to 1e-6.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadModel } from "../../../bindings/public/index.ts";
import { buildOnnx, type TensorSpec } from "../build-onnx.ts";

interface Case {
  readonly batch?: number;
  readonly length: number;
  /** Keys that the past has room for. */
  readonly past: number;
  readonly total?: number;
  /** Tokens of each sample, less 1. */
  readonly counts?: readonly number[];
  readonly isPacked?: boolean;
  readonly isRotated?: boolean;
  readonly isPaired?: boolean;
  readonly window?: number;
  readonly softcap?: number;
  readonly positions?: readonly number[];
  readonly hasBias?: boolean;
  readonly sinks?: readonly number[];
  /** Queries and keys have their root mean squares taken out of them, which onnxruntime does on WebGPU alone. */
  readonly isNormed?: boolean;
}

const [N, K, D] = [4, 2, 16];
const noise = (count: number, seed: number) =>
  Float32Array.from({ length: count }, (_, i) => 1.5 * Math.sin((i + seed) * (seed + 1.7)));

function drawn({
  batch = 1,
  length,
  past,
  total = past + length,
  counts = new Array(batch).fill(total - 1),
  hasBias,
}: Case) {
  return {
    batch,
    total,
    counts,
    q: noise(batch * length * N * D, 1),
    k: noise(batch * length * K * D, 2),
    v: noise(batch * length * K * D, 3),
    pastK: noise(batch * K * past * D, 4),
    pastV: noise(batch * K * past * D, 5),
    bias: hasBias ? noise(N * length * total, 6) : undefined,
  };
}

const EPSILON = 0.125;
const scales = (seed: number) => noise(D, seed).map((x) => Math.fround(x + 2));

const angle = (position: number, i: number) => Math.fround(position * 10 ** (-i / 4));
const [COS, SIN] = [Math.cos, Math.sin].map((f) => (position: number, i: number) => Math.fround(f(angle(position, i))));

/** What the operator is said to do. */
function reference(given: Case) {
  const { batch, total, counts, q, k, v, pastK, pastV, bias } = drawn(given);
  const { length, past, window = Infinity, softcap = 0, sinks } = given;
  const keys = Math.max(past, total);
  const [y, key, value] = [batch * length * N * D, batch * K * keys * D, batch * K * keys * D].map((n) =>
    new Array(n).fill(0),
  ) as [number[], number[], number[]];
  const turned = (x: Float32Array, at: number, position: number): number[] => {
    let row = Array.from(x.subarray(at, at + D));
    if (given.isNormed) {
      const root = Math.sqrt(row.reduce((sum, each) => sum + each ** 2, 0) / D + EPSILON);
      const scale = scales(x === q ? 7 : 8);
      row = row.map((each, d) => (each / root) * (scale[d] as number));
    }
    if (!given.isRotated) return row;
    return row.map((_, d) => {
      const i = given.isPaired ? d >> 1 : d % (D / 2);
      const isFirst = given.isPaired ? d % 2 === 0 : d < D / 2;
      const [a, b] = given.isPaired ? [2 * i, 2 * i + 1] : [i, i + D / 2];
      const [c, s] = [COS?.(position, i) as number, SIN?.(position, i) as number];
      const [p, r] = [row[a] as number, row[b] as number];
      return isFirst ? p * c - r * s : p * s + r * c;
    });
  };
  for (let b = 0; b < batch; b++) {
    const count = (counts[b] as number) + 1;
    const before = length === total ? 0 : count - length;
    const position = (s: number) => given.positions?.[s] ?? before + s;
    for (let h = 0; h < K; h++)
      for (let j = 0; j < Math.min(keys, before + length); j++) {
        const to = ((b * K + h) * keys + j) * D;
        const old = ((b * K + h) * past + j) * D;
        const own = ((b * length + j - before) * K + h) * D;
        const rows =
          j < before
            ? [pastK.subarray(old, old + D), pastV.subarray(old, old + D)]
            : [turned(k, own, position(j - before)), v.subarray(own, own + D)];
        for (let d = 0; d < D; d++) [key[to + d], value[to + d]] = rows.map((row) => row[d]) as [number, number];
      }
    for (let s = 0; s < length; s++)
      for (let h = 0; h < N; h++) {
        const query = turned(q, ((b * length + s) * N + h) * D, position(s));
        const weights: number[] = [];
        const [from, end] = [Math.max(0, before + s + 1 - window), Math.min(before + s + 1, count)];
        const at = (j: number) => ((b * K + (h >> 1)) * keys + j) * D;
        for (let j = from; j < end; j++) {
          let score = query.reduce((sum, x, d) => sum + x * (key[at(j) + d] as number), 0) / Math.sqrt(D);
          if (softcap > 0) score = softcap * Math.tanh(score / softcap);
          weights.push(Math.exp(score + (bias?.[(h * length + s) * total + j] ?? 0)));
        }
        const all = weights.reduce((a, w) => a + w, sinks === undefined ? 0 : Math.exp(sinks[h] as number));
        for (let d = 0; d < D; d++)
          y[((b * length + s) * N + h) * D + d] = weights.reduce(
            (sum, w, i) => sum + (w / all) * (value[at(from + i) + d] as number),
            0,
          );
      }
  }
  return [y, key, value];
}

async function run(given: Case): Promise<readonly (readonly number[])[]> {
  const { batch, total, counts, q, k, v, pastK, pastV, bias } = drawn(given);
  const { length, past, isPacked, isRotated, positions, sinks, window, softcap, isNormed } = given;
  const rows = 32;
  const table = (name: string, f: typeof COS): TensorSpec => ({
    name,
    type: 1,
    dims: [rows, D / 2],
    values: Array.from({ length: (rows * D) / 2 }, (_, i) => f?.(Math.floor(i / (D / 2)), i % (D / 2)) as number),
  });
  const ends = [
    ...(isPacked
      ? [{ name: "q", dims: [batch, length, (N + 2 * K) * D] }]
      : [
          { name: "q", dims: [batch, length, N * D] },
          { name: "k", dims: [batch, length, K * D] },
          { name: "v", dims: [batch, length, K * D] },
        ]),
    { name: "pastK", dims: [batch, K, past, D] },
    { name: "pastV", dims: [batch, K, past, D] },
    { name: "counts", type: 6, dims: [batch] },
    ...(bias === undefined ? [] : [{ name: "bias", dims: [1, N, length, total] }]),
  ];
  const packed = Float32Array.from({ length: batch * length * (N + 2 * K) * D }, (_, i) => {
    const [row, d] = [Math.floor(i / ((N + 2 * K) * D)), i % ((N + 2 * K) * D)];
    if (d < N * D) return q[row * N * D + d] as number;
    return (d < (N + K) * D ? k[row * K * D + d - N * D] : v[row * K * D + d - (N + K) * D]) as number;
  });
  const names = ["q", ...(isPacked ? ["", ""] : ["k", "v"]), "pastK", "pastV", "counts", "total"];
  names.push(
    ...(isRotated ? ["cos", "sin"] : ["", ""]),
    positions ? "positions" : "",
    bias ? "bias" : "",
    sinks ? "sinks" : "",
    ...(isNormed ? ["", "", "scaleQ", "scaleK"] : []),
  );
  const spec = {
    nodes: [
      { operator: "Cast", inputs: ["total64"], outputs: ["total"], int: { to: 6 } },
      {
        operator: "GroupQueryAttention",
        domain: "com.microsoft",
        inputs: names,
        outputs: ["y", "presentK", "presentV"],
        int: {
          num_heads: N,
          kv_num_heads: K,
          ...(isRotated && { do_rotary: 1 }),
          ...(given.isPaired && { rotary_interleaved: 1 }),
          ...(window && { local_window_size: window }),
        },
        float: { ...(softcap && { softcap }), ...(isNormed && { qk_norm_epsilon: EPSILON }) },
      },
    ],
    inputs: ends.map((end) => ({ type: 1, ...end })),
    outputs: ["y", "presentK", "presentV"].map((name) => ({ name })),
    initializers: [
      { name: "total64", type: 7, dims: [], values: [total] },
      ...(isRotated ? [table("cos", COS), table("sin", SIN)] : []),
      ...(positions ? [{ name: "positions", type: 7, dims: [1, length], values: positions }] : []),
      ...(sinks ? [{ name: "sinks", type: 1, dims: [N], values: sinks }] : []),
      ...(isNormed ? ["Q", "K"] : []).map((of, i) => ({
        name: `scale${of}`,
        type: 1,
        dims: [D],
        values: Array.from(scales(7 + i)),
      })),
    ] as readonly TensorSpec[],
  };
  const model = await loadModel(buildOnnx(spec, 21), { module: "simd" });
  const inputs = [...(isPacked ? [packed] : [q, k, v]), pastK, pastV, Int32Array.from(counts), ...(bias ? [bias] : [])];
  const outputs = Object.values(
    model.run(inputs as unknown as readonly Float32Array[]),
  ) as readonly ArrayLike<number>[];
  model.close();
  return outputs.map((each) => Array.from(each));
}

const CASES: Readonly<Record<string, Case>> = {
  "a prompt": { length: 5, past: 0 },
  "a prompt with rotated halves": { length: 5, past: 0, isRotated: true },
  "a prompt with rotated pairs": { length: 5, past: 0, isRotated: true, isPaired: true },
  "query, key and value in one": { length: 4, past: 0, isRotated: true, isPacked: true },
  "one token after others": { length: 1, past: 6, isRotated: true },
  "several tokens after others": { length: 3, past: 6, isRotated: true },
  "samples of two lengths, after others": { batch: 2, length: 1, past: 6, counts: [6, 4], isRotated: true },
  "prompts of two lengths": { batch: 2, length: 5, past: 0, counts: [4, 2], isRotated: true },
  "a buffer longer than what is in it": { length: 1, past: 12, total: 7, isRotated: true },
  "a prompt and a buffer": { length: 5, past: 12, total: 5, isRotated: true },
  "buffers filled to two lengths": { batch: 2, length: 1, past: 10, total: 6, counts: [5, 3], isRotated: true },
  "a window of a prompt": { length: 8, past: 0, window: 3 },
  "windows that see nothing of a shorter prompt": { batch: 2, length: 6, past: 0, counts: [5, 3], window: 2 },
  "a window after others": { length: 4, past: 5, window: 4, isRotated: true },
  "positions that are given": { length: 2, past: 4, positions: [7, 9], isRotated: true },
  "softcap, and what is added": { length: 3, past: 2, softcap: 3, hasBias: true },
  "normalized queries and keys": { length: 3, past: 2, isRotated: true, isNormed: true },
  "a score of no key": { length: 3, past: 2, sinks: [0.5, -1, 2, 0] },
};

for (const [name, given] of Object.entries(CASES))
  test(`grouped attention: ${name}`, async () => {
    const [actual, expected] = [await run(given), reference(given)];
    for (const [i, values] of expected.entries()) {
      const most = Math.max(1, ...values.map(Math.abs));
      assert.equal(actual[i]?.length, values.length);
      for (const [j, value] of values.entries())
        assert.ok(
          Math.abs((actual[i]?.[j] as number) - value) <= 1e-5 * most,
          `output ${i}, ${j}: ${actual[i]?.[j]} for ${value}`,
        );
    }
  });
