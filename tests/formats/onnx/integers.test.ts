/** DequantizeLinear → operator → QuantizeLinear of bytes: one kernel on integers, with the bytes of the file's floats. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspectModel, loadModel } from "../../../bindings/public/index.ts";
import { buildOnnx, type GraphSpec, type NodeSpec, type TensorSpec } from "../build-onnx.ts";

const { fround } = Math;
const UINT8 = 2;
const INT8 = 3;
const [XS, XZ, YS, YZ] = [fround(0.0213271), 117, fround(0.0171489), 60] as const;

function rint(x: number): number {
  const whole = Math.round(x);
  return whole - x === 0.5 && whole % 2 !== 0 ? whole - 1 : whole;
}

const quantized = (value: number) => Math.min(Math.max(rint(fround(fround(value) / YS)) + YZ, 0), 255);
const meaning = (q: number) => fround((q - XZ) * XS);

interface Weights {
  readonly dims: readonly number[];
  readonly values: readonly number[];
  readonly scale: readonly number[];
  readonly axis: number;
  /** float32. */
  readonly bias?: readonly number[];
}

/** x of bytes through one operator, with weights of int8 where there are, to bytes. */
function between(node: Omit<NodeSpec, "inputs" | "outputs">, dims: readonly number[], weights?: Weights): GraphSpec {
  const scalar = (name: string, type: 1 | 7, value: number): TensorSpec => ({ name, dims: [], type, values: [value] });
  const cast = (name: string, to: number): NodeSpec => ({
    operator: "Cast",
    inputs: [`${name}_long`],
    outputs: [name],
    int: { to },
  });
  const linear = (operator: string, x: string, scale: string, zero: string, y: string): NodeSpec => ({
    operator,
    inputs: [x, scale, zero],
    outputs: [y],
  });
  const nodes = [
    cast("xz", UINT8),
    cast("yz", UINT8),
    linear("DequantizeLinear", "x", "xs", "xz", "xf"),
    { ...node, inputs: ["xf", ...(weights ? ["wf"] : []), ...(weights?.bias ? ["bias"] : [])], outputs: ["yf"] },
    linear("QuantizeLinear", "yf", "ys", "yz", "y"),
  ];
  const initializers = [scalar("xs", 1, XS), scalar("xz_long", 7, XZ), scalar("ys", 1, YS), scalar("yz_long", 7, YZ)];
  if (weights) {
    const { length } = weights.scale;
    const one = length === 1 ? [] : [length];
    const dequantize = { ...linear("DequantizeLinear", "w", "ws", "wz", "wf"), int: { axis: weights.axis } };
    nodes.unshift(cast("w", INT8), cast("wz", INT8), dequantize);
    initializers.push(
      { name: "w_long", dims: weights.dims, type: 7, values: weights.values },
      { name: "wz_long", dims: one, type: 7, values: new Array(length).fill(0) },
      { name: "ws", dims: one, type: 1, values: weights.scale },
    );
    if (weights.bias) initializers.push({ name: "bias", dims: [weights.bias.length], type: 1, values: weights.bias });
  }
  return { nodes, inputs: [{ name: "x", type: UINT8, dims }], outputs: [{ name: "y", type: UINT8 }], initializers };
}

/** The bytes of the output, once no operator of the network takes or gives floats. */
async function run(spec: GraphSpec, x: Uint8Array): Promise<readonly number[]> {
  const bytes = buildOnnx(spec);
  const { operators } = await inspectModel(bytes, { module: "simd" });
  const types = operators.flatMap(({ inputs, outputs }) => [...inputs, ...outputs].map(({ dtype }) => dtype));
  assert.ok(!types.includes("float32"), `${types}`);
  const all: number[][] = [];
  for (const module of ["scalar", "simd"] as const) {
    const model = await loadModel(bytes, { module });
    all.push(Array.from(Object.values(model.run([x]))[0] as ArrayLike<number>));
    model.close();
  }
  assert.deepEqual(all[0], all[1]);
  return all[1] as number[];
}

const picture = (count: number) => Uint8Array.from({ length: count }, (_, i) => (i * 89 + (i >> 3) * 31) % 256);

for (const [name, values] of [
  ["of steps of one scale", [-40, 90, 25]],
  ["of as many", [127, 1, -127]],
] as const)
  test(`PRelu with a slope for each channel, ${name}`, async () => {
    const x = Uint8Array.from({ length: 768 }, (_, i) => Math.floor(i / 3));
    const scale = fround(0.0061);
    const y = await run(
      between({ operator: "PRelu" }, [1, 16, 16, 3], { dims: [3], values, scale: [scale], axis: 0 }),
      x,
    );
    const slope = (i: number) => fround((values[i % 3] as number) * scale);
    const expected = Array.from(x, (q, i) => quantized(meaning(q) < 0 ? fround(slope(i) * meaning(q)) : meaning(q)));
    assert.deepEqual(y, expected);
  });

for (const { ints, int, counted, size } of [
  { ints: { kernel_shape: [3, 2], strides: [2, 1] }, int: {}, counted: false, size: [3, 6] },
  { ints: { kernel_shape: [2, 2], strides: [2, 2] }, int: {}, counted: false, size: [3, 3] },
  {
    ints: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
    int: { count_include_pad: 1 },
    counted: true,
    size: [4, 4],
  },
])
  test(`AveragePool ${JSON.stringify(ints)}`, async () => {
    const x = picture(2 * 49);
    const y = await run(between({ operator: "AveragePool", ints, int }, [1, 2, 7, 7]), x);
    const [[kH = 0, kW = 0], [sH = 0, sW = 0], pad] = [ints.kernel_shape, ints.strides, counted ? 1 : 0] as const;
    const [h = 0, w = 0] = size;
    const expected = Array.from({ length: 2 * h * w }, (_, i) => {
      const [c, oy, ox] = [Math.floor(i / (h * w)), Math.floor(i / w) % h, i % w];
      let sum = 0;
      for (let k = 0; k < kH * kW; k++) {
        const [iy, ix] = [oy * sH - pad + Math.floor(k / kW), ox * sW - pad + (k % kW)];
        if (iy >= 0 && ix >= 0 && iy < 7 && ix < 7) sum += (x[(c * 7 + iy) * 7 + ix] as number) - XZ;
      }
      return quantized((sum * XS) / (kH * kW));
    });
    assert.deepEqual(y, expected);
  });

test("ConvTranspose in groups with a scale for each channel", async () => {
  const x = picture(4 * 9);
  const scale = [fround(0.0031), fround(0.0052), fround(0.0013)];
  const values = Array.from({ length: 4 * 3 * 4 }, (_, i) => ((i * 57) % 255) - 127);
  const node = { operator: "ConvTranspose", int: { group: 2 }, ints: { strides: [2, 2] } };
  const y = await run(between(node, [1, 4, 3, 3], { dims: [4, 3, 2, 2], values, scale, axis: 1 }), x);
  const expected = Array.from({ length: 6 * 36 }, (_, i) => {
    const [o, oy, ox] = [Math.floor(i / 36), Math.floor(i / 6) % 6, i % 6];
    const [g, own, at] = [Math.floor(o / 3), o % 3, (oy % 2) * 2 + (ox % 2)];
    let sum = 0;
    for (const c of [2 * g, 2 * g + 1]) {
      const q = x[(c * 3 + Math.floor(oy / 2)) * 3 + Math.floor(ox / 2)] as number;
      sum += (q - XZ) * (values[(c * 3 + own) * 4 + at] as number);
    }
    return quantized(fround(XS * (scale[own] as number)) * sum);
  });
  assert.deepEqual(y, expected);
});

test("Conv with a bias of floats that are no whole steps of its sums", async () => {
  const [scale, bias] = [
    [fround(0.0131), fround(0.0072)],
    [fround(0.00013), fround(-1.30007)],
  ] as const;
  const x = picture(2 * 400);
  const values = [3, -2, 1, 2];
  const y = await run(
    between({ operator: "Conv" }, [1, 2, 20, 20], { dims: [2, 2, 1, 1], values, scale, axis: 0, bias }),
    x,
  );
  const expected = Array.from({ length: 800 }, (_, i) => {
    const [c, at] = [Math.floor(i / 400), i % 400];
    const sum = [0, 1].reduce((all, k) => all + ((x[k * 400 + at] as number) - XZ) * (values[c * 2 + k] as number), 0);
    return quantized(fround(fround(XS * (scale[c] as number)) * sum) + (bias[c] as number));
  });
  assert.deepEqual(y, expected);
});

test("ConvInteger: sums beyond 2^24 to the last unit", async () => {
  const channels = 1100;
  const weights = Array.from({ length: 2 * channels }, (_, i) => (i < channels ? 127 - (i % 7) : -128 + (i % 5)));
  const graph: GraphSpec = {
    inputs: [{ name: "x", type: UINT8, dims: [1, channels, 1, 2] }],
    outputs: [{ name: "y", type: 6, dims: [1, 2, 1, 2] }],
    initializers: [
      { name: "w_long", dims: [2, channels, 1, 1], type: 7, values: weights },
      { name: "z_long", dims: [], type: 7, values: [3] },
    ],
    nodes: [
      { operator: "Cast", inputs: ["w_long"], outputs: ["w"], int: { to: INT8 } },
      { operator: "Cast", inputs: ["z_long"], outputs: ["z"], int: { to: UINT8 } },
      { operator: "ConvInteger", inputs: ["x", "w", "z"], outputs: ["y"] },
    ],
  };
  const x = Uint8Array.from({ length: 2 * channels }, (_, i) => 255 - (i % 3));
  const model = await loadModel(buildOnnx(graph), { module: "simd" });
  const sums = Object.values(model.run([x]))[0] as ArrayLike<number>;
  const expected = [0, 1].flatMap((o) =>
    [0, 1].map((p) =>
      weights
        .slice(o * channels, (o + 1) * channels)
        .reduce((sum, w, c) => sum + w * ((x[2 * c + p] as number) - 3), 0),
    ),
  );
  assert.ok(expected.every((sum) => Math.abs(sum) > 2 ** 24));
  assert.deepEqual(Array.from(sums), expected);
});
