/** Loops that never end, or whose steps would be too many or too large, stay loops, and nothing hangs. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type AnyNode, bodiesOf, type Graph, NONE, type TensorId } from "../../bindings/graph.ts";
import { floatsOf } from "../../bindings/optimize/constants.ts";
import { datasetOf } from "../../bindings/optimize/data/batches.ts";
import { prune } from "../../bindings/optimize/prune/prune.ts";
import { unroll } from "../../bindings/optimize/unroll/index.ts";
import type { Tensor } from "../../bindings/tensor.ts";
import { startGraph } from "./support/graphs.ts";

const UNITS = 8;

/** A graph by hand, with weights of their sizes. */
function start() {
  const to = startGraph();
  return {
    ...to,
    one: () => to.tensor("int32", [], Int32Array.of(1)),
    weights: (rows: number, width: number) =>
      to.tensor(
        "float32",
        [rows, width],
        Float32Array.from({ length: rows * width }, (_, i) => Math.sin(7 * i + rows)),
      ),
  };
}

const DENSE = { activation: "none", keepDims: false };

interface Kind {
  /** Turns; for ever when absent. */
  readonly turns?: number;
  /** No nodes in the body. */
  readonly empty?: boolean;
  /** Numbers of the count. */
  readonly counts?: number;
  /** Constants of the body that nothing reads. */
  readonly unread?: number;
  /** The state before the first turn is zeros. */
  readonly zeros?: boolean;
  /** Numbers of the state. */
  readonly width?: number;
  /** Turns of a loop behind it. */
  readonly second?: number;
}

/** h = tanh(U·h + x), so many times. */
function looping({ turns, empty = false, counts = 1, unread = 0, zeros = false, width = UNITS, second }: Kind): Graph {
  const shape = counts === 1 ? [] : [counts];
  const parameters = (to: ReturnType<typeof start>) =>
    [to.tensor("int32", shape), to.tensor("float32", [1, width]), to.tensor("float32", [1, width])] as const;
  const conditionOf = (most: number | undefined): Graph => {
    const condition = start();
    const known = parameters(condition);
    const goes = condition.tensor("bool", [], most === undefined ? Uint8Array.of(1) : undefined);
    if (most !== undefined) {
      const limit = condition.tensor("int32", [], Int32Array.of(most));
      const less = condition.node("less", [known[0], limit], [counts === 1 ? goes : condition.tensor("bool", shape)]);
      const axis = condition.tensor("int32", [1], Int32Array.of(0));
      if (counts > 1) condition.node("reduceAny", [less, axis], [goes], { keepDims: false });
    }
    return condition.graph(known, [goes]);
  };
  const body = start();
  const [count, h, x] = parameters(body);
  for (let i = 0; i < unread; i++) body.tensor("float32", [1], new Float32Array(1));
  const next = empty
    ? count
    : body.node("add", [count, body.one()], [body.tensor("int32", shape)], { activation: "none" });
  const after = empty
    ? h
    : body.node(
        "tanh",
        [
          body.node(
            "add",
            [
              body.node(
                "fullyConnected",
                [h, body.weights(width, width), NONE],
                [body.tensor("float32", [1, width])],
                DENSE,
              ),
              x,
            ],
            [body.tensor("float32", [1, width])],
            { activation: "none" },
          ),
        ],
        [body.tensor("float32", [1, width])],
      );
  const to = start();
  const input = to.tensor("float32", [1, width]);
  const repeated = (from: TensorId, most: number | undefined) => {
    const ends = parameters(to);
    const bodies = [conditionOf(most), body.graph([count, h, x], [next, after, x])];
    to.node("while", [to.tensor("int32", shape, new Int32Array(counts)), from, input], ends, { bodies });
    return ends[1];
  };
  const first = repeated(zeros ? to.tensor("float32", [1, width], new Float32Array(width)) : input, turns);
  const last = second === undefined ? first : repeated(first, second);
  const y = to.node("fullyConnected", [last, to.weights(3, width), NONE], [to.tensor("float32", [1, 3])], DENSE);
  return to.graph([input], [y]);
}

const STAY: Readonly<Record<string, Kind>> = {
  "that never ends": {},
  "that never ends and does nothing": { empty: true },
  "that counts what is nothing": { turns: 5, empty: true },
  "of more steps than fit": { turns: 7000 },
  "of a body of very many constants": { turns: 6000, unread: 100_000 },
  "whose count is very many numbers": { turns: 6000, counts: 1 << 18 },
};

describe("loops", () => {
  for (const [name, kind] of Object.entries(STAY))
    test(`one ${name} stays one`, { timeout: 60_000 }, async () => {
      const graph = looping(kind);
      assert.equal((await unroll(graph)).graph, graph);
    });

  for (const turns of [0, 1, 300])
    test(`${turns} turns are unrolled`, async () => {
      const graph = looping({ turns });
      assert.notEqual((await unroll(graph)).graph, graph);
    });

  test("one whose steps read more than can be planned stays one, and what is around it is pruned", async () => {
    const graph = looping({ turns: 1500, width: 512 });
    assert.equal((await unroll(graph)).graph, graph);
    const { layers } = await prune(graph, undefined, { sparsity: 0.5 });
    assert.deepEqual(
      layers.map(({ weights }) => weights),
      [3 * 512],
    );
  });

  test("those that can be are unrolled beside one that cannot", async () => {
    const graph = looping({ turns: 3, second: 7000 });
    const { graph: long, rolled } = await unroll(graph);
    const loops = ({ nodes }: Graph) => nodes.filter(({ kind }) => kind === "while").length;
    assert.equal(loops(long), 1);
    assert.equal(loops(await rolled(long)), 2);
    const pruned = await prune(graph, undefined, { sparsity: 0.5 });
    assert.deepEqual(
      pruned.layers.map(({ weights }) => weights),
      [UNITS * UNITS, 3 * UNITS],
    );
    assert.equal(loops(pruned.graph), 2);
    const [loop] = pruned.graph.nodes.filter(({ kind }) => kind === "while");
    const matrix = bodiesOf(loop as AnyNode)[1]?.tensors.find(({ data, shape }) => data && shape.length === 2);
    const zeros = floatsOf(matrix as Tensor).filter((weight) => weight === 0).length;
    assert.equal(zeros, pruned.layers[0]?.zeros);
  });

  test("inputs of integers are taken", async () => {
    const graph = looping({ turns: 3 });
    const tensors = [...graph.tensors];
    const input = graph.inputs[0]?.tensor as TensorId;
    const own = (tensors.push({ name: "integers", dtype: "int32", shape: [1, UNITS] }) - 1) as TensorId;
    const cast = { kind: "cast", where: "cast", inputs: [own], outputs: [input], attributes: {} } as unknown as AnyNode;
    const whole = { ...graph, tensors, nodes: [cast, ...graph.nodes], inputs: [{ name: "x", tensor: own }] };
    assert.notEqual((await unroll(whole)).graph, whole);
  });

  test("layers that begin with zeros are timed for a bound of time", async () => {
    const samples = Array.from({ length: 40 }, (_, k) => ({
      inputs: [Float32Array.from({ length: UNITS }, (_, i) => Math.sin(3 * i + 11 * k))],
    }));
    const { latency, graph } = await prune(looping({ turns: 3, zeros: true }), datasetOf(samples), {
      latency: 99,
      finish: 0,
    });
    assert.ok((latency?.reached ?? 0) > 0);
    assert.ok(graph.nodes.some(({ kind }) => kind === "while"));
  });
});
