/** Figures of models on data: against counting by hand, and for data that does not belong to the model. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { writeTflite } from "../../bindings/formats/tflite/write/index.ts";
import type { AnyNode, Graph, TensorId } from "../../bindings/graph.ts";
import { datasetOf } from "../../bindings/optimize/data/batches.ts";
import type { Sample } from "../../bindings/optimize/data/types.ts";
import { evaluate } from "../../bindings/optimize/evaluate/evaluate.ts";
import { nodeData } from "../../bindings/optimize/evaluate/nodeData.ts";
import { paretoOf, paretoSvg } from "../../bindings/optimize/evaluate/pictures.ts";
import { reportHtml } from "../../bindings/optimize/evaluate/report.ts";
import { ClassCount, largest } from "../../bindings/optimize/evaluate/scores.ts";
import { loadModel } from "../../bindings/public/index.ts";
import { DIGITS, pint8 } from "../cli/run.ts";
import { buildNetwork } from "./support/networks.ts";

const SHARED = new URL("../../../shared/", import.meta.url);
const folder = mkdtempSync(join(tmpdir(), "pint8-evaluate-"));
after(() => rmSync(folder, { recursive: true }));

/** y = x · factor, of four numbers. */
function scaled(factor: number, name: string): Graph {
  const node = { kind: "mul", where: "node 0 (MUL)", inputs: [0, 2], outputs: [1], attributes: { activation: "none" } };
  return {
    name: "main",
    subgraphs: [],
    nodes: [node as unknown as AnyNode],
    tensors: [
      { name: "x", dtype: "float32", shape: [1, 4] },
      { name, dtype: "float32", shape: [1, 4] },
      { name: "factor", dtype: "float32", shape: [1], data: new Uint8Array(Float32Array.of(factor).buffer) },
    ],
    inputs: [{ name: "x", tensor: 0 as TensorId }],
    outputs: [{ name, tensor: 1 as TensorId }],
  };
}

const samples = (labels: readonly number[]): Sample[] =>
  labels.map((label, i) => ({
    inputs: [Float32Array.from({ length: 4 }, (_, k) => (k === i % 4 ? 1 : 0.25 * k))],
    label,
    targets: [Float32Array.of(0, 0, 0, 0)],
  }));

describe("evaluate", () => {
  test("counts classes, errors and agreement", async () => {
    // Sample i has its largest score at i % 4.
    const data = datasetOf(samples([0, 1, 2, 3, 0, 0, 0, 3]), { size: 8, preparation: "none" });
    const seen: number[] = [];
    const found = await evaluate(scaled(2, "y"), data, {
      against: scaled(-1, "y"),
      onProgress: ({ phase, done }) => phase === "evaluate" && seen.push(done),
    });
    assert.equal(found.samples, 8);
    assert.equal(found.preparation, "none");
    assert.equal(found.model.classes?.top1, 6 / 8);
    assert.equal(found.model.classes?.top5, 1);
    assert.deepEqual(found.model.classes?.confusion, [
      [2, 1, 1, 0],
      [0, 1, 0, 0],
      [0, 0, 1, 0],
      [0, 0, 0, 2],
    ]);
    assert.equal(found.agreement, 0);
    assert.equal(found.outputs?.cosine.toFixed(6), "-1.000000");
    const sums = samples([0, 1, 2, 3, 4, 5, 6, 7]).map(({ inputs }) => inputs[0]?.reduce((a, b) => a + b, 0) ?? 0);
    const mean = sums.reduce((a, b) => a + b, 0) / 32;
    assert.ok(Math.abs((found.outputs?.meanError ?? 0) - 3 * mean) < 1e-6);
    assert.ok(Math.abs((found.model.targets?.meanError ?? 0) - 2 * mean) < 1e-6);
    assert.deepEqual(seen, [8]);
    const [layer] = found.layers ?? [];
    assert.equal(layer?.name, "y");
    // Signal 1, noise 9.
    assert.ok(Math.abs((layer?.snr ?? 0) - 10 * Math.log10(1 / 9)) < 1e-4);
    assert.equal(
      layer?.histogram.counts.reduce((a, b) => a + b, 0),
      32,
    );
  });

  test("values have no class in common", async () => {
    const data = datasetOf(samples([0, 1]).map(({ inputs, targets = [] }) => ({ inputs, targets })));
    const found = await evaluate(scaled(1, "y"), data, { against: scaled(1, "y") });
    assert.equal(found.agreement, undefined);
    assert.equal(found.outputs?.meanError, 0);
  });

  test("says what two models agree on: places of a map, decisions, or a largest number that may be no class", async () => {
    const x = (...values: number[]) => ({ inputs: [Float32Array.from(values)] });
    const open = (kind: "softmax" | "logistic" | "abs", shape: readonly number[], sign: number): Graph => {
      const to = buildNetwork(shape);
      const scaled = to.node("mul", [to.input, to.floats(sign)], { activation: "none" });
      const y = to.node(kind, [scaled], (kind === "softmax" ? { beta: 1 } : {}) as never);
      // As many numbers as the input has would be an autoencoder's
      return to.graph(kind === "abs" ? to.node("concat", [y, y], { axis: 1, activation: "none" }) : y);
    };
    const agreed = async (
      kind: "softmax" | "logistic" | "abs",
      shape: readonly number[],
      values: readonly number[],
    ) => {
      const against = open(kind, shape, -1);
      const found = await evaluate(open(kind, shape, 1), datasetOf([x(...values)]), { against, layerSamples: 0 });
      return [found.compared, found.agreement];
    };
    // Of three places one is undecided, whichever the sign.
    assert.deepEqual(await agreed("softmax", [1, 1, 3, 2], [1, 2, 0, 0, 4, 1]), ["class of a place", 1 / 3]);
    assert.deepEqual(await agreed("logistic", [1, 4], [0, 2, -3, 0]), ["decision", 0.5]);
    assert.deepEqual(await agreed("abs", [1, 3], [1, -2, 0]), ["largest number", 1]);
  });

  test("files and sessions; layers of other names are not compared", async () => {
    const data = datasetOf(samples([0, 1, 2, 3]));
    const bytes = writeTflite(scaled(1, "z"));
    const session = await loadModel(bytes, { batch: 2 });
    const found = await evaluate(bytes, data, { against: scaled(1, "y") });
    assert.equal(found.model.bytes, bytes.length);
    assert.equal(found.agreement, 1);
    assert.equal(found.layers, undefined);
    const again = await evaluate(session, data);
    assert.equal(again.model.batch, 2);
    assert.deepEqual(again.model.classes, found.model.classes);
    session.run([new Float32Array(8)]);
    session.close();
  });

  const rows: readonly (readonly [string, readonly Sample[], RegExp])[] = [
    ["nothing", [], /at least one sample/],
    ["a label that is none of the model's", samples([4]), /labels below 4/],
    ["another size", [{ inputs: [new Float32Array(3)] }], /4 numbers/],
    ["no number", [{ inputs: [Float32Array.of(0, Number.NaN, 0, 0)] }], /finite numbers/],
    ["no input", [{ inputs: [] }], /4 numbers/],
    ["a target of another size", [{ inputs: [new Float32Array(4)], targets: [new Float32Array(2)] }], /target of 4/],
  ];
  for (const [name, list, message] of rows)
    test(`refused: ${name}`, () =>
      assert.rejects(evaluate(scaled(1, "y"), datasetOf(list)), (error: Error & { code?: string }) => {
        assert.equal(error.code, "INVALID_INPUT");
        return message.test(error.message);
      }));

  test("a signal ends it", async () => {
    const stop = new AbortController();
    const data = datasetOf(samples(new Array<number>(400).fill(0)));
    const ended = evaluate(scaled(1, "y"), data, {
      signal: stop.signal,
      onProgress: () => stop.abort(new Error("enough")),
    });
    await assert.rejects(ended, /enough/);
  });
});

describe("figures", () => {
  test("the first of equal scores counts, NaN never", () => {
    assert.equal(largest(Float32Array.of(1, 2, 2)), 1);
    assert.equal(largest(Float32Array.of(Number.NaN, -1, -2)), 1);
    const count = new ClassCount(7);
    count.add(Float32Array.of(7, 6, 5, 4, 3, 3, 1), { inputs: [], label: 5 });
    count.add(Float32Array.of(7, 6, 5, 4, 3, 3, 1), { inputs: [], label: 4 });
    assert.deepEqual([count.result()?.top1, count.result()?.top5], [0, 0.5]);
    assert.equal(new ClassCount(3).result(), undefined);
    const many = new ClassCount(100_000);
    many.add(new Float32Array(100_000), { inputs: [], label: 7 });
    assert.deepEqual(many.result(), { top1: 0, top5: 0, confusion: [] });
    const places = new ClassCount(3);
    // found 0, 1, 1 for 0, 1, 0: halves of what has either, and nothing of class 2
    places.addPlaces(Float32Array.of(1, 0, 0, 0, 1, 0, 0, 1, 0), Float32Array.of(0, 1, 0), [3, 1]);
    assert.equal(places.result()?.iou, 0.5);
  });

  test("Pareto: who is beaten in both is left out", () => {
    const [small, good, beaten, both] = [
      [1, 0.5],
      [3, 0.9],
      [4, 0.8],
      [2, 0.7],
    ].map(([x, y], i) => ({ name: `${i}`, x: x ?? 0, y: y ?? 0 }));
    assert.deepEqual(paretoOf([small, good, beaten, both] as never), [small, good, both]);
  });

  test("errors, the least on top; names of heights that lie together are one, and none is cut off", () => {
    const errors = [
      { name: "a", x: 10, y: -11.28 },
      { name: "b", x: 90, y: -10.27 },
      { name: "c", x: 50, y: -10.271 },
    ];
    const svg = paretoSvg(errors, "mean error", (y) => Math.abs(y).toPrecision(4));
    assert.match(svg, /a 11.28, 10 B/);
    assert.deepEqual(svg.match(/text-anchor="end" font-size="12" fill="currentColor">1\d\.\d+</g)?.length, 2);
    const close = paretoSvg(
      [
        { name: "a", x: 1, y: 1 },
        { name: "b", x: 2, y: 0.9999 },
      ],
      "top-1",
    );
    assert.equal(close.match(/>\d+\.\d\d&#160;%</g)?.length, 1);
  });

  test("labels of models that stand close do not cover each other", () => {
    const points = Array.from({ length: 9 }, (_, i) => ({
      name: `model ${i % 3}`,
      x: 5000 + 20 * i,
      y: 0.9 + 1e-4 * i,
    }));
    const svg = paretoSvg(points, "top-1");
    const labels = [
      ...svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)" text-anchor="(start|end)"[^>]*>(model[^<]+)</g),
    ].map(([, x, y, anchor, text = ""]) => {
      const from = anchor === "end" ? Number(x) - 6 * text.length : Number(x);
      return { from, to: from + 6 * text.length, y: Number(y) };
    });
    assert.equal(labels.length, 9);
    for (const [i, a] of labels.entries())
      for (const b of labels.slice(i + 1))
        assert.ok(Math.abs(a.y - b.y) >= 12 || a.to < b.from || b.to < a.from, JSON.stringify([a, b]));
  });

  test("names of fused operators are cut in the page, whole where the pointer rests", async () => {
    const name = "model/relu;model/batch_normalization/add;model/conv2d";
    const found = await evaluate(writeTflite(scaled(1, name)), datasetOf(samples([0, 1])), {
      against: writeTflite(scaled(1.01, name)),
    });
    const page = reportHtml([found]);
    assert.match(
      page,
      /title="model\/relu;model\/batch_normalization\/add;model\/conv2d">model\/relu <span class="dim">and 2 more/,
    );
  });

  test("a page and node data of hostile names", async () => {
    const name = '<script>alert("x")</script>';
    const found = await evaluate(
      writeTflite(scaled(1, name)),
      datasetOf(samples([0, 1, 2, 3]), { classes: ["<b>", "1", "2", "3"] }),
      {
        against: writeTflite(scaled(1.01, name)),
        names: [name, "other"],
      },
    );
    const page = reportHtml([found], name);
    assert.ok(!page.includes("<script") && !page.includes("<b>"), "names are text");
    assert.match(page, /Layers that hurt most/);
    assert.match(page, /<polyline/);
    assert.ok(!/https?:/.test(page), "nothing is loaded");
    const data = nodeData(found.layers ?? []) as { main: { results: Record<string, { value: number }> } };
    assert.ok(Math.abs((data.main.results[name]?.value ?? 0) - 10 * Math.log10(1.01 ** 2 / 0.01 ** 2)) < 0.01);
    assert.ok(Object.values(data.main.results).every(({ value }) => Number.isFinite(value)));
  });
});

describe("pint8 evaluate", () => {
  test("folders of pictures; JSON, a page, node data", async () => {
    const [page, nodes] = [join(folder, "r.html"), join(folder, "n.json")];
    const data = fileURLToPath(new URL("../../models/digits/samples", import.meta.url));
    const args = [
      "evaluate",
      DIGITS,
      "--data",
      data,
      "--against",
      DIGITS,
      "--json",
      "--report",
      page,
      "--node-data",
      nodes,
    ];
    const { status, out } = await pint8(...args);
    assert.equal(status, 0);
    const found = JSON.parse(out);
    assert.equal(found.samples, 10);
    assert.equal(found.agreement, 1);
    assert.equal(found.layers[0].snr, null);
    assert.match(readFileSync(page, "utf8"), /^<!doctype html>/);
    assert.ok(Object.keys(JSON.parse(readFileSync(nodes, "utf8"))).length === 1);
  });

  const skip = existsSync(SHARED) ? false : "no ../shared folder";
  test("the built-in model's accuracy", { skip }, async () => {
    const data = fileURLToPath(new URL("data/mnist-t10k-images-idx3-ubyte.gz", SHARED));
    const labels = fileURLToPath(new URL("data/mnist-t10k-labels-idx1-ubyte.gz", SHARED));
    const { out } = await pint8("evaluate", DIGITS, "--data", data, "--labels", labels, "--samples", "8000:", "--json");
    assert.equal(JSON.parse(out).model.classes.top1, 0.9935);
  });
});
