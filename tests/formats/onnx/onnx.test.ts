/** ONNX models: reshaping, constants, external data, transposes that remain, and what is refused with a reason. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { importModel, loadModel, Pint8Error, runPasses } from "../../../bindings/public/index.ts";
import { buildOnnx, type GraphSpec, type NodeSpec } from "../build-onnx.ts";

const floats = (count: number, f: (i: number) => number = (i) => ((i * 37) % 19) / 19 - 0.5) =>
  Array.from({ length: count }, (_, i) => f(i));

/** y = relu(x·w + b), of rows `[n, 4]`. */
const LINEAR: GraphSpec = {
  nodes: [
    { operator: "MatMul", inputs: ["x", "w"], outputs: ["p"] },
    { operator: "Relu", inputs: ["p"], outputs: ["y"] },
  ],
  inputs: [{ name: "x", dims: ["n", 4] }],
  outputs: [{ name: "y" }],
  initializers: [{ name: "w", dims: [4, 300], type: 1, values: floats(1200) }],
};

/** A refusal with this code and words. */
async function refused(graph: GraphSpec, code: string, words: RegExp, options: object = {}): Promise<void> {
  await assert.rejects(loadModel(buildOnnx(graph), options), (error: unknown) => {
    assert.ok(error instanceof Pint8Error, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, words);
    return true;
  });
}

describe("reshape", () => {
  const row = Float32Array.of(1, -2, 3, 0.5);
  const rows = (count: number) => Float32Array.from({ length: 4 * count }, (_, i) => row[i % 4] as number);

  test("plans anew, with the same answers in each row", async () => {
    const model = await loadModel(buildOnnx(LINEAR), { shapes: { x: [1, 4] } });
    const [first] = Object.values(model.run([row])) as [Float32Array];
    for (const count of [3, 1, 5, 3, 2, 7, 1]) {
      assert.equal(await model.reshape({ x: [count, 4] }), model);
      assert.deepEqual(model.inputs[0]?.shape, [count, 4]);
      const [y] = Object.values(model.run([rows(count)])) as [Float32Array];
      assert.equal(y.length, 300 * count);
      for (let i = 0; i < count; i++) assert.deepEqual(y.slice(300 * i, 300 * i + 300), first);
    }
    model.close();
    await assert.rejects(model.reshape({ x: [1, 4] }), /CLOSED|closed/);
  });

  test("a shape that does not fit leaves the session as it was", async () => {
    const model = await loadModel(buildOnnx(LINEAR));
    const before = model.run([row]);
    await assert.rejects(model.reshape({ x: [1, 5] }), Pint8Error);
    await assert.rejects(model.reshape({ z: [1, 4] }), Pint8Error);
    assert.deepEqual(model.run([row]), before);
    model.close();
  });
});

describe("constants", () => {
  const GRAPH: GraphSpec = {
    nodes: [{ operator: "Reshape", inputs: ["x", "shape"], outputs: ["y"] }],
    inputs: [
      { name: "x", dims: [2, 3] },
      { name: "shape", type: 7, dims: ["rank"] },
    ],
    outputs: [{ name: "y" }],
  };

  test("an input that is told is no input any more", async () => {
    const model = await loadModel(buildOnnx(GRAPH), { constants: { shape: [3, 2] } });
    assert.deepEqual(
      model.inputs.map(({ name }) => name),
      ["x"],
    );
    assert.deepEqual(model.outputs[0]?.shape, [3, 2]);
    model.close();
  });

  test("without it the model is refused, and says which input", async () => {
    await refused(GRAPH, "UNSUPPORTED", /Reshape.*input 1 to be a constant/, { shapes: { shape: [2] } });
    await refused(GRAPH, "INVALID_OPTION", /constants/, { constants: { other: [1] } });
    await refused(GRAPH, "INVALID_OPTION", /constants.*x/, { constants: { x: [1, 2] }, shapes: { shape: [2] } });
  });
});

describe("external data", () => {
  const graph = (external: Readonly<Record<string, string>>): GraphSpec => ({
    ...LINEAR,
    initializers: [{ name: "w", dims: [4, 300], type: 1, external }],
  });
  const bytes = new Uint8Array(Float32Array.from(floats(1200)).buffer);
  const shifted = new Uint8Array(bytes.length + 16);
  shifted.set(bytes, 16);

  test("a range of a file that is given", async () => {
    const x = Float32Array.of(1, 2, 3, 4);
    const inside = await loadModel(buildOnnx(LINEAR));
    const outside = await loadModel(buildOnnx(graph({ location: "w.bin", offset: "16", length: "4800" })), {
      externalData: { "w.bin": shifted },
    });
    assert.deepEqual(outside.run([x]), inside.run([x]));
    inside.close();
    outside.close();
  });

  for (const location of ["../w.bin", "/w.bin", "a/../../w.bin", "C:\\w.bin", "..\\w.bin", ""])
    test(`never from ${JSON.stringify(location)}`, () =>
      refused(graph({ location }), "INVALID_MODEL", /inside the model's folder/, {
        externalData: { [location]: bytes },
      }));

  test("a missing file and ranges outside of it", async () => {
    await refused(graph({ location: "w.bin" }), "IO", /w\.bin/);
    for (const other of [bytes.buffer, "w.bin", new DataView(bytes.buffer)])
      await refused(graph({ location: "w.bin" }), "INVALID_OPTION", /as a Uint8Array, received/, {
        externalData: { "w.bin": other as never },
      });
    for (const [offset, length] of [
      ["16", "4800"],
      ["-4", "4800"],
      ["0", "1e9"],
      ["x", "4"],
    ] as const)
      await refused(graph({ location: "w.bin", offset, length }), "INVALID_MODEL", /range/, {
        externalData: { "w.bin": bytes },
      });
    await refused(graph({ location: "w.bin", length: "4" }), "INVALID_MODEL", /4800 bytes/, {
      externalData: { "w.bin": bytes },
    });
  });
});

describe("layout", () => {
  /** Convolutions, pools and elementwise operators in a row, with a shortcut. */
  const nodes: NodeSpec[] = [
    { operator: "Conv", inputs: ["x", "w1"], outputs: ["a"], ints: { pads: [1, 1, 1, 1] } },
    { operator: "Relu", inputs: ["a"], outputs: ["b"] },
    { operator: "MaxPool", inputs: ["b"], outputs: ["c"], ints: { kernel_shape: [2, 2], strides: [2, 2] } },
    { operator: "Conv", inputs: ["c", "w2"], outputs: ["d"], ints: { pads: [1, 1, 1, 1] } },
    { operator: "Sigmoid", inputs: ["d"], outputs: ["e"] },
    { operator: "Mul", inputs: ["d", "e"], outputs: ["f"] },
    { operator: "Add", inputs: ["f", "c"], outputs: ["g"] },
    { operator: "Concat", inputs: ["g", "c"], outputs: ["h"], int: { axis: 1 } },
    { operator: "Pad", inputs: ["h", "pads"], outputs: ["i"] },
    { operator: "AveragePool", inputs: ["i"], outputs: ["y"], ints: { kernel_shape: [3, 3] } },
  ];
  const graph: GraphSpec = {
    nodes,
    inputs: [{ name: "x", dims: [1, 3, 8, 8] }],
    outputs: [{ name: "y" }],
    initializers: [
      { name: "w1", dims: [4, 3, 3, 3], type: 1, values: floats(108) },
      { name: "w2", dims: [4, 4, 3, 3], type: 1, values: floats(144) },
      { name: "pads", dims: [8], type: 7, values: [0, 0, 1, 1, 0, 0, 1, 1] },
    ],
  };
  const kinds = (spec: GraphSpec) => runPasses(importModel(buildOnnx(spec), {})).nodes.map(({ kind }) => kind);

  test("a convolutional network keeps one transpose at each end", () => {
    const list = kinds(graph);
    assert.deepEqual(
      list.flatMap((kind, i) => (kind === "transpose" ? [i] : [])),
      [0, list.length - 1],
    );
  });

  test("one channel, or a picture of one pixel, needs none there", () => {
    const head: NodeSpec = { operator: "GlobalAveragePool", inputs: ["i"], outputs: ["y"] };
    assert.equal(
      kinds({ ...graph, nodes: [...nodes.slice(0, -1), head] }).filter((kind) => kind === "transpose").length,
      1,
    );
  });
});

describe("what is refused", () => {
  const relu = (inputs: readonly string[], outputs: readonly string[]): NodeSpec => ({
    operator: "Relu",
    inputs,
    outputs,
  });
  const graph = (...nodes: readonly NodeSpec[]): GraphSpec => ({
    nodes,
    inputs: [{ name: "x", dims: [2] }],
    outputs: [{ name: "y" }],
  });

  test("cycles, names used twice, values that nothing gives", async () => {
    await refused(graph(relu(["b"], ["a"]), relu(["a"], ["b"]), relu(["x"], ["y"])), "INVALID_MODEL", /written before/);
    await refused(graph(relu(["y"], ["y"])), "INVALID_MODEL", /written before/);
    await refused(graph(relu(["x"], ["y"]), relu(["x"], ["y"])), "INVALID_MODEL", /once/);
    await refused(graph(relu(["x"], ["x"])), "INVALID_MODEL", /once/);
    await refused(graph(relu(["x"], ["z"])), "INVALID_MODEL", /output "y"/);
    await refused(graph(relu([], ["y"])), "INVALID_MODEL", /input 0/);
  });

  test("all unknown operators at once, in subgraphs too", () =>
    refused(
      graph(
        { operator: "Magic", inputs: ["x"], outputs: ["a"] },
        {
          operator: "If",
          inputs: ["x"],
          outputs: ["y"],
          graph: { then_branch: graph({ operator: "Spell", domain: "own", inputs: [], outputs: ["y"] }) },
        },
      ),
      "UNSUPPORTED",
      /Magic \(1×\), own\.Spell \(1×\)/,
    ));

  test("initializers that are not as long as their shape, and of billions of elements", async () => {
    const of = (dims: readonly number[], count: number): GraphSpec => ({
      ...graph({ operator: "Add", inputs: ["x", "w"], outputs: ["y"] }),
      initializers: [{ name: "w", dims, type: 1, values: floats(count) }],
    });
    await refused(of([3], 2), "INVALID_MODEL", /12 bytes/);
    await refused(of([2 ** 20, 2 ** 20], 1), "OUT_OF_MEMORY", /4 GiB/);
    await refused(of([2, 2, 2, 2, 2, 2, 2, 2, 2], 1), "UNSUPPORTED", /dimensions/);
  });

  test("strings, sequences, and types that an operator lacks", async () => {
    await refused(
      { ...graph(relu(["x"], ["y"])), inputs: [{ name: "x", type: 8, dims: [2] }] },
      "UNSUPPORTED",
      /string/,
    );
    await refused(
      { ...graph(relu(["x"], ["y"])), inputs: [{ name: "x", type: 0, dims: [2] }] },
      "UNSUPPORTED",
      /no tensor/,
    );
    await refused({ ...graph(relu(["x"], ["y"])), inputs: [{ name: "x", type: 9, dims: [2] }] }, "UNSUPPORTED", /bool/);
  });

  test("an opset that is none, and open shapes that nobody gives", async () => {
    await assert.rejects(loadModel(buildOnnx(LINEAR, 0)), /opset/);
    const open = buildOnnx({ ...LINEAR, inputs: [{ name: "x", dims: ["n", "m"] }] });
    await assert.rejects(loadModel(open), {
      code: "INVALID_OPTION",
      message: /open dimensions/,
      hint: /shapes: .*--shape/,
    });
    await refused(LINEAR, "INVALID_OPTION", /shapes/, { shapes: { x: [1, 5] } });
  });
});

describe("half precision", () => {
  test("computed in float32 and rounded again", async () => {
    const half: GraphSpec = {
      nodes: [{ operator: "Mul", inputs: ["x", "w"], outputs: ["y"] }],
      inputs: [{ name: "x", type: 10, dims: [3] }],
      outputs: [{ name: "y", type: 10 }],
      initializers: [{ name: "w", dims: [1], type: 10, raw: Uint8Array.of(0x55, 0x35) }], // 0.33325
    };
    const model = await loadModel(buildOnnx(half));
    // 1, 3, −0.5
    const { y } = model.run({ x: Uint16Array.of(0x3c00, 0x4200, 0xb800) }) as { y: Uint16Array };
    assert.deepEqual([...y], [0x3555, 0x3c00, 0xb155]);
    model.close();
  });
});
