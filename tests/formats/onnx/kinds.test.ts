/** Kinds of operators that few files have: computed weights of transposed convolutions, parts that are unique. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadModel } from "../../../bindings/public/index.ts";
import { buildOnnx, type GraphSpec, node, type TensorSpec } from "../build-onnx.ts";
import { runOnnx, type Values } from "../run-graph.ts";

/** Whole numbers from −8 to 8 that repeat late. */
const numbers = (count: number, seed: number) => Array.from({ length: count }, (_, i) => (((i + seed) * 37) % 17) - 8);

interface Case {
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly group?: number;
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: readonly number[];
}

/** By its definition: each x adds its weights to the outputs that they reach. */
function transposed({ x, w, group = 1, strides, dilations, pads }: Case, values: Values) {
  const [xs = [], ws = [], bias = []] = values;
  const [batch = 0, channels = 0, ...sizes] = x;
  const [, perGroup = 0, ...kernel] = w;
  const rank = sizes.length;
  const at = (list: readonly number[], i: number) => list[i] as number;
  const output = sizes.map(
    (size, i) =>
      at(strides, i) * (size - 1) + (at(kernel, i) - 1) * at(dilations, i) + 1 - at(pads, i) - at(pads, i + rank),
  );
  const count = (list: readonly number[]) => list.reduce((all, size) => all * size, 1);
  const place = (list: readonly number[], i: number) =>
    list.map((size, d) => Math.floor(i / count(list.slice(d + 1))) % size);
  const outputs = perGroup * group;
  const y = Array.from({ length: batch * outputs * count(output) }, (_, i) =>
    at(bias, Math.floor(i / count(output)) % outputs),
  );
  for (let b = 0; b < batch; b++)
    for (let c = 0; c < channels; c++)
      for (let i = 0; i < count(sizes); i++)
        for (let o = 0; o < perGroup; o++)
          for (let k = 0; k < count(kernel); k++) {
            const p = place(sizes, i);
            const q = place(kernel, k);
            const to = p.map((v, d) => v * at(strides, d) + at(q, d) * at(dilations, d) - at(pads, d));
            if (to.some((v, d) => v < 0 || v >= at(output, d))) continue;
            const channel = Math.floor(c / (channels / group)) * perGroup + o;
            const target = to.reduce((all, v, d) => all * at(output, d) + v, b * outputs + channel);
            const product =
              at(xs, (b * channels + c) * count(sizes) + i) * at(ws, (c * perGroup + o) * count(kernel) + k);
            y[target] = at(y, target) + product;
          }
  return y;
}

const CASES: Readonly<Record<string, Case>> = {
  "of one dimension": { x: [1, 4, 5], w: [4, 3, 3], strides: [2], dilations: [2], pads: [1, 0] },
  "of images in groups": {
    x: [2, 4, 4, 5],
    w: [4, 3, 3, 2],
    group: 2,
    strides: [2, 1],
    dilations: [1, 3],
    pads: [1, 0, 1, 1],
  },
  "of one channel a group": {
    x: [1, 3, 4, 4],
    w: [3, 1, 2, 2],
    group: 3,
    strides: [2, 2],
    dilations: [1, 1],
    pads: [0, 0, 0, 0],
  },
  "of images that are cut": {
    x: [1, 2, 5, 5],
    w: [2, 3, 2, 2],
    strides: [1, 1],
    dilations: [1, 1],
    pads: [2, 1, 2, 1],
  },
  "of volumes": {
    x: [1, 4, 3, 2, 3],
    w: [4, 2, 2, 2, 3],
    group: 2,
    strides: [2, 1, 2],
    dilations: [1, 2, 1],
    pads: [0, 1, 0, 1, 0, 1],
  },
};
for (const [name, each] of Object.entries(CASES))
  test(`ConvTranspose by computed weights ${name}`, async () => {
    const { x, w, group = 1, strides, dilations, pads } = each;
    const size = (list: readonly number[]) => list.reduce((all, v) => all * v, 1);
    const outputs = (w[1] as number) * group;
    const values = [numbers(size(x), 1), numbers(size(w), 5), numbers(outputs, 3)];
    const graph = {
      nodes: [node("ConvTranspose", "x w b", "y", { int: { group }, ints: { strides, dilations, pads } })],
      inputs: [
        { name: "x", dims: x },
        { name: "w", dims: w },
        { name: "b", dims: [outputs] },
      ],
      outputs: [{ name: "y" }],
    };
    assert.deepEqual(await runOnnx(graph, values), [transposed(each, values)]);
  });

const ROWS = [3, 1, 1, 2, 3, 1, 0, 9, 1, 2, 1, 2];
const unique = (sorted: number, outputs: string, axis = 0): GraphSpec => ({
  nodes: [node("Unique", "x", outputs, { int: { axis, sorted } })],
  inputs: [{ name: "x", dims: axis === 0 ? [6, 2] : [2, 6] }],
  outputs: outputs.split(" ").map((name) => ({ name })),
});

test("rows each once, in rising order and in that of their first places", async () => {
  assert.deepEqual(await runOnnx(unique(1, "y first inverse counts"), [ROWS]), [
    [0, 9, 1, 2, 3, 1],
    [3, 1, 0],
    [2, 1, 2, 0, 1, 1],
    [1, 3, 2],
  ]);
  assert.deepEqual(await runOnnx(unique(0, "y first inverse counts"), [ROWS]), [
    [3, 1, 1, 2, 0, 9],
    [0, 1, 3],
    [0, 1, 0, 2, 1, 1],
    [2, 3, 1],
  ]);
});

test("of columns, what is not they themselves", async () => {
  const columns = [0, 1].flatMap((c) => ROWS.filter((_, i) => i % 2 === c));
  const graph = unique(1, "y first inverse counts", 1);
  const [y, ...others] = graph.outputs;
  const nodes = graph.nodes.map((each) => ({ ...each, outputs: ["", "first", "inverse", "counts"] }));
  assert.ok(y);
  assert.deepEqual(await runOnnx({ ...graph, nodes, outputs: others }, [columns]), [
    [3, 1, 0],
    [2, 1, 2, 0, 1, 1],
    [1, 3, 2],
  ]);
  await assert.rejects(runOnnx(graph, [columns]), /UNSUPPORTED|first axis/);
});

test("GatherBlockQuantized by a scalar gives a row without its dimension", async () => {
  const nodes = [
    node("Cast", "at", "index", { int: { to: 7 } }),
    node("GatherBlockQuantized", "q index scales", "y", { domain: "com.microsoft", int: { block_size: 16 } }),
  ];
  const raw = Uint8Array.from({ length: 16 }, (_, i) => i * 17);
  const initializers: TensorSpec[] = [
    { name: "q", type: 21, dims: [2, 16], raw },
    { name: "scales", type: 1, dims: [2, 1], values: [1, 2] },
  ];
  const graph = { nodes, inputs: [{ name: "at", dims: [] }], outputs: [{ name: "y" }], initializers };
  const model = await loadModel(buildOnnx(graph, 21), { module: "simd" });
  const y = model.run([Float32Array.of(1)]).y as Float32Array;
  assert.deepEqual(model.outputs[0]?.shape, [16]);
  assert.deepEqual(
    [...y],
    Array.from({ length: 16 }, (_, i) => 2 * ((16 + i) >> 1)),
  );
  model.close();
});

test("SimplifiedLayerNormalization gives the inverse of each row's root, too", async () => {
  const [y, inverse] = await runOnnx(
    {
      nodes: [
        node("SimplifiedLayerNormalization", "x scale", "y inverse", { int: { axis: -1 }, float: { epsilon: 0 } }),
      ],
      inputs: [{ name: "x", dims: [2, 2] }],
      outputs: [{ name: "y" }, { name: "inverse" }],
      initializers: [{ name: "scale", type: 1, dims: [2], values: [1, 10] }],
    },
    [[1, 7, 3, 3]],
  );
  assert.deepEqual(
    [y, inverse],
    [
      [Math.fround(0.2), Math.fround(14), 1, 10],
      [Math.fround(0.2), Math.fround(1 / 3)],
    ],
  );
});
