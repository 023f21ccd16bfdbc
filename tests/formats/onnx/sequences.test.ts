/** Sequences of known length, transforms of signals, and geometry: against sums written out here. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadModel } from "../../../bindings/public/index.ts";
import { buildOnnx, type GraphSpec, type NodeSpec, type TensorSpec } from "../build-onnx.ts";

const long = (name: string, ...values: readonly number[]): TensorSpec => ({
  name,
  dims: values.length === 1 ? [] : [values.length],
  type: 7,
  values,
});

async function run(spec: GraphSpec, opset: number, ...inputs: readonly Float32Array[]): Promise<readonly number[]> {
  const model = await loadModel(buildOnnx(spec, opset), { module: "simd" });
  const [y] = Object.values(model.run(inputs));
  model.close();
  return Array.from(y as ArrayLike<number>);
}

/** Runs nodes on x of this shape. */
function onX(dims: readonly number[], nodes: readonly NodeSpec[], initializers: readonly TensorSpec[], opset = 17) {
  const spec = { nodes, inputs: [{ name: "x", dims }], outputs: [{ name: "y" }], initializers };
  const x = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i * 1.7) * 3);
  return run(spec, opset, x).then((y) => ({ x: Array.from(x), y }));
}

const near = (y: readonly number[], expected: readonly number[]): void => {
  assert.equal(y.length, expected.length);
  for (const [i, value] of expected.entries())
    assert.ok(Math.abs((y[i] as number) - value) < 1e-5, `element ${i} is ${y[i]} and not ${value}`);
};

test("pieces of a tensor come back in another order, from a sequence", async () => {
  const { x, y } = await onX(
    [3, 2],
    [
      { operator: "SplitToSequence", inputs: ["x"], outputs: ["s"], int: { axis: 0, keepdims: 0 } },
      { operator: "SequenceAt", inputs: ["s", "last"], outputs: ["c"] },
      { operator: "SequenceErase", inputs: ["s", "last"], outputs: ["t"] },
      { operator: "SequenceInsert", inputs: ["t", "c", "zero"], outputs: ["u"] },
      { operator: "ConcatFromSequence", inputs: ["u"], outputs: ["y"], int: { axis: 1, new_axis: 1 } },
    ],
    [long("last", -1), long("zero", 0)],
  );
  const [a, b, c, d, e, f] = x as [number, number, number, number, number, number];
  assert.deepEqual(y, [e, a, c, f, b, d]);
});

test("a loop that fills a sequence is unrolled", async () => {
  const body: GraphSpec = {
    nodes: [
      { operator: "Identity", inputs: ["go"], outputs: ["on"] },
      { operator: "Gather", inputs: ["x", "i"], outputs: ["row"] },
      { operator: "SequenceInsert", inputs: ["s", "row"], outputs: ["t"] },
    ],
    inputs: [{ name: "i", type: 7, dims: [] }, { name: "go", type: 9, dims: [] }, { name: "s" }],
    outputs: [{ name: "on" }, { name: "t" }],
  };
  const { x, y } = await onX(
    [4, 2],
    [
      { operator: "SequenceEmpty", inputs: [], outputs: ["e"] },
      { operator: "Loop", inputs: ["count", "", "e"], outputs: ["s2"], graph: { body } },
      { operator: "ConcatFromSequence", inputs: ["s2"], outputs: ["y"], int: { axis: 0 } },
    ],
    [long("count", 3)],
  );
  assert.deepEqual(y, x.slice(0, 6));
});

test("a sequence that the caller would get is refused", async () => {
  await assert.rejects(
    onX([2], [{ operator: "SequenceConstruct", inputs: ["x"], outputs: ["y"] }], []),
    (error: Error & { code?: string }) => error.code === "UNSUPPORTED" && error.message.includes("sequence"),
  );
});

test("STFT with a window, one side", async () => {
  const [step, length, total] = [3, 8, 20];
  const { x, y } = await onX(
    [1, total, 1],
    [
      { operator: "HannWindow", inputs: ["length"], outputs: ["w"] },
      { operator: "STFT", inputs: ["x", "step", "w", "length"], outputs: ["y"] },
    ],
    [long("step", step), long("length", length)],
  );
  const expected: number[] = [];
  for (let frame = 0; frame * step + length <= total; frame++)
    for (let bin = 0; bin <= length / 2; bin++) {
      let [re, im] = [0, 0];
      for (let t = 0; t < length; t++) {
        const value = (x[frame * step + t] as number) * (0.5 - 0.5 * Math.cos((2 * Math.PI * t) / length));
        re += value * Math.cos((2 * Math.PI * bin * t) / length);
        im -= value * Math.sin((2 * Math.PI * bin * t) / length);
      }
      expected.push(re, im);
    }
  near(y, expected);
});

test("DFT and its inverse give the signal again, along an axis in the middle", async () => {
  const { x, y } = await onX(
    [2, 5, 3, 2],
    [
      { operator: "DFT", inputs: ["x"], outputs: ["f"], int: { axis: 1 } },
      { operator: "DFT", inputs: ["f"], outputs: ["y"], int: { axis: 1, inverse: 1 } },
    ],
    [],
  );
  near(y, x);
});

test("columns of overlapping windows add up: how often each pixel is in one", async () => {
  const initializers: TensorSpec[] = [
    { ...long("image", 3, 3), dims: [2] },
    { ...long("block", 2, 2), dims: [2] },
    { name: "one", dims: [1, 4, 4], type: 1, values: new Array<number>(16).fill(1) },
  ];
  const nodes = [
    { operator: "Mul", inputs: ["x", "zero"], outputs: ["nothing"] },
    { operator: "Add", inputs: ["nothing", "one"], outputs: ["ones"] },
    { operator: "Col2Im", inputs: ["ones", "image", "block"], outputs: ["y"] },
  ];
  const zero: TensorSpec = { name: "zero", dims: [], type: 1, values: [0] };
  const { y } = await onX([1, 4, 4], nodes, [...initializers, zero], 18);
  assert.deepEqual(y, [1, 2, 1, 2, 4, 2, 1, 2, 1]);
});

test("inverses of small matrices: their products are the identity", async () => {
  for (const size of [2, 3, 4]) {
    const shift = Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 5 : 0));
    const { y } = await onX(
      [2, size, size],
      [
        { operator: "Add", inputs: ["x", "shift"], outputs: ["m"] },
        { operator: "Inverse", domain: "com.microsoft", inputs: ["m"], outputs: ["i"] },
        { operator: "MatMul", inputs: ["m", "i"], outputs: ["y"] },
      ],
      [{ name: "shift", dims: [size, size], type: 1, values: shift }],
    );
    near(
      y,
      Array.from({ length: 2 * size * size }, (_, i) => ((i % (size * size)) % (size + 1) === 0 ? 1 : 0)),
    );
  }
});

test("LpPool, CenterCropPad and AffineGrid", async () => {
  const pooled = await onX(
    [1, 1, 4],
    [{ operator: "LpPool", inputs: ["x"], outputs: ["y"], ints: { kernel_shape: [2], strides: [2] }, int: { p: 3 } }],
    [],
  );
  const [a, b, c, d] = pooled.x.map(Math.abs) as [number, number, number, number];
  near(pooled.y, [Math.cbrt(a ** 3 + b ** 3), Math.cbrt(c ** 3 + d ** 3)]);
  const cropped = await onX(
    [2, 5],
    [{ operator: "CenterCropPad", inputs: ["x", "to"], outputs: ["y"] }],
    [{ ...long("to", 3, 2), dims: [2] }],
    18,
  );
  const at = (i: number): number => cropped.x[i] as number;
  assert.deepEqual(cropped.y, [at(1), at(2), at(6), at(7), 0, 0]);
  const grid = await run(
    {
      nodes: [{ operator: "AffineGrid", inputs: ["x", "size"], outputs: ["y"] }],
      inputs: [{ name: "x", dims: [1, 2, 3] }],
      outputs: [{ name: "y" }],
      initializers: [{ ...long("size", 1, 1, 1, 2), dims: [4] }],
    },
    20,
    Float32Array.of(1, 0, 0.25, 0, 1, 0),
  );
  assert.deepEqual(grid, [-0.25, 0, 0.75, 0]);
});
