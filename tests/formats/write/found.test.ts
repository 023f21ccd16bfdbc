/** Operators of which a run tells how much they give, and others that ONNX has no single operator for, as .onnx and read back. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { importModel } from "../../../bindings/formats/index.ts";
import { writeOnnx } from "../../../bindings/formats/onnx/write/index.ts";
import type { AnyNode, Graph, TensorId } from "../../../bindings/graph.ts";
import { openGraph } from "../../../bindings/optimize/tap.ts";
import type { Tensor, TypedArray } from "../../../bindings/tensor.ts";

type Given = readonly [shape: readonly number[], values: TypedArray];
type Made = readonly [dtype: Tensor["dtype"], shape: readonly number[]];

const dtypeOf = (values: TypedArray): Tensor["dtype"] => {
  if (values instanceof Float32Array) return "float32";
  if (values instanceof BigInt64Array) return "int64";
  return values instanceof Int32Array ? "int32" : "bool";
};

/** A graph of one node: inputs, then constants. */
function graphOf(
  kind: string,
  attributes: object,
  given: readonly Given[],
  constants: readonly Given[],
  made: readonly Made[],
  order?: readonly number[],
): Graph {
  const inputs = given.map(([shape, values], i): Tensor => ({ name: `x${i}`, dtype: dtypeOf(values), shape }));
  const held = constants.map(
    ([shape, values], i): Tensor => ({
      name: `c${i}`,
      dtype: dtypeOf(values),
      shape,
      data: new Uint8Array(values.buffer.slice(0)),
    }),
  );
  const outputs = made.map(([dtype, shape], i): Tensor => ({ name: `y${i}`, dtype, shape }));
  const tensors = [...inputs, ...held, ...outputs];
  const [first, last] = [inputs.length + held.length, tensors.length];
  const all = Array.from({ length: first }, (_, i) => i);
  const node = {
    kind,
    where: "node 0",
    attributes,
    inputs: order ?? all,
    outputs: Array.from({ length: last - first }, (_, i) => first + i),
  };
  const port = ({ name }: Tensor, tensor: number) => ({ name, tensor: tensor as TensorId });
  return {
    name: "main",
    tensors,
    nodes: [node as unknown as AnyNode],
    inputs: inputs.map(port),
    outputs: outputs.map((tensor, i) => port(tensor, first + i)),
    subgraphs: [],
  };
}

async function run(graph: Graph, given: readonly Given[]): Promise<readonly (readonly number[])[]> {
  const session = await openGraph(graph, { module: "simd" });
  const outputs = session.run(given.map(([, values]) => values) as never);
  const found = session.outputs.map(({ name }) => Array.from(outputs[name] as ArrayLike<number | bigint>, Number));
  session.close();
  return found;
}

const noise = (length: number, seed = 1) =>
  Float32Array.from({ length }, (_, i) => 2 * Math.sin((i + seed) * (seed + 1.7)));
const whole = (...values: number[]) => Int32Array.from(values);
const number = (value: number): Given => [[], Float32Array.of(value)];

/** Corners of boxes, of which some overlap. */
const BOXES = Float32Array.from([0, 0, 1, 1, 0, 0.1, 1, 1.1, 0, 3, 1, 4, 0, 3.05, 1, 4.05, 5, 5, 6, 6]);
const SCORES = Float32Array.of(0.9, 0.75, 0.6, 0.95, 0.1);

describe("rare operators as ONNX", () => {
  const segments: readonly Given[] = [
    [[4, 2], noise(8)],
    [[4], whole(2, 0, -1, 2)],
  ];
  const rows: readonly (readonly [
    string,
    object,
    readonly Given[],
    readonly Given[],
    readonly Made[],
    (readonly number[])?,
  ])[] = [
    [
      "nonMaxSuppressionV4",
      {},
      [
        [[5, 4], BOXES],
        [[5], SCORES],
      ],
      [[[], whole(4)], number(0.5), number(0.3)],
      [
        ["int32", [4]],
        ["int32", []],
      ],
    ],
    ["nonZero", { form: "columns" }, [[[2, 3], Float32Array.of(0, 1, 0, 2, 0, 3)]], [], [["int64", [2, 6]]]],
    [
      "nonZero",
      { form: "rows" },
      [[[2, 3], Float32Array.of(0, 1, 0, 2, 0, 3)]],
      [],
      [
        ["int64", [6, 2]],
        ["int32", []],
      ],
    ],
    ["where", {}, [[[2, 3], Float32Array.of(0, 1, 0, 2, 0, 3)]], [], [["int64", [1, 2]]]],
    [
      "unique",
      {},
      [[[6], whole(5, 2, 5, 7, 2, 1)]],
      [],
      [
        ["int32", [1]],
        ["int32", [6]],
      ],
    ],
    [
      "segmentSum",
      {},
      [
        [[4, 2], noise(8)],
        [[4], whole(0, 0, 1, 2)],
      ],
      [],
      [["float32", [1, 2]]],
    ],
    ["unsortedSegmentSum", {}, segments, [[[], whole(4)]], [["float32", [4, 2]]]],
    ["unsortedSegmentProd", {}, segments, [[[], whole(4)]], [["float32", [4, 2]]]],
    ["unsortedSegmentMax", {}, segments, [[[], whole(4)]], [["float32", [4, 2]]]],
    ["unsortedSegmentMin", {}, segments, [[[], whole(4)]], [["float32", [4, 2]]]],
    ["matrixDiag", {}, [[[2, 3], noise(6)]], [], [["float32", [2, 3, 3]]]],
    [
      "l2Pool2d",
      { filter: [2, 3], stride: [1, 2], padding: "same", activation: "none" },
      [[[1, 3, 5, 2], noise(30)]],
      [],
      [["float32", [1, 3, 3, 2]]],
    ],
    [
      "transposeConvBias",
      { stride: [2, 2], padding: "same" },
      [[[1, 3, 2, 2], noise(12)]],
      [
        [[3, 3, 3, 2], noise(54, 2)],
        [[3], noise(3, 3)],
      ],
      [["float32", [1, 6, 4, 3]]],
    ],
    [
      "transposeConvBias",
      { stride: [2, 1], padding: "valid" },
      [[[1, 3, 2, 2], noise(12)]],
      [
        [[3, 2, 2, 2], noise(24, 2)],
        [[3], noise(3, 3)],
      ],
      [["float32", [1, 6, 3, 3]]],
    ],
    [
      "atan2",
      {},
      [
        [[9], Float32Array.of(1, 1, 1, 0, 0, 0, -1, -1, -1)],
        [[9], Float32Array.of(1, 0, -1, 1, 0, -1, 1, 0, -1)],
      ],
      [],
      [["float32", [9]]],
    ],
  ];
  for (const [kind, attributes, given, constants, made, order] of rows)
    test(`${kind} ${JSON.stringify(attributes)} of ${given.map(([shape]) => `[${shape}]`).join(" and ")}`, async () => {
      const graph = graphOf(kind, attributes, given, constants, made, order);
      const expected = await run(graph, given);
      const found = await run(importModel(writeOnnx(graph), {}), given);
      assert.deepEqual(
        found.map(({ length }) => length),
        expected.map(({ length }) => length),
      );
      for (const [i, values] of expected.entries())
        for (const [j, value] of values.entries())
          assert.ok(
            Math.abs(value - (found[i]?.[j] ?? Number.NaN)) <= 2e-6 * Math.max(1, Math.abs(value)),
            `${i}, ${j}: ${found[i]?.[j]}, not ${value}`,
          );
    });

  test("scores that fall where boxes overlap are refused", () => {
    const given: readonly Given[] = [
      [[5, 4], BOXES],
      [[5], SCORES],
    ];
    const constants: readonly Given[] = [[[], whole(3)], number(0.5), number(0.3), number(0.5)];
    const graph = graphOf("nonMaxSuppressionV5", {}, given, constants, [
      ["int32", [3]],
      ["float32", [3]],
      ["int32", []],
    ]);
    assert.throws(() => writeOnnx(graph), /received nonMaxSuppressionV5/);
  });
});
