/** Forms of files that pages load: 4-bit weights, decoders in two branches, halves. Expected values are onnxruntime 1.32's. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadModel } from "../../../bindings/public/index.ts";
import { buildOnnx, floats, type GraphSpec, node, type TensorSpec } from "../build-onnx.ts";

const bytes = (name: string, dims: readonly number[], values: ArrayLike<number>, type: 2 | 3 | 10 = 2): TensorSpec => ({
  name,
  dims,
  type,
  raw: Uint8Array.from(values),
});
const microsoft = { domain: "com.microsoft" };

async function outputOf(graph: GraphSpec, inputs: readonly ArrayLike<number>[], opset = 17) {
  const model = await loadModel(buildOnnx(graph, opset), { module: "simd" });
  const [y] = Object.values(model.run(inputs as never)) as unknown as readonly ArrayLike<number>[];
  const [{ shape, dtype } = { shape: [], dtype: "" }] = model.outputs;
  model.close();
  return { values: Array.from(y ?? []), shape, dtype };
}

/** Each value of a type in turn, rows of eight bytes: the first of two stands in the upper half. */
const PACKED = [0, 1, 2, 3].flatMap(() => [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef]);

const bnb = (int: Readonly<Record<string, number>>): GraphSpec => ({
  nodes: [node("MatMulBnb4", "x w s", "y", { ...microsoft, int: { K: 16, N: 4, block_size: 32, ...int } })],
  inputs: [{ name: "x", dims: [16, 16] }],
  outputs: [{ name: "y" }],
  initializers: [bytes("w", [32], PACKED), floats("s", [2], [2, 3])],
});
const identity = Float32Array.from({ length: 256 }, (_, i) => (i % 17 === 0 ? 1 : 0));

test("MatMulBnb4: floats of four bits, and quantiles, by the greatest magnitude of two rows", async () => {
  const FP4 = [0, 0.010416667, 1.3333334, 2, 0.6666667, 1, 0.33333334, 0.5];
  const NF4 = [
    -2, -1.3923856, -1.0501461, -0.789835, -0.56888276, -0.36954686, -0.18210007, 0, 0.1591606, 0.3218604, 0.4922246,
    0.6758305, 0.88141966, 1.125234, 1.4459137, 2,
  ];
  for (const [type, list] of [[...FP4, ...FP4.map((value) => -value)], NF4].entries()) {
    const { values } = await outputOf(bnb({ quant_type: type }), [identity]);
    const expected = list.flatMap((value) => [value, value, value * 1.5, value * 1.5]);
    for (const [i, value] of expected.entries())
      assert.ok(Math.abs((values[i] as number) - value) < 1e-6, `${type}, ${i}: ${values[i]}, not ${value}`);
  }
});

test("MatMulBnb4 of other types and sizes is refused", async () => {
  await assert.rejects(outputOf(bnb({ quant_type: 2 }), [identity]), /quant_type 0 or 1, received 2/);
  await assert.rejects(outputOf(bnb({ block_size: 16 }), [identity]), /32 bytes and 4 scales, received 16, 32 and 2/);
  await assert.rejects(outputOf(bnb({ block_size: 0 }), [identity]), /UNSUPPORTED|scales/);
});

test("accuracy level 4 multiplies by 127 / greatest", async () => {
  const int = { K: 16, N: 2, bits: 4, block_size: 16, accuracy_level: 4 };
  const w = [0x98, ...new Array(7).fill(0x88), 0x89, ...new Array(7).fill(0x88)];
  const graph: GraphSpec = {
    nodes: [node("MatMulNBits", "x w s", "y", { ...microsoft, int })],
    inputs: [{ name: "x", dims: [1, 16] }],
    outputs: [{ name: "y" }],
    initializers: [bytes("w", [2, 1, 8], w), floats("s", [2], [1, 1])],
  };
  const x = Float32Array.of(24.875, 12.4375, ...new Array(14).fill(0));
  const [first = 0] = (await outputOf(graph, [x])).values;
  assert.ok(Math.abs(first - 12.339569) < 1e-5, `${first}`);
});

test("of 2 bits it rounds in blocks of 32 to 128 alone", async () => {
  for (const [size, expected] of [
    [16, 12.4375],
    [32, 12.339569],
    [128, 12.339569],
    [256, 12.4375],
  ] as const) {
    const int = { K: size, N: 1, bits: 2, block_size: size, accuracy_level: 4 };
    const graph: GraphSpec = {
      nodes: [node("MatMulNBits", "x w s", "y", { ...microsoft, int })],
      inputs: [{ name: "x", dims: [1, size] }],
      outputs: [{ name: "y" }],
      initializers: [
        bytes("w", [1, 1, size / 4], [0xae, ...new Array(size / 4 - 1).fill(0xaa)]),
        floats("s", [1], [1]),
      ],
    };
    const x = Float32Array.of(24.875, 12.4375, ...new Array(size - 2).fill(0));
    const [first = 0] = (await outputOf(graph, [x])).values;
    assert.ok(Math.abs(first - expected) < 1e-5, `${size}: ${first}`);
  }
});

test("QLinearSoftmax adds exponentials of float32", async () => {
  const rows = [
    [3, 0.03, 2, [58, 156, 34, 68, 145, 88, 128], [6, 104, 3, 7, 75, 14, 45]],
    [3, 0.03, 2, [73, 2, 24, 63, 72, 2, 39], [72, 9, 17, 53, 70, 9, 26]],
    [
      2,
      0.5,
      3,
      [-108, -111, -107, -119, -105, -108, -105, -127, -115, -106, -108, -116, -96, -104, -101, -119],
      [-127, -128, -127, -128, -126, -127, -126, -128, -128, -127, -127, -128, 94, -124, -110, -128],
    ],
  ] as const;
  for (const [zero, scale, type, x, expected] of rows) {
    const graph: GraphSpec = {
      nodes: [node("QLinearSoftmax", "x xs xz ys yz", "y", { ...microsoft, int: { axis: -1, opset: 13 } })],
      inputs: [{ name: "x", type, dims: [1, x.length] }],
      outputs: [{ name: "y", type }],
      initializers: [
        floats("xs", [], [scale]),
        bytes("xz", [], [zero], type),
        floats("ys", [], [1 / 255]),
        bytes("yz", [], [type === 2 ? 0 : 128], type),
      ],
    };
    const input = type === 2 ? Uint8Array.from(x) : Int8Array.from(x);
    assert.deepEqual((await outputOf(graph, [input])).values, [...expected]);
  }
});

const half = (name: string, bits: number) => bytes(name, [], [bits & 255, bits >> 8], 10);

test("If of halves chooses when it runs", async () => {
  const branch = (by: string): GraphSpec => ({
    nodes: [node("Mul", `x ${by}`, "z")],
    inputs: [],
    outputs: [{ name: "z", type: 10 }],
  });
  const graph: GraphSpec = {
    nodes: [node("If", "is", "y", { graph: { then_branch: branch("two"), else_branch: branch("three") } })],
    inputs: [
      { name: "x", type: 10, dims: [2] },
      { name: "is", type: 9, dims: [1] },
    ],
    outputs: [{ name: "y", type: 10 }],
    initializers: [half("two", 0x4000), half("three", 0x4200)],
  };
  const x = Uint16Array.of(0x3c00, 0x4000);
  for (const [is, expected] of [
    [1, [0x4000, 0x4400]],
    [0, [0x4200, 0x4600]],
  ] as const) {
    const { values, dtype } = await outputOf(graph, [x, Uint8Array.of(is)]);
    assert.equal(dtype, "float16");
    assert.deepEqual(values, expected);
  }
});

test("sizes that were cast to halves and back are known", async () => {
  const graph: GraphSpec = {
    nodes: [
      node("Shape", "x", "shape"),
      node("Gather", "shape one", "size"),
      node("Cast", "size", "half", { int: { to: 10 } }),
      node("Pow", "half power", "root"),
      node("Ceil", "root", "whole"),
      node("Cast", "whole", "side", { int: { to: 7 } }),
      node("Concat", "first side side", "to", { int: { axis: 0 } }),
      node("Reshape", "x to", "y"),
    ],
    inputs: [{ name: "x", dims: [2, 16] }],
    outputs: [{ name: "y" }],
    initializers: [
      { name: "one", dims: [1], type: 7, values: [1] },
      { name: "first", dims: [1], type: 7, values: [2] },
      half("power", 0x3800),
    ],
  };
  assert.deepEqual((await outputOf(graph, [new Float32Array(32)])).shape, [2, 4, 4]);
});

test("branches of other shapes: the hint says how the condition is told", async () => {
  const branch = (name: string): GraphSpec => ({
    nodes: [node("Identity", name, "z")],
    inputs: [],
    outputs: [{ name: "z" }],
  });
  const graph: GraphSpec = {
    nodes: [node("If", "is", "y", { graph: { then_branch: branch("a"), else_branch: branch("b") } })],
    inputs: [
      { name: "is", type: 9, dims: [1] },
      { name: "a", dims: [2] },
      { name: "b", dims: [3] },
    ],
    outputs: [{ name: "y" }],
  };
  await assert.rejects(loadModel(buildOnnx(graph), { module: "simd" }), (error: Error & { hint?: string }) => {
    assert.match(error.message, /branches of one shape, or a condition that is known, received \[2\] and \[3\]/);
    assert.match(error.hint ?? "", /constants: \{ is: \[1\] \}/);
    return true;
  });
});

test("files optimized for one processor are told from others", async () => {
  const graph: GraphSpec = {
    nodes: [node("Conv", "x x", "y", { domain: "com.microsoft.nchwc" })],
    inputs: [{ name: "x", dims: [1, 1, 1, 1] }],
    outputs: [{ name: "y" }],
  };
  await assert.rejects(loadModel(buildOnnx(graph), { module: "simd" }), (error: Error & { hint?: string }) => {
    assert.match(error.hint ?? "", /ORT_ENABLE_EXTENDED/);
    return true;
  });
});

/** Mean, least and most of what one node draws, of 20,000 numbers. */
async function drawn(operator: string, float: Readonly<Record<string, number>>, x = 0.25) {
  const isOfShape = /^Random(Normal|Uniform)$/.test(operator);
  const rest = isOfShape ? { ints: { shape: [100, 200] }, float } : { float };
  const nodes = isOfShape
    ? [{ operator, inputs: [], outputs: ["r"], ...rest }, node("Add", "x r", "y")]
    : [node(operator, "x", "r", rest), node("Identity", "r", "y")];
  const graph: GraphSpec = { nodes, inputs: [{ name: "x", dims: [100, 200] }], outputs: [{ name: "y" }] };
  const input = new Float32Array(20000).fill(isOfShape ? 0 : x);
  const { values, shape } = await outputOf(graph, [input]);
  assert.deepEqual(shape, [100, 200]);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  return { values, mean, deviation, least: Math.min(...values), most: Math.max(...values) };
}

test("random numbers are of their distribution, and the same again", async () => {
  for (const operator of ["RandomNormal", "RandomNormalLike"]) {
    const { values, mean, deviation } = await drawn(operator, { mean: 3, scale: 2 });
    assert.ok(Math.abs(mean - 3) < 0.06 && Math.abs(deviation - 2) < 0.06, `${operator}: ${mean}, ${deviation}`);
    assert.deepEqual((await drawn(operator, { mean: 3, scale: 2 })).values, values);
  }
  for (const operator of ["RandomUniform", "RandomUniformLike"]) {
    const { mean, least, most } = await drawn(operator, { low: -1, high: 3 });
    assert.ok(
      Math.abs(mean - 1) < 0.05 && least >= -1 && least < -0.99 && most < 3 && most > 2.99,
      `${operator}: ${mean}`,
    );
  }
  const { mean, least, most } = await drawn("Bernoulli", {}, 0.25);
  assert.ok(Math.abs(mean - 0.25) < 0.015 && least === 0 && most === 1, `${mean}`);
});

test("seeds decide what is drawn", async () => {
  const [a, b, again] = await Promise.all([1, 2, 1].map((seed) => drawn("RandomUniformLike", { seed })));
  assert.notDeepEqual(a?.values, b?.values);
  assert.deepEqual(a?.values, again?.values);
});
