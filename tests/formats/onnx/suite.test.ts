/** Forms that the ONNX project's own tests have beside the ordinary ones. The expected numbers are theirs, or onnxruntime's. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadModel } from "../../../bindings/public/index.ts";
import { buildOnnx, type GraphSpec, type NodeSpec } from "../build-onnx.ts";

type Input = readonly [dims: readonly number[], values: Float32Array | BigInt64Array];

/** The outputs of one node whose inputs are all computed. */
async function run(opset: number, node: Partial<NodeSpec> & { readonly operator: string }, ...inputs: Input[]) {
  const spec: GraphSpec = {
    nodes: [{ outputs: ["y"], ...node, inputs: node.inputs ?? inputs.map((_, i) => `x${i}`) }],
    inputs: inputs.map(([dims, values], i) => ({ name: `x${i}`, type: values instanceof Float32Array ? 1 : 7, dims })),
    outputs: [{ name: "y" }],
  };
  const model = await loadModel(buildOnnx(spec, opset), { module: "simd" });
  const [y] = Object.values(model.run(inputs.map(([, values]) => values) as never));
  model.close();
  return Array.from(y as unknown as ArrayLike<number>);
}

test("DFT back from one side of a spectrum, of even and odd lengths", async () => {
  const spectrum: Input = [[1, 3, 2], Float32Array.of(6, 0, -1.5, 0.9, -2, 0)];
  const inverse = { operator: "DFT", int: { axis: 1, inverse: 1, onesided: 1 } };
  const near = (actual: readonly number[], expected: readonly number[]) =>
    assert.ok(
      actual.length === expected.length && actual.every((y, i) => Math.abs(y - (expected[i] as number)) < 1e-6),
      `${actual}`,
    );
  near(await run(19, inverse, spectrum), [0.25, 1.55, 1.75, 2.45]);
  const odd: NodeSpec["inputs"] = ["x0", "five"];
  const spec: GraphSpec = {
    nodes: [{ ...inverse, inputs: odd, outputs: ["y"] }],
    inputs: [{ name: "x0", dims: spectrum[0] }],
    outputs: [{ name: "y" }],
    initializers: [{ name: "five", dims: [], type: 7, values: [5] }],
  };
  const model = await loadModel(buildOnnx(spec, 19), { module: "simd" });
  const [y] = Object.values(model.run([spectrum[1] as Float32Array]));
  model.close();
  near(Array.from(y as Float32Array), [-0.2, 1.3194231, 1.2265941, 1.6497993, 2.0041838]);
});

test("BitShift of signed integers by a negative number of bits", async () => {
  const of = (...values: readonly bigint[]): Input => [[values.length], BigInt64Array.from(values)];
  const shift = { operator: "BitShift", string: { direction: "RIGHT" } };
  assert.deepEqual(await run(28, shift, of(-8n, 8n, -8n), of(-1n, -1n, 2n)), [-1n, 0n, -2n]);
});

test("the greatest of no truth is false", async () => {
  const node = { operator: "ReduceMax", inputs: ["x0"], ints: { axes: [1] } };
  const spec: GraphSpec = {
    nodes: [
      { operator: "Cast", inputs: ["x0"], outputs: ["b"], int: { to: 9 } },
      { ...node, inputs: ["b"], outputs: ["m"] },
      { operator: "Cast", inputs: ["m"], outputs: ["f"], int: { to: 1 } },
      { operator: "Add", inputs: ["f", "x1"], outputs: ["y"] },
    ],
    inputs: [
      { name: "x0", dims: [2, 0] },
      { name: "x1", dims: [1] },
    ],
    outputs: [{ name: "y" }],
  };
  const model = await loadModel(buildOnnx(spec, 17), { module: "simd" });
  const [y] = Object.values(model.run([new Float32Array(0), Float32Array.of(1)]));
  model.close();
  assert.deepEqual(Array.from(y as Float32Array), [1, 1]);
});
