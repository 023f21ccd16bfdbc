/**
 * Dynamically quantized products against their formulas, bit for bit: DynamicQuantizeLinear, ConvInteger or MatMulInteger, Cast,
 * Mul by both scales, Add of a bias. uint8 weights less their zero point may take nine bits.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inspectModel, loadModel } from "../../../bindings/public/index.ts";
import { random, runnable } from "../../support/kernels.ts";
import { buildOnnx, type GraphSpec, type NodeSpec } from "../build-onnx.ts";

const { fround } = Math;
const UINT8 = 2;
const WS = fround(0.0123);

/** onnxruntime's DynamicQuantizeLinear: values less their zero point, and the scale. */
function quantize(x: Float32Array): { readonly q: Float64Array; readonly scale: number } {
  const least = Math.min(0, ...x);
  const most = Math.max(0, ...x);
  const range = fround(fround(most - least) / 255);
  const scale = range === 0 ? 1 : range;
  const rint = (v: number) => {
    const whole = Math.round(v);
    return whole - v === 0.5 && whole % 2 !== 0 ? whole - 1 : whole;
  };
  const clamp = (v: number) => Math.min(Math.max(v, 0), 255);
  const zero = clamp(rint(fround(fround(-least) / scale)));
  return { q: Float64Array.from(x, (v) => clamp(rint(fround(v / scale)) + zero) - zero), scale };
}

interface Example {
  readonly operator: "ConvInteger" | "MatMulInteger";
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly zero: number;
  readonly pad?: number;
  readonly stride?: number;
  readonly group?: number;
}

/** The chain as onnxruntime's quantizer writes it. */
function chain(
  { operator, x, w, zero, pad = 0, stride = 1, group = 1 }: Example,
  values: number[],
  bias: number[],
): GraphSpec {
  const isConv = operator === "ConvInteger";
  const ints = { pads: [pad, pad, pad, pad], strides: [stride, stride] };
  const node = (operator: string, inputs: string[], outputs: string[], more: Partial<NodeSpec> = {}): NodeSpec => ({
    operator,
    inputs,
    outputs,
    ...more,
  });
  const nodes = [
    node("DynamicQuantizeLinear", ["x"], ["q", "xs", "xz"]),
    node("Mul", ["xs", "ws"], ["scales"]),
    node(operator, ["q", "w", "xz", "wz"], ["sums"], isConv ? { ints, int: { group } } : {}),
    node("Cast", ["sums"], ["real"], { int: { to: 1 } }),
    node("Mul", ["real", "scales"], ["product"]),
    node("Add", ["product", "bias"], ["y"]),
  ];
  const initializers = [
    { name: "w", dims: w, type: UINT8, raw: Uint8Array.from(values) },
    { name: "wz", dims: [], type: UINT8, raw: Uint8Array.of(zero) },
    { name: "ws", dims: [], type: 1, values: [WS] },
    { name: "bias", dims: isConv ? [1, bias.length, 1, 1] : [bias.length], type: 1, values: bias },
  ];
  return {
    nodes,
    inputs: [{ name: "x", type: 1, dims: x }],
    outputs: [{ name: "y", type: 1 }],
    initializers,
  } as GraphSpec;
}

/** Sums of ConvInteger `[O,H,W]` of one image, or of MatMulInteger. */
function sumsOf(
  { operator, x, w, pad = 0, stride = 1, group = 1 }: Example,
  q: Float64Array,
  less: number[],
): number[] {
  const sums: number[] = [];
  if (operator === "MatMulInteger") {
    const [k, n] = w as [number, number];
    for (let row = 0; row < q.length / k; row++)
      for (let c = 0; c < n; c++) {
        let sum = 0;
        for (let i = 0; i < k; i++) sum += (q[row * k + i] as number) * (less[i * n + c] as number);
        sums.push(sum);
      }
    return sums;
  }
  const [, , height, width] = x as [number, number, number, number];
  const [outputs, channels, kH, kW] = w as [number, number, number, number];
  for (let o = 0; o < outputs; o++)
    for (let top = -pad; top + kH <= height + pad; top += stride)
      for (let left = -pad; left + kW <= width + pad; left += stride) {
        let sum = 0;
        const from = Math.floor(o / (outputs / group)) * channels;
        for (let c = 0; c < channels; c++)
          for (let i = 0; i < kH; i++)
            for (let j = 0; j < kW; j++) {
              const [a, b] = [top + i, left + j];
              if (a < 0 || b < 0 || a >= height || b >= width) continue;
              const at = ((from + c) * height + a) * width + b;
              sum += (q[at] as number) * (less[((o * channels + c) * kH + i) * kW + j] as number);
            }
        sums.push(sum);
      }
  return sums;
}

const EXAMPLES: readonly Example[] = [
  { operator: "ConvInteger", x: [1, 4, 7, 9], w: [10, 4, 3, 3], zero: 119, pad: 1 },
  { operator: "ConvInteger", x: [1, 3, 8, 8], w: [3, 3, 3, 3], zero: 141, stride: 2 },
  { operator: "ConvInteger", x: [1, 1, 12, 11], w: [17, 1, 5, 5], zero: 0, pad: 2 },
  { operator: "ConvInteger", x: [1, 8, 5, 6], w: [12, 4, 1, 1], zero: 255, group: 2 },
  { operator: "ConvInteger", x: [1, 6, 9, 5], w: [8, 3, 3, 3], zero: 100, group: 2, pad: 1, stride: 2 },
  { operator: "ConvInteger", x: [1, 2, 6, 6], w: [2, 1, 3, 3], zero: 130, group: 2 },
  { operator: "ConvInteger", x: [2, 2, 5, 5], w: [4, 2, 3, 3], zero: 120 },
  { operator: "MatMulInteger", x: [1, 33], w: [33, 21], zero: 120 },
  { operator: "MatMulInteger", x: [7, 16], w: [16, 4], zero: 65 },
  { operator: "MatMulInteger", x: [2, 3, 10], w: [10, 8], zero: 255 },
  { operator: "MatMulInteger", x: [5, 12], w: [12, 9], zero: 128 },
  { operator: "MatMulInteger", x: [9, 69], w: [69, 13], zero: 3 },
  { operator: "MatMulInteger", x: [60, 258], w: [258, 20], zero: 240 },
  { operator: "MatMulInteger", x: [8, 96], w: [96, 16], zero: 128 },
];

const MODULES = (await runnable()).filter(({ skip }) => !skip).map(({ name }) => name);

describe("dynamically quantized products", () => {
  for (const [seed, example] of EXAMPLES.entries()) {
    const { operator, x: dims, w, zero } = example;
    test(`${operator} of ${dims.join("×")} by ${w.join("×")}, zero point ${zero}`, async () => {
      const { int } = random(seed + 1);
      const draw = () => int(0, 999_999) / 1_000_000;
      const count = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
      const x = Float32Array.from({ length: count(dims) }, () => draw() * 3 - 1);
      const values = Array.from({ length: count(w) }, (_, i) => (i < 2 ? i * 255 : Math.floor(draw() * 256)));
      const isConv = operator === "ConvInteger";
      const channels = (isConv ? w[0] : w[1]) as number;
      const bias = Array.from({ length: channels }, () => fround(draw() - 0.5));
      const bytes = buildOnnx(chain(example, values, bias));
      const { q, scale } = quantize(x);
      const less = values.map((value) => value - zero);
      const images = isConv ? (dims[0] as number) : 1;
      const each = q.length / images;
      const sums = Array.from({ length: images }, (_, i) =>
        sumsOf(example, q.subarray(i * each, (i + 1) * each), less),
      ).flat();
      const pixels = isConv ? sums.length / images / channels : 1;
      const factor = fround(scale * WS);
      const expected = Float32Array.from(sums, (sum, i) =>
        fround(fround(fround(sum) * factor) + (bias[Math.floor(i / pixels) % channels] as number)),
      );
      for (const module of MODULES) {
        const session = await loadModel(bytes, { module });
        assert.deepEqual(Object.values(session.run([x]))[0], expected, module);
        session.close();
      }
      const { operators } = await inspectModel(bytes, { module: "simd" });
      const isJoined = operators.some(({ kernels }) => kernels.some((text) => text.includes("Hybrid")));
      assert.equal(isJoined, !isConv || (images === 1 && (w[1] !== 1 || example.group === undefined)));
    });
  }

  test("the parts of the chain that others read are computed beside it", async () => {
    const graph = chain(
      { operator: "MatMulInteger", x: [2, 3], w: [3, 2], zero: 120 },
      [0, 255, 9, 130, 7, 99],
      [1, -1],
    );
    const names = ["y", "q", "xs", "xz", "scales"];
    const x = Float32Array.of(0.5, -1, 0.25, 2, 0, 1);
    const { q, scale } = quantize(x);
    const alone = await loadModel(buildOnnx(graph), { module: "simd" });
    const { y: expected } = alone.run([x]);
    const model = await loadModel(buildOnnx({ ...graph, outputs: names.map((name) => ({ name })) }), {
      module: "simd",
    });
    const outputs = model.run([x]);
    const zero = Math.round(1 / scale);
    assert.deepEqual(outputs, {
      y: expected,
      q: Uint8Array.from(q, (value) => value + zero),
      xs: Float32Array.of(scale),
      xz: Uint8Array.of(zero),
      scales: Float32Array.of(fround(scale * WS)),
    });
  });
});
