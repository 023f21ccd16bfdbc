/** IF and WHILE as .onnx: graphs of nodes, and what stands in them at computed places. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { importModel } from "../../../bindings/formats/index.ts";
import { readModel } from "../../../bindings/formats/onnx/proto.ts";
import { writeOnnx } from "../../../bindings/formats/onnx/write/index.ts";
import type { AnyNode, Graph } from "../../../bindings/graph.ts";
import type { Tensor } from "../../../bindings/tensor.ts";
import { graphOf, runGraph } from "../run-graph.ts";

const real = (name: string, shape: readonly number[]): Tensor => ({ name, dtype: "float32", shape });
const whole = (name: string, shape: readonly number[], values?: readonly number[]): Tensor => ({
  name,
  dtype: "int32",
  shape,
  ...(values && { data: new Uint8Array(Int32Array.from(values).buffer) }),
});
const truth = (name: string, shape: readonly number[] = []): Tensor => ({ name, dtype: "bool", shape });

const plain = { activation: "none" };

/** x until its sum is beyond 20: twice as much each turn. `shape` is that of the condition. */
function doubling(shape: readonly number[]): Graph {
  const state = real("state", [2]);
  const axes = whole("axes", [1], [0]);
  const limit: Tensor = { ...real("limit", []), data: new Uint8Array(Float32Array.of(20).buffer) };
  const condition = graphOf(
    [state, axes, limit, real("sum", shape), truth("less", shape)],
    [0],
    [4],
    [
      ["sum", [0, 1], [3], { keepDims: shape.length > 0 }],
      ["less", [3, 2], [4]],
    ],
  );
  const body = graphOf([state, real("next", [2])], [0], [1], [["add", [0, 0], [1], plain]]);
  const bodies = { subgraphs: [], bodies: [condition, body] };
  return graphOf([real("x", [2]), real("y", [2])], [0], [1], [["while", [0], [1], bodies]]);
}

/** Rows 0 to 2 of a table, each the row of x times the turn, put where the turn says. */
function rows(): Graph {
  const state = [whole("turn", []), real("list", [3, 2])];
  const condition = graphOf([...state, whole("most", [], [3]), truth("less")], [0, 1], [3], [["less", [0, 2], [3]]]);
  const body = graphOf(
    [...state, whole("one", [], [1]), whole("next", []), whole("flat", [1], [1]), whole("first", [1])]
      .concat([whole("zeros", [1], [0]), whole("begin", [2]), real("row", [1, 2]), real("double", [1, 2])])
      .concat([whole("sizes", [2], [1, 2]), real("grown", [3, 2])]),
    [0, 1],
    [3, 11],
    [
      ["add", [0, 2], [3], plain],
      ["reshape", [0, 4], [5]],
      ["concat", [5, 6], [7], { axis: 0, activation: "none" }],
      ["slice", [1, 7, 10], [8]],
      ["add", [8, 8], [9], plain],
      ["dynamicUpdateSlice", [1, 9, 7], [11]],
    ],
  );
  const bodies = { subgraphs: [], bodies: [condition, body] };
  const tensors = [real("x", [3, 2]), whole("zero", [], [0]), whole("last", []), real("y", [3, 2])];
  return graphOf(tensors, [0], [3], [["while", [1, 0], [2, 3], bodies]]);
}

/** −x where its sum is below 0, else x itself, which both branches also read of what is around them. */
function branches(): Graph {
  const yes = graphOf([real("inner", [2]), real("negative", [2])], [0], [1], [["neg", [0], [1]]]);
  const no = graphOf([real("inner", [2])], [0], [0], []);
  const tensors = [real("x", [2]), whole("axes", [1], [0]), real("sum", [1]), truth("below", [1]), real("y", [2])];
  const zero: Tensor = { ...real("zero", []), data: new Uint8Array(4) };
  return graphOf(
    [...tensors, zero],
    [0],
    [4],
    [
      ["sum", [0, 1], [2], { keepDims: true }],
      ["less", [2, 5], [3]],
      ["if", [3, 0], [4], { subgraphs: [], bodies: [yes, no] }],
    ],
  );
}

describe("graphs of nodes as ONNX", () => {
  const cases: readonly (readonly [string, Graph, string, readonly (readonly number[])[]])[] = [
    [
      "a loop with a condition of no dimensions",
      doubling([]),
      "Loop",
      [
        [1, 2],
        [30, 1],
        [-1, 4],
      ],
    ],
    [
      "a loop with a condition of one dimension",
      doubling([1]),
      "Loop",
      [
        [1, 2],
        [30, 1],
      ],
    ],
    ["a loop that sets rows", rows(), "Loop", [[1, 2, 3, 4, 5, 6]]],
    [
      "branches",
      branches(),
      "If",
      [
        [1, 2],
        [-3, 1],
      ],
    ],
  ];
  for (const [name, graph, operator, inputs] of cases)
    test(name, async () => {
      const bytes = writeOnnx(graph);
      const operators = (readModel(bytes).graph?.nodes ?? []).map(({ operator: type }) => type);
      assert.ok(operators.includes(operator), `${operators}`);
      for (const values of inputs) {
        const x = Float32Array.from(values);
        assert.deepEqual(await runGraph(importModel(bytes, {}), x), await runGraph(graph, x));
      }
    });

  test("a node in a loop that has no form is named", () => {
    const graph = doubling([]);
    const [loop] = graph.nodes as [AnyNode];
    const [condition, body] = (loop.attributes as { bodies: readonly Graph[] }).bodies as [Graph, Graph];
    const nodes = [{ ...body.nodes[0], kind: "call" } as unknown as AnyNode];
    const attributes = { subgraphs: [], bodies: [condition, { ...body, nodes }] };
    const other = { ...graph, nodes: [{ ...loop, attributes } as AnyNode] };
    assert.throws(() => writeOnnx(other), /operators that pint8 writes as ONNX, received call \(1×\)/);
  });
});
