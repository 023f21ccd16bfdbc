/** int16 of networks with an operator that TFLite Micro lacks. Reference: BUILTIN_REF 2.21, which rounds FULLY_CONNECTED once and has factors of float32. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadModule, loadPlan, planGraph, runPasses, writePlan } from "../../bindings/public/index.ts";
import type { Tensor } from "../../bindings/tensor.ts";
import { graph, node, tensor } from "../passes/graphs.ts";
import { xorshift } from "../support/kernels.ts";

const { fround } = Math;
const affine = (...scale: readonly number[]) => ({ scale, zeroPoint: scale.map(() => 0), axis: 0 });
/** The low bits of a draw. */
function drawn(count: number, seed: number, bits: number): number[] {
  const next = xorshift(seed);
  return Array.from({ length: count }, () => Math.max((next() << (32 - bits)) >> (32 - bits), 1 - 2 ** (bits - 1)));
}
const int16 = (name: string, shape: readonly number[], scale: number) =>
  tensor(name, shape, { dtype: "int16", quantization: affine(scale) });
const clamp = (value: bigint) => Number(value > 32767n ? 32767n : value < -32768n ? -32768n : value);
const shifted = (value: bigint, bits: bigint) => (value + (1n << (bits - 1n))) >> bits;

async function run(module: "scalar" | "simd", built: Parameters<typeof runPasses>[0], x: Int16Array, name: string) {
  const { name: of, hash } = await loadModule(module);
  const session = await loadPlan(writePlan(planGraph(runPasses(built), { module: of, moduleHash: hash })));
  return session.run([x])[name] as Int16Array;
}

for (const module of ["scalar", "simd"] as const)
  for (const [m, k, n] of [
    [512, 24, 16],
    [16, 1400, 8],
  ] as const)
    test(`FULLY_CONNECTED ${m}x${n}x${k} in ${module}`, async () => {
      const weights = Int8Array.from(drawn(n * k, 12345, 8));
      const x = Int16Array.from(drawn(m * k, 777, 16));
      const scales = Array.from({ length: n }, (_, i) => fround(0.0031 + i * 0.00011));
      const [sx, sy] = [fround(3.1e-5), fround(k > 1000 ? 9.3e-4 : 1.7e-4)];
      const constant = { data: new Uint8Array(weights.buffer), quantization: affine(...scales) } as Partial<Tensor>;
      const built = (lacking: boolean) =>
        graph(
          [
            int16("x", [m, k], sx),
            tensor("w", [n, k], constant),
            int16("y", [m, n], sy),
            tensor("axes", [1], { dtype: "int32", data: new Uint8Array([1, 0, 0, 0]) }),
            int16("z", [m], sy),
          ],
          [
            node("fullyConnected", [0, 1], [2], { activation: "none", keepDims: false }),
            ...(lacking ? [node("reduceMax", [2, 3], [4], { keepDims: false })] : []),
          ],
          [0],
          lacking ? [2, 4] : [2],
        );
      const expected = (once: boolean) =>
        Int16Array.from({ length: m * n }, (_, i) => {
          const [row, column] = [Math.floor(i / n), i % n];
          let sum = 0;
          for (let j = 0; j < k; j++) sum += (x[row * k + j] as number) * (weights[column * k + j] as number);
          const real = (sx * (scales[column] as number)) / sy;
          const right = -Math.floor(Math.log2(real)) - 1;
          const multiplier = Math.round(real * 2 ** (31 + right));
          if (once) return clamp(shifted(BigInt(sum) * BigInt(multiplier), BigInt(31 + right)));
          return clamp(shifted(BigInt(sum) * BigInt((multiplier + 2 ** 15) >> 16), BigInt(15 + right)));
        });
      const [once, upper] = [expected(true), expected(false)];
      assert.notDeepEqual(once, upper);
      assert.deepEqual(await run(module, built(true), x, "y"), once);
      assert.deepEqual(await run(module, built(false), x, "y"), upper);
    });

/** Ratios whose multipliers, of 31 bits, are others in float32. */
const [SX, SY, ALPHA] = [fround(3.754321e-5), fround(4.737771e-5), fround(0.2)];
const all = Int16Array.from({ length: 65536 }, (_, i) => i - 32768);

/** Rounded by the upper half and then by the shift, as the kernel of one element does. */
function scaled(value: number, real: number): number {
  const exponent = Math.floor(Math.log2(real)) + 1;
  const multiplier = BigInt(Math.round((real / 2 ** exponent) * 2 ** 31));
  const left = BigInt(Math.max(exponent, 0));
  const right = BigInt(Math.max(-exponent, 0));
  const away = (v: bigint, bits: bigint) => (bits === 0n ? v : v < 0n ? -shifted(-v, bits) : shifted(v, bits));
  return clamp(away(away((BigInt(value) << left) * multiplier, 31n), right));
}

for (const module of ["scalar", "simd"] as const)
  test(`factors of RELU and LEAKY_RELU in ${module}`, async () => {
    for (const [kind, attributes, double, float] of [
      ["relu", {}, [SX / SY, 0], [fround(SX / SY), 0]],
      ["leakyRelu", { alpha: ALPHA }, [SX / SY, (SX * ALPHA) / SY], [fround(SX / SY), fround(fround(SX * ALPHA) / SY)]],
    ] as const) {
      const built = (lacking: boolean) =>
        graph(
          [
            int16("x", [65536], SX),
            int16("y", [65536], SY),
            tensor("axes", [1], { dtype: "int32", data: new Uint8Array(4) }),
            int16("z", [], SY),
          ],
          [
            node(kind, [0], [1], attributes as never),
            ...(lacking ? [node("reduceMax", [1, 2], [3], { keepDims: false })] : []),
          ],
          [0],
          lacking ? [1, 3] : [1],
        );
      const by = ([up, down]: readonly number[]) =>
        all.map((v) => (v < 0 && down === 0 ? 0 : scaled(v, (v < 0 ? down : up) as number)));
      assert.notDeepEqual(by(float), by(double));
      assert.deepEqual(await run(module, built(true), all, "y"), by(float), kind);
      assert.deepEqual(await run(module, built(false), all, "y"), by(double), kind);
    }
  });
