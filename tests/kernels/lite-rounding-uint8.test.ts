/**
 * Legacy uint8 FULLY_CONNECTED, weights of eight bits and of nine less their zero point, one row and many. Reference: BUILTIN_REF 2.21,
 * which rounds once, by a product of scales that is a float; TFLite Micro refuses it.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadModule, loadPlan, planGraph, runPasses, writePlan } from "../../bindings/public/index.ts";
import { graph, node, tensor } from "../passes/graphs.ts";
import { xorshift } from "../support/kernels.ts";

const [K, N] = [24, 16];
const [SX, SW] = [0.0235294122, 0.0031758856].map(Math.fround) as [number, number];
/** Of outputs, with ratios of scales above and below 2^−12, where multipliers of no shift end. */
const STEPS = [0.0235294122, 0.4].map(Math.fround);
const [ZX, ZY] = [3, 7];

/** The low bytes of a draw. */
const drawn = (count: number, seed: number) => Uint8Array.from({ length: count }, xorshift(seed));
const weights = drawn(N * K, 12345);
const affine = (scale: number, zeroPoint: number) => ({ scale: [scale], zeroPoint: [zeroPoint], axis: 0 });

function fully(rows: number, zeroPoint: number, step: number) {
  const uint8 = { dtype: "uint8" } as const;
  const tensors = [
    tensor("x", [rows, K], { ...uint8, quantization: affine(SX, ZX) }),
    tensor("w", [N, K], { ...uint8, data: weights, quantization: affine(SW, zeroPoint) }),
    tensor("y", [rows, N], { ...uint8, quantization: affine(step, ZY) }),
  ];
  return graph(tensors, [node("fullyConnected", [0, 1], [2], { activation: "none", keepDims: false })], [0], [2]);
}

/** By exact integers: the multiplier of 31 bits, rounded once, or by the upper half and then by the shift. */
function expected(x: Uint8Array, zeroPoint: number, step: number, times: "once" | "twice"): Uint8Array {
  const real = Math.fround(SX * SW) / step;
  const right = -Math.ceil(Math.log2(real));
  const multiplier = BigInt(Math.round(real * 2 ** (31 + right)));
  const shifted = (value: bigint, bits: number) => (value + (1n << BigInt(bits - 1))) >> BigInt(bits);
  const away = (value: bigint, bits: number) => (value < 0n ? -shifted(-value, bits) : shifted(value, bits));
  return Uint8Array.from({ length: (x.length / K) * N }, (_, i) => {
    const [row, column] = [Math.floor(i / N), i % N];
    let sum = 0;
    for (let k = 0; k < K; k++)
      sum += ((x[row * K + k] as number) - ZX) * ((weights[column * K + k] as number) - zeroPoint);
    const product = BigInt(sum) * multiplier;
    const whole = times === "once" ? shifted(product, 31 + right) : away(away(product, 31), right);
    return Math.max(0, Math.min(255, Number(whole) + ZY));
  });
}

for (const module of ["scalar", "simd"] as const)
  for (const [zeroPoint, step] of [128, 131].flatMap((zero) => STEPS.map((each) => [zero, each] as const)))
    test(`in ${module}, zero point ${zeroPoint}, steps of ${step}`, async () => {
      const { name, hash } = await loadModule(module);
      const ROWS = 4096;
      const x = drawn(ROWS * K, 777);
      const run = async (rows: number) => {
        const session = await loadPlan(
          writePlan(planGraph(runPasses(fully(rows, zeroPoint, step)), { module: name, moduleHash: hash })),
        );
        const all = new Uint8Array(ROWS * N);
        for (let row = 0; row < ROWS; row += rows)
          all.set(session.run([x.slice(row * K, (row + rows) * K)]).y as Uint8Array, row * N);
        session.close();
        return all;
      };
      const [once, twice] = [expected(x, zeroPoint, step, "once"), expected(x, zeroPoint, step, "twice")];
      assert.ok(
        once.some((value, i) => value !== twice[i]),
        "the draw meets no tie of the first rounding",
      );
      assert.deepEqual(await run(ROWS), once);
      assert.deepEqual(await run(1), once);
    });
