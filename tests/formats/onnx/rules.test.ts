/** Operators where onnxruntime decides what the standard leaves open: expected values are what its version 1.32 gives. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadModel } from "../../../bindings/public/index.ts";
import { buildOnnx, floats, type GraphSpec, type NodeSpec, type TensorSpec } from "../build-onnx.ts";

type Values = Float32Array | Uint8Array | Int8Array;

async function run(spec: GraphSpec, inputs: readonly Values[], opset = 21): Promise<readonly (readonly number[])[]> {
  const model = await loadModel(buildOnnx(spec, opset), { module: "simd" });
  const outputs = Object.values(model.run(inputs as readonly Float32Array[])) as readonly ArrayLike<number>[];
  model.close();
  return outputs.map((y) => Array.from(y, Number));
}

const bytes = (name: string, dims: readonly number[], values: readonly number[]): TensorSpec => ({
  name,
  dims,
  type: 2,
  raw: Uint8Array.from(values),
});
const near = (actual: readonly number[] | undefined, expected: readonly number[]) => {
  assert.equal(actual?.length, expected.length);
  for (const [i, value] of expected.entries())
    assert.ok(Math.abs((actual?.[i] as number) - value) <= 1e-5 || Object.is(actual?.[i], value), `${actual}`);
};

/** One step of an RNN whose weights are 1 and 0: the functions themselves. */
async function functions(node: Partial<NodeSpec>, directions: number, x: readonly number[]) {
  const spec: GraphSpec = {
    nodes: [{ operator: "RNN", inputs: ["x", "w", "r"], outputs: ["y"], int: { hidden_size: 1 }, ...node }],
    inputs: [{ name: "x", dims: [1, x.length, 1] }],
    outputs: [{ name: "y" }],
    initializers: [
      floats("w", [directions, 1, 1], new Array(directions).fill(1)),
      floats("r", [directions, 1, 1], new Array(directions).fill(0)),
    ],
  };
  return (await run(spec, [Float32Array.from(x)]))[0];
}

test("functions of recurrent layers take the next of the numbers if they have any", async () => {
  const string = { direction: "bidirectional" };
  const y = await functions(
    { string, strings: { activations: ["Tanh", "LeakyRelu"] }, floats: { activation_alpha: [0.7] } },
    2,
    [-1, 2],
  );
  near(y, [Math.tanh(-1), Math.tanh(2), -0.7, 2]);
});

test("functions of recurrent layers without their numbers", async () => {
  const x = [-2, 0.25, 3];
  const of = (name: string, alphas: readonly number[] = []) =>
    functions({ strings: { activations: [name] }, floats: { activation_alpha: alphas } }, 1, x);
  near(await of("ThresholdedRelu"), [0, 0.25, 3]);
  near(await of("ScaledTanh"), [0, 0, 0]);
  near(await of("HardSigmoid"), [0.1, 0.55, 1]);
  near(await of("Elu", [0.7]), [0.7 * Math.expm1(-2), 0.25, 3]);
  near(await of("Softplus"), [Math.log1p(Math.exp(-2)), Math.log1p(Math.exp(0.25)), Math.log1p(Math.exp(3))]);
});

/** x through nodes of one operator each. */
const chained = (nodes: readonly NodeSpec[], count: number, initializers: readonly TensorSpec[] = []): GraphSpec => ({
  nodes,
  inputs: [{ name: "x", dims: [count] }],
  outputs: [{ name: "y" }],
  initializers,
});

test("Cast of floats to few bits keeps the lowest of the whole number, rounded for int4 alone", async () => {
  const x = Float32Array.of(-1.5, 200.5, 300, -300, 70000.5, 3e9);
  const cast = (to: number) => chained([{ operator: "Cast", inputs: ["x"], outputs: ["y"], int: { to } }], x.length);
  assert.deepEqual((await run(cast(2), [x]))[0], [255, 200, 44, 212, 112, 0]);
  assert.deepEqual((await run(cast(3), [x]))[0], [-1, -56, 44, -44, 112, 0]);
  assert.deepEqual((await run(cast(5), [x]))[0], [-1, 200, 300, -300, 4464, 0]);
  const few = chained(
    [
      { operator: "Cast", inputs: ["x"], outputs: ["q"], int: { to: 22 } },
      { operator: "Cast", inputs: ["q"], outputs: ["y"], int: { to: 1 } },
    ],
    6,
  );
  assert.deepEqual((await run(few, [Float32Array.of(-1.5, -0.5, 0.5, 2.5, 9, -9)]))[0], [-2, -1, 1, 3, -7, 7]);
});

test("Swish with an alpha", async () => {
  const node: NodeSpec = { operator: "Swish", inputs: ["x"], outputs: ["y"], float: { alpha: 1.5 } };
  const [y] = await run(chained([node], 2), [Float32Array.of(-1, 2)], 24);
  near(y, [-1 / (1 + Math.exp(1.5)), 2 / (1 + Math.exp(-3))]);
});

test("the logarithm of a Sigmoid has no end", async () => {
  const nodes: NodeSpec[] = [
    { operator: "Sigmoid", inputs: ["x"], outputs: ["s"] },
    { operator: "Log", inputs: ["s"], outputs: ["y"] },
  ];
  near((await run(chained(nodes, 3), [Float32Array.of(-20, 0, 30)]))[0], [-Infinity, Math.log(0.5), 0]);
});

test("signs, absolute values and Relu of bytes", async () => {
  const one = (operator: string): GraphSpec => ({
    ...chained([{ operator, inputs: ["x"], outputs: ["y"] }], 4),
    inputs: [{ name: "x", dims: [4], type: 3 }],
  });
  const x = Int8Array.of(-128, -3, 0, 5);
  assert.deepEqual((await run(one("Sign"), [x]))[0], [-1, -1, 0, 1]);
  assert.deepEqual((await run(one("Abs"), [x]))[0], [-128, 3, 0, 5]);
  assert.deepEqual((await run(one("Relu"), [x]))[0], [0, 0, 0, 5]);
});

test("uint64 is compared without a sign", async () => {
  const nodes: NodeSpec[] = [
    { operator: "Cast", inputs: ["a"], outputs: ["b"], int: { to: 13 } },
    { operator: "Cast", inputs: ["x"], outputs: ["u"], int: { to: 13 } },
    { operator: "Less", inputs: ["u", "b"], outputs: ["y"] },
  ];
  const a: TensorSpec = { name: "a", dims: [], type: 7, values: [-2] };
  assert.deepEqual((await run(chained(nodes, 2, [a]), [Float32Array.of(5, 1e9)]))[0], [1, 1]);
});

test("a computed tensor is dequantized in blocks", async () => {
  const node: NodeSpec = {
    operator: "DequantizeLinear",
    inputs: ["x", "s", "z"],
    outputs: ["y"],
    int: { axis: 0, block_size: 2 },
  };
  const spec = {
    ...chained([node], 4, [floats("s", [2], [0.5, 2]), bytes("z", [2], [1, 10])]),
    inputs: [{ name: "x", dims: [4], type: 2 }],
  };
  assert.deepEqual((await run(spec, [Uint8Array.of(1, 3, 5, 20)]))[0], [0, 1, -10, 20]);
});

test("NhwcMaxPool takes channels last", async () => {
  const node: NodeSpec = {
    operator: "NhwcMaxPool",
    domain: "com.microsoft",
    inputs: ["x"],
    outputs: ["y"],
    ints: { kernel_shape: [2, 1] },
  };
  const spec: GraphSpec = {
    nodes: [node],
    inputs: [{ name: "x", dims: [1, 2, 1, 3], type: 2 }],
    outputs: [{ name: "y" }],
  };
  assert.deepEqual((await run(spec, [Uint8Array.of(1, 2, 3, 6, 5, 0)]))[0], [6, 5, 3]);
});

test("QGemm with a matrix as C", async () => {
  const inputs = ["x", "s", "z", "w", "s", "z", "c"];
  const spec: GraphSpec = {
    nodes: [
      { operator: "Cast", inputs: ["long"], outputs: ["c"], int: { to: 6 } },
      { operator: "QGemm", domain: "com.microsoft", inputs, outputs: ["y"] },
    ],
    inputs: [{ name: "x", dims: [2, 1], type: 2 }],
    outputs: [{ name: "y" }],
    initializers: [
      floats("s", [], [0.5]),
      bytes("z", [], [1]),
      bytes("w", [1, 2], [3, 0]),
      { name: "long", dims: [2, 2], type: 7, values: [1, 2, 30, 40] },
    ],
  };
  assert.deepEqual((await run(spec, [Uint8Array.of(2, 5)]))[0], [0.75, 0.25, 9.5, 9]);
});

test("Attention shows its scores: scaled, bent, masked, as weights", async () => {
  const scores = async (mode: number) => {
    const node: NodeSpec = {
      operator: "Attention",
      inputs: ["q", "k", "v", "m"],
      outputs: ["y", "", "", "s"],
      int: { qk_matmul_output_mode: mode },
      float: { softcap: 2 },
    };
    const port = (name: string, length: number) => ({ name, dims: [1, 1, length, 1] });
    const spec: GraphSpec = {
      nodes: [node],
      inputs: [port("q", 1), port("k", 2), port("v", 2)],
      outputs: [{ name: "s" }],
      initializers: [floats("m", [1, 2], [0.5, 1])],
    };
    return (await run(spec, [Float32Array.of(2), Float32Array.of(1, -1), Float32Array.of(3, 4)], 23))[0];
  };
  const bent = 2 * Math.tanh(1);
  near(await scores(0), [2, -2]);
  near(await scores(1), [bent, -bent]);
  near(await scores(2), [bent + 0.5, 1 - bent]);
  const [a, b] = [Math.exp(bent + 0.5), Math.exp(1 - bent)];
  near(await scores(3), [a / (a + b), b / (a + b)]);
});

test("Resize with antialias leaves an axis of the same size alone", async () => {
  const node: NodeSpec = {
    operator: "Resize",
    inputs: ["x", "", "s"],
    outputs: ["y"],
    int: { antialias: 1 },
    string: { mode: "linear", coordinate_transformation_mode: "asymmetric" },
  };
  const spec: GraphSpec = {
    nodes: [node],
    inputs: [{ name: "x", dims: [1, 1, 1, 3] }],
    outputs: [{ name: "y" }],
    initializers: [floats("s", [4], [1, 1, 2, 1.3])],
  };
  near((await run(spec, [Float32Array.of(1, 5, 2)]))[0], [1, 5, 2, 1, 5, 2]);
});

test("MultiHeadAttention adds its bias before its mask, whose -10000 swallows fractions", async () => {
  const port = (name: string, length: number) => ({ name, dims: [1, length, 1] });
  const spec: GraphSpec = {
    nodes: [
      { operator: "Cast", inputs: ["long"], outputs: ["m"], int: { to: 6 } },
      {
        operator: "MultiHeadAttention",
        domain: "com.microsoft",
        inputs: ["q", "k", "v", "", "m", "b"],
        outputs: ["y"],
        int: { num_heads: 1 },
      },
    ],
    inputs: [port("q", 1), port("k", 2), port("v", 2)],
    outputs: [{ name: "y" }],
    initializers: [floats("b", [1, 1, 1, 2], [0.0003, 0]), { name: "long", dims: [1, 2], type: 7, values: [0, 0] }],
  };
  const [y] = await run(spec, [Float32Array.of(1), Float32Array.of(0.0003, 0), Float32Array.of(1, 0)]);
  near(y, [1 / (1 + Math.exp(-(2 ** -10)))]);
});
