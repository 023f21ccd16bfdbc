/** ONNX operators on whole numbers, and windows in forms that few files have. The expected numbers are onnxruntime's. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadModel } from "../../../bindings/public/index.ts";
import { buildOnnx, type NodeSpec, type TensorSpec } from "../build-onnx.ts";

/** The node's output for an x of this type; its other inputs are these initializers. */
async function run(
  node: Omit<NodeSpec, "inputs" | "outputs"> & { readonly inputs?: readonly string[] },
  type: number,
  dims: readonly number[],
  values: readonly number[],
  initializers: readonly (TensorSpec & { readonly castTo?: number })[] = [],
): Promise<readonly number[]> {
  const cast = (from: string, to: string, code: number) =>
    ({ operator: "Cast", inputs: [from], outputs: [to], int: { to: code } }) as const;
  const casts = initializers.flatMap(({ name, castTo }) => (castTo ? [cast(name, `${name} cast`, castTo)] : []));
  const others = initializers.map(({ name, castTo }) => (castTo ? `${name} cast` : name));
  const spec = {
    nodes: [cast("x", "t", type), ...casts, { ...node, inputs: node.inputs ?? ["t", ...others], outputs: ["y"] }],
    inputs: [{ name: "x", dims }],
    outputs: [{ name: "y" }],
    initializers,
  };
  const model = await loadModel(buildOnnx(spec, 18), { module: "simd" });
  const [y] = Object.values(model.run([Float32Array.from(values)]));
  model.close();
  return Array.from(y as ArrayLike<number | bigint>, Number);
}

const INT32 = 6;
const UINT32 = 12;
const axes = { name: "a", dims: [1], type: 7, values: [1] } as const;
const whole = (name: string, dims: readonly number[], values: readonly number[], castTo: number) =>
  ({ name, dims, type: 7, values, castTo }) as const;

test("roots and logarithms of sums of int32 are cut towards 0", async () => {
  const reduce = (operator: string, rows: readonly (readonly number[])[]) =>
    run({ operator, int: { keepdims: 0 } }, INT32, [rows.length, 3], rows.flat(), [axes]);
  assert.deepEqual(
    await reduce("ReduceL2", [
      [-3, 4, 0],
      [7, 1, 1],
    ]),
    [5, 7],
  );
  assert.deepEqual(
    await reduce("ReduceLogSum", [
      [1, 1, 1],
      [10, 10, 5],
      [0, 0, 0],
    ]),
    [1, 3, -2147483648],
  );
  assert.deepEqual(
    await reduce("ReduceLogSumExp", [
      [5, 5, 2],
      [1, 1, 1],
    ]),
    [5, 2],
  );
});

test("MatMul of int32 wraps around", async () => {
  const y = await run({ operator: "MatMul" }, INT32, [2, 2], [100000, 2, 3, 4], [whole("b", [2], [50000, -1], INT32)]);
  assert.deepEqual(y, [705032702, 149996]);
});

test("Less and GreaterOrEqual of uint32 beyond 2^31", async () => {
  const b = whole("b", [], [3000000000], UINT32);
  const x = [4000000000, 5, 3000000000];
  assert.deepEqual(await run({ operator: "Less" }, UINT32, [3], x, [b]), [0, 1, 0]);
  assert.deepEqual(await run({ operator: "GreaterOrEqual" }, UINT32, [3], x, [b]), [1, 0, 1]);
});

test("PRelu and Relu of int32", async () => {
  assert.deepEqual(await run({ operator: "PRelu" }, INT32, [2], [-3, 2], [whole("s", [1], [5], INT32)]), [-15, 2]);
  assert.deepEqual(await run({ operator: "Relu" }, INT32, [2], [-3, 2]), [0, 2]);
});

test("AveragePool padded to the same size does not know of dilation, and without padding takes part windows", async () => {
  const pool = (ints: Record<string, number[]>, auto_pad: string, int = {}) =>
    run({ operator: "AveragePool", inputs: ["x"], ints, string: { auto_pad }, int }, 1, [1, 1, 5], [1, 2, 3, 4, 5]);
  assert.deepEqual(await pool({ kernel_shape: [2], dilations: [2] }, "SAME_UPPER"), [2, 3, 4, 4]);
  assert.deepEqual(await pool({ kernel_shape: [2], strides: [2] }, "VALID", { ceil_mode: 1 }), [1.5, 3.5, 5]);
});

test("ConvTranspose of volumes with dilation", async () => {
  const w = { name: "w", dims: [1, 1, 1, 1, 2], type: 1, values: [1, 2] } as const;
  const node = { operator: "ConvTranspose", inputs: ["x", "w"], ints: { dilations: [1, 1, 2] } };
  assert.deepEqual(await run(node, 1, [1, 1, 1, 1, 2], [1, 10], [w]), [1, 10, 2, 20]);
});

test("Resize of bytes with antialias: whole numbers, and nothing below 0 of int8", async () => {
  const s = { name: "s", dims: [4], type: 1, values: [1, 1, 1, 0.5] } as const;
  const node = { operator: "Resize", inputs: ["t", "", "s"], string: { mode: "linear" }, int: { antialias: 1 } };
  const x = [10, 20, 35, 41, 250, 90, 1, 2, 3, 4, 5, 6];
  assert.deepEqual(await run(node, 2, [1, 1, 2, 6], x, [s]), [17, 62, 144, 2, 4, 5]);
  const signed = [10, 20, 35, 41, -7, 90, -1, -2, -3, -4, -5, -6];
  assert.deepEqual(await run(node, 3, [1, 1, 2, 6], signed, [s]), [17, 30, 48, 0, 0, 0]);
});

test("MaxUnpool puts maxima back, also into a shape that is stated", async () => {
  const places = whole("i", [1, 1, 1, 2], [1, 2], 7);
  const node = { operator: "MaxUnpool", ints: { kernel_shape: [1, 2], strides: [1, 2] } };
  assert.deepEqual(await run(node, 1, [1, 1, 1, 2], [5, 7], [places]), [0, 5, 7, 0]);
  const shape = { name: "s", dims: [4], type: 7, values: [1, 1, 2, 3] } as const;
  assert.deepEqual(await run(node, 1, [1, 1, 1, 2], [5, 7], [places, shape]), [0, 5, 7, 0, 0, 0]);
});

test("reductions of nothing, and norms of zeros", async () => {
  const reduce = (operator: string) => run({ operator, int: { keepdims: 0 } }, 1, [2, 0], [], [axes]);
  assert.deepEqual(await reduce("ReduceMean"), [0, 0]);
  assert.deepEqual(await reduce("ReduceLogSumExp"), [-Infinity, -Infinity]);
  assert.deepEqual(
    await run({ operator: "LpNormalization" }, 1, [2, 2], [0, 0, 3, 4]),
    [0, 0, 0.6000000238418579, 0.800000011920929],
  );
});

test("linear Resize of int8 over three axes adds up in onnxruntime's order", async () => {
  const x = [-57, -56, 61, 27, -92, 111, -41, -85, 66, 33, 27, 82, -31, -37, 70, -69, -40, 48];
  const sizes = { name: "s", dims: [5], type: 7, values: [1, 1, 3, 4, 5] } as const;
  const node = { operator: "Resize", inputs: ["t", "", "", "s"], string: { mode: "linear" } };
  assert.deepEqual(
    await run(node, 3, [1, 1, 2, 3, 3], x, [sizes]),
    [
      [-57, -56, -56, 14, 61, -4, -34, -78, 23, 92, 1, -34, -89, 20, 94, -41, -58, -85, 5, 66],
      [-12, -12, -14, 37, 71, -5, -21, -45, 31, 83, -21, -38, -63, 21, 77, -55, -57, -62, 9, 57],
      [33, 30, 27, 60, 82, -7, -9, -13, 39, 74, -45, -42, -38, 21, 61, -69, -57, -40, 12, 48],
    ].flat(),
  );
});
