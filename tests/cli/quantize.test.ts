/** `pint8 quantize`: whole command lines, in this process. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { barLine, progressBar } from "../../bindings/cli/bar.ts";
import { main } from "../../bindings/cli/program.ts";
import { randomOf } from "../../bindings/optimize/train/random.ts";
import { importModel } from "../../bindings/public/index.ts";
import { writeTflite } from "../../bindings/public/optimize.ts";
import { buildTflite } from "../formats/build-tflite.ts";
import { options } from "../formats/tflite-options.ts";
import { accuracy, digits, skip } from "../optimize/support/digits.ts";
import { buildNetwork } from "../optimize/support/networks.ts";

const SHARED = fileURLToPath(new URL("../../../shared/", import.meta.url));
const MODEL = `${SHARED}models/digits_f32.tflite`;
const IMAGES = `${SHARED}data/mnist-t10k-images-idx3-ubyte.gz`;

test("quantize says that eight bits do not hold a network, and what would", async () => {
  const folder = mkdtempSync(join(tmpdir(), "pint8-poor-"));
  try {
    // One column is a thousand times as wide as the others, and says nothing.
    const to = buildNetwork([1, 4]);
    const weights = [to.floats(0, 1, -1, 0.5), to.floats(0)];
    const y = to.node("fullyConnected", [to.input, ...weights], { activation: "none", keepDims: false });
    const [model, table, output] = ["m.tflite", "t.csv", "q.tflite"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(model, writeTflite(to.graph(y)));
    const random = randomOf(2);
    const row = () => [1000, 1, 1, 1].map((size) => size * random.normal()).join();
    writeFileSync(table, Array.from({ length: 40 }, row).join("\n"));
    const run = async (...args: readonly string[]) => {
      const [out, err]: [string[], string[]] = [[], []];
      const streams = { out: (line: string) => out.push(line), err: (line: string) => err.push(line) };
      assert.equal(
        await main(["quantize", model, "--data", table, "-o", output, ...args], streams, "0"),
        0,
        err.join(),
      );
      return { out: out.join("\n"), err: err.join("\n") };
    };
    assert.match((await run()).err, /note: too little .*"y" -?\d\.\d dB; --activations int16, or no --data/);
    const told = JSON.parse((await run("--json")).out);
    assert.ok(told.outputs[0].snr < 3);
    assert.equal(told.notes.length, 1);
    const wide = JSON.parse((await run("--json", "--activations", "int16")).out);
    assert.ok(wide.outputs[0].snr > 20);
    assert.deepEqual(wide.notes, []);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe("pint8 quantize", { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), "pint8-quantize-"));
  after(() => rmSync(folder, { recursive: true }));

  async function run(...args: readonly string[]) {
    const [out, err]: [string[], string[]] = [[], []];
    const streams = { out: (line: string) => out.push(line), err: (line: string) => err.push(line) };
    const status = await main(["quantize", ...args], streams, "0");
    return { status, out: out.join("\n"), err: err.join("\n") };
  }

  test("by examples: a smaller file that knows the digits", async () => {
    const file = join(folder, "digits.tflite");
    const { status, err } = await run(MODEL, "--data", IMAGES, "--samples", "0:32", "--io", "int8", "-o", file);
    assert.equal(status, 0, err);
    assert.match(err, /12 layers: int8 weights, int8 activations/);
    assert.match(err, /bytes, \d+ % of 77,728, by 32 examples/);
    const graph = importModel(new Uint8Array(readFileSync(file)), {});
    assert.equal(graph.tensors[graph.inputs[0]?.tensor ?? 0]?.dtype, "int8");
    assert.ok((await accuracy(graph, digits(8000, 8300))) > 98.5);
  });

  test("a network without weights: says that there are none", async () => {
    const { status, err } = await run(`${SHARED}onnx/node/test_tanh/model.onnx`, "-o", join(folder, "tanh.tflite"));
    assert.equal(status, 0, err);
    assert.match(err, /^no layer has weights to quantize$/m);
  });

  test("settings of layers, and one JSON object", async () => {
    const file = join(folder, "mixed.tflite");
    const settings = ["--layer", "dense=int4", "--layer", "first=float32"];
    const { status, out, err } = await run(
      MODEL,
      "--data",
      IMAGES,
      "--samples",
      "8",
      ...settings,
      "--json",
      "-o",
      file,
    );
    assert.equal(status, 0, err);
    const { layers, samples, preparation } = JSON.parse(out);
    assert.equal(samples, 8);
    assert.equal(preparation, "pixels / 255");
    assert.equal(layers[0].activations, "float32");
    assert.equal(layers.at(-1).weights, "int4");
  });

  test("without examples: dynamic range", async () => {
    const file = join(folder, "dynamic.tflite");
    const { status, err } = await run(MODEL, "-o", file);
    assert.equal(status, 0, err);
    assert.match(err, /12 layers: int8 weights, float32 activations/);
  });

  test("without examples: the weights of all signatures, once where they are the same", async () => {
    const [from, file] = ["signatures.tflite", "signatures_dynamic.tflite"].map((name) => join(folder, name)) as [
      string,
      string,
    ];
    const layer = {
      tensors: [
        { name: "x", dtype: "float32", shape: [1, 64] },
        {
          name: "w",
          dtype: "float32",
          shape: [64, 64],
          data: Float32Array.from({ length: 4096 }, (_, i) => Math.sin(i)),
        },
        { name: "y", dtype: "float32", shape: [1, 64] },
      ],
      operators: [{ code: "FULLY_CONNECTED", inputs: [0, 1, -1], outputs: [2], options: options.fullyConnected({}) }],
      inputs: [0],
      outputs: [2],
    } as const;
    const signatures = ["read", "write"].map((key, subgraph) => ({
      key,
      subgraph,
      inputs: { x: 0 },
      outputs: { y: 2 },
    }));
    writeFileSync(from, buildTflite({ ...layer, subgraphs: [layer], signatures }));
    const { status, err } = await run(from, "-o", file);
    assert.equal(status, 0, err);
    const bytes = new Uint8Array(readFileSync(file));
    for (const signature of ["read", "write"])
      assert.equal(importModel(bytes, { signature }).tensors.find(({ name }) => name === "w")?.dtype, "int8");
    assert.ok(bytes.length < 4096 * 2, `${bytes.length} bytes`);
  });

  test("an .onnx file's readers round otherwise: a warning", async () => {
    const args = [MODEL, "--data", IMAGES, "--samples", "0:8", "-o"];
    const { status, err } = await run(...args, join(folder, "digits.onnx"));
    assert.equal(status, 0, err);
    assert.match(err, /^warning: operators that round as TensorFlow Lite does \(.*6 conv2d.*\.onnx file/);
    assert.doesNotMatch((await run(...args, join(folder, "digits.tflite"))).err, /warning/);
  });

  test("errors write nothing", async () => {
    const before = readdirSync(folder);
    const file = join(folder, "none.tflite");
    const data = ["--data", IMAGES, "--samples", "0:8"];
    const cases: readonly (readonly [RegExp, readonly string[]])[] = [
      [/INVALID_OPTION.*size 27\.\d+ % of at most 1 %, missed/, [MODEL, ...data, "--size", "1%", "-o", file]],
      [/INVALID_GRAPH.*expected a network of floats/, [`${SHARED}models/digits_int8.tflite`, ...data, "-o", file]],
      [/INVALID_OPTION/, [MODEL, ...data, "-o", join(folder, "none.bin")]],
      [/INVALID_OPTION/, [MODEL, ...data, "--layer", "dense=int5", "-o", file]],
      [/points from 0 to 1000, as in 0\.5/, [MODEL, ...data, "--max-drop", "-1", "-o", file]],
      [/per cent from 0 to 1000, as in 60%/, [MODEL, ...data, "--size", "much", "-o", file]],
      [
        /float32 beside weights of float16/,
        [MODEL, ...data, "--weights", "float16", "--activations", "int8", "-o", file],
      ],
      [/INVALID_OPTION/, [MODEL, "--activations", "int8", "-o", file]],
      [/IO/, [MODEL, ...data, "-o", join(folder, "nowhere", "none.tflite")]],
    ];
    for (const [expected, args] of cases) {
      const { status, err } = await run(...args);
      assert.equal(status, 1, args.join(" "));
      assert.match(err, expected);
    }
    assert.deepEqual(readdirSync(folder), before);
    assert.ok(!existsSync(file));
  });
});

test("a line of progress, for those who watch", () => {
  assert.equal(
    barLine({ phase: "round", done: 6, total: 12 }, 3.4),
    `round      ${"█".repeat(12)}${"░".repeat(12)} 6 of 12, 3 s`,
  );
  const lines: string[] = [];
  const bar = progressBar({ out: () => {}, err: () => {}, status: (line) => lines.push(line) });
  for (let done = 0; done < 1000; done++) bar.show({ phase: "calibrate", done });
  bar.clear();
  assert.ok(lines.length >= 2 && lines.length < 100);
  assert.equal(lines.at(-1), "");
});
