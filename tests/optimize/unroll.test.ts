/** Recurrent networks of .tflite files, loops and LSTM, that are trained and pruned as the layers of all their steps, and run step by step afterwards. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { importModel } from "../../bindings/formats/index.ts";
import { bodiesOf, type Graph, NONE, type TensorId } from "../../bindings/graph.ts";
import { floatsOf } from "../../bindings/optimize/constants.ts";
import { datasetOf } from "../../bindings/optimize/data/batches.ts";
import { prune } from "../../bindings/optimize/prune/prune.ts";
import { openRunner } from "../../bindings/optimize/run.ts";
import { randomOf } from "../../bindings/optimize/train/random.ts";
import { train } from "../../bindings/optimize/train/train.ts";
import { unroll } from "../../bindings/optimize/unroll/index.ts";
import { startGraph } from "./support/graphs.ts";

const [STEPS, WIDTH, UNITS, CLASSES] = [5, 4, 8, 3];

/** A graph by hand, with weights of a seed. */
function start(seed: number) {
  const random = randomOf(seed);
  const to = startGraph();
  return {
    ...to,
    integers: (shape: readonly number[], ...values: number[]) => to.tensor("int32", shape, Int32Array.from(values)),
    weights: (...shape: readonly number[]) =>
      to.tensor(
        "float32",
        shape,
        Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 0.5 * random.normal()),
      ),
  };
}

const PLAIN = { activation: "none" } as const;
const DENSE = { activation: "none", keepDims: false } as const;

/** Turns of h = tanh(W·x + U·h) over a sequence before its sample, each of which sets a row of a list; `limit` when a float says how many. */
function loop(list: boolean, open = false): Graph {
  const parameters = (to: ReturnType<typeof start>) => {
    const count = to.tensor("int32", []);
    const rows = to.tensor("float32", list ? [STEPS, 1, UNITS] : [1, 1, UNITS]);
    return [count, rows, to.tensor("float32", [1, UNITS]), to.tensor("float32", [STEPS, 1, WIDTH])] as const;
  };
  const condition = start(1);
  const known = parameters(condition);
  const goes = condition.tensor("bool", []);
  const limit = open
    ? condition.node(
        "cast",
        [
          condition.node("sum", [known[2], condition.integers([2], 0, 1)], [condition.tensor("float32", [])], {
            keepDims: false,
          }),
        ],
        [condition.tensor("int32", [])],
      )
    : condition.integers([], STEPS);
  condition.node("less", [known[0], limit], [goes]);

  const body = start(2);
  const [count, rows, h, x] = parameters(body);
  const next = body.node("add", [count, body.integers([], 1)], [body.tensor("int32", [])], PLAIN);
  const at = body.node("gather", [x, count], [body.tensor("float32", [1, WIDTH])], { axis: 0, batchDims: 0 });
  const layer = (from: TensorId, weights: TensorId, bias: TensorId) =>
    body.node("fullyConnected", [from, weights, bias], [body.tensor("float32", [1, UNITS])], DENSE);
  const sum = [layer(at, body.weights(UNITS, WIDTH), body.weights(UNITS)), layer(h, body.weights(UNITS, UNITS), NONE)];
  const state = body.node(
    "tanh",
    [body.node("add", sum, [body.tensor("float32", [1, UNITS])], PLAIN)],
    [body.tensor("float32", [1, UNITS])],
  );
  const row = body.node("reshape", [state, body.integers([3], 1, 1, UNITS)], [body.tensor("float32", [1, 1, UNITS])]);
  const begin = body.node("pack", [count, body.integers([], 0), body.integers([], 0)], [body.tensor("int32", [3])], {
    axis: 0,
  });
  const set = list
    ? body.node("dynamicUpdateSlice", [rows, row, begin], [body.tensor("float32", [STEPS, 1, UNITS])])
    : row;

  const to = start(3);
  const input = to.tensor("float32", [1, STEPS, WIDTH]);
  const turned = to.node(
    "reshape",
    [input, to.integers([3], STEPS, 1, WIDTH)],
    [to.tensor("float32", [STEPS, 1, WIDTH])],
  );
  const empty = to.tensor(
    "float32",
    list ? [STEPS, 1, UNITS] : [1, 1, UNITS],
    new Float32Array((list ? STEPS : 1) * UNITS),
  );
  const zero = to.tensor("float32", [1, UNITS], new Float32Array(UNITS));
  const ends = [to.tensor("int32", []), to.tensor("float32", list ? [STEPS, 1, UNITS] : [1, 1, UNITS])];
  ends.push(to.tensor("float32", [1, UNITS]), to.tensor("float32", [STEPS, 1, WIDTH]));
  to.node("while", [to.integers([], 0), empty, zero, turned], ends, {
    bodies: [condition.graph(known, [goes]), body.graph([count, rows, h, x], [next, set, state, x])],
  });
  const all = list ? STEPS * UNITS : UNITS;
  const flat = to.node("reshape", [ends[1] as TensorId, to.integers([2], 1, all)], [to.tensor("float32", [1, all])]);
  const y = to.node(
    "fullyConnected",
    [flat, to.weights(CLASSES, all), to.weights(CLASSES)],
    [to.tensor("float32", [1, CLASSES])],
    DENSE,
  );
  return to.graph([input], [y]);
}

/** Four gates of UNIDIRECTIONAL_SEQUENCE_LSTM, two of which have one bias of zeros. */
function cell(timeMajor: boolean): Graph {
  const to = start(4);
  const input = to.tensor("float32", [1, STEPS, WIDTH]);
  const gates = (size: number) => [1, 2, 3, 4].map(() => to.weights(UNITS, size));
  const zeros = to.tensor("float32", [UNITS], new Float32Array(UNITS));
  const state = () => to.tensor("float32", [1, UNITS]);
  const shape = timeMajor ? [STEPS, 1] : [1, STEPS];
  const x = timeMajor
    ? to.node("reshape", [input, to.integers([3], STEPS, 1, WIDTH)], [to.tensor("float32", [STEPS, 1, WIDTH])])
    : input;
  const given = [
    x,
    ...gates(WIDTH),
    ...gates(UNITS),
    NONE,
    NONE,
    NONE,
    zeros,
    to.weights(UNITS),
    zeros,
    to.weights(UNITS),
  ];
  const y = to.node(
    "lstm",
    [...given, NONE, NONE, state(), state(), NONE, NONE, NONE, NONE],
    [to.tensor("float32", [...shape, UNITS])],
    {
      ...{ activation: 4, cellClip: 0.3, projectionClip: 0, sequence: true, timeMajor, asymmetric: false },
    },
  );
  const flat = to.node("reshape", [y, to.integers([2], 1, STEPS * UNITS)], [to.tensor("float32", [1, STEPS * UNITS])]);
  const z = to.node(
    "fullyConnected",
    [flat, to.weights(CLASSES, STEPS * UNITS), NONE],
    [to.tensor("float32", [1, CLASSES])],
    DENSE,
  );
  const graph = to.graph([input], [z]);
  const states = [18, 19].map((i) => graph.nodes.find(({ kind }) => kind === "lstm")?.inputs[i]);
  const tensors = graph.tensors.map((each, id) =>
    states.includes(id as TensorId) ? { ...each, variable: true as const } : each,
  );
  return { ...graph, tensors };
}

const NETWORKS: Readonly<Record<string, () => Graph>> = {
  "a loop": () => loop(false),
  "a loop that fills a list": () => loop(true),
  LSTM: () => cell(false),
  "LSTM of a sequence before its sample": () => cell(true),
};

const random = randomOf(5);
const samples = Array.from({ length: 200 }, (_, i) => {
  const inputs = [Float32Array.from({ length: STEPS * WIDTH }, () => random.normal())];
  return { inputs, label: i % CLASSES, targets: [Float32Array.of(inputs[0]?.[0] ?? 0, inputs[0]?.[5] ?? 0, 1)] };
});
const data = () => datasetOf(samples, { size: samples.length });

async function outputs(graph: Graph, count = 20): Promise<readonly number[]> {
  const runner = await openRunner(graph);
  const found = samples.slice(0, count).flatMap(({ inputs }) => {
    runner.reset();
    return Array.from(runner.run(inputs)[0] as Float32Array);
  });
  runner.close();
  return found;
}

function near(found: readonly number[], wanted: readonly number[], most = 1e-5): void {
  const size = Math.max(...wanted.map(Math.abs));
  for (const [i, value] of wanted.entries())
    assert.ok(Math.abs(value - (found[i] as number)) <= most * size, `${i}: ${found[i]}, not ${value}`);
}

const kindsOf = (graph: Graph) =>
  graph.nodes.map(({ kind }) => kind).filter((kind) => kind === "while" || kind === "lstm");

/** Weights of matrices, those in loops too. */
const weightsOf = (graph: Graph): readonly Float32Array[] => [
  ...graph.nodes.flatMap((node) => bodiesOf(node).flatMap((body) => [...weightsOf(body)])),
  ...graph.tensors.flatMap((tensor) =>
    tensor.data && tensor.dtype === "float32" && tensor.shape.length === 2 ? [floatsOf(tensor)] : [],
  ),
];
const zerosOf = (graph: Graph) => {
  const all = weightsOf(graph).flatMap((weights) => (weights.some((value) => value !== 0) ? Array.from(weights) : []));
  return all.filter((value) => value === 0).length / all.length;
};

describe("step by step", () => {
  for (const [name, make] of Object.entries(NETWORKS)) {
    test(`${name}: all steps give what it gives, and it is what it was when nothing changes`, async () => {
      const graph = make();
      const { graph: long, rolled } = await unroll(graph);
      assert.deepEqual(kindsOf(long), []);
      near(await outputs(long), await outputs(graph));
      const back = await rolled(long);
      assert.deepEqual(kindsOf(back), kindsOf(graph));
      near(await outputs(back), await outputs(graph));
    });

    test(`${name}: pruned by examples and without`, async () => {
      const graph = make();
      const { graph: long } = await unroll(graph);
      for (const given of [data(), undefined]) {
        const [short, steps] = [
          await prune(graph, given, { sparsity: 0.5, finish: 0 }),
          await prune(long, given && data(), { sparsity: 0.5, finish: 0 }),
        ];
        assert.deepEqual(kindsOf(short.graph), kindsOf(graph));
        assert.ok(Math.abs(zerosOf(short.graph) - 0.5) < 0.1, `${zerosOf(short.graph)}`);
        near(await outputs(short.graph), await outputs(steps.graph), 1e-4);
      }
    });

    test(`${name}: trained towards targets`, async () => {
      const graph = make();
      const errorOf = async (of: Graph) => {
        const found = await outputs(of, samples.length);
        const wanted = samples.flatMap(({ targets }) => Array.from(targets[0] as Float32Array));
        return wanted.reduce((sum, value, i) => sum + (value - (found[i] as number)) ** 2, 0);
      };
      const options = { objective: "values", epochs: 15, batch: 20, rate: 1e-2, normalization: "none" } as const;
      const trained = await train(graph, data(), options);
      assert.deepEqual(kindsOf(trained), kindsOf(graph));
      const [before, after] = [await errorOf(graph), await errorOf(trained)];
      assert.ok(after < 0.6 * before, `${before} to ${after}`);
    });
  }

  test("turns that numbers decide stay a loop, which is not trained", async () => {
    const graph = loop(false, true);
    assert.equal((await unroll(graph)).graph, graph);
    await assert.rejects(train(graph, data(), { steps: 1 }), { code: "UNSUPPORTED" });
  });
});

const FOLDER = new URL("../../../shared/zoo/tflite/", import.meta.url);
const files = existsSync(FOLDER) ? readdirSync(FOLDER).filter((file) => /float(16|32)\.tflite$/.test(file)) : [];

describe("networks by converters", { skip: files.length > 0 ? false : "no ../shared/zoo folder" }, () => {
  for (const file of files) {
    const graph = importModel(readFileSync(new URL(file, FOLDER)), {});
    if (kindsOf(graph).length > 0)
      test(`${file} is what it was, or stays it`, async () => {
        const { graph: long, rolled } = await unroll(graph);
        if (long !== graph) assert.deepEqual(kindsOf(await rolled(long)), kindsOf(graph));
      });
  }
});
