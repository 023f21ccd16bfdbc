/** Variables as .onnx: inputs that may be left out, and outputs for the next run. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { importModel } from "../../../bindings/formats/index.ts";
import { readModel } from "../../../bindings/formats/onnx/proto.ts";
import { writeOnnx } from "../../../bindings/formats/onnx/write/index.ts";
import type { Graph } from "../../../bindings/graph.ts";
import type { Tensor } from "../../../bindings/tensor.ts";
import { graphOf } from "../run-graph.ts";
import { noise, outputsOf } from "./recurrent.ts";

const real = (name: string, shape: readonly number[], values?: readonly number[]): Tensor => ({
  name,
  dtype: "float32",
  shape,
  ...(values && { data: new Uint8Array(Float32Array.from(values).buffer) }),
});

const variable = (name: string, shape: readonly number[], more: Partial<Tensor> = {}): Tensor => ({
  ...real(name, shape),
  variable: true,
  ...more,
});
const none = { activation: "none" };

/** y = x + sum, and sum = y; it starts with 0.5 and 2. */
function adding(): Graph {
  const begin = graphOf(
    [variable("sum", [2], { resource: "sum" }), real("start", [2], [0.5, 2])],
    [],
    [],
    [["assignVariable", [0, 1], []]],
  );
  const tensors = [real("x", [2]), variable("sum", [2], { resource: "sum" }), real("before", [2]), real("y", [2])];
  return graphOf(
    tensors,
    [0],
    [3],
    [
      ["callOnce", [], [], { subgraphs: [1], bodies: [begin] }],
      ["readVariable", [1], [2]],
      ["add", [0, 2], [3], none],
      ["assignVariable", [1, 3], []],
    ],
  );
}

const svdf = () =>
  graphOf(
    [
      real("x", [1, 3]),
      real("features", [4, 3], noise(12, 1)),
      real("time", [4, 2], noise(8, 2)),
      real("bias", [2], [0.5, -1]),
      variable("state", [1, 8]),
      real("y", [1, 2]),
    ],
    [0],
    [5],
    [["svdf", [0, 1, 2, 3, 4], [5], { rank: 2, activation: 1, asymmetric: false }]],
  );

const rnn = () =>
  graphOf(
    [
      real("x", [2, 3]),
      real("w", [4, 3], noise(12, 1)),
      real("r", [4, 4], noise(16, 2)),
      real("b", [4], noise(4, 3)),
      variable("h", [2, 4]),
      real("y", [2, 4]),
    ],
    [0],
    [5],
    [["rnn", [0, 1, 2, 3, 4], [5], { activation: 4, asymmetric: false, timeMajor: false, sequence: false }]],
  );

describe("variables as ONNX", () => {
  for (const [name, graph, state, start] of [
    ["a sum", adding(), "sum", [0.5, 2]],
    ["SVDF", svdf(), "state", new Array(8).fill(0)],
    ["one step of an RNN", rnn(), "h", new Array(8).fill(0)],
  ] as const)
    test(name, async () => {
      const said: string[] = [];
      const bytes = writeOnnx(graph, { onWarning: (message) => said.push(message) });
      assert.equal(said.length, 1);
      assert.match(said[0] ?? "", /1 variables are inputs that may be left out/);
      const file = readModel(bytes).graph;
      assert.deepEqual(
        file?.inputs.map((port) => port.name),
        ["x", state],
      );
      assert.deepEqual(
        file?.outputs.map((port) => port.name),
        [graph.outputs[0]?.name, `${state}/next`],
      );
      const given = file?.initializers.find((tensor) => tensor.name === state)?.raw as Uint8Array;
      assert.deepEqual([...new Float32Array(new Uint8Array(given).buffer)], start);
      const again = importModel(bytes, {});
      assert.deepEqual(
        again.inputs.map((port) => port.name),
        ["x"],
      );
      const [expected = []] = await outputsOf(graph);
      const [found = [], next = []] = await outputsOf(again);
      for (const [i, value] of expected.entries()) assert.ok(Math.abs(value - (found[i] as number)) < 1e-6);
      if (name !== "SVDF") assert.deepEqual(next, found);
      else {
        const [x = []] = [noise(3, 7)];
        const news = Array.from({ length: 4 }, (_, f) =>
          noise(12, 1)
            .slice(3 * f, 3 * f + 3)
            .reduce((sum, w, i) => sum + w * (x[i] as number), 0),
        );
        for (const [f, value] of news.entries()) {
          assert.equal(next[2 * f], 0);
          assert.ok(Math.abs(value - (next[2 * f + 1] as number)) < 1e-6);
        }
      }
    });

  test("variables within branches are refused", () => {
    const inner = graphOf(
      [real("x", [2]), variable("sum", [2], { resource: "sum" }), real("y", [2])],
      [0],
      [2],
      [["readVariable", [1], [2]]],
    );
    const condition: Tensor = { name: "isSo", dtype: "bool", shape: [] };
    const graph = graphOf(
      [condition, real("x", [2]), real("y", [2])],
      [0, 1],
      [2],
      [["if", [0, 1], [2], { subgraphs: [], bodies: [inner, inner] }]],
    );
    assert.throws(() => writeOnnx(graph), /variables outside of loops and branches/);
  });
});
