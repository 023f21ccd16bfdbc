/** Channels that stand in another dimension for a while, as PyTorch's normalization of groups and of single channels has them. */
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
const plain = { activation: "none", stride: one, dilation: one, padding: "same" } as const;
const none = { activation: "none" } as const;
const SIZE = 32;

const conv = (to: Builder, x: TensorId, depth: number, count: number) =>
  to.node("conv2d", [x, to.weights([count, 3, 3, depth], 0.4), to.weights([count])], plain);

/** x [1,4,4,16], brought to one size in groups as PyTorch's exporter writes it. */
function normalized(to: Builder, x: TensorId, groups: number): TensorId {
  const front = to.node("transpose", [x, to.integers(0, 3, 1, 2)], {} as never);
  const flat = to.node("reshape", [front], { shape: [1, groups, 256 / groups] });
  const norm = to.node("layerNorm", [flat], { dimensions: 1, epsilon: 1e-5 });
  const scaled = to.node("mul", [norm, to.weights([groups, 1])], none as never);
  const back = to.node("reshape", [scaled], { shape: [1, 16, 4, 4] });
  const own = to.node(
    "add",
    [to.node("mul", [back, to.weights([16, 1, 1])], none as never), to.weights([16, 1, 1])],
    none as never,
  );
  const turned = to.node("transpose", [to.node("relu", [own], {} as never), to.integers(0, 2, 3, 1)], {} as never);
  return turned;
}

/** Two convolutions with normalization between, and a residual addition of another one that has it, too. */
function network(groups: number): Graph {
  const to = buildNetwork([1, 4, 4, 2], 3);
  const [left, right] = [0, 1].map(() => normalized(to, conv(to, to.input, 2, 16), groups)) as [TensorId, TensorId];
  const sum = to.node("add", [left, right], none as never);
  const last = conv(to, sum, 16, 8);
  const mean = to.node("mean", [last, to.integers(1, 2)], { keepDims: false });
  const scores = to.node("fullyConnected", [mean, to.weights([3, 8]), to.weights([3])], {
    activation: "none",
    keepDims: false,
  });
  return to.graph(to.node("softmax", [scores], { beta: 1 }));
}

/** A layer over the places of each channel, which is no layer over channels. */
function mixer(): Graph {
  const to = buildNetwork([1, 4, 4, 2], 3);
  const front = to.node("transpose", [conv(to, to.input, 2, 16), to.integers(0, 3, 1, 2)], {} as never);
  const flat = to.node("reshape", [front], { shape: [1, 16, 16] });
  const mixed = to.node("fullyConnected", [flat, to.weights([8, 16]), to.weights([8])], {
    activation: "relu",
    keepDims: true,
  });
  const scores = to.node(
    "fullyConnected",
    [to.node("reshape", [mixed], { shape: [1, 128] }), to.weights([3, 128]), to.weights([3])],
    { activation: "none", keepDims: false },
  );
  return to.graph(to.node("softmax", [scores], { beta: 1 }));
}

const list = (count: number) => {
  const random = randomOf(7);
  return Array.from({ length: count }, () => ({
    inputs: [Float32Array.from({ length: SIZE }, () => random.normal())],
  }));
};

async function sameWithout(graph: Graph, gone: ReadonlySet<number>): Promise<Graph> {
  const small = withoutChannels(graph, channelsOf(graph), gone);
  const [is, should] = [await outputs(small, list(6)), await outputs(deaf(graph, gone), list(6))];
  for (const [i, y] of is.entries()) assert.ok(Math.abs(y - (should[i] as number)) < 1e-5, `${y} ${should[i]}`);
  return small;
}

describe("channels in another dimension", () => {
  for (const groups of [16, 4])
    test(`brought to one size in ${groups} groups: ${groups === 16 ? "each goes by itself" : "groups go as wholes"}`, async () => {
      const graph = prepareFloat(network(groups));
      const channels = channelsOf(graph);
      const [left, right, last] = channels.layers;
      assert.ok(left && right && last);
      const own = channels.of(left.y) ?? [];
      assert.equal(new Set(own).size, groups);
      assert.deepEqual(own, channels.of(right.y));
      assert.ok(own.every((each) => channels.free.has(each)));
      const small = await sameWithout(graph, new Set([own[5] as number, own[15] as number]));
      assert.equal(channelsOf(small).layers[0]?.outputs, groups === 16 ? 14 : 8);
    });

  test("half of the multiply-adds of such a network go", async () => {
    const { graph, sparsity } = await prune(network(8), datasetOf(list(64)), { pattern: "channels", sparsity: 0.5 });
    assert.ok(sparsity >= 0.5);
    assert.ok(((await outputs(graph, list(3))) as readonly number[]).every(Number.isFinite));
  });

  test("a layer over places keeps the channels, and gives channels of its own", async () => {
    const graph = prepareFloat(mixer());
    const channels = channelsOf(graph);
    const [first, mixed] = channels.layers;
    assert.ok(first && mixed);
    assert.ok(channels.of(first.y)?.every((each) => !channels.free.has(each)));
    assert.ok(channels.of(mixed.y)?.every((each) => channels.free.has(each)));
    await sameWithout(graph, new Set([channels.of(mixed.y)?.[3] as number]));
  });
});
