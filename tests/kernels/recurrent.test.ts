/** LSTM, RNN and SVDF of float32 against plain loops in doubles, run after run, with the same bytes in every module. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Graph } from "../../bindings/graph.ts";
import { runPasses } from "../../bindings/passes/index.ts";
import { planGraph } from "../../bindings/plan/plan.ts";
import { loadModule } from "../../bindings/session/modules.ts";
import { Session } from "../../bindings/session/session.ts";
import type { Tensor } from "../../bindings/tensor.ts";
import { graph, node } from "../passes/graphs.ts";

const BATCH = 2;
const TIME = 3;
const INPUTS = 7;
const CELLS = 5;

let seed = 1;
const random = (count: number) =>
  Float32Array.from({ length: count }, () => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return seed / 2 ** 31 - 1;
  });

const float = (name: string, shape: readonly number[], rest: Partial<Tensor> = {}): Tensor => ({
  name,
  dtype: "float32",
  shape,
  ...rest,
});
const constant = (name: string, shape: readonly number[], values: Float32Array): Tensor =>
  float(name, shape, { data: new Uint8Array(values.buffer) });
const state = (name: string, shape: readonly number[]): Tensor => float(name, shape, { variable: true });

const logistic = (x: number) => 1 / (1 + Math.exp(-x));
const dot = (w: Float32Array, row: number, x: ArrayLike<number>, n: number) =>
  Array.from({ length: n }, (_, i) => (w[row * n + i] as number) * (x[i] as number)).reduce(
    (sum, each) => sum + each,
    0,
  );

/** Runs x twice in each module; the bytes must agree. */
async function outputs(network: Graph, x: Float32Array): Promise<readonly Float32Array[]> {
  const runs: Float32Array[][] = [];
  for (const name of ["scalar", "simd"] as const) {
    const kernels = await loadModule(name, undefined, "full");
    const plan = planGraph(runPasses(network), { module: name, moduleHash: kernels.hash });
    const session = await Session.open(plan, kernels);
    runs.push([0, 1].map(() => session.run([x]).y as Float32Array));
    session.reset();
    assert.deepEqual(session.run([x]).y, runs.at(-1)?.[0], "after a reset");
    session.close();
  }
  assert.deepEqual(runs[1], runs[0], "the same bytes in both modules");
  return runs[0] as Float32Array[];
}

function close(received: Float32Array, expected: readonly number[]): void {
  assert.equal(received.length, expected.length);
  for (const [i, value] of expected.entries())
    assert.ok(Math.abs((received[i] as number) - value) < 1e-5, `element ${i}: ${received[i]}, not ${value}`);
}

describe("float32", () => {
  test("LSTM", async () => {
    const names = ["i", "f", "c", "o"];
    const wx = names.map(() => random(CELLS * INPUTS));
    const wh = names.map(() => random(CELLS * CELLS));
    const bias = names.map(() => random(CELLS));
    const tensors: Tensor[] = [
      float("x", [BATCH, TIME, INPUTS]),
      ...wx.map((values, i) => constant(`x${names[i]}`, [CELLS, INPUTS], values)),
      ...wh.map((values, i) => constant(`h${names[i]}`, [CELLS, CELLS], values)),
      ...bias.map((values, i) => constant(`b${names[i]}`, [CELLS], values)),
      state("h", [BATCH, CELLS]),
      state("c", [BATCH, CELLS]),
      float("y", [BATCH, TIME, CELLS]),
    ];
    const inputs = [0, 1, 2, 3, 4, 5, 6, 7, 8, -1, -1, -1, 9, 10, 11, 12, -1, -1, 13, 14];
    const attributes = {
      activation: 4,
      cellClip: 0,
      projectionClip: 0,
      timeMajor: false,
      asymmetric: false,
      sequence: true,
    };
    const x = random(BATCH * TIME * INPUTS);
    const runs = await outputs(graph(tensors, [node("lstm", inputs, [15], attributes)], [0], [15]), x);
    const h = Array.from({ length: BATCH }, () => new Float64Array(CELLS));
    const c = Array.from({ length: BATCH }, () => new Float64Array(CELLS));
    for (const run of runs) {
      const expected: number[] = [];
      for (let b = 0; b < BATCH; b++)
        for (let t = 0; t < TIME; t++) {
          const row = x.subarray((b * TIME + t) * INPUTS, (b * TIME + t + 1) * INPUTS);
          const [own, cell] = [h[b] as Float64Array, c[b] as Float64Array];
          const gate = (g: number, j: number) =>
            (bias[g]?.[j] as number) +
            dot(wx[g] as Float32Array, j, row, INPUTS) +
            dot(wh[g] as Float32Array, j, own, CELLS);
          const next = Array.from({ length: CELLS }, (_, j) => {
            cell[j] = logistic(gate(1, j)) * (cell[j] as number) + logistic(gate(0, j)) * Math.tanh(gate(2, j));
            return logistic(gate(3, j)) * Math.tanh(cell[j] as number);
          });
          own.set(next);
          expected.push(...next);
        }
      close(run, expected);
    }
  });

  test("RNN, time first", async () => {
    const [wx, wh, bias] = [random(CELLS * INPUTS), random(CELLS * CELLS), random(CELLS)];
    const tensors = [
      float("x", [TIME, BATCH, INPUTS]),
      constant("wx", [CELLS, INPUTS], wx),
      constant("wh", [CELLS, CELLS], wh),
      constant("b", [CELLS], bias),
      state("h", [BATCH, CELLS]),
      float("y", [TIME, BATCH, CELLS]),
    ];
    const attributes = { activation: 4, timeMajor: true, asymmetric: false, sequence: true };
    const x = random(BATCH * TIME * INPUTS);
    const runs = await outputs(graph(tensors, [node("rnn", [0, 1, 2, 3, 4], [5], attributes)], [0], [5]), x);
    const h = Array.from({ length: BATCH }, () => new Float64Array(CELLS));
    for (const run of runs) {
      const expected: number[] = [];
      for (let t = 0; t < TIME; t++)
        for (let b = 0; b < BATCH; b++) {
          const row = x.subarray((t * BATCH + b) * INPUTS, (t * BATCH + b + 1) * INPUTS);
          const own = h[b] as Float64Array;
          const next = Array.from({ length: CELLS }, (_, j) =>
            Math.tanh((bias[j] as number) + dot(wx, j, row, INPUTS) + dot(wh, j, own, CELLS)),
          );
          own.set(next);
          expected.push(...next);
        }
      close(run, expected);
    }
  });

  test("SVDF of rank 2", async () => {
    const [units, rank, memory] = [3, 2, 4];
    const filters = units * rank;
    const [features, time, bias] = [random(filters * INPUTS), random(filters * memory), random(units)];
    const tensors = [
      float("x", [BATCH, INPUTS]),
      constant("features", [filters, INPUTS], features),
      constant("time", [filters, memory], time),
      constant("bias", [units], bias),
      state("state", [BATCH, filters * memory]),
      float("y", [BATCH, units]),
    ];
    const attributes = { rank, activation: 1, asymmetric: false };
    const x = random(BATCH * INPUTS);
    const runs = await outputs(graph(tensors, [node("svdf", [0, 1, 2, 3, 4], [5], attributes)], [0], [5]), x);
    const past = Array.from({ length: BATCH * filters }, () => new Array<number>(memory).fill(0));
    for (const run of runs) {
      const expected = Array.from({ length: BATCH * units }, (_, place) => {
        const [b, u] = [Math.floor(place / units), place % units];
        let sum = bias[u] as number;
        for (let f = u * rank; f < (u + 1) * rank; f++) {
          const line = past[b * filters + f] as number[];
          line.shift();
          line.push(dot(features, f, x.subarray(b * INPUTS, (b + 1) * INPUTS), INPUTS));
          sum += dot(time, f, line, memory);
        }
        return Math.max(0, sum);
      });
      close(run, expected);
    }
  });

  test("states that are no variables and weights of other sizes are refused", () => {
    const build = (h: Tensor, wx: Tensor) => {
      const tensors = [
        float("x", [TIME, BATCH, INPUTS]),
        wx,
        constant("wh", [CELLS, CELLS], random(CELLS * CELLS)),
        constant("b", [CELLS], random(CELLS)),
        h,
        float("y", [TIME, BATCH, CELLS]),
      ];
      const attributes = { activation: 4, timeMajor: true, asymmetric: false, sequence: true };
      return () => runPasses(graph(tensors, [node("rnn", [0, 1, 2, 3, 4], [5], attributes)], [0], [5]));
    };
    const good = constant("wx", [CELLS, INPUTS], random(CELLS * INPUTS));
    const fixed = constant("h", [BATCH, CELLS], random(BATCH * CELLS));
    assert.throws(build(fixed, good), /C4: expected "h" as a variable of 10 float32/);
    assert.throws(build(state("h", [BATCH + 1, CELLS]), good), /C4/);
    const wide = constant("wx", [CELLS, INPUTS + 1], random(CELLS * (INPUTS + 1)));
    assert.throws(build(state("h", [BATCH, CELLS]), wide), /C3: expected "wx" as \[5,7\] float32/);
  });
});

test("int8 weights, both directions by time: each goes over the sequence as often as it has steps, as TFLite's do", async () => {
  const weights = (name: string): Tensor => ({
    name,
    dtype: "int8",
    shape: [CELLS, CELLS],
    quantization: { scale: [0.01], zeroPoint: [0], axis: 0 },
    data: Uint8Array.from(random(CELLS * CELLS), (value) => value * 100),
  });
  const cell = [weights("wx"), weights("wh"), constant("b", [CELLS], random(CELLS)), state("h", [BATCH, CELLS])];
  const attributes = { activation: 4, timeMajor: true, asymmetric: false };
  const x = random(TIME * BATCH * CELLS);
  const shape = [TIME, BATCH, CELLS];
  // both cells have the same weights, and states of their own
  const both = graph(
    [float("x", shape), ...cell, state("g", [BATCH, CELLS]), float("y", [TIME, BATCH, 2 * CELLS])],
    [node("bidirectionalRnn", [0, 1, 2, 3, 4, 1, 2, 3, 5, -1, -1, -1], [6], { ...attributes, mergeOutputs: true })],
    [0],
    [6],
  );
  const [long, wide] = [float("x", [5000, BATCH, CELLS]), float("y", [5000, BATCH, 2 * CELLS])];
  const endless = { ...both, tensors: [long, ...both.tensors.slice(1, 6), wide] };
  assert.throws(() => runPasses(endless), /C9: expected 4096 turns at most, received 5000/);
  const one = graph(
    [float("x", shape), ...cell, float("y", shape)],
    [node("rnn", [0, 1, 2, 3, 4], [5], { ...attributes, sequence: true })],
    [0],
    [5],
  );
  const rows = (values: ArrayLike<number>, width: number, from: number) =>
    Array.from({ length: TIME * BATCH }, (_, row) =>
      Array.from({ length: CELLS }, (__, i) => values[row * width + from + i] as number),
    );
  /** The layer of one direction, as many turns on one state. */
  const kernels = await loadModule("scalar", undefined, "full");
  const plan = planGraph(runPasses(one), { module: "scalar", moduleHash: kernels.hash });
  const session = await Session.open(plan, kernels);
  const backwards = (values: Float32Array) =>
    Float32Array.from(
      Array.from({ length: TIME }, (_, t) => [
        ...values.subarray((TIME - 1 - t) * BATCH * CELLS, (TIME - t) * BATCH * CELLS),
      ]).flat(),
    );
  const turned = (values: Float32Array) => {
    session.reset();
    return Array.from({ length: TIME }, () => session.run([values]).y as Float32Array).at(-1) as Float32Array;
  };
  const [forward, backward] = [turned(x), backwards(turned(backwards(x)))];
  session.close();
  const [y] = await outputs(both, x);
  assert.deepEqual(rows(y as Float32Array, 2 * CELLS, 0), rows(forward, CELLS, 0));
  assert.deepEqual(rows(y as Float32Array, 2 * CELLS, CELLS), rows(backward, CELLS, 0));
});

test("int8 weights: values are rounded before their zero point is added, ties away from zero", async () => {
  const int8 = (name: string, values: readonly number[]): Tensor => ({
    name,
    dtype: "int8",
    shape: [3, 3],
    quantization: { scale: [1], zeroPoint: [0], axis: 0 },
    data: Uint8Array.from(Int8Array.from(values)),
  });
  const tensors = [
    float("x", [1, 3]),
    int8("wx", [1, 0, 0, 0, 1, 0, 0, 0, 1]),
    int8("wh", new Array<number>(9).fill(0)),
    constant("b", [3], new Float32Array(3)),
    state("h", [1, 3]),
    float("y", [1, 3]),
  ];
  const attributes = { activation: 0, timeMajor: false, asymmetric: true, sequence: false };
  const network = graph(tensors, [node("rnn", [0, 1, 2, 3, 4], [5], attributes)], [0], [5]);
  // From -4 to 20: scale 24/255, zero point -85.5, which is -86; 4 is 42.5 steps, 20 is 212.5, -4 is cut at -128.
  const [first] = await outputs(network, Float32Array.of(4, 20, -4));
  close(
    first as Float32Array,
    [43, 213, -42].map((steps) => (steps * 24) / 255),
  );
});
