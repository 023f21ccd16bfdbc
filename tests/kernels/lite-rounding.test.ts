/**
 * int8 FULLY_CONNECTED by a scale for each output, with and without something that TFLite Micro refuses: an operator that it
 * lacks, FILL of a computed shape, a type, a sixth dimension, an eleventh tensor, a tensor of no elements, weights of int8 for floats, constants behind the
 * FlatBuffer. Reference: BUILTIN_REF 2.21, which rounds once.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Graph, TensorId } from "../../bindings/graph.ts";
import { liteRounding } from "../../bindings/ops/liteRounding.ts";
import { loadModule, loadPlan, planGraph, runPasses, writePlan } from "../../bindings/public/index.ts";
import type { Tensor } from "../../bindings/tensor.ts";
import { graph, int32, node, tensor } from "../passes/graphs.ts";
import { xorshift } from "../support/kernels.ts";

const [M, K, N] = [4096, 16, 16];
const affine = (scale: readonly number[], zeroPoint: number) => ({
  scale,
  zeroPoint: scale.map(() => zeroPoint),
  axis: 0,
});
/** The low bytes of a draw. */
function drawn(count: number, seed: number): Int8Array {
  const next = xorshift(seed);
  return Int8Array.from({ length: count }, () => Math.max(-127, (next() << 24) >> 24));
}
const weights = drawn(N * K, 12345);
const scales = Array.from({ length: N }, (_, i) => Math.fround(0.0031 + i * 0.00011));
const [SX, SY] = [Math.fround(0.0201), Math.fround(0.0877)];

const REFUSED = ["gelu", "exp", "transpose", "slice", "concat", "fullyConnected"] as const;
type End = (typeof REFUSED)[number] | "relu";

/** The layer, and what else is in its network. */
function fully(end: End) {
  const constant = { data: new Uint8Array(weights.buffer), quantization: affine(scales, 0) } as Partial<Tensor>;
  const y = { quantization: affine([SY], 3) };
  const integers = (...values: number[]): Tensor => ({
    name: `${values}`,
    dtype: "int32",
    shape: [values.length],
    data: int32(...values),
  });
  const floats = (name: string, shape: readonly number[]): Tensor => ({ name, dtype: "float32", shape });
  const z = {
    gelu: [M, N],
    exp: [M, N],
    relu: [M, N],
    transpose: [1, 1, 1, 1, M, N],
    slice: [0, N],
    concat: [11 * M, N],
    fullyConnected: [1, N],
  };
  const tensors = [
    tensor("x", [M, K], { quantization: affine([SX], -3) }),
    tensor("w", [N, K], constant),
    tensor("y", [M, N], y),
    end === "fullyConnected" ? floats("z", [1, N]) : tensor("z", z[end], y),
    integers(0, 0),
    integers(0, N),
    tensor("deep", [1, 1, 1, 1, M, N], y),
    integers(0, 1, 2, 3, 4, 5),
    floats("f", [1, K]),
  ];
  const attributes = { activation: "none", keepDims: false } as const;
  const last = {
    gelu: () => [node("gelu", [2], [3], { approximate: false })],
    exp: () => [node("exp", [2], [3], {})],
    relu: () => [node("relu", [2], [3], {})],
    transpose: () => [node("reshape", [2], [6], { shape: [1, 1, 1, 1, M, N] }), node("transpose", [6, 7], [3], {})],
    concat: () => [node("concat", Array(11).fill(2), [3], { axis: 0, activation: "none" })],
    slice: () => [node("slice", [2, 4, 5], [3], {})],
    fullyConnected: () => [node("fullyConnected", [8, 1], [3], attributes)],
  };
  return graph(tensors, [node("fullyConnected", [0, 1], [2], attributes), ...last[end]()], [0, 8], [2, 3]);
}

/** By exact integers: the multiplier of 31 bits, rounded once, or by the upper half and then by the shift. */
function expected(x: Int8Array, once: boolean): Int8Array {
  return Int8Array.from({ length: M * N }, (_, i) => {
    const [row, column] = [Math.floor(i / N), i % N];
    let sum = 0;
    for (let k = 0; k < K; k++) sum += ((x[row * K + k] as number) + 3) * (weights[column * K + k] as number);
    const real = (SX * (scales[column] as number)) / SY;
    const right = -Math.ceil(Math.log2(real));
    const multiplier = BigInt(Math.round(real * 2 ** (31 + right)));
    const product = BigInt(sum) * multiplier;
    const shifted = (value: bigint, bits: bigint) => (value + (1n << (bits - 1n))) >> bits;
    const away = (value: bigint) => (value < 0n ? -shifted(-value, 31n) : shifted(value, 31n));
    const high = away(product);
    const half = 1n << BigInt(right - 1);
    const down = high >= 0n ? (high + half) >> BigInt(right) : -((-high + half) >> BigInt(right));
    const whole = once ? shifted(product, BigInt(31 + right)) : down;
    return Math.max(-128, Math.min(127, Number(whole) + 3));
  });
}

for (const module of ["scalar", "simd"] as const)
  test(`in ${module}`, async () => {
    const { name, hash } = await loadModule(module);
    const x = drawn(M * K, 777);
    const run = async (end: End, file: Partial<Graph> = {}) => {
      const plan = writePlan(planGraph(runPasses({ ...fully(end), ...file }), { module: name, moduleHash: hash }));
      const session = await loadPlan(plan);
      return session.run([x, new Float32Array(K)]).y as Int8Array;
    };
    const [once, twice] = [expected(x, true), expected(x, false)];
    assert.ok(
      once.some((value, i) => value !== twice[i]),
      "the draw meets no tie of the first rounding",
    );
    for (const end of REFUSED) assert.deepEqual(await run(end), once, end);
    assert.deepEqual(await run("relu"), twice);
    assert.deepEqual(await run("relu", { withoutMicro: true }), once);
  });

test("FILL of a shape that is computed", () => {
  const { tensors, ...rest } = fully("relu");
  const shape = tensors.length as TensorId;
  const [value, filled] = [shape + 1, shape + 2] as unknown as readonly [TensorId, TensorId];
  const extended = (data?: Uint8Array) => ({
    ...rest,
    tensors: [
      ...tensors,
      { name: "shape", dtype: "int32", shape: [2], ...(data && { data }) } as const,
      { name: "true", dtype: "bool", shape: [], data: Uint8Array.of(1) } as const,
      { name: "mask", dtype: "bool", shape: [M, N] } as const,
    ],
    nodes: [
      ...(data ? [] : [node("shape", [2], [shape], { dtype: "int32" })]),
      node("fill", [shape, value], [filled], {}),
      ...rest.nodes,
    ],
  });
  const once = (of: Graph) => liteRounding(of).nodes.some(({ attributes }) => "once" in attributes);
  assert.equal(once(extended()), true);
  assert.equal(once(extended(int32(M, N))), false);
});

test("shapes of the file that contradict each other, but for inputs", () => {
  const tensors = [
    tensor("x", [1, K], { quantization: affine([SX], -3) }),
    tensor("w", [N, K], { quantization: affine([0.01], 0) }),
    tensor("y", [1, N]),
    tensor("z", [1, 2, N]),
  ];
  const layer = node("fullyConnected", [0, 1], [2], { activation: "none", keepDims: false });
  const isOnce = (input: number) => {
    const all = graph(tensors, [layer, node("expandDims", [2], [3], {})], [input], [3]);
    return "once" in (liteRounding(all).nodes[0]?.attributes ?? {});
  };
  assert.deepEqual([isOnce(0), isOnce(2)], [true, false]);
});
