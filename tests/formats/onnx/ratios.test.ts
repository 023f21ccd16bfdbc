/** QDQ patterns whose result has a scale beyond all proportion to those of its operands: they saturate, as the file says. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadModel } from "../../../bindings/public/index.ts";
import { buildOnnx, type NodeSpec, node, type TensorSpec } from "../build-onnx.ts";

const bytes = (name: string, type: 2 | 3, dims: readonly number[], ...values: readonly number[]): TensorSpec => ({
  name,
  type,
  dims,
  raw: Uint8Array.from(values),
});
const scalar = (name: string, value: number): TensorSpec => ({ name, type: 1, dims: [], values: [value] });

const INITIALIZERS: readonly TensorSpec[] = [
  scalar("xs", 1),
  bytes("xz", 2, [], 128),
  scalar("ys", 1e-12),
  bytes("yz", 2, [], 100),
  scalar("ws", 1),
  bytes("wz", 3, [], 0),
  bytes("w", 3, [2, 2, 1, 1], 1, 0, 0, 1),
  bytes("w2", 3, [2, 2], 1, 0, 0, 1),
];

/** What each makes of 3, −5, 0 and 0 in two channels. */
const CASES: readonly (readonly [node: NodeSpec, expected: readonly number[]])[] = [
  [node("Concat", "d d", "f", { int: { axis: 1 } }), [255, 0, 100, 100, 255, 0, 100, 100]],
  [node("Conv", "d wd", "f"), [255, 0, 100, 100]],
  [node("ConvTranspose", "d wd", "f"), [255, 0, 100, 100]],
  [node("MatMul", "d w2d", "f"), [255, 0, 100, 100]],
  [node("MatMul", "d d", "f"), [255, 0, 100, 100]],
  [node("Mul", "d d", "f"), [255, 255, 100, 100]],
  [node("GlobalAveragePool", "d", "f"), [0, 100]],
  [node("ReduceMean", "d", "f", { ints: { axes: [2, 3] }, int: { keepdims: 0 } }), [0, 100]],
  [node("AveragePool", "d", "f", { ints: { kernel_shape: [1, 2] } }), [0, 100]],
];

for (const [own, expected] of CASES)
  test(`${own.operator} of ${own.inputs.join(" and ")}`, async () => {
    const isSquare = own.operator === "MatMul" && own.inputs[1] === "d";
    const dims = isSquare ? [2, 2] : [1, 2, 1, 2];
    const model = buildOnnx(
      {
        nodes: [
          node("QuantizeLinear", "x xs xz", "q"),
          node("DequantizeLinear", "q xs xz", "d"),
          node("DequantizeLinear", "w ws wz", "wd"),
          node("DequantizeLinear", "w2 ws wz", "w2d"),
          own,
          node("QuantizeLinear", "f ys yz", "y"),
        ],
        inputs: [{ name: "x", dims }],
        outputs: [{ name: "y" }],
        initializers: INITIALIZERS,
      },
      13,
    );
    for (const module of ["scalar", "simd"] as const) {
      const session = await loadModel(model, { module });
      const { y } = session.run([Float32Array.of(3, -5, 0, 0)]);
      session.close();
      assert.deepEqual([...(y as Uint8Array)], expected);
    }
  });
