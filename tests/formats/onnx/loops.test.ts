/** ONNX loops whose end is known only when they run. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadModel, Pint8Error } from "../../../bindings/public/index.ts";
import { buildOnnx, type GraphSpec, type NodeSpec } from "../build-onnx.ts";

const BOOL = 9;
const INT64 = 7;

/** y: the state x `[2]` after a loop whose body computes `next` and `again` of `state`, `turn` and w of the graph around it. */
function looped(nodes: readonly NodeSpec[], count: string, condition: string): GraphSpec {
  const body: GraphSpec = {
    nodes,
    inputs: [
      { name: "turn", type: INT64, dims: [] },
      { name: "before", type: BOOL, dims: [] },
      { name: "state", dims: [2] },
    ],
    outputs: [{ name: "again" }, { name: "next" }],
  };
  return {
    nodes: [{ operator: "Loop", inputs: [count, condition, "x"], outputs: ["y"], graph: { body } }],
    inputs: [
      ...(count === "" ? [] : [{ name: count, type: INT64, dims: [] }]),
      ...(condition === "" ? [] : [{ name: condition, type: BOOL, dims: [] }]),
      { name: "x", dims: [2] },
      { name: "w", dims: [2] },
    ],
    outputs: [{ name: "y" }],
    initializers: [{ name: "limit", dims: [], type: 1, values: [20] }],
  };
}

const ADDS: readonly NodeSpec[] = [
  { operator: "Cast", inputs: ["turn"], outputs: ["t"], int: { to: 1 } },
  { operator: "Mul", inputs: ["w", "t"], outputs: ["step"] },
  { operator: "Add", inputs: ["state", "step"], outputs: ["next"] },
];
const STAYS: NodeSpec = { operator: "Identity", inputs: ["before"], outputs: ["again"] };
const BELOW: readonly NodeSpec[] = [
  { operator: "ReduceMax", inputs: ["next"], outputs: ["most"], int: { keepdims: 0 } },
  { operator: "Less", inputs: ["most", "limit"], outputs: ["again"] },
];

for (const { name, spec, inputs, y } of [
  { name: "a computed count", spec: looped([...ADDS, STAYS], "m", ""), inputs: [BigInt64Array.of(4n)], y: [7, 62] },
  { name: "a count of none", spec: looped([...ADDS, STAYS], "m", ""), inputs: [BigInt64Array.of(0n)], y: [1, 2] },
  {
    name: "a count beyond 32 bits, which a condition ends",
    spec: looped([...ADDS, ...BELOW], "m", ""),
    inputs: [BigInt64Array.of(2n ** 40n)],
    y: [4, 32],
  },
  { name: "a condition alone", spec: looped([...ADDS, ...BELOW], "", "c"), inputs: [Uint8Array.of(1)], y: [4, 32] },
  {
    name: "a condition that is false",
    spec: looped([...ADDS, ...BELOW], "", "c"),
    inputs: [Uint8Array.of(0)],
    y: [1, 2],
  },
])
  test(`Loop with ${name}`, async () => {
    for (const module of ["scalar", "simd"] as const) {
      const model = await loadModel(buildOnnx(spec), { module });
      const all = [...inputs, Float32Array.of(1, 2), Float32Array.of(1, 10)];
      assert.deepEqual(Array.from(Object.values(model.run(all))[0] as Float32Array), y);
      model.close();
    }
  });

test("a state that grows is refused", async () => {
  const grows: NodeSpec = { operator: "Concat", inputs: ["state", "w"], outputs: ["next"], int: { axis: 0 } };
  await assert.rejects(
    loadModel(buildOnnx(looped([grows, STAYS], "m", "")), { module: "simd" }),
    (error) => error instanceof Pint8Error && error.code === "UNSUPPORTED" && /stays \[2\]/.test(error.message),
  );
});

test("a loop without a turn gives none of what every turn would give", async () => {
  const body: GraphSpec = {
    nodes: [
      { operator: "Identity", inputs: ["before"], outputs: ["again"] },
      { operator: "Concat", inputs: ["state", "state"], outputs: ["shown"], int: { axis: 0 } },
    ],
    inputs: [
      { name: "turn", type: INT64, dims: [] },
      { name: "before", type: BOOL, dims: [] },
      { name: "state", dims: [2] },
    ],
    outputs: [{ name: "again" }, { name: "state" }, { name: "shown" }],
  };
  const spec: GraphSpec = {
    nodes: [
      { operator: "Loop", inputs: ["m", "", "x"], outputs: ["y", "all"], graph: { body } },
      { operator: "ReduceSum", inputs: ["all", "a"], outputs: ["sum"], int: { keepdims: 0 } },
    ],
    inputs: [{ name: "x", dims: [2] }],
    outputs: [{ name: "y" }, { name: "sum" }],
    initializers: [
      { name: "m", dims: [1], type: INT64, values: [0] },
      { name: "a", dims: [1], type: INT64, values: [0] },
    ],
  };
  const model = await loadModel(buildOnnx(spec), { module: "simd" });
  const outputs = Object.values(model.run([Float32Array.of(3, 4)])).map((y) => Array.from(y as ArrayLike<number>));
  model.close();
  assert.deepEqual(outputs, [
    [3, 4],
    [0, 0, 0, 0],
  ]);
});

test("a branch that the sizes leave nothing for is an error where a run takes it", async () => {
  const product = (weights: string): GraphSpec => ({
    nodes: [{ operator: "MatMul", inputs: ["x", weights], outputs: [`by ${weights}`] }],
    inputs: [],
    outputs: [{ name: `by ${weights}` }],
  });
  for (const [fits, first, second] of [
    [1, "two", "three"],
    [0, "three", "two"],
  ] as const) {
    const spec: GraphSpec = {
      nodes: [
        {
          operator: "If",
          inputs: ["c"],
          outputs: ["y"],
          graph: { then_branch: product(first), else_branch: product(second) },
        },
      ],
      inputs: [
        { name: "c", type: BOOL, dims: [] },
        { name: "x", dims: [1, 2] },
      ],
      outputs: [{ name: "y" }],
      initializers: [
        { name: "two", dims: [2, 1], type: 1, values: [10, 1] },
        { name: "three", dims: [3, 1], type: 1, values: [1, 1, 1] },
      ],
    };
    for (const module of ["scalar", "simd"] as const) {
      const model = await loadModel(buildOnnx(spec), { module });
      const run = (c: number) =>
        Array.from(Object.values(model.run([Uint8Array.of(c), Float32Array.of(3, 4)]))[0] as Float32Array);
      assert.deepEqual(run(fits), [34]);
      assert.throws(
        () => run(1 - fits),
        (error) =>
          error instanceof Pint8Error &&
          error.code === "INVALID_INPUT" &&
          new RegExp(
            `^node 0 \\(If\\), ${fits ? "else" : "then"}_branch, taken though refused \\(node 0 \\(MatMul\\)`,
          ).test(error.message),
      );
      assert.deepEqual(run(fits), [34]);
      model.close();
    }
  }
});
