/** BatchNormalization behind a product of quantized weights: their scales and the biases have its factors. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspectModel, loadModel } from "../../../bindings/public/index.ts";
import { buildOnnx, floats, type GraphSpec, type NodeSpec, node, type TensorSpec } from "../build-onnx.ts";

const bytes = (name: string, dims: readonly number[], values: readonly number[]): TensorSpec => ({
  name,
  dims,
  type: 3,
  raw: new Uint8Array(Int8Array.from(values).buffer),
});

/** Scale, bias, mean and variance of three channels, the second of which is turned round: y = 2x − 5, 3 − x, x / 2. */
const NUMBERS = [
  floats("s", [3], [4, -3, 1]),
  floats("b", [3], [1, 0, -1]),
  floats("m", [3], [3, 3, -2]),
  floats("v", [3], [4, 9, 4]),
];
const STATED = [(x: number) => 2 * x - 5, (x: number) => 3 - x, (x: number) => x / 2];
const normalize = (x: string, y: string) => node("BatchNormalization", `${x} s b m v`, y, { float: { epsilon: 0 } });

const seven = (i: number, step: number) => ((i * step + 3) % 7) - 3;
const list = (length: number, step: number) => Array.from({ length }, (_, i) => seven(i, step));

/** The outputs of a network, and how many operators multiply or add beside its products. */
async function run(
  nodes: readonly NodeSpec[],
  spec: Omit<GraphSpec, "nodes" | "initializers">,
  own: readonly TensorSpec[],
  x: readonly number[],
) {
  const model = buildOnnx({ ...spec, nodes, initializers: [...NUMBERS, ...own] });
  const { operators } = await inspectModel(model, { module: "simd" });
  const beside = operators.filter(({ kind }) => kind === "mul" || kind === "add").length;
  const types = operators.flatMap(({ inputs, outputs }) => [...inputs, ...outputs].map(({ dtype }) => dtype));
  const session = await loadModel(model, { module: "simd" });
  const outputs = Object.values(session.run([Float32Array.from(x)])).map((y) => Array.from(y as Float32Array));
  session.close();
  return { outputs, beside, types };
}

const sizes = { conv: [3, 2, 1, 2], depthwise: [3, 1, 1, 2], transposed: [2, 3, 1, 1], gemm: [3, 4] } as const;
const PRODUCTS: readonly (readonly [string, NodeSpec, readonly number[], readonly number[]])[] = [
  ["convolutions", node("Conv", "x w c", "p"), [1, 2, 3, 4], sizes.conv],
  ["convolutions without a bias", node("Conv", "x w", "p"), [1, 2, 3, 4], sizes.conv],
  ["convolutions of one dimension", node("Conv", "x w c", "p"), [1, 2, 5], [3, 2, 2]],
  ["depthwise convolutions", node("Conv", "x w c", "p", { int: { group: 3 } }), [1, 3, 3, 4], sizes.depthwise],
  ["transposed convolutions", node("ConvTranspose", "x w c", "p"), [1, 2, 3, 4], sizes.transposed],
  ["matrix products", node("Gemm", "x w c", "p", { int: { transB: 1 } }), [2, 4], sizes.gemm],
];

for (const [name, product, dims, shape] of PRODUCTS)
  test(`${name} have the factors of what normalizes them, where nothing else reads them`, async () => {
    const count = (of: readonly number[]) => of.reduce((all, size) => all * size, 1);
    const own = [
      bytes("wq", shape, list(count(shape), 5)),
      bytes("wz", [], [0]),
      floats("ws", [], [0.5]),
      floats("c", [3], [1, -2, 3]),
    ];
    const weights = node("DequantizeLinear", "wq ws wz", "w");
    const x = list(count(dims), 3);
    const inputs = [{ name: "x", dims }];
    const alone = await run([weights, product], { inputs, outputs: [{ name: "p" }] }, own, x);
    const channel = (i: number) => (dims.length === 2 ? i % 3 : Math.floor(i / (p.length / 3)));
    const p = alone.outputs[0] as number[];
    const expected = p.map((value, i) => STATED[channel(i)]?.(value));
    const one = await run([weights, product, normalize("p", "y")], { inputs, outputs: [{ name: "y" }] }, own, x);
    assert.deepEqual([one.outputs, one.beside], [[expected], 0]);
    const two = { inputs, outputs: [{ name: "y" }, { name: "p" }] };
    const both = await run([weights, product, normalize("p", "y")], two, own, x);
    assert.deepEqual([both.outputs, both.beside], [[expected, p], 2]);
  });

test("between quantizations they stay products of integers, of channels turned round, too", async () => {
  const own = [
    floats("xs", [], [0.5]),
    bytes("xz", [], [1]),
    floats("ws", [3], [1, 0.5, 2]),
    bytes("wz", [3], [0, 0, 0]),
    bytes("w", [3, 2, 1, 1], [3, -5, 7, 2, -127, 6]),
    floats("c", [3], [1, -2, 3]),
    floats("ys", [], [0.25]),
    bytes("yz", [], [-3]),
  ];
  const nodes = [
    node("QuantizeLinear", "x xs xz", "xq"),
    node("DequantizeLinear", "xq xs xz", "xf"),
    node("DequantizeLinear", "w ws wz", "wf", { int: { axis: 0 } }),
    node("Conv", "xf wf c", "p"),
    normalize("p", "n"),
    node("Relu", "n", "r"),
    node("QuantizeLinear", "r ys yz", "y"),
  ];
  const spec = { inputs: [{ name: "x", dims: [1, 2, 1, 2] }], outputs: [{ name: "y", type: 3 }] };
  const x = [1, 2, -0.5, 3];
  const { outputs, types } = await run(nodes, spec, own, x);
  const w = [3, -5, 3.5, 1, -254, 12];
  const expected = [0, 1, 2].flatMap((c) =>
    [0, 1].map((at) => {
      const sum = (x[at] as number) * (w[2 * c] as number) + (x[2 + at] as number) * (w[2 * c + 1] as number);
      const y = STATED[c]?.(sum + ([1, -2, 3][c] as number)) as number;
      return Math.min(Math.max(Math.max(y, 0) / 0.25 - 3, -128), 127);
    }),
  );
  assert.deepEqual(outputs, [expected]);
  assert.ok(!types.slice(1).includes("float32"), `${types}`);
});
