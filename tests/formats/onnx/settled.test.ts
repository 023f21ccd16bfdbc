/** Sizes that functions of constants decide, as exporters of older models leave them in the file. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadModel } from "../../../bindings/public/index.ts";
import { buildOnnx, type GraphSpec, type NodeSpec, node, type TensorSpec } from "../build-onnx.ts";

const INITIALIZERS: readonly TensorSpec[] = [
  { name: "nine", dims: [], type: 1, values: [9] },
  { name: "half", dims: [], type: 1, values: [0.5] },
  { name: "two", dims: [], type: 7, values: [2] },
  { name: "axis", dims: [1], type: 7, values: [0] },
  { name: "rest", dims: [1], type: 7, values: [-1] },
];

async function dimensions(nodes: readonly NodeSpec[], own: readonly TensorSpec[] = []): Promise<readonly number[]> {
  const spec: GraphSpec = {
    nodes,
    inputs: [{ name: "x", dims: [12] }],
    outputs: [{ name: "y" }],
    initializers: [...INITIALIZERS, ...own],
  };
  const session = await loadModel(buildOnnx(spec), { module: "scalar" });
  const x = Float32Array.from({ length: 12 }, (_, i) => i);
  assert.deepEqual(Object.values(session.run([x]))[0], x.slice(0, 12));
  const [y] = session.outputs;
  session.close();
  return y?.shape ?? [];
}

const reshaped = (size: string): readonly NodeSpec[] => [
  node("Unsqueeze", `${size} axis`, "size1"),
  node("Concat", "size1 rest", "shape", { int: { axis: 0 } }),
  node("Reshape", "x shape", "y"),
];

test("a root by Pow, as DINOv2's grid is written", async () => {
  const size = [node("Pow", "nine half", "root"), node("Cast", "root", "size", { int: { to: 7 } })];
  assert.deepEqual(await dimensions([...size, ...reshaped("size")]), [3, 4]);
});

test("powers of integers, and functions after each other", async () => {
  assert.deepEqual(await dimensions([node("Pow", "two two", "size"), ...reshaped("size")]), [4, 3]);
  const logarithm = [
    node("Log", "nine", "log"),
    node("Mul", "log half", "own"),
    node("Exp", "own", "root"),
    node("Round", "root", "whole"),
    node("Cast", "whole", "size", { int: { to: 7 } }),
  ];
  assert.deepEqual(await dimensions([...logarithm, ...reshaped("size")]), [3, 4]);
});

test("a branch by a comparison of such numbers", async () => {
  const branch = (name: string, operator: string): GraphSpec => ({
    nodes: [node(operator, "x", name)],
    inputs: [],
    outputs: [{ name }],
  });
  const nodes = [
    node("Pow", "nine half", "root"),
    node("Greater", "root half", "isMore"),
    node("If", "isMore", "y", { graph: { then_branch: branch("a", "Relu"), else_branch: branch("b", "Neg") } }),
  ];
  assert.deepEqual(await dimensions(nodes), [12]);
});

test("sizes that OneHot puts together, as repeat_interleave is written", async () => {
  const own: readonly TensorSpec[] = [
    { name: "place", dims: [1], type: 7, values: [1] },
    { name: "sizes", dims: [2], type: 7, values: [3, 4] },
  ];
  const nodes = [
    node("OneHot", "place two sizes", "hot", { int: { axis: -1 } }),
    node("Reshape", "hot rest", "shape"),
    node("Reshape", "x shape", "y"),
  ];
  assert.deepEqual(await dimensions(nodes, own), [3, 4]);
});
