/** Channels of one tensor that differ in size: brought to one size where depthwise layers read them; factors and summands of each are such a layer. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Activation, Graph, TensorId } from "../../bindings/graph.ts";
import { measureRanges } from "../../bindings/optimize/calibrate/ranges.ts";
import { prepareFloat } from "../../bindings/optimize/prepare/index.ts";
import { affinesAsLayers } from "../../bindings/optimize/quantize/affines.ts";
import { evenChannelsOf, evenOut } from "../../bindings/optimize/quantize/even.ts";
import { quantize } from "../../bindings/optimize/quantize/quantize.ts";
import { randomOf } from "../../bindings/optimize/train/random.ts";
import { dataOf, nearness } from "./support/nearness.ts";
import { type Builder, buildNetwork } from "./support/networks.ts";

const random = randomOf(9);
const samples = Array.from({ length: 40 }, () => [Float32Array.from({ length: 64 * 4 }, () => random.normal())]);
const data = dataOf(samples);
const none = { activation: "none" } as const;
/** Sizes of channels, and what brings them back. */
const SIZES = [1, 0.005, 0.1, 0.01, 2, 0.02];

function conv(to: Builder, x: TensorId, from: number, channels: number, activation: Activation = "none"): TensorId {
  const attributes = { stride: [1, 1], dilation: [1, 1], padding: "same", activation } as const;
  return to.node("conv2d", [x, to.weights([channels, 3, 3, from], 0.2), to.weights([channels], 0.1)], attributes);
}

/** A layer's channels of those sizes, joined by something with another's, and normalized: DenseNet and ResNet v2. */
function trunk(join: (to: Builder, a: TensorId, b: TensorId) => TensorId, width: number, clipped = false): Graph {
  const to = buildNetwork([1, 8, 8, 4], 3);
  const sized = (x: TensorId) => to.node("mul", [conv(to, x, 4, 6), to.floats(...SIZES)], none);
  const [first, second] = [sized(to.input), sized(to.input)];
  const bounded = clipped ? to.node("relu6", [second], {}) : second;
  const x = join(to, first, bounded);
  const back = Array.from({ length: width }, (_, c) => 1 / (SIZES[c % 6] as number));
  const even = to.node("mul", [x, to.floats(...back)], none);
  const y = to.node("add", [even, to.floats(...back.map((_, c) => 0.3 * (c % 3)))], { activation: "relu" });
  return to.graph(conv(to, y, width, 4));
}

const concatenated = (to: Builder, a: TensorId, b: TensorId) => to.node("concat", [a, b], { axis: 3, ...none });
const added = (to: Builder, a: TensorId, b: TensorId) => to.node("add", [a, b], none);

describe("channels of many sizes", () => {
  for (const [name, float] of [
    ["concatenated", trunk(concatenated, 12)],
    ["added", trunk(added, 6)],
  ] as const)
    test(`${name}, then normalized: int8, and near`, async () => {
      const { graph, layers, floats } = await quantize(float, data);
      assert.deepEqual(floats, []);
      assert.ok(layers.some(({ kind }) => kind === "depthwiseConv2d"));
      const kinds = graph.nodes.map(({ kind }) => kind);
      assert.ok(!kinds.includes("mul"), `${kinds}`);
      const near = await nearness(float, graph, samples);
      assert.ok(near > 30, `${near} dB`);
    });

  /** The network with the channels brought to one size, and the ranges of its tensors before and after. */
  const evened = async (float: Graph) => {
    const graph = affinesAsLayers(prepareFloat(float));
    const even = evenChannelsOf(graph);
    const { channels } = await measureRanges(graph, data, undefined, even.tensors);
    return { even, ...evenOut(graph, even, channels), channels };
  };

  test("compute the same afterwards, and reach equally far", async () => {
    const float = trunk(concatenated, 12);
    const { graph, even, ranges, channels } = await evened(float);
    const near = await nearness(float, graph, samples);
    assert.ok(near > 110, `${near} dB`);
    assert.equal(even.tensors.length, 3);
    const again = await measureRanges(graph, data, undefined, even.tensors);
    for (const id of even.tensors) {
      const { min = 0, max = 0 } = ranges.get(id) ?? {};
      const found = again.of.get(id);
      assert.ok(Math.abs((found?.min ?? 0) - min) < 1e-4 && Math.abs((found?.max ?? 0) - max) < 1e-4);
      const sizes = (of: typeof channels) =>
        Array.from(of.get(id)?.max ?? [], (high, c) => Math.max(high, -(of.get(id)?.min[c] ?? 0)));
      assert.ok(Math.max(...sizes(channels)) > 50 * Math.min(...sizes(channels)));
      assert.ok(Math.max(...sizes(again.channels)) < 1.001 * Math.min(...sizes(again.channels)));
    }
  });

  test("stay where they are clipped, where other layers read them, and where they come out", async () => {
    const clipped = (await evened(trunk(concatenated, 12, true))).even;
    // Those of the other layer grow.
    const free = [...clipped.classes.values()].map((own) => own.filter((each) => each >= 0).length);
    assert.deepEqual([...new Set(free)].sort(), [0, 6]);
    const to = buildNetwork([1, 8, 8, 4], 3);
    assert.deepEqual((await evened(to.graph(conv(to, conv(to, to.input, 4, 6), 6, 4)))).even.tensors, []);
    const whole = trunk(concatenated, 12);
    const joint = whole.nodes.find(({ kind }) => kind === "concat")?.outputs[0] as TensorId;
    const outputs = [...whole.outputs, { name: "trunk", tensor: joint }];
    assert.deepEqual((await evened({ ...whole, outputs })).even.tensors, []);
  });
});
