/** ONNX operators in forms that few files have: groups of volumes, pools of 16 bits and of volumes, attention of fewer queries. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadModel } from "../../../bindings/public/index.ts";
import { buildOnnx, type GraphSpec } from "../build-onnx.ts";

async function run(spec: GraphSpec, ...inputs: readonly Float32Array[]): Promise<readonly number[]> {
  const model = await loadModel(buildOnnx(spec), { module: "simd" });
  const [y] = Object.values(model.run(inputs));
  model.close();
  return Array.from(y as ArrayLike<number>);
}

test("Conv of volumes in groups", async () => {
  const y = await run(
    {
      nodes: [{ operator: "Conv", inputs: ["x", "w", "b"], outputs: ["y"], int: { group: 2 } }],
      inputs: [{ name: "x", dims: [1, 2, 1, 1, 2] }],
      outputs: [{ name: "y" }],
      initializers: [
        { name: "w", dims: [2, 1, 1, 1, 1], type: 1, values: [2, 3] },
        { name: "b", dims: [2], type: 1, values: [0, 100] },
      ],
    },
    Float32Array.of(1, 2, 3, 4),
  );
  assert.deepEqual(y, [2, 4, 109, 112]);
});

test("onnxruntime's QuantizeLinear and DequantizeLinear of 16 bits", async () => {
  const domain = "com.microsoft";
  const y = await run(
    {
      nodes: [
        { operator: "Cast", inputs: ["long"], outputs: ["z"], int: { to: 4 } },
        { operator: "QuantizeLinear", domain, inputs: ["x", "s", "z"], outputs: ["q"] },
        { operator: "DequantizeLinear", domain, inputs: ["q", "s", "z"], outputs: ["y"] },
      ],
      inputs: [{ name: "x", dims: [4] }],
      outputs: [{ name: "y" }],
      initializers: [
        { name: "s", dims: [], type: 1, values: [0.5] },
        { name: "long", dims: [], type: 7, values: [1000] },
      ],
    },
    Float32Array.of(-1000, -1.1, 0.2, 1e6),
  );
  assert.deepEqual(y, [-500, -1, 0, 32267.5]);
});

test("causal Attention of fewer queries than keys begins with the first key", async () => {
  const y = await run(
    {
      nodes: [{ operator: "Attention", inputs: ["q", "k", "v"], outputs: ["y"], int: { is_causal: 1 } }],
      inputs: [
        { name: "q", dims: [1, 1, 2, 1] },
        { name: "k", dims: [1, 1, 3, 1] },
        { name: "v", dims: [1, 1, 3, 1] },
      ],
      outputs: [{ name: "y" }],
      initializers: [],
    },
    new Float32Array(2),
    new Float32Array(3),
    Float32Array.of(2, 4, 100),
  );
  assert.deepEqual(y, [2, 3]);
});

test("MaxPool between quantizations to uint16 keeps what is quantized", async () => {
  const quantized = (from: string, to: string): GraphSpec["nodes"] => [
    { operator: "QuantizeLinear", inputs: [from, "s", "z"], outputs: [`${from}q`] },
    { operator: "DequantizeLinear", inputs: [`${from}q`, "s", "z"], outputs: [to] },
  ];
  const spec: GraphSpec = {
    nodes: [
      { operator: "Cast", inputs: ["long"], outputs: ["z"], int: { to: 4 } },
      ...quantized("x", "x2"),
      { operator: "MaxPool", inputs: ["x2"], outputs: ["p"], ints: { kernel_shape: [1, 2], strides: [1, 2] } },
      ...quantized("p", "y"),
    ],
    inputs: [{ name: "x", dims: [1, 1, 1, 4] }],
    outputs: [{ name: "y" }],
    initializers: [
      { name: "s", dims: [], type: 1, values: [0.5] },
      { name: "long", dims: [], type: 7, values: [1000] },
    ],
  };
  const model = await loadModel(buildOnnx(spec, 21), { module: "simd" });
  const [y] = Object.values(model.run([Float32Array.of(-600, -1.1, 7.3, 1e6)]));
  model.close();
  assert.deepEqual(Array.from(y as Float32Array), [-1, 32267.5]);
});

test("QLinearAveragePool of volumes", async () => {
  const domain = "com.microsoft";
  const cast = (name: string) => ({ operator: "Cast", inputs: [`${name}64`], outputs: [name], int: { to: 2 } });
  const y = await run(
    {
      nodes: [
        cast("z"),
        cast("yz"),
        { operator: "QuantizeLinear", inputs: ["x", "s", "z"], outputs: ["q"] },
        {
          operator: "QLinearAveragePool",
          domain,
          inputs: ["q", "s", "z", "s", "yz"],
          outputs: ["p"],
          ints: { kernel_shape: [1, 1, 2], strides: [1, 1, 2] },
        },
        { operator: "DequantizeLinear", inputs: ["p", "s", "yz"], outputs: ["y"] },
      ],
      inputs: [{ name: "x", dims: [1, 1, 1, 1, 4] }],
      outputs: [{ name: "y" }],
      initializers: [
        { name: "s", dims: [], type: 1, values: [0.5] },
        { name: "z64", dims: [], type: 7, values: [10] },
        { name: "yz64", dims: [], type: 7, values: [20] },
      ],
    },
    Float32Array.of(1, 2, 4, 8),
  );
  assert.deepEqual(y, [1.5, 6]);
});

test("a shape that ScatterElements puts together is known when planned", async () => {
  const long = (name: string, ...values: readonly number[]) =>
    ({ name, dims: [values.length], type: 7, values }) as const;
  const y = await run(
    {
      nodes: [
        { operator: "ScatterElements", inputs: ["sizes", "last", "three"], outputs: ["shape"] },
        { operator: "Expand", inputs: ["x", "shape"], outputs: ["y"] },
      ],
      inputs: [{ name: "x", dims: [2, 1] }],
      outputs: [{ name: "y" }],
      initializers: [long("sizes", 2, 9), long("last", -1), long("three", 3)],
    },
    Float32Array.of(4, 5),
  );
  assert.deepEqual(y, [4, 4, 4, 5, 5, 5]);
});

test("nodes that are written before what they read", async () => {
  const branch = (operator: string) => ({
    nodes: [{ operator, inputs: ["a"], outputs: ["o"] }],
    inputs: [],
    outputs: [{ name: "o" }],
  });
  const spec = {
    nodes: [
      { operator: "Add", inputs: ["b", "a"], outputs: ["y"] },
      {
        operator: "If",
        inputs: ["c"],
        outputs: ["b"],
        graph: { then_branch: branch("Neg"), else_branch: branch("Abs") },
      },
      { operator: "Exp", inputs: ["zero"], outputs: ["one"] },
      { operator: "Less", inputs: ["limit", "one"], outputs: ["c"] },
      { operator: "Sub", inputs: ["x", "one"], outputs: ["a"] },
    ],
    inputs: [
      { name: "x", dims: [2] },
      { name: "limit", dims: [] },
    ],
    outputs: [{ name: "y" }],
    initializers: [{ name: "zero", dims: [], type: 1 as const, values: [0] }],
  };
  assert.deepEqual(await run(spec, Float32Array.of(3, -3), Float32Array.of(0)), [0, 0]);
  assert.deepEqual(await run(spec, Float32Array.of(3, -3), Float32Array.of(2)), [4, 0]);
});

test("GatherBlockQuantized of UINT4, two in a byte", async () => {
  const y = await run(
    {
      nodes: [
        { operator: "Cast", inputs: ["x"], outputs: ["i"], int: { to: 7 } },
        {
          operator: "GatherBlockQuantized",
          domain: "com.microsoft",
          inputs: ["w", "i", "s", "z"],
          outputs: ["y"],
          int: { block_size: 16, gather_axis: 0, quantize_axis: 1 },
        },
      ],
      inputs: [{ name: "x", dims: [1] }],
      outputs: [{ name: "y" }],
      initializers: [
        { name: "w", dims: [2, 3], type: 21, raw: Uint8Array.of(0x21, 0x43, 0xf5) },
        { name: "s", dims: [2, 1], type: 1, values: [0.5, 2] },
        { name: "z", dims: [2, 1], type: 21, raw: Uint8Array.of(0x81) },
      ],
    },
    Float32Array.of(1),
  );
  assert.deepEqual(y, [-8, -6, 14]);
});

for (const { reduction, y } of [
  { reduction: "none", y: [1, 0, 6] },
  { reduction: "sum", y: [7] },
  { reduction: "mean", y: [Math.fround(7 / 2.5)] },
])
  test(`NegativeLogLikelihoodLoss with weights and a class that is ignored, ${reduction}`, async () => {
    const spec = {
      nodes: [
        { operator: "Cast", inputs: ["t"], outputs: ["classes"], int: { to: 7 } },
        {
          operator: "NegativeLogLikelihoodLoss",
          inputs: ["x", "classes", "w"],
          outputs: ["y"],
          int: { ignore_index: 1 },
          string: { reduction },
        },
      ],
      inputs: [
        { name: "x", dims: [3, 3] },
        { name: "t", dims: [3] },
      ],
      outputs: [{ name: "y" }],
      initializers: [{ name: "w", dims: [3], type: 1 as const, values: [0.5, 1, 2] }],
    };
    const x = Float32Array.of(-2, -4, -5, -1, -7, -2, -8, -9, -3);
    assert.deepEqual(await run(spec, x, Float32Array.of(0, 1, 2)), y);
  });

test("Gather by computed indices that count from the end", async () => {
  const spec: GraphSpec = {
    nodes: [
      { operator: "Cast", inputs: ["x"], outputs: ["i"], int: { to: 7 } },
      { operator: "Gather", inputs: ["d", "i"], outputs: ["y"] },
    ],
    inputs: [{ name: "x", dims: [4] }],
    outputs: [{ name: "y" }],
    initializers: [{ name: "d", dims: [3], type: 1, values: [5, 6, 7] }],
  };
  assert.deepEqual(await run(spec, Float32Array.of(-1, 0, -3, 2)), [7, 5, 5, 7]);
});

test("ConvTranspose with SAME_LOWER whose steps are wider than its windows: nothing is cut", async () => {
  const spec: GraphSpec = {
    nodes: [
      {
        operator: "ConvTranspose",
        inputs: ["x", "w"],
        outputs: ["y"],
        ints: { strides: [1, 3] },
        string: { auto_pad: "SAME_LOWER" },
      },
    ],
    inputs: [{ name: "x", dims: [1, 1, 1, 2] }],
    outputs: [{ name: "y" }],
    initializers: [{ name: "w", dims: [1, 1, 1, 2], type: 1, values: [1, 2] }],
  };
  assert.deepEqual(await run(spec, Float32Array.of(1, 10)), [1, 2, 0, 10, 20]);
});

test("ReduceMax of 16 bits whose zero point is not 0", async () => {
  const linear = (operator: string, x: string, y: string) => ({ operator, inputs: [x, "s", "z"], outputs: [y] });
  const spec: GraphSpec = {
    nodes: [
      { operator: "Cast", inputs: ["long"], outputs: ["z"], int: { to: 5 } },
      linear("QuantizeLinear", "x", "q"),
      linear("DequantizeLinear", "q", "f"),
      { operator: "ReduceMax", inputs: ["f"], outputs: ["m"], ints: { axes: [1] }, int: { keepdims: 0 } },
      linear("QuantizeLinear", "m", "r"),
      linear("DequantizeLinear", "r", "y"),
    ],
    inputs: [{ name: "x", dims: [1, 3] }],
    outputs: [{ name: "y" }],
    initializers: [
      { name: "s", dims: [], type: 1, values: [0.5] },
      { name: "long", dims: [], type: 7, values: [803] },
    ],
  };
  assert.deepEqual(await run(spec, Float32Array.of(-3, 2.6, 1)), [2.5]);
});

test("scales of a list lie along its one axis, whichever is stated: biases have the axis of their weights", async () => {
  const nodes = [
    { operator: "DequantizeLinear", inputs: ["q", "s", "z"], outputs: ["c"], int: { axis: 3 } },
    { operator: "Add", inputs: ["x", "c"], outputs: ["t"] },
    { operator: "QuantizeLinear", inputs: ["t", "s", "z"], outputs: ["u"] },
    { operator: "DequantizeLinear", inputs: ["u", "s", "z"], outputs: ["y"] },
  ];
  const initializers = [
    { name: "q", dims: [3], type: 3, raw: Uint8Array.of(1, 2, 3) },
    { name: "s", dims: [3], type: 1, values: [1, 0.5, 0.25] },
    { name: "z", dims: [3], type: 3, raw: Uint8Array.of(0, 0, 0) },
  ] as const;
  const spec = { nodes, inputs: [{ name: "x", dims: [3] }], outputs: [{ name: "y" }], initializers };
  assert.deepEqual(await run(spec, Float32Array.of(0.25, 0.25, 0.25)), [1, 1, 1]);
});
