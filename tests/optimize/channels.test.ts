/** Whole channels: which hang together, what is left without them, and which go. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Graph, TensorId } from "../../bindings/graph.ts";
import type { Sample } from "../../bindings/optimize/data/types.ts";
import { prepareFloat } from "../../bindings/optimize/prepare/index.ts";
import { chooseChannels, macsOf } from "../../bindings/optimize/prune/channels/choose.ts";
import { channelsOf } from "../../bindings/optimize/prune/channels/classes.ts";
import { withoutChannels } from "../../bindings/optimize/prune/channels/slice.ts";
import { prune } from "../../bindings/optimize/prune/prune.ts";
import { randomOf } from "../../bindings/optimize/train/random.ts";
import { deaf, outputs } from "./support/deaf.ts";
import { type Builder, buildNetwork } from "./support/networks.ts";

const one = [1, 1] as const;
const plain = { activation: "none", stride: one, dilation: one, padding: "same" } as const;
const conv = (
  to: Builder,
  x: TensorId,
  inputs: number,
  outputs: number,
  size = 1,
  activation: "none" | "relu6" = "relu6",
) =>
  to.node("conv2d", [x, to.weights([outputs, size, size, inputs], 0.4), to.weights([outputs])], {
    ...plain,
    activation,
  });
const depthwise = (to: Builder, x: TensorId, channels: number) =>
  to.node("depthwiseConv2d", [x, to.weights([1, 3, 3, channels], 0.4), to.weights([channels])], plain);

/** A stem, a residual block of a depthwise layer, a concatenation, factors, and a dense layer that reads all pixels. */
function network(factors = true, more: (to: Builder, x: TensorId) => TensorId = (_, x) => x): Graph {
  const to = buildNetwork([1, 4, 4, 2], 3);
  const stem = conv(to, to.input, 2, 8, 3);
  const wide = depthwise(to, conv(to, stem, 8, 12), 12);
  const sum = to.node("add", [conv(to, wide, 12, 8, 1, "none"), stem], { activation: "none" });
  const side = to.node("averagePool2d", [conv(to, sum, 8, 6)], {
    filter: [2, 2],
    stride: one,
    padding: "same",
    activation: "none",
  });
  const both = to.node("concat", [sum, side], { axis: 3, activation: "none" });
  const narrow = conv(to, both, 14, 6);
  const last = factors ? to.node("mul", [narrow, to.weights([6])], { activation: "none" }) : more(to, narrow);
  const flat = to.node("reshape", [last], { shape: [1, 96] });
  const y = to.node("fullyConnected", [flat, to.weights([5, 96], 0.2), to.weights([5])], {
    activation: "none",
    keepDims: false,
  });
  return to.graph(to.node("softmax", [y], { beta: 1 }));
}

const samples = (count: number): readonly Sample[] => {
  const random = randomOf(9);
  return Array.from({ length: count }, () => {
    const [p, q] = [random.normal(), random.normal()];
    return { inputs: [Float32Array.from({ length: 32 }, (_, i) => (i % 2 ? p : q) + 0.5 * random.normal())] };
  });
};
const dataset = (list: readonly Sample[]): AsyncIterable<Sample> => ({
  async *[Symbol.asyncIterator]() {
    yield* list;
  },
});

describe("channels", () => {
  test("hang together through additions, depthwise layers, concatenations and flattening", () => {
    const graph = prepareFloat(network());
    const channels = channelsOf(graph);
    const [stem, expand, window, project, side, last, dense] = channels.layers;
    assert.ok(stem && expand && window && project && side && last && dense);
    assert.deepEqual(channels.of(project.y), channels.of(stem.y));
    assert.deepEqual(channels.of(window.y), channels.of(expand.y));
    assert.deepEqual(channels.columns(last), [...(channels.of(stem.y) ?? []), ...(channels.of(side.y) ?? [])]);
    assert.equal(new Set(channels.columns(dense)).size, 6);
    assert.equal(channels.columns(dense)?.length, 96);
    // The stem's inputs and the classes stay.
    assert.equal(channels.free.size, 8 + 12 + 6 + 6);
    for (const each of [...(channels.columns(stem) ?? []), ...(channels.of(dense.y) ?? [])])
      assert.ok(!channels.free.has(each));
  });

  test("without some, the network computes what it did without reading them", async () => {
    const graph = prepareFloat(network());
    const channels = channelsOf(graph);
    const random = randomOf(4);
    const gone = new Set([...channels.free].filter(() => random.uniform() < 0.4));
    const small = withoutChannels(graph, channels, gone);
    const list = samples(8);
    const [is, should] = [await outputs(small, list), await outputs(deaf(graph, gone), list)];
    for (const [i, y] of is.entries()) assert.ok(Math.abs(y - (should[i] as number)) < 1e-5, `${y} ${should[i]}`);
    const weights = (of: Graph) => of.tensors.reduce((sum, { data }) => sum + (data?.length ?? 0), 0);
    assert.ok(weights(small) < 0.7 * weights(graph));
  });

  test("the cheapest for what they save go, until the budget is met, and never the last four of a layer", () => {
    const graph = prepareFloat(network());
    const channels = channelsOf(graph);
    const total = macsOf(channels.layers);
    const costs = new Map([...channels.free].map((each, i) => [each, 1 + (i % 7)] as const));
    for (const share of [0.9, 0.6]) {
      const left = macsOf(
        channelsOf(withoutChannels(graph, channels, chooseChannels(channels, costs, share * total))).layers,
      );
      assert.ok(left <= share * total && left > 0.75 * share * total, `${left / total}`);
    }
    const least = withoutChannels(graph, channels, chooseChannels(channels, costs, 0));
    assert.deepEqual(
      channelsOf(least).layers.map(({ outputs: o }) => o),
      [4, 4, 4, 4, 4, 4, 5],
    );
  });

  /** Layers of 24, 40 and 20 channels, the first widened by channels of zeros for an addition. */
  function padded(): Graph {
    const to = buildNetwork([1, 4, 4, 2], 6);
    const stem = conv(to, to.input, 2, 24, 3);
    const sides = to.integers(0, 0, 0, 0, 0, 0, 3, 13);
    const wide = to.node("pad", [stem, sides], {});
    const sum = to.node("add", [conv(to, depthwise(to, stem, 24), 24, 40), wide], { activation: "none" });
    const graph = to.graph(conv(to, conv(to, sum, 40, 20), 20, 5));
    return { ...graph, tensors: graph.tensors.map((each, i) => (i === sides ? { ...each, shape: [4, 2] } : each)) };
  }

  test("channels of zeros beside others stay, and those they were put beside may go", async () => {
    const graph = prepareFloat(padded());
    const channels = channelsOf(graph);
    assert.equal(channels.free.size, 24 + 20);
    const random = randomOf(5);
    const gone = new Set([...channels.free].filter(() => random.uniform() < 0.4));
    const small = withoutChannels(graph, channels, gone);
    const list = samples(8);
    const [is, should] = [await outputs(small, list), await outputs(deaf(graph, gone), list)];
    for (const [i, y] of is.entries()) assert.ok(Math.abs(y - (should[i] as number)) < 1e-5, `${y} ${should[i]}`);
  });

  test("with a multiple, that many stay together while there are more, for about the least cost", async () => {
    const graph = prepareFloat(padded());
    const channels = channelsOf(graph);
    const total = macsOf(channels.layers);
    const costs = new Map([...channels.free].map((each, i) => [each, 1 + ((i * 5) % 7)] as const));
    const countsAt = (share: number, multiple: number) => {
      const gone = chooseChannels(channels, costs, share * total, { multiple });
      const small = channelsOf(withoutChannels(graph, channels, gone)).layers;
      assert.ok(macsOf(small) <= share * total);
      return small.map(({ outputs: o }) => o);
    };
    // 24 → 16, 12 or 8, as sixteen go by fours; 40 has 16 that are padded; 20 → 16, 12 or 8.
    for (const share of [0.8, 0.6, 0.5]) {
      const [stem, , , last] = countsAt(share, 8);
      assert.ok([24, 16, 12, 8].includes(stem as number), `${share}: ${stem}`);
      assert.ok([20, 16, 12, 8].includes(last as number), `${share}: ${last}`);
    }
    assert.ok(countsAt(0.7, 1).some((count) => count % 4 !== 0));
    const list = samples(60);
    const { graph: tuned, sparsity } = await prune(padded(), dataset(list), {
      pattern: "channels",
      sparsity: 0.4,
      tune: { steps: 8, batch: 20, threads: 1, augment: {} },
    });
    assert.ok(sparsity >= 0.4);
    assert.equal((channelsOf(prepareFloat(tuned)).layers[0]?.outputs ?? 1) % 4, 0);
    await assert.rejects(prune(padded(), dataset(list), { multiple: 8 }), /the pattern channels/);
  });

  test("half of the multiply-adds go with less error than by chance; training makes it less", async () => {
    const list = samples(120);
    const dense = prepareFloat(network(false));
    const wanted = await outputs(dense, list);
    const errorOf = async (graph: Graph) =>
      (await outputs(graph, list)).reduce((sum, y, i) => sum + (y - (wanted[i] as number)) ** 2, 0);
    const options = { pattern: "channels", sparsity: 0.5 } as const;
    const { graph, sparsity, layers, samples: read } = await prune(network(false), dataset(list), options);
    assert.ok(sparsity >= 0.5 && sparsity < 0.7, `${sparsity}`);
    assert.equal(layers.length, 7);
    assert.equal(read, 120);
    const channels = channelsOf(dense);
    const random = randomOf(1);
    const chance = new Map([...channels.free].map((each) => [each, random.uniform()] as const));
    const blind = chooseChannels(channels, chance, 0.5 * macsOf(channels.layers));
    const error = await errorOf(graph);
    assert.ok(error < 0.5 * (await errorOf(withoutChannels(dense, channels, blind))), `${error}`);
    const tune = { steps: 160, batch: 40, threads: 1, augment: {} };
    const tuned = await errorOf((await prune(network(false), dataset(list), { ...options, multiple: 1, tune })).graph);
    assert.ok(tuned < error, `${tuned} ${error}`);
  });

  test("a network that cannot be trained loses the channels that its layers miss least", async () => {
    const untrained = network(false, (to, x) =>
      to.node("cumsum", [x, to.integers(3)], { exclusive: false, reverse: false }),
    );
    const list = samples(120);
    const dense = prepareFloat(untrained);
    const wanted = await outputs(dense, list);
    const errorOf = async (graph: Graph) =>
      (await outputs(graph, list)).reduce((sum, y, i) => sum + (y - (wanted[i] as number)) ** 2, 0);
    const options = { pattern: "channels", sparsity: 0.5 } as const;
    const { graph, sparsity } = await prune(untrained, dataset(list), options);
    assert.ok(sparsity >= 0.5 && sparsity < 0.7, `${sparsity}`);
    const channels = channelsOf(dense);
    const random = randomOf(1);
    const chance = new Map([...channels.free].map((each) => [each, random.uniform()] as const));
    const blind = chooseChannels(channels, chance, 0.5 * macsOf(channels.layers));
    const [error, blindly] = [await errorOf(graph), await errorOf(withoutChannels(dense, channels, blind))];
    assert.ok(error < 0.5 * blindly, `${error} ${blindly}`);
    const tuned = prune(untrained, dataset(list), { ...options, tune: { steps: 2 } });
    await assert.rejects(tuned, /cumsum/);
  });

  test("a dense layer behind pictures that are flattened by channels reads them as they are", async () => {
    const flattened = (order: readonly number[]) =>
      network(false, (to, x) => to.node("transpose", [x, to.integers(...order)], {}));
    for (const order of [
      [0, 3, 1, 2],
      [0, 3, 2, 1],
      [0, 2, 1, 3],
    ]) {
      const graph = flattened(order);
      const prepared = prepareFloat(graph);
      assert.ok(!prepared.nodes.some(({ kind }) => kind === "transpose"));
      assert.equal(channelsOf(prepared).free.size, 8 + 12 + 6 + 6);
      const list = samples(4);
      const [is, should] = [await outputs(prepared, list), await outputs(graph, list)];
      for (const [i, y] of is.entries()) assert.ok(Math.abs(y - (should[i] as number)) < 1e-5, `${y} ${should[i]}`);
    }
  });

  test("run through the greatest, the least, sums and means of places, as text is classified", () => {
    for (const kind of ["reduceMax", "reduceMin", "sum", "mean"] as const) {
      const to = buildNetwork([1, 4, 4, 2], 3);
      const places = to.node(kind, [conv(to, to.input, 2, 8, 3), to.integers(1, 2)], { keepDims: false });
      const dense = [places, to.weights([5, 8]), to.weights([5])] as const;
      const y = to.node("fullyConnected", dense, { activation: "none", keepDims: false });
      assert.equal(channelsOf(prepareFloat(to.graph(y))).free.size, 8, kind);
    }
  });

  test("refused: more than whole channels can save, with what they can", async () => {
    const list = dataset(samples(20));
    const phases: string[] = [];
    const options = { pattern: "channels", onProgress: ({ phase }: { phase: string }) => phases.push(phase) } as const;
    await assert.rejects(prune(network(false), list, { ...options, sparsity: 0.95 }), /at most 6\d\.?\d* %/);
    assert.deepEqual(phases, []);
  });

  test("refused without data", async () => {
    await assert.rejects(
      prune(network(false), undefined, { pattern: "channels" }),
      /data, by which channels are scored/,
    );
  });
});
