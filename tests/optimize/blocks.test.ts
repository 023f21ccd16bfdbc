/** Dilated convolutions that are written by blocks in batches become convolutions with a dilation, which compute the same. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Graph, TensorId } from "../../bindings/graph.ts";
import { prepareFloat } from "../../bindings/optimize/prepare/index.ts";
import { openRunner } from "../../bindings/optimize/run.ts";
import { type Builder, buildNetwork } from "./support/networks.ts";

const WINDOWS = { stride: [1, 1], dilation: [1, 1], padding: "valid", activation: "relu" } as const;
type Inner = (to: Builder, x: TensorId) => TensorId;

const conv: Inner = (to, x) => to.node("conv2d", [x, to.weights([5, 3, 3, 3]), to.weights([5])], WINDOWS);
const depthwise: Inner = (to, x) => to.node("depthwiseConv2d", [x, to.weights([1, 3, 3, 3]), to.weights([3])], WINDOWS);

/** Blocks of pixels around a layer. */
function blocked(inner: Inner, [blocks, pads, crops]: readonly (readonly number[])[], shape = [1, 11, 9, 3]): Graph {
  const to = buildNetwork(shape);
  const batches = to.node("spaceToBatch", [to.input, to.integers(...(blocks ?? [])), to.integers(...(pads ?? []))], {});
  const y = to.node(
    "batchToSpace",
    [inner(to, batches), to.integers(...(blocks ?? [])), to.integers(...(crops ?? []))],
    {},
  );
  return to.graph(to.node("tanh", [y], {}));
}

/** A convolution of a sequence, as a picture of one row, or of one column. */
const sequence =
  (axis: 1 | 2, length: number): Inner =>
  (to, x) => {
    const wide = to.node("expandDims", [x, to.integers(axis)], {});
    const kernel = axis === 1 ? [5, 1, 3, 3] : [5, 3, 1, 3];
    const y = to.node("conv2d", [wide, to.weights(kernel), to.weights([5])], WINDOWS);
    return to.node("reshape", [y], { shape: [2, length, 5] });
  };

const kinds = (graph: Graph) => graph.nodes.map(({ kind }) => kind as string);

async function same(graph: Graph): Promise<Graph> {
  const folded = prepareFloat(graph);
  const [before, after] = [await openRunner(graph), await openRunner(folded)];
  const count = (graph.tensors[0]?.shape ?? []).reduce((a, b) => a * b, 1);
  const input = Float32Array.from({ length: count }, (_, i) => Math.sin(i * 1.7) * 2);
  const [expected, found] = [before.run([input])[0] as Float32Array, after.run([input])[0] as Float32Array];
  assert.equal(found.length, expected.length);
  for (const [i, value] of expected.entries()) assert.ok(Math.abs(value - (found[i] as number)) < 1e-5);
  before.close();
  after.close();
  return folded;
}

describe("convolutions between blocks", () => {
  for (const [name, graph] of Object.entries({
    "what SAME pads": blocked(conv, [
      [2, 2],
      [2, 3, 2, 3],
      [0, 1, 0, 1],
    ]),
    "what VALID pads, blocks that differ": blocked(conv, [
      [3, 2],
      [0, 1, 0, 1],
      [0, 1, 0, 1],
    ]),
    "pixels cut off in front": blocked(conv, [
      [2, 2],
      [4, 1, 2, 1],
      [3, 0, 1, 1],
    ]),
    depthwise: blocked(depthwise, [
      [2, 2],
      [2, 3, 2, 3],
      [0, 1, 0, 1],
    ]),
    "a row": blocked(sequence(1, 6), [[2], [2, 3], [0, 1]], [1, 11, 3]),
    "a column": blocked(sequence(2, 6), [[2], [4, 1], [0, 0]], [1, 11, 3]),
  }))
    test(name, async () => {
      const folded = await same(graph);
      assert.ok(!kinds(folded).some((kind) => kind.endsWith("Batch") || kind.startsWith("batch")), `${kinds(folded)}`);
      const [layer] = folded.nodes.flatMap((node) => ("dilation" in node.attributes ? [node.attributes.dilation] : []));
      assert.ok((layer as readonly number[]).some((size) => size > 1));
    });

  for (const [name, graph] of Object.entries({
    "crops beyond what was padded": blocked(conv, [
      [2, 2],
      [0, 1, 0, 1],
      [1, 0, 0, 1],
    ]),
    "another function between": blocked(
      (to, x) => to.node("tanh", [conv(to, x)], {}),
      [
        [2, 2],
        [0, 1, 0, 1],
        [0, 1, 0, 1],
      ],
    ),
    "a convolution that strides": blocked(
      (to, x) => to.node("conv2d", [x, to.weights([5, 1, 1, 3]), to.weights([5])], { ...WINDOWS, stride: [2, 1] }),
      [
        [2, 2],
        [0, 1, 0, 1],
        [0, 0, 0, 0],
      ],
    ),
  }))
    test(`left as it is: ${name}`, async () => {
      assert.ok(kinds(await same(graph)).includes("spaceToBatch"));
    });
});
