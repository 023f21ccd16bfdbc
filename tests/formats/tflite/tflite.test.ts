/** What the importer makes of well-formed files. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { importModel } from "../../../bindings/formats/index.ts";
import type { Attributes, OpKind } from "../../../bindings/graph.ts";
import { buildTflite, type ModelSpec, type OperatorSpec, type TensorSpec } from "../build-tflite.ts";
import { refused } from "../refused.ts";
import { options } from "../tflite-options.ts";

const X: TensorSpec = { name: "x", dtype: "int8", shape: [1, 4], scale: [0.5], zeroPoint: [-3] };
const Y: TensorSpec = { ...X, name: "y" };

/** One RELU from x to y. */
const RELU: ModelSpec = {
  tensors: [X, Y],
  operators: [{ code: "RELU", inputs: [0], outputs: [1] }],
  inputs: [0],
  outputs: [1],
};

function imported(spec: ModelSpec, batch?: number) {
  return importModel(buildTflite(spec), batch === undefined ? {} : { batch });
}

type Case = { [K in OpKind]: readonly [code: string, options: OperatorSpec["options"], K, Attributes[K]] }[OpKind];

const window = { stride: [2, 3], padding: "valid", activation: "relu6" } as const;
const CASES: readonly Case[] = [
  ["ADD", options.add({ activation: "relu" }), "add", { activation: "relu" }],
  ["AVERAGE_POOL_2D", options.pool2d({ ...window, filter: [4, 5] }), "averagePool2d", { ...window, filter: [4, 5] }],
  ["MAX_POOL_2D", options.pool2d({ ...window, filter: [4, 5] }), "maxPool2d", { ...window, filter: [4, 5] }],
  [
    "CONCATENATION",
    options.concatenation({ axis: -1, activation: "none" }),
    "concat",
    { axis: -1, activation: "none" },
  ],
  ["CONV_2D", options.conv2d({ ...window, dilation: [6, 7] }), "conv2d", { ...window, dilation: [6, 7] }],
  [
    "DEPTHWISE_CONV_2D",
    options.depthwiseConv2d({ ...window, dilation: [6, 7], multiplier: 2 }),
    "depthwiseConv2d",
    { ...window, dilation: [6, 7] },
  ],
  ["DEQUANTIZE", undefined, "dequantize", {}],
  [
    "FULLY_CONNECTED",
    options.fullyConnected({ activation: "relu", keepDims: true }),
    "fullyConnected",
    { activation: "relu", asymmetric: false, keepDims: true },
  ],
  ["LOGISTIC", undefined, "logistic", {}],
  ["MUL", options.mul({ activation: "relu6" }), "mul", { activation: "relu6" }],
  ["RELU", undefined, "relu", {}],
  ["RELU_N1_TO_1", undefined, "reluN1To1", {}],
  ["RELU6", undefined, "relu6", {}],
  ["RESHAPE", options.reshape({ shape: [1, -1] }), "reshape", { shape: [1, -1] }],
  ["RESHAPE", undefined, "reshape", {}],
  ["SOFTMAX", options.softmax({ beta: 0.5 }), "softmax", { beta: 0.5 }],
  ["TANH", undefined, "tanh", {}],
  ["PAD", undefined, "pad", {}],
  ["PADV2", undefined, "pad", {}],
  ["TRANSPOSE", undefined, "transpose", {}],
  ["MEAN", options.mean({ keepDims: true }), "mean", { keepDims: true }],
  ["SUB", options.sub(), "sub", { activation: "none" }],
  ["SQUEEZE", options.squeeze({ axes: [1, -1] }), "squeeze", { axes: [1, -1] }],
  ["EXPAND_DIMS", undefined, "expandDims", {}],
  [
    "RESIZE_BILINEAR",
    options.resizeBilinear({ alignCorners: true, halfPixelCenters: false }),
    "resizeBilinear",
    { alignCorners: true, halfPixelCenters: false },
  ],
  [
    "RESIZE_BILINEAR",
    options.resizeBilinear({ alignCorners: false, halfPixelCenters: true }),
    "resizeBilinear",
    { alignCorners: false, halfPixelCenters: true },
  ],
  [
    "RESIZE_NEAREST_NEIGHBOR",
    options.resizeNearestNeighbor({ alignCorners: false, halfPixelCenters: true }),
    "resizeNearestNeighbor",
    { alignCorners: false, halfPixelCenters: true },
  ],
  ["LEAKY_RELU", options.leakyRelu({ alpha: 0.25 }), "leakyRelu", { alpha: 0.25 }],
  ["QUANTIZE", undefined, "quantize", {}],
  ["HARD_SWISH", undefined, "hardSwish", {}],
];

for (const [code, given, kind, attributes] of CASES)
  test(`${code}${given ? "" : " without options"} becomes ${kind}`, () => {
    for (const oldCodes of [true, false]) {
      const operator = { code, inputs: [0, -1], outputs: [1], ...(given && { options: given }) };
      // SOFTMAX of another output than this is several nodes.
      const tensors = [X, { ...Y, scale: [1 / 256], zeroPoint: [-128] }];
      const [node] = imported({ ...RELU, tensors, operators: [operator], oldCodes }).nodes;
      assert.deepEqual(node, { kind, attributes, where: `node 0 (${code})`, inputs: [0, -1], outputs: [1] });
    }
  });

test("options without a table have the schema's defaults", () => {
  const [node] = imported({ ...RELU, operators: [{ code: "CONV_2D", inputs: [0], outputs: [1] }] }).nodes;
  assert.deepEqual(node?.attributes, { stride: [0, 0], dilation: [1, 1], padding: "same", activation: "none" });
});

test("tensors: every type, quantization per tensor and per axis, constants, variables", () => {
  const scale = [0.5, 0.25, 0.125];
  const tensors: TensorSpec[] = [
    X,
    Y,
    {
      name: "w",
      dtype: "int8",
      shape: [2, 3],
      scale,
      zeroPoint: [0, 1, -1],
      axis: 1,
      data: Int8Array.of(1, 2, 3, 4, 5, 6),
    },
    { name: "b", dtype: "int32", shape: [3], scale, axis: 3, data: Int32Array.of(7, 8, 9) },
    { name: "state", dtype: "int16", shape: [1, 2], variable: true, scale: [2], axis: 9 },
    { name: "f", dtype: "float32", shape: [2], scale: [0.5], data: Float32Array.of(1.5, -2) },
    { name: "packed", dtype: "int4", shape: [3], scale: [1], data: Uint8Array.of(0x21, 0x03) },
    { name: "text", dtype: "string", shape: [1], data: Uint8Array.of(1, 0, 0, 0, 12, 0, 0, 0, 13, 0, 0, 0, 65) },
    { name: "handle", dtype: "resource", shape: [] },
  ];
  const graph = imported({ ...RELU, tensors });
  assert.deepEqual(graph.tensors[0], {
    name: "x",
    dtype: "int8",
    shape: [1, 4],
    quantization: { scale: [0.5], zeroPoint: [-3], axis: 0 },
  });
  assert.deepEqual(graph.tensors[2]?.quantization, { scale, zeroPoint: [0, 1, -1], axis: 1 });
  assert.deepEqual(graph.tensors[2]?.data, Uint8Array.of(1, 2, 3, 4, 5, 6));
  assert.deepEqual(graph.tensors[3]?.quantization, { scale, zeroPoint: [0, 0, 0], axis: 0 });
  assert.equal(graph.tensors[4]?.variable, true);
  assert.equal(graph.tensors[4]?.quantization?.axis, 0);
  assert.equal(graph.tensors[5]?.quantization, undefined, "float is not quantized");
  assert.deepEqual(graph.tensors[6]?.data, Uint8Array.of(0x21, 0x03));
  assert.equal(graph.tensors[7]?.data?.length, 13);
  assert.equal(graph.tensors[8]?.dtype, "resource");
});

test("a tensor of no elements that nothing writes is a constant", () => {
  const operators = [{ code: "RESHAPE", inputs: [0, 2], outputs: [1] }];
  const tensors: TensorSpec[] = [
    { ...X, shape: [1] },
    { ...Y, shape: [] },
    { name: "s", dtype: "int32", shape: [0] },
  ];
  assert.deepEqual(imported({ ...RELU, tensors, operators }).tensors[2]?.data, new Uint8Array(0));
});

test("ports are named by the main subgraph's signature, else by tensors, and names are unique", () => {
  const tensors: TensorSpec[] = [X, X, { ...X, name: "" }, { ...Y, name: "x_2" }];
  const spec: ModelSpec = {
    ...RELU,
    tensors,
    inputs: [0, 1, 2],
    operators: [{ code: "ADD", inputs: [0, 1], outputs: [3] }],
    outputs: [3, 2],
  };
  const names = (graph: ReturnType<typeof imported>) =>
    [graph.inputs, graph.outputs].map((ports) => ports.map(({ name }) => name));
  assert.deepEqual(names(imported(spec)), [
    ["x", "x_2", "input_2"],
    ["x_2", "output_1"],
  ]);
  const signatures = [
    { subgraph: 7, inputs: { other: 0 }, outputs: {} },
    { subgraph: 0, inputs: { left: 0, right: 1, right_2: 2 }, outputs: { sum: 3 } },
    { subgraph: 0, inputs: { late: 0 }, outputs: { late: 3 } },
  ];
  assert.deepEqual(names(imported({ ...spec, signatures })), [
    ["left", "right", "right_2"],
    ["sum", "output_1"],
  ]);
});

test("further subgraphs are read; those of unknown operators are left out", () => {
  const { tensors, inputs, outputs, operators } = RELU;
  const plain = { name: "second", tensors, inputs, outputs, operators };
  const custom = {
    ...plain,
    name: "third",
    operators: [{ code: "CUSTOM", custom: "Magic", inputs: [0], outputs: [1] }],
  };
  const graph = imported({ ...RELU, name: "first", subgraphs: [custom, plain] });
  assert.equal(graph.name, "first");
  assert.deepEqual(
    graph.subgraphs.map(({ name }) => name),
    ["second"],
  );
  assert.equal(graph.subgraphs[0]?.nodes[0]?.where, "subgraph 2, node 0 (RELU)");
});

test("nodes in another order are sorted; an order that works is kept", () => {
  const tensors = [X, Y, Y, Y];
  const operator = (from: number, to: number) => ({ code: "RELU", inputs: [from], outputs: [to] });
  const order = (operators: OperatorSpec[]) =>
    imported({ tensors, operators, inputs: [0], outputs: [3] }).nodes.map(({ where }) => where.slice(0, 6));
  assert.deepEqual(order([operator(2, 3), operator(0, 1), operator(1, 2)]), ["node 1", "node 2", "node 0"]);
  assert.deepEqual(order([operator(0, 3), operator(0, 1), operator(1, 2)]), ["node 0", "node 1", "node 2"]);
});

/** x [?,2,3] → RESHAPE to a constant target → y. */
function reshaped(leading: Partial<TensorSpec>, target: number[], attribute?: number[]): ModelSpec {
  return {
    tensors: [
      { ...X, shape: [1, 2, 3], ...leading },
      { ...Y, shape: [1, 6] },
      { name: "target", dtype: "int32", shape: [target.length], data: Int32Array.from(target) },
      { ...Y, name: "constant", data: Int8Array.of(1, 2, 3, 4) },
      Y,
    ],
    operators: [
      {
        code: "RESHAPE",
        inputs: [0, 2],
        outputs: [1],
        ...(attribute && { options: options.reshape({ shape: attribute }) }),
      },
      { code: "RESHAPE", inputs: [3, 2], outputs: [4] },
    ],
    inputs: [0],
    outputs: [1],
  };
}

test("an open batch size is 1 unless asked, in the signature or in the shape itself", () => {
  for (const leading of [
    { signature: [-1, 2, 3] },
    { signature: [-1, 2, 3], shape: [8, 2, 3] },
    { shape: [-1, 2, 3] },
    {},
  ]) {
    assert.deepEqual(imported(reshaped(leading, [1, 6])).tensors[0]?.shape, [1, 2, 3]);
    assert.deepEqual(imported(reshaped(leading, [1, 6]), 1).tensors[0]?.shape, [1, 2, 3]);
    assert.deepEqual(imported(reshaped(leading, [1, 6]), 5).tensors[0]?.shape, [5, 2, 3]);
  }
});

test("batch multiplies the leading size of reshape targets that depend on an input, and of no others", () => {
  const targets: [number[], number[]][] = [
    [
      [1, 6],
      [5, 6],
    ],
    [
      [1, -1],
      [5, -1],
    ],
    [
      [-1, 6],
      [-1, 6],
    ],
    [
      [2, 3],
      [10, 3],
    ],
  ];
  for (const [target, expected] of targets) {
    const graph = imported(reshaped({}, target, target), 5);
    const [first, second] = graph.nodes;
    const data = graph.tensors[first?.inputs[1] as number]?.data as Uint8Array;
    assert.deepEqual([...new Int32Array(data.slice().buffer)], expected);
    assert.deepEqual(first?.attributes, { shape: expected });
    assert.deepEqual(graph.tensors[second?.inputs[1] as number]?.data, new Uint8Array(Int32Array.from(target).buffer));
  }
});

test("batch is refused where it cannot be", () => {
  for (const batch of [0, -1, 1.5, Number.NaN, 2 ** 31])
    refused(() => imported(RELU, batch), "INVALID_OPTION", /batch/);
  refused(() => imported({ ...RELU, tensors: [{ ...X, shape: [3, 4] }, Y] }, 2), "INVALID_OPTION", /\[3,4\]/);
  refused(() => imported(RELU, 2 ** 30), "OUT_OF_MEMORY", /4 GiB/);
});
