/** Networks that begin with tables, from which whole numbers take rows: what is behind them is trained, the tables stay. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Graph, type TensorId, tensorOf } from "../../../bindings/graph.ts";
import { datasetOf } from "../../../bindings/optimize/data/batches.ts";
import type { Dataset } from "../../../bindings/optimize/data/types.ts";
import { evaluate } from "../../../bindings/optimize/evaluate/evaluate.ts";
import { prepareFloat } from "../../../bindings/optimize/prepare/index.ts";
import { channelsOf } from "../../../bindings/optimize/prune/channels/classes.ts";
import { channelCosts } from "../../../bindings/optimize/prune/channels/score.ts";
import { prune } from "../../../bindings/optimize/prune/prune.ts";
import { type Front, frontOf } from "../../../bindings/optimize/train/front.ts";
import { randomOf } from "../../../bindings/optimize/train/random.ts";
import { train } from "../../../bindings/optimize/train/train.ts";
import { nearness } from "../support/nearness.ts";
import { buildNetwork } from "../support/networks.ts";

const [WORDS, WIDTH] = [20, 6];

/** Five whole numbers, the rows of a table that they name, and two layers behind their mean; or behind all of them, put side by side. */
function reader(seed = 3, behind: "mean" | "reshape" = "mean"): Graph {
  const to = buildNetwork([1, 5], seed);
  const whole = to.node("cast", [to.input], { to: "int32" } as never);
  const rows = to.node("gather", [to.weights([WORDS, WIDTH], 1), whole], { axis: 0, batchDims: 0 } as never);
  // The front ends behind what only moves numbers, where something without a gradient comes last.
  const flat = () => to.node("ceil" as never, [to.node("reshape", [rows, to.integers(1, 5 * WIDTH)], {})], {} as never);
  const [read, width] =
    behind === "reshape" ? [flat(), 5 * WIDTH] : [to.node("mean", [rows, to.integers(1)], { keepDims: false }), WIDTH];
  const dense = (x: TensorId, inputs: number, outputs: number, activation: "none" | "relu") =>
    to.node("fullyConnected", [x, to.weights([outputs, inputs]), to.weights([outputs], 0)], {
      activation,
      keepDims: false,
    });
  const graph = to.graph(to.node("softmax", [dense(dense(read, width, 16, "relu"), 16, 2, "none")], { beta: 1 }));
  const tensors = graph.tensors.map((tensor, id) => (id === whole ? { ...tensor, dtype: "int32" as const } : tensor));
  return { ...graph, tensors };
}

/** Words of which those below ten speak for one class, the others for the other. */
function texts(count: number, seed: number) {
  const random = randomOf(seed);
  return datasetOf(
    Array.from({ length: count }, () => {
      const label = Number(random.uniform() < 0.5);
      const word = () => Math.floor(random.uniform() * 10) + (random.uniform() < 0.95 ? 10 * label : 10 * (1 - label));
      return { inputs: [Float32Array.from({ length: 5 }, word)], label };
    }),
  );
}

const top1 = async (graph: Graph) => (await evaluate(graph, texts(500, 2))).model.classes?.top1 ?? 0;

describe("front", () => {
  test("is what stands before the first layer, where something there has no gradient", () => {
    const front = frontOf(reader());
    assert.deepEqual(
      front?.nodes.map(({ kind }) => kind),
      ["cast", "gather"],
    );
    assert.deepEqual(
      front?.rest.nodes.map(({ kind }) => kind),
      ["mean", "fullyConnected", "fullyConnected", "softmax"],
    );
    const plain = buildNetwork([1, 4]);
    const dense = plain.node("fullyConnected", [plain.input, plain.weights([3, 4])], {
      activation: "none",
      keepDims: false,
    });
    assert.equal(frontOf(plain.graph(dense)), undefined);
    // What stands behind a layer is not computed before.
    assert.equal(frontOf(plain.graph(plain.node("floor" as never, [dense], {} as never))), undefined);
  });

  test("what crosses stays apart, where no tensor has a name", async () => {
    const to = buildNetwork([1, WIDTH], 4);
    const [whole, plain] = [to.node("floor" as never, [to.input], {} as never), { activation: "none" } as const];
    const half = to.node("ceil" as never, [to.node("mul", [to.input, to.floats(0.5)], plain)], {} as never);
    const dense = (x: TensorId) =>
      to.node("fullyConnected", [x, to.weights([WIDTH, WIDTH])], { ...plain, keepDims: false });
    const named = to.graph(to.node("sub", [dense(whole), dense(to.node("tanh", [half], {}))], plain));
    const graph = { ...named, tensors: named.tensors.map((tensor) => ({ ...tensor, name: "" })) };
    const front = frontOf(graph) as Front;
    assert.equal(front.rest.inputs.length, 2);
    const samples = [1, 2, 3].map((k) => [Float32Array.from({ length: WIDTH }, (_, i) => 3 * Math.sin(k * i + k))]);
    assert.ok((await nearness(graph, front.joined(front.rest), samples)) > 100);
  });

  test("the layers behind it learn; the table stays", async () => {
    const graph = reader();
    const trained = await train(graph, texts(600, 1), { epochs: 12, batch: 25, rate: 0.01, threads: 1 });
    const [before, after] = [await top1(graph), await top1(trained)];
    assert.ok(after > 0.9 && after > before + 0.2, `${before}, ${after}`);
    const table = ({ tensors }: Graph) => tensors.find(({ shape }) => `${shape}` === `${[WORDS, WIDTH]}`)?.data;
    assert.deepEqual(table(trained), table(graph));
    assert.deepEqual(
      trained.inputs.map(({ tensor }) => tensorOf(trained, tensor).shape),
      [[1, 5]],
    );
  });

  test("pruned and tuned, zeros stay zeros; a teacher of other tables is refused", async () => {
    const graph = await train(reader(), texts(600, 1), { epochs: 12, batch: 25, rate: 0.01, threads: 1 });
    const tune = { epochs: 8, batch: 25 };
    const { graph: small } = await prune(graph, texts(600, 1), { sparsity: 0.5, tune });
    const weights = small.nodes
      .filter(({ kind }) => kind === "fullyConnected")
      .map(({ inputs }) => inputs[1] as TensorId);
    const floats = weights.flatMap((id) => [...new Float32Array(tensorOf(small, id).data?.slice().buffer ?? [])]);
    assert.equal(floats.filter((value) => value === 0).length, floats.length / 2);
    assert.ok((await top1(small)) > 0.8, `${await top1(small)}`);
    const wrong = train(graph, texts(40, 1), { teacher: reader(4), epochs: 1, batch: 20 });
    await assert.rejects(wrong, { code: "UNSUPPORTED", message: /student's cast, gather .* other tables/ });
  });

  test("channels go behind a front whose RESHAPE loses its constant", async () => {
    const graph = await train(reader(3, "reshape"), texts(600, 1), { epochs: 12, batch: 25, rate: 0.01, threads: 1 });
    const kinds = ["cast", "gather", "reshape", "ceil"];
    assert.deepEqual(
      frontOf(graph)?.nodes.map(({ kind }) => kind),
      kinds,
    );
    const { graph: small } = await prune(graph, texts(200, 1), { sparsity: 0.5, pattern: "channels", finish: 20 });
    assert.deepEqual(
      frontOf(small)?.nodes.map(({ kind }) => kind),
      kinds,
    );
    assert.ok((await top1(small)) > 0.8, `${await top1(small)}`);
  });

  test("channels behind it cost what they cost in the network behind it alone", async () => {
    const graph = prepareFloat(reader(3, "reshape"));
    const front = frontOf(graph);
    assert.ok(front !== undefined);
    const data = texts(40, 1);
    const costsOf = async (of: Graph, samples: Dataset) => {
      const examples: (readonly Float32Array[])[] = [];
      for await (const { inputs } of samples) examples.push(inputs);
      const costs = await channelCosts(of, channelsOf(of), examples, () => {}, "classes");
      return [...costs.values()].sort((a, b) => a - b);
    };
    const found = await costsOf(graph, data);
    assert.ok(found.length >= 16 && found.filter((cost) => cost > 0).length >= 8);
    assert.deepEqual(found.slice(-16), (await costsOf(front.rest, front.through(data))).slice(-16));
  });
});
