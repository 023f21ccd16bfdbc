/** Damaged ONNX models, imported, planned and run: results or Pint8Errors, in bounded time. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { describe, test } from "node:test";
import { Pint8Error } from "../../bindings/errors.ts";
import { importModel } from "../../bindings/formats/index.ts";
import { runPasses } from "../../bindings/passes/index.ts";
import { planGraph } from "../../bindings/plan/plan.ts";
import { loadModule } from "../../bindings/session/modules.ts";
import { Session } from "../../bindings/session/session.ts";
import { byteLength, typedCopy } from "../../bindings/tensor.ts";
import { buildOnnx, type GraphSpec } from "../formats/build-onnx.ts";
import { cuts, flips, xorshift } from "./damage.ts";
import { resized } from "./sizes.ts";

const SEED = 13;
/** Milliseconds of one damaged file, on a busy machine. */
const SLOWEST = 5000;
/** Work and memory that damage may ask for. */
const LIMITS = { work: 5e6, memory: 64 * 2 ** 20, planning: 64 * 2 ** 20 };
const ZOO = new URL("../../../shared/zoo/onnx/", import.meta.url);
/** Files of the zoo: this many, evenly of all in their order, the largest left out. */
const FILES = 40;
const MOST_BYTES = 12_000;

function zooFiles(): readonly string[] {
  try {
    const all = readdirSync(ZOO)
      .filter((file) => file.endsWith(".onnx") && statSync(new URL(file, ZOO)).size < MOST_BYTES)
      .sort();
    return all.filter((_, i) => i % Math.ceil(all.length / FILES) === 0);
  } catch {
    return [];
  }
}

const kernels = await loadModule("auto", undefined, "full");

/** Loads bytes and runs the network once, on zeros. */
async function attempt(bytes: Uint8Array): Promise<void> {
  const graph = runPasses(importModel(bytes, {}), { limits: LIMITS });
  const plan = planGraph(graph, { module: kernels.name, moduleHash: kernels.hash, limits: LIMITS });
  const session = await Session.open(plan, kernels);
  session.run(
    graph.inputs.map(({ tensor }) => {
      const type = graph.tensors[tensor] ?? assert.fail();
      return typedCopy(type.dtype, new Uint8Array(byteLength(type)));
    }),
  );
  session.close();
}

/** Tries every copy; how many were refused. */
async function tryAll(bytes: Uint8Array, counts: readonly [number, number]): Promise<number> {
  let refused = 0;
  for (const damage of [cuts(bytes, counts[0]), flips(bytes, counts[1], SEED)])
    for (const { what, bytes: damaged } of damage) {
      const start = performance.now();
      try {
        await attempt(damaged);
      } catch (error) {
        assert.ok(error instanceof Pint8Error, `${what}: ${error instanceof Error ? error.stack : error}`);
        assert.doesNotMatch(error.hint, /mistake in pint8/, `${what}: ${error.message}`);
        refused++;
      }
      assert.ok(performance.now() - start < SLOWEST, `${what}: ${performance.now() - start} ms`);
    }
  return refused;
}

/** Every kind of field that the reader knows: attributes of all types, a subgraph, raw and typed constants. */
const ALL: GraphSpec = {
  nodes: [
    { operator: "Conv", inputs: ["x", "w"], outputs: ["a"], ints: { pads: [1, 1, 1, 1] }, int: { group: 1 } },
    {
      operator: "If",
      inputs: ["c"],
      outputs: ["b"],
      graph: {
        then_branch: {
          nodes: [{ operator: "Relu", inputs: ["a"], outputs: ["d"] }],
          inputs: [],
          outputs: [{ name: "d" }],
        },
        else_branch: {
          nodes: [{ operator: "Abs", inputs: ["a"], outputs: ["e"] }],
          inputs: [],
          outputs: [{ name: "e" }],
        },
      },
    },
    { operator: "Reshape", inputs: ["b", "s"], outputs: ["f"] },
    { operator: "NonZero", inputs: ["f"], outputs: ["g"] },
    { operator: "Transpose", inputs: ["g"], outputs: ["h"], ints: { perm: [1, 0] } },
    { operator: "GatherND", inputs: ["f", "h"], outputs: ["y"] },
    { operator: "Resize", inputs: ["a", "", "k"], outputs: ["z"], string: { mode: "linear" } },
  ],
  inputs: [
    { name: "x", dims: [1, 2, 4, 4] },
    { name: "c", type: 9, dims: [] },
  ],
  outputs: [{ name: "y" }, { name: "z" }],
  initializers: [
    { name: "w", dims: [2, 2, 3, 3], type: 1, values: Array.from({ length: 36 }, (_, i) => i / 36 - 0.5) },
    { name: "s", dims: [2], type: 7, values: [4, -1] },
    { name: "k", dims: [4], type: 1, raw: new Uint8Array(Float32Array.of(1, 1, 2, 2).buffer) },
  ],
};

describe("damaged ONNX models", () => {
  test("one with every kind of field: every cut, 800 bytes changed", async () => {
    const bytes = buildOnnx(ALL);
    await attempt(bytes);
    assert.ok((await tryAll(bytes, [bytes.length, 800])) > bytes.length);
  });

  test("packed numbers that say that they go on beyond the file", () => {
    // a message of a field with these bytes, of up to 127
    const message = (tag: number, bytes: readonly number[]) => [(tag << 3) | 2, bytes.length, ...bytes];
    const packed = (tag: number) => [(tag << 3) | 2, 0xff, 0xff, 0xff, 0xff, 0x7f];
    const tensors = [1, 4, 5, 7, 10, 11].map((tag) => message(7, message(5, packed(tag))));
    const attributes = [7, 8].map((tag) => message(7, message(1, message(5, packed(tag)))));
    for (const bytes of [...tensors, ...attributes])
      assert.throws(() => importModel(Uint8Array.of(8, 9, ...bytes), {}), /messages inside the file/);
  });

  test("a slice that begins at more axes than there are", () => {
    const bytes = buildOnnx({
      nodes: [{ operator: "Slice", inputs: ["x", "starts", "ends"], outputs: ["y"] }],
      inputs: [
        { name: "x", dims: [5, 6] },
        { name: "starts", type: 7, dims: [2 ** 31 - 1] },
        { name: "ends", type: 7, dims: [2] },
      ],
      outputs: [{ name: "y" }],
    });
    assert.throws(() => importModel(bytes, {}), /starts of at most 2 axes, received 2147483647/);
  });

  const files = zooFiles();
  test(`${FILES} of the zoo`, { skip: files.length === 0 && "../shared is not there" }, async () => {
    let refused = 0;
    for (const file of files) refused += await tryAll(new Uint8Array(readFileSync(new URL(file, ZOO))), [6, 20]);
    assert.ok(refused > files.length * 6);
  });

  test("of all of the zoo, their sizes being others", { skip: files.length === 0 && "../shared is not there" }, () => {
    const next = xorshift(SEED);
    const small = readdirSync(ZOO).filter(
      (file) => file.endsWith(".onnx") && statSync(new URL(file, ZOO)).size < MOST_BYTES,
    );
    let refused = 0;
    for (const file of small) {
      const bytes = resized(new Uint8Array(readFileSync(new URL(file, ZOO))), next);
      const start = process.cpuUsage();
      try {
        runPasses(importModel(bytes, {}), { limits: LIMITS });
      } catch (error) {
        assert.ok(error instanceof Pint8Error, `${file}: ${error instanceof Error ? error.stack : error}`);
        assert.doesNotMatch(error.hint, /mistake in pint8/, `${file}: ${error.message}`);
        // a length that was refused here, not by the engine
        assert.ok(!(error.cause instanceof RangeError), `${file}: ${error.message}`);
        refused++;
      }
      const { user } = process.cpuUsage(start);
      assert.ok(user / 1000 < 4 * SLOWEST, `${file}: ${user / 1000} ms`);
    }
    assert.ok(refused > small.length / 4 && refused < small.length);
  });
});
