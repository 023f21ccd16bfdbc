/** QONNX: floats held to the steps of few bits, as Brevitas exports them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { buildOnnx, type GraphSpec, type NodeSpec, node, type TensorSpec } from "../build-onnx.ts";
import { refusedModel } from "../refused.ts";
import { runOnnx } from "../run-graph.ts";

const X = [-9, -1.3, -0.25, 0, 0.25, 0.74, 0.76, 40];
const floats = (name: string, ...values: number[]): TensorSpec => ({ name, type: 1, dims: [], values });

const graphOf = (
  operator: string,
  inputs: string,
  given: readonly TensorSpec[],
  rest: Partial<NodeSpec>,
): GraphSpec => ({
  nodes: [node(operator, inputs, "y", { domain: "onnx.brevitas", ...rest })],
  inputs: [{ name: "x", dims: [X.length] }],
  outputs: [{ name: "y" }],
  initializers: given,
});
const SCALE = floats("s", 0.5);
const quant = (bits: number, zero: number, rest: Partial<NodeSpec>) =>
  graphOf("Quant", "x s z b", [SCALE, floats("z", zero), floats("b", bits)], rest);

const CASES: readonly { readonly name: string; readonly spec: GraphSpec; readonly y: readonly number[] }[] = [
  { name: "4 bits", spec: quant(4, 0, { int: { signed: 1, narrow: 0 } }), y: [-4, -1.5, -0, 0, 0, 0.5, 1, 3.5] },
  {
    name: "4 bits, narrow",
    spec: quant(4, 0, { int: { signed: 1, narrow: 1 } }),
    y: [-3.5, -1.5, -0, 0, 0, 0.5, 1, 3.5],
  },
  { name: "3 bits from a zero point", spec: quant(3, 2, { int: { signed: 0 } }), y: [-1, -1, 0, 0, 0, 0.5, 1, 2.5] },
  { name: "unsigned, narrow", spec: quant(2, 0, { int: { signed: 0, narrow: 1 } }), y: [0, 0, 0, 0, 0, 0.5, 1, 1] },
  { name: "one bit", spec: quant(1, 0, { int: { signed: 1 } }), y: [-0.5, -0.5, -0.5, 0.5, 0.5, 0.5, 0.5, 0.5] },
  { name: "floor", spec: quant(8, 0, { string: { rounding_mode: "FLOOR" } }), y: [-9, -1.5, -0.5, 0, 0, 0.5, 0.5, 40] },
  { name: "ceil", spec: quant(8, 0, { string: { rounding_mode: "CEIL" } }), y: [-9, -1, -0, 0, 0.5, 1, 1, 40] },
  {
    name: "towards zero",
    spec: quant(8, 0, { string: { rounding_mode: "ROUND_TO_ZERO" } }),
    y: [-9, -1, 0, 0, 0, 0.5, 0.5, 40],
  },
  {
    name: "two values",
    spec: graphOf("BipolarQuant", "x s", [SCALE], {}),
    y: [-0.5, -0.5, -0.5, 0.5, 0.5, 0.5, 0.5, 0.5],
  },
  {
    name: "lower bits dropped",
    spec: graphOf("Trunc", "x s z b c", [SCALE, floats("z", 0), floats("b", 8), floats("c", 6)], {}),
    y: [-2.5, -0.5, -0, 0, 0, 0, 0, 10],
  },
];

for (const { name, spec, y } of CASES)
  test(`QONNX: ${name}`, async () => {
    const [received] = await runOnnx(spec, [X]);
    assert.deepEqual(
      received?.map((value) => value + 0),
      y.map((value) => value + 0),
    );
  });

test("QONNX: bits and roundings that are not known are refused", async () => {
  await refusedModel(buildOnnx(quant(0, 0, {})), "UNSUPPORTED", /1 to 24 bits, received 0/);
  await refusedModel(
    buildOnnx(quant(8, 0, { string: { rounding_mode: "HALF_UP" } })),
    "UNSUPPORTED",
    /ROUND_TO_ZERO, received HALF_UP/,
  );
});
