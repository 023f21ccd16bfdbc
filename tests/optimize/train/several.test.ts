/** Networks of several outputs: all are taught, whatever their sizes and spreads. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Graph, TensorId } from "../../../bindings/graph.ts";
import { floatsOf } from "../../../bindings/optimize/constants.ts";
import type { Sample } from "../../../bindings/optimize/data/types.ts";
import { prune } from "../../../bindings/optimize/prune/prune.ts";
import { tapGraph } from "../../../bindings/optimize/tap.ts";
import { distil } from "../../../bindings/optimize/train/distil.ts";
import { train } from "../../../bindings/optimize/train/train.ts";
import { type Builder, buildNetwork } from "../support/networks.ts";
import { numbers } from "../support/numbers.ts";

/** A trunk of 32 with two heads: 12 places of 2 numbers, and 3 numbers a hundred times as large. */
function network(seed: number, first = 16): Graph {
  const to = buildNetwork([1, 6], seed);
  const dense = (x: TensorId, inputs: number, outputs: number, size: number, activation: "none" | "relu" = "none") =>
    to.node("fullyConnected", [x, to.weights([outputs, inputs], size), to.weights([outputs], size / 4)], {
      activation,
      keepDims: false,
    });
  const trunk = dense(to.input, 6, first, 0.5, "relu");
  const boxes = shaped(to, dense(trunk, first, 24, 0.3));
  const large = to.node("mul", [dense(trunk, first, 3, 0.3), to.floats(100)], { activation: "none" });
  const graph = to.graph(boxes);
  return { ...graph, outputs: [...graph.outputs, { name: "large", tensor: large }] };
}
const shaped = (to: Builder, x: TensorId) => to.node("reshape", [x], { shape: [1, 12, 2] });

const next = numbers(3);
const samples: readonly Sample[] = Array.from({ length: 160 }, () => ({
  inputs: [Float32Array.from({ length: 6 }, () => 2 * next())],
}));
const dataset = (list: readonly Sample[]) => ({
  async *[Symbol.asyncIterator]() {
    yield* list;
  },
});

async function outputs(graph: Graph): Promise<readonly (readonly Float32Array[])[]> {
  const tap = await tapGraph(
    graph,
    graph.outputs.map(({ tensor }) => tensor),
    { batch: 1 },
  );
  const all = samples.map(({ inputs }) => tap.run(inputs).map((values) => values.slice()));
  tap.close();
  return all;
}

/** Of each output the squared difference by its variance. */
async function errors(graph: Graph, teacher: Graph): Promise<readonly number[]> {
  const [is, should] = [await outputs(graph), await outputs(teacher)];
  return [0, 1].map((k) => {
    const wanted = should.flatMap((of) => Array.from(of[k] as Float32Array));
    const given = is.flatMap((of) => Array.from(of[k] as Float32Array));
    const mean = wanted.reduce((a, b) => a + b, 0) / wanted.length;
    const spread = wanted.reduce((sum, y) => sum + (y - mean) ** 2, 0);
    return wanted.reduce((sum, y, i) => sum + (y - (given[i] as number)) ** 2, 0) / spread;
  });
}

const options = { steps: 300, batch: 40, threads: 1, augment: {}, rate: 0.02 } as const;

describe("several outputs", () => {
  test("a student learns both of what the teacher gives", async () => {
    const [teacher, student] = [network(1), network(2)];
    const before = await errors(student, teacher);
    const taught = await distil(teacher, dataset(samples), { student, ...options });
    assert.deepEqual(taught.outputs, student.outputs);
    assert.equal(taught.nodes.length, student.nodes.length);
    const after = await errors(taught, teacher);
    for (const k of [0, 1]) {
      assert.ok((before[k] as number) > 0.8, `${before}`);
      assert.ok((after[k] as number) < 0.1, `${after}`);
    }
  });

  test("targets of each output teach as well, and without any there is an error", async () => {
    const [teacher, student] = [network(1), network(2)];
    const wanted = await outputs(teacher);
    const labelled = samples.map((sample, i) => ({ ...sample, targets: wanted[i] as readonly Float32Array[] }));
    const after = await errors(await train(student, dataset(labelled), options), teacher);
    for (const error of after) assert.ok(error < 0.1, `${after}`);
    await assert.rejects(train(student, dataset(samples), options), /targets for every sample/);
    await assert.rejects(
      train(student, dataset(samples), { ...options, objective: "classes" }),
      /values, as a network/,
    );
    await assert.rejects(
      train(student, dataset(samples), { ...options, teacher: buildOne() }),
      /outputs of 24, 3 numbers/,
    );
  });

  test("pruned weights stay zero while what is left goes on", async () => {
    const dense = network(1, 32);
    const cut = { sparsity: 0.6, pattern: "unstructured" } as const;
    const pruned = await prune(dense, dataset(samples), { ...cut, finish: 0 });
    const tune = { steps: 200, batch: 40, threads: 1, augment: {} };
    const tuned = await prune(dense, dataset(samples), { ...cut, tune });
    const [before, after] = [await errors(pruned.graph, dense), await errors(tuned.graph, dense)];
    assert.ok((after[0] as number) + (after[1] as number) < (before[0] as number) + (before[1] as number));
    const zeros = (graph: Graph) =>
      graph.tensors.reduce(
        (sum, tensor) => sum + (tensor.data ? floatsOf(tensor).filter((w) => w === 0).length : 0),
        0,
      );
    assert.ok(zeros(tuned.graph) >= zeros(pruned.graph));
  });

  test("pruned by examples alone, all layers learn both outputs at the end", async () => {
    const dense = network(1, 32);
    const of = async (finish: number) => errors((await prune(dense, dataset(samples), { finish })).graph, dense);
    const [solved, ended] = [await of(0), await of(300)];
    for (const [k, error] of ended.entries())
      assert.ok(error < 0.95 * (solved[k] as number), `output ${k}: ${solved[k]} to ${error}`);
  });

  test("of two branches the channels go first whose outputs hardly reach either end", async () => {
    const to = buildNetwork([1, 6], 2);
    const dense = (x: TensorId, inputs: number, outputs: number, size = 0.5) =>
      to.node("fullyConnected", [x, to.weights([outputs, inputs], size), to.weights([outputs])], {
        activation: "relu",
        keepDims: false,
      });
    const branch = () => dense(dense(to.input, 6, 16), 16, 16);
    const faint = to.node("mul", [branch(), to.floats(0.01)], { activation: "none" });
    const both = to.node("concat", [branch(), faint], { axis: 1, activation: "none" });
    const first = to.graph(dense(both, 32, 8));
    const graph = { ...first, outputs: [...first.outputs, { name: "other", tensor: dense(both, 32, 3) }] };
    const cut = { pattern: "channels", sparsity: 0.4, finish: 0 } as const;
    const found = await errors((await prune(graph, dataset(samples), cut)).graph, graph);
    for (const [k, error] of found.entries()) assert.ok(error < 0.001, `output ${k}: ${error}`);
  });
});

function buildOne(): Graph {
  const { outputs: all, ...graph } = network(1);
  return { ...graph, outputs: all.slice(0, 1) };
}
