/** What programs without types pass: a Pint8Error that says where, what and what to do, never a TypeError of the engine's own. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as optimize from "../../bindings/public/optimize.ts";
import { freshNetwork, Pint8Error } from "../../bindings/public/optimize.ts";

const graph = freshNetwork("ds-cnn:0.25", { shape: [1, 8, 8, 1], classes: 2, seed: 0 });
/** Functions that take anything, or whose argument is read only when it is gone through. */
const LAZY = ["ahead", "batches"];
const functions = Object.entries(optimize).filter(
  ([name, value]) => typeof value === "function" && name !== "Pint8Error" && !LAZY.includes(name),
) as unknown as readonly (readonly [string, (...given: readonly unknown[]) => unknown])[];

async function errorOf(work: () => unknown): Promise<unknown> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe("functions without what they need", () => {
  const calls: { readonly [text: string]: readonly unknown[] } = {
    nothing: [],
    "{}": [{}],
    null: [null],
    "5": [5],
    "{}, {}": [{}, {}],
  };
  for (const [name, run] of functions)
    for (const [text, given] of Object.entries(calls))
      test(`${name}(${text})`, async () => {
        const error = await errorOf(() => run(...given));
        assert.ok(error instanceof Pint8Error, `${error}`);
        assert.match(error.message, /: expected .+, received .+/);
        assert.notEqual(error.hint, "", error.message);
      });

  for (const name of ["quantize", "prune", "train", "distil", "evaluate"] as const) {
    const [, run] = functions.find(([each]) => each === name) as (typeof functions)[number];
    for (const data of [{}, 5, null, [{ inputs: [] }]])
      test(`${name}(graph, ${JSON.stringify(data)})`, async () => {
        const error = await errorOf(() => run(graph, data, name === "distil" ? { student: graph } : {}));
        assert.ok(error instanceof Pint8Error, `${error}`);
        assert.match(error.hint, /datasetOf/);
      });
    test(`${name}: a mistyped option is named`, async () => {
      const data = optimize.datasetOf([{ inputs: [new Float32Array(64)], label: 0 }]);
      const wrong = name === "distil" ? { student: "ds-cnn", epoch: 1 } : { signall: 1 };
      const error = await errorOf(() => run(graph, data, wrong));
      assert.ok(error instanceof Pint8Error && error.code === "INVALID_OPTION", `${error}`);
      assert.match(error.hint, name === "distil" ? /"epochs"/ : /"signal"/);
    });
  }
});

describe("examples", () => {
  const bars = (i: number) => ({
    inputs: [Float32Array.from({ length: 64 }, (_, at) => Number((i % 2 ? at % 8 : at >> 3) === (i >> 1) % 8))],
    label: i % 2,
  });
  async function* once() {
    for (let i = 0; i < 32; i++) yield bars(i);
  }
  const training = { epochs: 1, batch: 8, threads: 1, seed: 1 } as const;
  const work = {
    quantize: async (data) => (await optimize.quantize(graph, data, { weights: "int4" })).graph,
    prune: async (data) => (await optimize.prune(graph, data, { pattern: "channels", tune: training })).graph,
    train: (data) => optimize.train(graph, data, training),
    distil: (data) => optimize.distil(graph, data, { ...training, student: "ds-cnn:0.25" }),
  } satisfies { readonly [name: string]: (data: AsyncIterable<optimize.Sample>) => Promise<unknown> };

  for (const [name, run] of Object.entries(work)) {
    test(`${name}: a generator, which gives them once, is as good as what gives them again`, async () => {
      const again = optimize.datasetOf(Array.from({ length: 32 }, (_, i) => bars(i)));
      assert.deepEqual(optimize.writeTflite(await run(once())), optimize.writeTflite(await run(again)));
    });

    for (const [of, wrong] of Object.entries({
      none: null,
      "no inputs": {},
      "inputs that are none": { inputs: [undefined] },
    }))
      test(`${name}: examples with ${of} are refused by name`, async () => {
        const data = optimize.datasetOf([bars(0), wrong as never]);
        const error = await errorOf(() => run(data));
        assert.ok(error instanceof Pint8Error && error.code === "INVALID_INPUT", `${error}`);
        assert.match(error.message, new RegExp(`${name}, sample 1: expected an example`));
      });
  }

  test("evaluate: a generator, and examples that are none", async () => {
    const file = optimize.writeTflite(graph);
    assert.equal((await optimize.evaluate(file, once(), { against: file })).samples, 32);
    const error = await errorOf(() => optimize.evaluate(file, optimize.datasetOf([null as never])));
    assert.ok(error instanceof Pint8Error && /evaluate, sample 0/.test(error.message), `${error}`);
  });
});

describe("arguments of which a part is of another class", () => {
  const api = optimize as unknown as { readonly [name: string]: (...given: readonly unknown[]) => unknown };
  const call = (name: string, ...given: readonly unknown[]) => (api[name] as (typeof api)[string])(...given);
  const data = () => optimize.datasetOf([{ inputs: [new Float32Array(64)], label: 0 }]);
  const ports = [{ name: "x", shape: [1, 8, 8, 1] }];
  const calls: readonly (readonly [string, () => unknown])[] = [
    ...["quantize", "prune", "train", "evaluate"].map(
      (name) => [`${name}, signal`, () => call(name, graph, data(), { signal: {} })] as const,
    ),
    ["quantize, layers of null", () => call("quantize", graph, data(), { layers: { "*": null, x: { weights: 1 } } })],
    ["quantize, maxDrop", () => call("quantize", graph, data(), { maxDrop: Symbol("most") })],
    ["arrayDataset of numbers", () => call("arrayDataset", ports, [5])],
    ["arrayDataset of ports that are none", () => call("arrayDataset", [undefined], [5])],
    ["filesDataset of numbers", () => call("filesDataset", ports, [5])],
    ["nodeData of numbers", () => call("nodeData", [5])],
    ["reportHtml of numbers", () => call("reportHtml", [5])],
    ["reportHtml with a title that is no text", () => call("reportHtml", [], 5)],
    ["readNpy with a name that is no text", () => call("readNpy", new Uint8Array(5), 5)],
    ["ahead without work", () => optimize.ahead([1], 5 as never).next()],
  ];
  for (const [text, work] of calls)
    test(text, async () => {
      const error = await errorOf(work);
      assert.ok(error instanceof Pint8Error, `${error}`);
      assert.match(error.message, /: expected .+, received .+/);
    });
});
