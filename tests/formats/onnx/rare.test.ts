/** What few .onnx files need comes later: which models ask for it, and that those that do not are read the same with it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ORDINARY } from "../../../bindings/formats/onnx/conversions.ts";
import type { Form } from "../../../bindings/formats/onnx/convert.ts";
import { importing, importOnnx } from "../../../bindings/formats/onnx/index.ts";
import { rare } from "../../../bindings/formats/onnx/rare.ts";
import { operators } from "../../../bindings/ops/index.ts";
import { buildOnnx, type GraphSpec, type NodeSpec, node, type TensorSpec } from "../build-onnx.ts";

/** Nodes behind each other, from an x of these sizes. */
function model(dims: readonly number[], nodes: readonly Partial<NodeSpec>[], initializers: readonly TensorSpec[] = []) {
  const names = ["x", ...nodes.map((_, i) => `t${i}`)];
  const graph: GraphSpec = {
    nodes: nodes.map((node, i) => ({
      operator: "",
      ...node,
      inputs: [names[i] as string, ...(node.inputs ?? [])],
      outputs: [names[i + 1] as string, ...(node.outputs ?? [])],
    })),
    inputs: [{ name: "x", type: 1, dims }],
    outputs: [{ name: names.at(-1) as string }],
    initializers,
  };
  return buildOnnx(graph, 17);
}

const floats = (name: string, dims: readonly number[]): TensorSpec => {
  const count = dims.reduce((all, size) => all * size, 1);
  return { name, type: 1, dims, values: Array.from({ length: count }, (_, i) => ((i * 7) % 5) - 2) };
};
const longs = (name: string, values: readonly number[]): TensorSpec => ({
  name,
  type: 7,
  dims: [values.length],
  values,
});
const ZERO: TensorSpec = { name: "z", type: 2, dims: [], raw: Uint8Array.of(3) };
const SCALE: TensorSpec = { name: "s", type: 1, dims: [], values: [0.1] };
const QUANTIZE = { operator: "QuantizeLinear", inputs: ["s", "z"] };
const DEQUANTIZE = { operator: "DequantizeLinear", inputs: ["s", "z"] };

test("each operator is in one of the two parts", () => {
  const names = Object.keys(rare.conversions);
  assert.ok(names.length > 100);
  assert.deepEqual(
    names.filter((name) => ORDINARY[name] !== undefined),
    [],
  );
});

test("networks of ordinary operators are read without the rarer part, to the same graph", () => {
  const weights = [floats("w", [4, 2, 3, 3]), floats("m", [4, 3]), ZERO, SCALE];
  const chains = [
    [
      { operator: "Conv", inputs: ["w"], ints: { kernel_shape: [3, 3], pads: [1, 1, 1, 1] } },
      { operator: "Relu" },
      { operator: "GlobalAveragePool" },
      { operator: "Flatten" },
      { operator: "Gemm", inputs: ["m"] },
      { operator: "Softmax" },
    ],
    [QUANTIZE, DEQUANTIZE, { operator: "Conv", inputs: ["w"], ints: { kernel_shape: [3, 3] } }, QUANTIZE, DEQUANTIZE],
  ];
  for (const nodes of chains) {
    const bytes = model([1, 2, 5, 5], nodes, weights);
    const { done, value: graph } = importing(bytes, {}, operators).next();
    assert.ok(done && graph.nodes.length > 1);
    assert.deepEqual(graph, importOnnx(bytes, {}, operators, rare));
  }
});

/** For each form a model that has it. */
const FORMS: { readonly [F in Form]: Uint8Array } = {
  "cast to few bits": model([4], [{ operator: "Cast", int: { to: 17 } }]),
  "computed normalization": model(
    [1, 2, 3, 3],
    [
      {
        operator: "BatchNormalization",
        inputs: ["a", "a", "a", "b"],
        outputs: ["mean", "variance"],
        int: { training_mode: 1 },
      },
    ],
    [floats("a", [2]), { name: "b", type: 1, dims: [2], values: [1, 2] }],
  ),
  "computed quantization": model(
    [1, 2, 3, 3],
    [QUANTIZE, { ...DEQUANTIZE, inputs: ["ss", "zz"], int: { axis: 1 } }],
    [
      ZERO,
      SCALE,
      { name: "ss", type: 1, dims: [2], values: [0.1, 0.2] },
      { name: "zz", type: 2, dims: [2], raw: Uint8Array.of(1, 2) },
    ],
  ),
  "computed scales": model(
    [2, 3],
    [
      { ...QUANTIZE, int: {} },
      { operator: "QLinearMatMul", inputs: "s z q t z s z".split(" ") },
    ],
    [
      ZERO,
      SCALE,
      { name: "q", type: 2, dims: [3, 2], raw: Uint8Array.of(1, 2, 3, 4, 5, 6) },
      { name: "t", type: 1, dims: [], values: [-0.1] },
    ],
  ),
  "computed slice": model(
    [1],
    [
      { operator: "Cast", int: { to: 7 } },
      { operator: "Slice", inputs: ["t0", "e"] },
    ],
    [longs("e", [1])],
  ),
  "continued padding": model(
    [1, 3],
    [{ operator: "Pad", inputs: ["p"], string: { mode: "edge" } }],
    [longs("p", [0, 1, 0, 1])],
  ),
  maxima: model([1, 2, 6, 6], [{ operator: "MaxPool", ints: { kernel_shape: [2, 2], dilations: [2, 2] } }]),
  means: model([1, 2, 6, 6, 6], [{ operator: "AveragePool", ints: { kernel_shape: [2, 2, 2] } }]),
  "normalized product": buildOnnx({
    nodes: [
      node("DequantizeLinear", "w s z", "f"),
      node("Conv", "x f", "c"),
      node("BatchNormalization", "c a a a b", "y"),
    ],
    inputs: [{ name: "x", dims: [1, 2, 3, 3] }],
    outputs: [{ name: "y" }],
    initializers: [
      { name: "w", type: 2, dims: [2, 2, 1, 1], raw: Uint8Array.of(1, 2, 3, 4) },
      ZERO,
      SCALE,
      floats("a", [2]),
      { name: "b", type: 1, dims: [2], values: [1, 2] },
    ],
  }),
  "open reduction": model([4], [{ operator: "NonZero" }, { operator: "Transpose" }, { operator: "ReduceSum" }]),
  "sums of integers": model(
    [2, 3],
    [QUANTIZE, { operator: "MatMulInteger", inputs: ["q", "z"] }],
    [ZERO, SCALE, { name: "q", type: 2, dims: [3, 2], raw: Uint8Array.of(1, 2, 3, 4, 5, 6) }],
  ),
  "unsigned arithmetic": model(
    [3],
    [
      { operator: "Cast", int: { to: 13 } },
      { operator: "Add", inputs: ["t0"] },
    ],
  ),
  volume: model(
    [1, 2, 4, 4, 4],
    [{ operator: "Conv", inputs: ["w"], ints: { kernel_shape: [2, 2, 2] } }],
    [floats("w", [3, 2, 2, 2, 2])],
  ),
  "whole relu": model([3], [{ operator: "Cast", int: { to: 6 } }, { operator: "Relu" }]),
  "whole product": model(
    [2, 2],
    [
      { operator: "Cast", int: { to: 6 } },
      { operator: "MatMul", inputs: ["t0"] },
    ],
  ),
};

for (const [form, bytes] of Object.entries(FORMS))
  test(`the rarer part is asked for: ${form}`, () => {
    const steps = importing(bytes, {}, operators);
    assert.equal(steps.next().done, false);
    assert.deepEqual(steps.next(rare), { done: true, value: importOnnx(bytes, {}, operators, rare) });
    let isAsked = false;
    const forms = Object.fromEntries(
      Object.entries(rare.forms).map(([name, convert]) => [
        name,
        (n: Parameters<typeof convert>[0]) => {
          if (name === form) isAsked = true;
          convert(n);
        },
      ]),
    ) as typeof rare.forms;
    assert.ok(importOnnx(bytes, {}, operators, { ...rare, forms }).nodes.length > 0);
    assert.ok(isAsked);
  });

test("a model that asks for the rarer part late is read on from there", () => {
  const ordinary = Array.from({ length: 20 }, () => ({ operator: "Abs" }));
  const late = [{ operator: "MaxPool", ints: { kernel_shape: [2, 2], dilations: [2, 2] } }];
  const bytes = model([1, 2, 6, 6], [...ordinary, ...late, ...ordinary]);
  let asked = 0;
  const counting = new Proxy(operators, {
    get: (table, kind) => {
      if (kind === "abs") asked++;
      return table[kind as keyof typeof operators];
    },
  });
  const graph = importOnnx(bytes, {}, counting, rare);
  const once = asked;
  assert.ok(once >= 40);
  const steps = importing(bytes, {}, counting);
  assert.equal(steps.next().done, false);
  assert.deepEqual(steps.next(rare).value, graph);
  assert.equal(asked, 2 * once);
});
