/** .tflite files that pint8 writes: read again they are the same graph, and they run to the same bytes. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { Pint8Error } from "../../../bindings/errors.ts";
import { importModel } from "../../../bindings/formats/index.ts";
import { writeTflite } from "../../../bindings/formats/tflite/write/index.ts";
import type { AnyNode, Graph, TensorId } from "../../../bindings/graph.ts";
import { loadModel } from "../../../bindings/public/index.ts";
import type { Tensor } from "../../../bindings/tensor.ts";
import { CORPORA } from "../../zoo/cases.ts";
import { judge } from "../../zoo/judge.ts";
import { runGraph } from "../run-graph.ts";
import { canonical } from "./canonical.ts";

const SHARED = new URL("../../../../shared/", import.meta.url);
const skip = existsSync(SHARED) ? false : "no ../shared folder";
/** Of the zoo's models every so many is written; those with subgraphs, state and options of their own all are. */
const SAMPLE = 29;
const SPECIAL = /while|if_|call_once|signal|variable|detection|lstm_hand|svdf|string|sparse|densify|int4|bias/;
const LARGEST = 1 << 20;

const bytesOf = (url: URL) => new Uint8Array(readFileSync(url));

/** The graph, or undefined where pint8 does not read it. */
function readable(bytes: Uint8Array): Graph | undefined {
  try {
    return importModel(bytes, {});
  } catch (error) {
    if (error instanceof Pint8Error) return undefined;
    throw error;
  }
}

function files(): readonly URL[] {
  if (skip) return [];
  const list = (folder: string) =>
    readdirSync(new URL(folder, SHARED))
      .filter((name) => name.endsWith(".tflite"))
      .map((name) => new URL(`${folder}${name}`, SHARED));
  const zoo = list("zoo/tflite/").filter((url, i) => i % SAMPLE === 0 || SPECIAL.test(url.pathname));
  return [...list("models/"), ...list("models/seanet_int16/"), ...list("zoo/train/"), ...zoo];
}

describe("a file that was read and written", { skip }, () => {
  test("is the same graph again", () => {
    let count = 0;
    for (const url of files()) {
      const bytes = bytesOf(url);
      const graph = bytes.length > 4 * LARGEST ? undefined : readable(bytes);
      if (graph === undefined) continue;
      const written = writeTflite(graph, { from: bytes });
      assert.deepEqual(canonical(importModel(written, {})), canonical(graph), url.pathname);
      assert.deepEqual(writeTflite(importModel(written, {}), { from: written }), written, `${url.pathname}, twice`);
      count++;
    }
    assert.ok(count > 100, `${count} files`);
  });

  const cases = [...(CORPORA.tflite?.() ?? [])].filter(({ name }, i) => i % SAMPLE === 3 || SPECIAL.test(name));
  test("runs to the reference's outputs", async () => {
    const load = (bytes: Uint8Array, own: object) => loadModel(bytes, { ...own, module: "simd" });
    let count = 0;
    for (const each of cases.filter((_, i) => i % 3 === 0)) {
      const bytes = each.model();
      if (readable(bytes) === undefined) continue;
      const before = await judge(each, load as never);
      const { signature } = each;
      const reading = signature === undefined ? {} : { signature };
      const written = writeTflite(importModel(bytes, reading), { from: bytes, reading });
      const after = await judge({ ...each, model: () => written }, load as never);
      assert.equal(after.verdict, before.verdict, `${each.name}: ${after.reason}`);
      assert.deepEqual(after.bytes, before.bytes, each.name);
      count++;
    }
    assert.ok(count > 30, `${count} cases`);
  });

  test("constants get smaller where they are sparse", async () => {
    for (const name of ["digits_sparse80_int8", "digits_block8x4_int8", "digits_sparse80_f32"]) {
      const bytes = bytesOf(new URL(`models/${name}.tflite`, SHARED));
      const graph = importModel(bytes, {});
      const [dense, sparse] = [writeTflite(graph), writeTflite(graph, { sparse: "smaller" })];
      const most = name.endsWith("f32") ? 0.5 : 0.86;
      assert.ok(sparse.length < most * dense.length, `${name}: ${sparse.length} of ${dense.length} bytes`);
      const outputs = await Promise.all(
        [bytes, sparse].map(async (file) => {
          const model = await loadModel(file, { module: "simd" });
          const input = Float32Array.from({ length: 784 }, (_, i) => (i % 29) / 29);
          return model.run([input])[model.outputs[0].name];
        }),
      );
      assert.deepEqual(outputs[1], outputs[0], name);
      assert.deepEqual(writeTflite(importModel(sparse, {}), {}), sparse, `${name}, twice`);
    }
  });

  test("an .onnx file becomes a .tflite file", async () => {
    const names = readdirSync(new URL("models/", SHARED)).filter((name) => name.endsWith("f32.onnx"));
    for (const name of names) {
      const bytes = bytesOf(new URL(`models/${name}`, SHARED));
      const models = [await loadModel(bytes, { module: "simd" })];
      models.push(await loadModel(writeTflite(importModel(bytes, {})), { module: "simd" }));
      const length = models[0]?.inputs[0].shape.reduce((a, b) => a * b, 1) ?? 0;
      const input = Float32Array.from({ length }, (_, i) => (i % 29) / 29);
      const [expected, got] = models.map((model) => Object.values(model.run([input]))[0] as ArrayLike<number>);
      const largest = Math.max(...Array.from(expected ?? [], Math.abs));
      for (let i = 0; i < (expected?.length ?? 0); i++)
        assert.ok(Math.abs((got?.[i] ?? Number.NaN) - (expected?.[i] ?? 0)) <= 1e-5 * largest, `${name}, output ${i}`);
      assert.deepEqual(
        models[1]?.inputs.map((port) => port.name),
        models[0]?.inputs.map((port) => port.name),
      );
    }
  });
});

/** A graph of one node on float images. */
function imageGraph(
  node: Pick<AnyNode, "kind" | "attributes">,
  output: readonly number[],
  weights?: readonly number[],
): Graph {
  const tensors: Tensor[] = [
    { name: "x", dtype: "float32", shape: [1, 6, 5, 2] },
    { name: "y", dtype: "float32", shape: output },
  ];
  const fill = (length: number) => new Uint8Array(Float32Array.from({ length }, (_, i) => Math.sin(i)).buffer);
  if (weights !== undefined)
    tensors.push({ name: "w", dtype: "float32", shape: weights, data: fill(weights.reduce((a, b) => a * b, 1)) });
  const shape = node.kind === "transposeConv";
  if (shape)
    tensors.push({ name: "s", dtype: "int32", shape: [4], data: new Uint8Array(Int32Array.from(output).buffer) });
  const inputs = shape ? [3, 2, 0] : weights === undefined ? [0] : [0, 2];
  return {
    name: "main",
    tensors,
    subgraphs: [],
    nodes: [{ ...node, where: "node 0", inputs, outputs: [1] } as unknown as AnyNode],
    inputs: [{ name: "x", tensor: 0 as TensorId }],
    outputs: [{ name: "y", tensor: 1 as TensorId }],
  };
}

describe("paddings that TensorFlow Lite has no word for", () => {
  const sides = (top: number, bottom: number, left: number, right: number) => ({ top, bottom, left, right });
  const conv = { stride: [1, 1], dilation: [1, 1], activation: "none" } as const;
  const pool = { filter: [3, 3], stride: [1, 1], activation: "none" } as const;
  const rows: readonly (readonly [string, Graph, readonly string[]])[] = [
    [
      "SAME",
      imageGraph({ kind: "conv2d", attributes: { ...conv, padding: sides(1, 1, 1, 1) } }, [1, 6, 5, 3], [3, 3, 3, 2]),
      ["conv2d"],
    ],
    [
      "VALID",
      imageGraph({ kind: "conv2d", attributes: { ...conv, padding: sides(0, 0, 0, 0) } }, [1, 4, 3, 3], [3, 3, 3, 2]),
      ["conv2d"],
    ],
    [
      "a PAD",
      imageGraph({ kind: "conv2d", attributes: { ...conv, padding: sides(2, 0, 1, 1) } }, [1, 6, 5, 3], [3, 3, 3, 2]),
      ["pad", "conv2d"],
    ],
    [
      "a PAD, by channel",
      imageGraph(
        { kind: "depthwiseConv2d", attributes: { ...conv, padding: sides(0, 2, 0, 2) } },
        [1, 6, 5, 2],
        [1, 3, 3, 2],
      ),
      ["pad", "depthwiseConv2d"],
    ],
    [
      "a PAD with the least value",
      imageGraph({ kind: "maxPool2d", attributes: { ...pool, padding: sides(2, 0, 0, 2) } }, [1, 6, 5, 2]),
      ["pad", "maxPool2d"],
    ],
    [
      "SAME of a mean",
      imageGraph({ kind: "averagePool2d", attributes: { ...pool, padding: sides(1, 1, 1, 1) } }, [1, 6, 5, 2]),
      ["averagePool2d"],
    ],
    [
      "a SLICE",
      imageGraph(
        { kind: "transposeConv", attributes: { stride: [2, 2], activation: "none", padding: sides(2, 0, 1, 0) } },
        [1, 11, 10, 3],
        [3, 3, 3, 2],
      ),
      ["transposeConv", "slice"],
    ],
  ];
  for (const [name, graph, kinds] of rows)
    test(name, async () => {
      const again = importModel(writeTflite(graph), {});
      assert.deepEqual(
        again.nodes.map(({ kind }) => kind),
        kinds,
      );
      const input = Float32Array.from({ length: 60 }, (_, i) => Math.cos(i) - 0.5);
      assert.deepEqual(await runGraph(again, input), await runGraph(graph, input));
    });

  test("all that have no form stand in one error", () => {
    const mean = imageGraph(
      { kind: "averagePool2d", attributes: { ...pool, padding: sides(2, 0, 0, 2) } },
      [1, 6, 5, 2],
    );
    const nodes = [...mean.nodes, { ...mean.nodes[0], kind: "noSuchKind" } as unknown as AnyNode];
    assert.throws(
      () => writeTflite({ ...mean, nodes }),
      (error: Pint8Error) => {
        assert.equal(error.code, "UNSUPPORTED");
        assert.match(error.message, /averagePool2d with its own padding \(1×\), noSuchKind \(1×\)/);
        return true;
      },
    );
  });
});

test("a variable starts with any number, once", async () => {
  const type = { dtype: "float32", shape: [2] } as const;
  const start = new Uint8Array(Float32Array.of(0.1, 1e-9).buffer);
  const state: Tensor = { name: "sum", ...type, variable: true, resource: "sum", data: start };
  const id = (value: number) => value as TensorId;
  const node = (kind: string, inputs: readonly number[], outputs: readonly number[], attributes: object = {}) =>
    ({ kind, where: kind, inputs: inputs.map(id), outputs: outputs.map(id), attributes }) as unknown as AnyNode;
  const graph: Graph = {
    name: "main",
    tensors: [{ name: "x", ...type }, state, { name: "before", ...type }, { name: "y", ...type }],
    nodes: [
      node("readVariable", [1], [2]),
      node("add", [2, 0], [3], { activation: "none" }),
      node("assignVariable", [1, 3], []),
    ],
    inputs: [{ name: "x", tensor: id(0) }],
    outputs: [{ name: "y", tensor: id(3) }],
    subgraphs: [],
  };
  const model = await loadModel(writeTflite(graph), { module: "simd" });
  const x = Float32Array.of(1, 2);
  for (const expected of [1, 2]) {
    const { y } = model.run([x]) as { readonly y: Float32Array };
    assert.ok(Math.abs((y[0] as number) - expected - 0.1) < 1e-6 && y[1] === 2 * expected);
  }
  model.close();
});

test("shapes, names and zero points that are alike stand once", () => {
  const [channels, layers] = [64, 8];
  const quantization = (i: number) => ({
    scale: Array.from({ length: channels }, (_, c) => (c + 1) / 2 ** i),
    zeroPoint: new Array<number>(channels).fill(0),
    axis: 0,
  });
  const tensors = Array.from({ length: layers }, (_, i): readonly Tensor[] => [
    {
      name: `w${i}`,
      dtype: "int8",
      shape: [channels, 1],
      data: new Uint8Array(channels).fill(i),
      quantization: quantization(i),
    },
    { name: `y${i}`, dtype: "float32", shape: [channels, 1] },
  ]).flat();
  const graph: Graph = {
    name: "main",
    tensors,
    nodes: Array.from(
      { length: layers },
      (_, i) =>
        ({
          kind: "dequantize",
          where: `${i}`,
          inputs: [2 * i],
          outputs: [2 * i + 1],
          attributes: {},
        }) as unknown as AnyNode,
    ),
    inputs: [],
    outputs: Array.from({ length: layers }, (_, i) => ({ name: `y${i}`, tensor: (2 * i + 1) as TensorId })),
    subgraphs: [],
  };
  const file = writeTflite(graph);
  assert.deepEqual(canonical(importModel(file, {})), canonical(graph));
  // Zero points of a layer are 8 bytes for each channel, scales 4 and weights 1.
  assert.ok(file.length < layers * (5 * channels + 280) + 8 * channels, `${file.length} bytes`);
});
