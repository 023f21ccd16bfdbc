/** Files whose readers round otherwise than the graph that was written: what they keep, and the warning. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { writeOnnx } from "../../../bindings/formats/onnx/write/index.ts";
import { writeTflite } from "../../../bindings/formats/tflite/write/index.ts";
import type { AnyNode, Graph, TensorId } from "../../../bindings/graph.ts";
import { openGraph } from "../../../bindings/optimize/tap.ts";
import { importModel } from "../../../bindings/public/index.ts";
import { DIGITS } from "../../cli/run.ts";

const affine = (scale: number, zeroPoint: number) => ({ scale: [scale], zeroPoint: [zeroPoint], axis: 0 });

/** A 1×1 convolution of int8 with this clamp beside its rounding; weights with two scales and one zero point. */
function convolution(clamp: { readonly lo: number; readonly hi: number }): Graph {
  const none = { activation: "none", stride: [1, 1], dilation: [1, 1], padding: "valid" } as const;
  const node = {
    kind: "conv2d",
    where: "node 0",
    inputs: [0, 1] as unknown as TensorId[],
    outputs: [2 as TensorId],
    attributes: { ...none, rounding: { rule: "onnx", ...clamp } },
  } as AnyNode;
  const weights = { scale: [0.5, 0.25], zeroPoint: [0], axis: 0 };
  return {
    name: "test",
    tensors: [
      { name: "x", dtype: "int8", shape: [1, 2, 2, 1], quantization: affine(0.5, 0) },
      { name: "w", dtype: "int8", shape: [2, 1, 1, 1], data: Uint8Array.of(3, 254), quantization: weights },
      { name: "y", dtype: "int8", shape: [1, 2, 2, 2], quantization: affine(0.5, 0) },
    ],
    nodes: [node],
    subgraphs: [],
    inputs: [{ name: "x", tensor: 0 as TensorId }],
    outputs: [{ name: "y", tensor: 2 as TensorId }],
  };
}

const X = Int8Array.of(-50, -3, 2, 50);
async function outputOf(graph: Graph): Promise<readonly number[]> {
  const session = await openGraph(graph);
  try {
    return Array.from(Object.values(session.run([X] as never))[0] as Int8Array);
  } finally {
    session.close();
  }
}

describe("rounding that a file cannot say", () => {
  for (const [name, clamp] of Object.entries({ relu: { lo: 0, hi: 65536 }, relu6: { lo: 0, hi: 12 } }))
    test(`a ${name} beside it is kept`, async () => {
      const graph = convolution(clamp);
      const said: string[] = [];
      const read = importModel(writeTflite(graph, { onWarning: (message) => said.push(message) }), {});
      assert.deepEqual(
        read.nodes.map(({ attributes }) => "activation" in attributes && attributes.activation),
        [name],
      );
      const expected = await outputOf(graph);
      assert.ok(expected.includes(0) && expected.some((value) => value > 0));
      const near = (await outputOf(read)).map((value, i) => Math.abs(value - (expected[i] as number)));
      assert.ok(near.every((distance) => distance <= 1));
      assert.deepEqual(said.length, 1);
      assert.match(said[0] ?? "", /^pint8: .*onnxruntime does \(1 conv2d\) will round as TensorFlow Lite/);
      const again = await outputOf(importModel(writeOnnx(graph), {}));
      assert.deepEqual(again, expected);
    });

  test("another clamp is refused", () => {
    assert.throws(() => writeTflite(convolution({ lo: -5, hi: 5 })), /UNSUPPORTED|RELU or RELU6/);
  });

  test("TensorFlow Lite's in .onnx: a warning; floats: none", () => {
    const said: string[] = [];
    writeOnnx(importModel(readFileSync(DIGITS), {}), { onWarning: (message) => said.push(message) });
    assert.match(said.join(), /^pint8: operators that round as TensorFlow Lite does .*conv2d/);
  });
});

const SHARED = fileURLToPath(new URL("../../../../shared/models/", import.meta.url));
test("QDQ networks as .tflite give what they gave, but for a step", { skip: !existsSync(SHARED) }, async () => {
  for (const name of ["digits_qdq_s8", "digits_res_qdq_s8", "digits_qdq_u8"]) {
    const graph = importModel(readFileSync(`${SHARED}${name}.onnx`), {});
    const read = importModel(writeTflite(graph, { onWarning: () => {} }), {});
    const input = Float32Array.from({ length: 784 }, (_, i) => Math.abs(Math.sin(i)));
    const [a, b] = [await openGraph(graph), await openGraph(read)];
    const [p, q] = [a, b].map((session) => Object.values(session.run([input] as never))[0] as Float32Array);
    for (const [i, value] of (p as Float32Array).entries()) assert.ok(Math.abs(value - (q?.[i] ?? 9)) < 0.02, name);
    a.close();
    b.close();
  }
});
