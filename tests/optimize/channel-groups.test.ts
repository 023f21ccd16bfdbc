/** Channels of convolutions of groups, which go group by group, and of layers that share their weights. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Graph, TensorId } from "../../bindings/graph.ts";
import { datasetOf } from "../../bindings/optimize/data/batches.ts";
import { prepareFloat } from "../../bindings/optimize/prepare/index.ts";
import { channelsOf } from "../../bindings/optimize/prune/channels/classes.ts";
import { withoutChannels } from "../../bindings/optimize/prune/channels/slice.ts";
import { prune } from "../../bindings/optimize/prune/prune.ts";
import { randomOf } from "../../bindings/optimize/train/random.ts";
import { deaf, outputs } from "./support/deaf.ts";
import { type Builder, buildNetwork } from "./support/networks.ts";

const one = [1, 1] as const;
const plain = { activation: "relu", stride: one, dilation: one, padding: "same" } as const;

/** A convolution whose weights have `depth` inputs: of groups where its input has more. */
const conv = (to: Builder, x: TensorId, depth: number, outputs: number, size = 1) =>
  to.node("conv2d", [x, to.weights([outputs, size, size, depth], 0.4), to.weights([outputs])], plain);
const dense = (to: Builder, x: TensorId, [w, b]: readonly [TensorId, TensorId]) =>
  to.node("fullyConnected", [x, w, b], { activation: "none", keepDims: false });

/** A block as ResNeXt has it: 16 channels in four groups. */
function grouped(): Graph {
  const to = buildNetwork([1, 4, 4, 2], 3);
  const wide = conv(to, to.input, 2, 16);
  const narrow = conv(to, conv(to, wide, 4, 16, 3), 16, 8);
  const flat = to.node("reshape", [narrow], { shape: [1, 128] });
  return to.graph(to.node("softmax", [dense(to, flat, [to.weights([3, 128], 0.2), to.weights([3])])], { beta: 1 }));
}

/** Two halves of the input through the same layers. */
function twins(): Graph {
  const to = buildNetwork([1, 2, 4, 2], 5);
  const [first, bias] = [to.weights([12, 1, 1, 2], 0.5), to.weights([12])];
  const last = [to.weights([6, 48], 0.2), to.weights([6])] as const;
  const [left, right] = to.nodes("split", 2, [to.integers(1), to.input], { parts: 2 } as never);
  const way = (x: TensorId) =>
    dense(to, to.node("reshape", [to.node("conv2d", [x, first, bias], plain)], { shape: [1, 48] }), last);
  const apart = to.node("sub", [way(left), way(right)], { activation: "none" });
  return to.graph(to.node("softmax", [dense(to, apart, [to.weights([3, 6]), to.weights([3])])], { beta: 1 }));
}

const list = (count: number, size: number) => {
  const random = randomOf(7);
  return Array.from({ length: count }, () => ({
    inputs: [Float32Array.from({ length: size }, () => random.normal())],
  }));
};

async function sameWithout(graph: Graph, gone: ReadonlySet<number>, size: number): Promise<Graph> {
  const small = withoutChannels(graph, channelsOf(graph), gone);
  const [is, should] = [await outputs(small, list(6, size)), await outputs(deaf(graph, gone), list(6, size))];
  for (const [i, y] of is.entries()) assert.ok(Math.abs(y - (should[i] as number)) < 1e-5, `${y} ${should[i]}`);
  return small;
}

describe("channels of groups and of shared layers", () => {
  test("a group goes with what it reads and what it gives", async () => {
    const graph = prepareFloat(grouped());
    const channels = channelsOf(graph);
    const [wide, groups, narrow] = channels.layers;
    assert.ok(wide && groups && narrow);
    assert.deepEqual(channels.of(wide.y), channels.of(groups.y));
    assert.deepEqual([new Set(channels.of(groups.y)).size, new Set(channels.of(narrow.y)).size], [4, 8]);
    const small = await sameWithout(graph, new Set([channels.of(groups.y)?.[5] as number]), 32);
    const left = channelsOf(small).layers[1];
    assert.deepEqual([left?.groups, left?.inputs, left?.outputs], [3, 36, 12]);
  });

  test("half of the multiply-adds of such a network go", async () => {
    const { graph, sparsity } = await prune(grouped(), datasetOf(list(64, 32)), { pattern: "channels", sparsity: 0.5 });
    assert.ok(sparsity >= 0.5);
    assert.equal(channelsOf(prepareFloat(graph)).layers[1]?.inputs, 36);
  });

  test("layers that share weights lose the same channels, and share them still", async () => {
    const graph = prepareFloat(twins());
    const channels = channelsOf(graph);
    const [left, , right] = channels.layers;
    assert.ok(left && right);
    const [first, second] = channels.layers.filter(({ kind }) => kind === "conv2d");
    assert.deepEqual(channels.of(first?.y as TensorId), channels.of(second?.y as TensorId));
    assert.equal(channels.free.size, 12 + 6);
    const small = await sameWithout(graph, new Set([...channels.free].slice(0, 5)), 16);
    const [a, b] = channelsOf(small).layers.filter(({ kind }) => kind === "conv2d");
    assert.ok(a?.weights === b?.weights && (a?.outputs ?? 12) < 12);
    const pruned = await prune(twins(), datasetOf(list(64, 16)), { pattern: "channels", sparsity: 0.4 });
    assert.ok(pruned.sparsity >= 0.4);
  });
});
