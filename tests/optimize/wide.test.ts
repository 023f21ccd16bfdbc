/** Layers of very many inputs are pruned in parts, and are whole again afterwards. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Graph, type TensorId, tensorOf } from "../../bindings/graph.ts";
import { floatsOf } from "../../bindings/optimize/constants.ts";
import { datasetOf } from "../../bindings/optimize/data/batches.ts";
import { prepareFloat } from "../../bindings/optimize/prepare/index.ts";
import { prune } from "../../bindings/optimize/prune/prune.ts";
import { splitWide } from "../../bindings/optimize/prune/wide.ts";
import { quantize } from "../../bindings/optimize/quantize/quantize.ts";
import { openRunner } from "../../bindings/optimize/run.ts";
import { randomOf } from "../../bindings/optimize/train/random.ts";
import { nearness } from "./support/nearness.ts";
import { buildNetwork } from "./support/networks.ts";

const random = randomOf(5);
/** Pictures of few sources, so that inputs have much in common. */
const pictures = (count: number, size: number) =>
  Array.from({ length: count }, () => {
    const sources = Array.from({ length: 12 }, () => random.normal());
    const value = (i: number) => sources.reduce((sum, s, k) => sum + s * Math.sin(i * (0.01 + 0.003 * k) + k), 0);
    return { inputs: [Float32Array.from({ length: size }, (_, i) => value(i) + 0.1 * random.normal())] };
  });

/** A flattened picture of `size` × `size` into a dense layer, with a bias and an activation; then one more. */
function dense(size = 6): Graph {
  const to = buildNetwork([1, size, size, 72], 2);
  const none = { activation: "none", keepDims: false } as const;
  const inputs = size * size * 72;
  const flat = to.node("reshape", [to.input, to.integers(1, inputs)], {});
  const wide = to.node("fullyConnected", [flat, to.weights([12, inputs], 0.02), to.weights([12])], {
    ...none,
    activation: "relu",
  });
  return to.graph(to.node("fullyConnected", [wide, to.weights([4, 12]), to.weights([4])], none));
}

/** A convolution of 3 × 3 × 240 inputs without a bias. */
function convolution(): Graph {
  const to = buildNetwork([1, 4, 4, 240], 3);
  const attributes = { stride: [1, 1], dilation: [1, 1], padding: "same", activation: "relu6" } as const;
  return to.graph(to.node("conv2d", [to.input, to.weights([8, 3, 3, 240], 0.02)], attributes));
}

async function outputs(graph: Graph, inputs: readonly Float32Array[]): Promise<readonly number[]> {
  const runner = await openRunner(graph);
  const found = inputs.flatMap((input) => Array.from(runner.run([input])[0] as Float32Array));
  runner.close();
  return found;
}

const apart = (a: readonly number[], b: readonly number[]) => {
  const square = (values: readonly number[]) => values.reduce((sum, value) => sum + value * value, 0);
  return Math.sqrt(square(a.map((value, i) => value - (b[i] as number))) / square(a));
};

describe("wide layers", () => {
  const networks: readonly (readonly [string, () => Graph, number, number])[] = [
    ["dense", dense, 2592, 3],
    ["convolution", convolution, 3840, 3],
  ];
  for (const [name, build, size, count] of networks) {
    test(`${name}: its parts give what it gives, and it is the same again`, async () => {
      const graph = prepareFloat(build());
      const wide = splitWide(graph);
      const kind = graph.nodes.find(({ inputs: [, w] }) => (tensorOf(graph, w as TensorId)?.data?.length ?? 0) > 8192);
      assert.equal(wide.graph.nodes.filter((node) => node.kind === kind?.kind).length >= count, true);
      const inputs = pictures(3, size).map(({ inputs: [x] }) => x as Float32Array);
      const expected = await outputs(graph, inputs);
      assert.ok(apart(expected, await outputs(wide.graph, inputs)) < 1e-5);
      const again = wide.join(wide.graph);
      assert.deepEqual(
        again.nodes.map((node) => node.kind),
        graph.nodes.map((node) => node.kind),
      );
      assert.deepEqual(await outputs(again, inputs), expected);
    });

    test(`${name}: pruned by examples, one line and one layer`, async () => {
      const examples = pictures(80, size);
      const graph = prepareFloat(build());
      const { graph: pruned, layers } = await prune(graph, datasetOf(examples), { sparsity: 0.6, finish: 0 });
      assert.equal(pruned.nodes.length, graph.nodes.length);
      const [line] = layers;
      assert.ok(line !== undefined && line.weights >= 8 * 2160 && line.zeros > 0.5 * line.weights);
      const weights = pruned.tensors.find(({ name: own }) => own === line.name);
      assert.equal(floatsOf(weights as never).filter((w) => w === 0).length, line.zeros);
      const inputs = examples.slice(0, 20).map(({ inputs: [x] }) => x as Float32Array);
      const distance = apart(await outputs(graph, inputs), await outputs(pruned, inputs));
      assert.ok(distance < 0.1, `${distance}`);
    });
  }

  test("whole channels behind a flattened picture", async () => {
    const to = buildNetwork([1, 18, 18, 4], 4);
    const attributes = { stride: [1, 1], dilation: [1, 1], padding: "same", activation: "relu" } as const;
    const image = to.node("conv2d", [to.input, to.weights([8, 1, 1, 4]), to.weights([8])], attributes);
    const flat = to.node("reshape", [image, to.integers(1, 2592)], {});
    const none = { activation: "none", keepDims: false } as const;
    const wide = to.node("fullyConnected", [flat, to.weights([16, 2592], 0.02), to.weights([16])], {
      ...none,
      activation: "relu",
    });
    const graph = prepareFloat(to.graph(to.node("fullyConnected", [wide, to.weights([4, 16]), to.weights([4])], none)));
    const examples = pictures(60, 18 * 18 * 4);
    const { graph: pruned } = await prune(graph, datasetOf(examples), {
      pattern: "channels",
      sparsity: 0.3,
      finish: 0,
    });
    const widths = (of: Graph) =>
      of.nodes.flatMap(({ kind, inputs: [, w] }) => (kind === "reshape" ? [] : [tensorOf(of, w as TensorId).shape]));
    assert.deepEqual(widths(graph), [
      [8, 1, 1, 4],
      [16, 2592],
      [4, 16],
    ]);
    const [image2, flat2, last2] = widths(pruned) as [number[], number[], number[]];
    assert.equal(flat2[1], 324 * (image2[0] as number));
    assert.equal(flat2[0], last2[1]);
    assert.ok((flat2[1] as number) * (flat2[0] as number) < 2592 * 16);
    const inputs = examples.slice(0, 20).map(({ inputs: [x] }) => x as Float32Array);
    const distance = apart(await outputs(graph, inputs), await outputs(pruned, inputs));
    assert.ok(distance < 0.3, `${distance}`);
  });

  test("without data, and by 2:4", async () => {
    const { layers } = await prune(dense(), undefined, { pattern: "2:4" });
    assert.equal(layers[0]?.zeros, (12 * 2592) / 2);
  });

  test("int4 rounds them in pieces, each error taken up by its own piece", async () => {
    const float = dense(8);
    const samples = pictures(24, 4608);
    const near = await Promise.all(
      (["gptq", "nearest"] as const).map(async (rounding) => {
        const data = datasetOf(samples, { size: samples.length });
        const options = { layers: { "*": { weights: "int4" } }, rounding } as const;
        const { graph } = await quantize(float, data, options);
        return nearness(
          float,
          graph,
          samples.map(({ inputs }) => inputs),
        );
      }),
    );
    const [gptq = 0, nearest = 0] = near;
    assert.ok(gptq > nearest + 3, near.join());
  });

  test("equations that no machine holds are refused", async () => {
    const to = buildNetwork([1, 1, 600, 1365], 3);
    const attributes = { stride: [1, 1], dilation: [1, 1], padding: "valid", activation: "none" } as const;
    const graph = to.graph(to.node("conv2d", [to.input, to.weights([1, 1, 511, 1365], 0.02)], attributes));
    await assert.rejects(prune(graph, undefined, { sparsity: 0.5 }), { code: "OUT_OF_MEMORY" });
  });
});
