/** Graphs of one node that are run as they are, and as what is read of the .onnx file that is written of them. */
import assert from "node:assert/strict";
import { importModel } from "../../../bindings/formats/index.ts";
import { writeOnnx } from "../../../bindings/formats/onnx/write/index.ts";
import type { Graph } from "../../../bindings/graph.ts";
import { openGraph } from "../../../bindings/optimize/tap.ts";
import type { Tensor, TypedArray } from "../../../bindings/tensor.ts";
import { graphOf } from "../run-graph.ts";

export type Port = readonly [
  dtype: Tensor["dtype"],
  shape: readonly number[],
  quantization?: readonly [number, number],
];
export type Constant = readonly [values: TypedArray, shape: readonly number[]];

const dtypeOf = (values: TypedArray): Tensor["dtype"] =>
  values instanceof Float32Array ? "float32" : values instanceof Int32Array ? "int32" : "int8";

/** A graph of one node: inputs, then constants. */
export function single(
  kind: string,
  attributes: object,
  inputs: readonly Port[],
  constants: readonly Constant[],
  outputs: readonly Port[],
): Graph {
  const port = (letter: string, [dtype, shape, scaled]: Port, i: number): Tensor => ({
    name: `${letter}${i}`,
    dtype,
    shape,
    ...(scaled && { quantization: { scale: [scaled[0]], zeroPoint: [scaled[1]], axis: 0 } }),
  });
  const tensors = [
    ...inputs.map((each, i) => port("x", each, i)),
    ...constants.map(
      ([values, shape], i): Tensor => ({
        name: `c${i}`,
        dtype: dtypeOf(values),
        shape,
        data: new Uint8Array(values.buffer.slice(0)),
      }),
    ),
    ...outputs.map((each, i) => port("y", each, i)),
  ];
  const first = inputs.length + constants.length;
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
  const made = range(first, tensors.length);
  return graphOf(tensors, range(0, inputs.length), made, [[kind, range(0, first), made, attributes]]);
}

async function run(graph: Graph, given: readonly TypedArray[]): Promise<readonly (readonly number[])[]> {
  const session = await openGraph(graph, { module: "simd" });
  const outputs = session.run(given as never) as Readonly<Record<string, TypedArray>>;
  const found = session.outputs.map(({ name }) => Array.from(outputs[name] as ArrayLike<number | bigint>, Number));
  session.close();
  return found;
}

/** What a graph gives, which it does too when it was written and read. */
export async function same(graph: Graph, ...given: readonly TypedArray[]): Promise<readonly (readonly number[])[]> {
  const expected = await run(graph, given);
  const found = await run(importModel(writeOnnx(graph, { onWarning: () => {} }), {}), given);
  assert.deepEqual(
    found.map(({ length }) => length),
    expected.map(({ length }) => length),
  );
  for (const [i, values] of expected.entries())
    for (const [j, value] of values.entries())
      assert.ok(Math.abs(value - (found[i]?.[j] as number)) <= 2e-6, `output ${i}: ${found[i]}, not ${values}`);
  return expected;
}

export const noise = (length: number, seed = 1) =>
  Float32Array.from({ length }, (_, i) => 2 * Math.sin((i + seed) * (seed + 1.7)));
export const whole = (...values: number[]) => Int32Array.from(values);
