/** Names, and tensors that are several ports, in written files. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { importModel } from "../../../bindings/formats/index.ts";
import { writeOnnx } from "../../../bindings/formats/onnx/write/index.ts";
import { writeTflite } from "../../../bindings/formats/tflite/write/index.ts";
import type { Graph } from "../../../bindings/graph.ts";
import { openGraph } from "../../../bindings/optimize/tap.ts";
import type { Tensor, TypedArray } from "../../../bindings/tensor.ts";
import { graphOf } from "../run-graph.ts";
import { canonical } from "./canonical.ts";

const float = (name: string, ...shape: number[]): Tensor => ({ name, dtype: "float32", shape });
const constant = (name: string, values: Float32Array): Tensor => ({
  ...float(name, values.length),
  data: new Uint8Array(values.buffer),
});
const abs = (from: number, to: number) => ["abs", [from], [to]] as const;

/** The graph with other names of its ports. */
function called(graph: Graph, inputs: readonly string[], outputs: readonly string[]): Graph {
  const named = (ports: Graph["inputs"], names: readonly string[]) =>
    ports.map((port, i) => ({ ...port, name: names[i] ?? port.name }));
  return { ...graph, inputs: named(graph.inputs, inputs), outputs: named(graph.outputs, outputs) };
}

const [x, y] = [float("x", 2), float("y", 2)];
const ODD = 'ä/ö:0 \u0000\u{1f600}\n"';
/** Graphs, and what their ports are called in an .onnx file where that differs. */
const CASES: readonly (readonly [string, Graph, string?])[] = [
  ["odd names", graphOf([float(ODD, 2), float("", 2), float("z", 2)], [0], [2], [abs(0, 1), abs(1, 2)])],
  ["an input and an output of one name", called(graphOf([x, y], [0], [1], [abs(0, 1)]), ["h"], ["h"]), "h → h/out"],
  ["a tensor that is two outputs", called(graphOf([x, y], [0], [1, 1], [abs(0, 1)]), [], ["a", "b"])],
  ["an input that is an output", graphOf([x, y], [0], [0, 1], [abs(0, 1)]), "x → x/out, y"],
  ["… by another name", called(graphOf([x, y], [0], [0, 1], [abs(0, 1)]), [], ["a", "b"])],
  ["a constant that is an output", graphOf([x, y, constant("k", Float32Array.of(3, 4))], [0], [1, 2], [abs(0, 1)])],
  ["an input that nothing reads", graphOf([x, float("u", 3), y], [0, 1], [2], [abs(0, 2)])],
  ["no elements", graphOf([float("x", 0, 3), float("y", 0, 3)], [0], [1], [abs(0, 1)])],
  ["no nodes", called(graphOf([x], [0], [0], []), [], ["y"])],
];

async function run(graph: Graph): Promise<readonly TypedArray[]> {
  const session = await openGraph(graph, { module: "simd" });
  const size = (shape: readonly number[]) => shape.reduce((all, each) => all * each, 1);
  const given = session.inputs.map(({ shape }) =>
    Float32Array.from({ length: size(shape) }, (_, i) => Math.sin(i - 1)),
  );
  const outputs = session.run(given as never) as Readonly<Record<string, TypedArray>>;
  const found = session.outputs.map(({ name }) => outputs[name] as TypedArray);
  session.close();
  return found;
}

const portsOf = ({ inputs, outputs }: Graph) =>
  [inputs, outputs].map((ports) => ports.map(({ name }) => name).join(", ")).join(" → ");

describe("ports of written files", () => {
  for (const [name, graph, renamed] of CASES)
    test(name, async () => {
      const tflite = importModel(writeTflite(graph), {});
      assert.deepEqual(canonical(tflite), canonical(graph));
      const said: string[] = [];
      const onnx = importModel(writeOnnx(graph, { onWarning: (message) => said.push(message) }), {});
      assert.equal(portsOf(onnx), renamed ?? portsOf(graph));
      assert.equal(
        said.some((message) => message.includes("is called")),
        renamed !== undefined,
      );
      const expected = await run(graph);
      for (const again of [tflite, onnx]) assert.deepEqual(await run(again), expected);
    });
});
