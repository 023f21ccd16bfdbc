/** ONNX loops of known lengths that are too long to be written out: they run as loops, with all that their turns put out. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { importModel, loadModel } from "../../../bindings/public/index.ts";
import { buildOnnx, type GraphSpec, node } from "../build-onnx.ts";
import { refusedModel } from "../refused.ts";

const BOOL = 9;
const INT64 = 7;
const TURNS = 1500;

const random = (length: number, seed: number) =>
  Float32Array.from({ length }, (_, i) => ((((i + seed) * 7919) % 201) - 100) / 100);

/** The model's outputs in both modules, which are the same, and the graph's nodes. */
async function run(spec: GraphSpec, inputs: readonly Float32Array[]) {
  const bytes = buildOnnx(spec);
  const results = [];
  for (const module of ["scalar", "simd"] as const) {
    const model = await loadModel(bytes, { module });
    for (let again = 0; again < 2; again++) {
      const outputs = Object.values(model.run(inputs as Float32Array[])) as Float32Array[];
      results.push(outputs.map((y) => Array.from(y)));
    }
    model.close();
  }
  for (const other of results.slice(1)) assert.deepEqual(other, results[0]);
  return { outputs: results[0] as number[][], kinds: importModel(bytes).nodes.map(({ kind }) => kind) };
}

test("Scan of many turns, along other axes and backward", async () => {
  for (const backward of [0, 1]) {
    const body: GraphSpec = {
      nodes: [node("Add", "state slice", "next"), node("Mul", "next w", "shown")],
      inputs: [
        { name: "state", dims: [2] },
        { name: "slice", dims: [2] },
      ],
      outputs: [{ name: "next" }, { name: "shown" }],
    };
    const spec: GraphSpec = {
      nodes: [
        node("Scan", "s x", "last all", {
          int: { num_scan_inputs: 1 },
          ints: {
            scan_input_axes: [1],
            scan_output_axes: [-1],
            scan_input_directions: [backward],
            scan_output_directions: [1 - backward],
          },
          graph: { body },
        }),
      ],
      inputs: [
        { name: "s", dims: [2] },
        { name: "x", dims: [2, TURNS] },
        { name: "w", dims: [2] },
      ],
      outputs: [{ name: "last" }, { name: "all" }],
    };
    const [x, w] = [random(2 * TURNS, 1), Float32Array.of(3, -2)];
    const { outputs, kinds } = await run(spec, [Float32Array.of(1, 5), x, w]);
    const state = Float32Array.of(1, 5);
    const all = new Float32Array(2 * TURNS);
    for (let turn = 0; turn < TURNS; turn++)
      for (const row of [0, 1]) {
        const from = backward ? TURNS - 1 - turn : turn;
        const to = backward ? turn : TURNS - 1 - turn;
        state[row] = (state[row] as number) + (x[row * TURNS + from] as number);
        all[row * TURNS + to] = (state[row] as number) * (w[row] as number);
      }
    assert.deepEqual(outputs, [Array.from(state), Array.from(all)]);
    assert.ok(kinds.includes("while"), kinds.join(" "));
  }
});

/** A loop as converters write recurrent layers: a counter of its own, weights that each turn hands on, rows of an input by number. */
function recurrent(turns: number): GraphSpec {
  const body: GraphSpec = {
    nodes: [
      node("Add", "i one", "i2"),
      node("Less", "i2 turns", "again"),
      node("Gather", "x i", "row"),
      node("MatMul", "state weights", "product"),
      node("Add", "product row", "sum"),
      node("Relu", "sum", "next"),
      node("Identity", "weights", "handed"),
      node("Mul", "next half", "shown"),
    ],
    inputs: [
      { name: "turn", type: INT64, dims: [] },
      { name: "before", type: BOOL, dims: [] },
      { name: "i", type: INT64, dims: [] },
      { name: "state", dims: [1, 2] },
      { name: "weights", dims: [2, 2] },
    ],
    outputs: [{ name: "again" }, { name: "i2" }, { name: "next" }, { name: "handed" }, { name: "shown" }],
  };
  return {
    nodes: [node("Loop", "  zero s w", "end last weights2 all", { graph: { body } })],
    inputs: [
      { name: "s", dims: [1, 2] },
      { name: "x", dims: [turns, 1, 2] },
    ],
    outputs: [{ name: "end", type: INT64 }, { name: "last" }, { name: "weights2" }, { name: "all" }],
    initializers: [
      { name: "zero", dims: [], type: INT64, values: [0] },
      { name: "one", dims: [], type: INT64, values: [1] },
      { name: "turns", dims: [], type: INT64, values: [turns] },
      { name: "half", dims: [], type: 1, values: [0.5] },
      { name: "w", dims: [2, 2], type: 1, values: [0.5, -0.25, 0.25, 0.5] },
    ],
  };
}

test("a long Loop whose own counter ends it gives what each of its turns shows, as a short one does", async () => {
  for (const turns of [5, TURNS]) {
    const x = random(2 * turns, 3);
    const { outputs, kinds } = await run(recurrent(turns), [Float32Array.of(0.5, 1), x]);
    let state = [0.5, 1];
    const all: number[] = [];
    for (let turn = 0; turn < turns; turn++) {
      const [a, b] = state as [number, number];
      const sums = [0.5 * a + 0.25 * b, -0.25 * a + 0.5 * b];
      state = sums.map((sum, j) => Math.max(0, sum + (x[2 * turn + j] as number)));
      all.push(...state.map((value) => value / 2));
    }
    assert.deepEqual(outputs[0]?.map(Number), [turns]);
    assert.deepEqual(outputs[2], [0.5, -0.25, 0.25, 0.5]);
    for (const [i, expected] of [state, all].entries())
      for (const [j, value] of (outputs[1 + 2 * i] as number[]).entries())
        assert.ok(Math.abs(value - (expected[j] as number)) < 1e-4, `${turns} turns, output ${i}: ${value}`);
    assert.equal(kinds.includes("while"), turns > 5);
  }
});

test("a loop that puts out as much as 300,000 turns ends: a turn costs its row, not the list", async () => {
  const turns = 300_000;
  const body: GraphSpec = {
    nodes: [node("Add", "state w", "next"), node("Identity", "before", "again")],
    inputs: [
      { name: "turn", type: INT64, dims: [] },
      { name: "before", type: BOOL, dims: [] },
      { name: "state", dims: [4] },
    ],
    outputs: [{ name: "again" }, { name: "next" }, { name: "next" }],
  };
  const { outputs } = await run(
    {
      nodes: [node("Loop", "m  s", "last all", { graph: { body } })],
      inputs: [
        { name: "s", dims: [4] },
        { name: "w", dims: [4] },
      ],
      outputs: [{ name: "last" }, { name: "all" }],
      initializers: [{ name: "m", dims: [], type: INT64, values: [turns] }],
    },
    [Float32Array.of(0, 0, 0, 0), Float32Array.of(1, 2, 3, 4)],
  );
  assert.deepEqual(
    outputs[0],
    [1, 2, 3, 4].map((value) => value * turns),
  );
  assert.deepEqual(outputs[1]?.slice(-8), [
    ...[1, 2, 3, 4].map((value) => value * (turns - 1)),
    ...(outputs[0] as number[]),
  ]);
});

test("a long Scan whose body takes other inputs is refused", async () => {
  const body: GraphSpec = {
    nodes: [node("Add", "state other", "next")],
    inputs: ["state", "slice", "other"].map((name) => ({ name, dims: [2] })),
    outputs: [{ name: "next" }, { name: "next" }],
  };
  const spec: GraphSpec = {
    nodes: [node("Scan", "s x", "last all", { int: { num_scan_inputs: 1 }, graph: { body } })],
    inputs: [
      { name: "s", dims: [2] },
      { name: "x", dims: [TURNS, 2] },
    ],
    outputs: [{ name: "last" }, { name: "all" }],
  };
  await refusedModel(buildOnnx(spec), "UNSUPPORTED", /a body of 2 inputs, received 3/);
});
