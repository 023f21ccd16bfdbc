/** Networks of ordinary operators are planned by these alone as they are by all. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { importModel } from "../../bindings/formats/index.ts";
import { importLater } from "../../bindings/formats/later.ts";
import type { Graph } from "../../bindings/graph.ts";
import { operators } from "../../bindings/ops/index.ts";
import { OFTEN, operatorsFor } from "../../bindings/ops/later.ts";
import { often } from "../../bindings/ops/often.ts";
import { ordinary as ordinaryOperators } from "../../bindings/ops/ordinary.ts";
import { rare } from "../../bindings/ops/rare.ts";
import type { Operators } from "../../bindings/ops/types.ts";
import { runPassesBy } from "../../bindings/passes/run.ts";
import { planGraphBy } from "../../bindings/plan/bind.ts";
import { writePlan } from "../../bindings/plan/file.ts";
import { buildTflite } from "../formats/build-tflite.ts";
import { options } from "../formats/tflite-options.ts";

const path = (folder: string) => fileURLToPath(new URL(`../../${folder}`, import.meta.url));
const FOLDERS = [
  path("models"),
  ...["models", "edge", "bugs", "zoo/tflite", "zoo/nnapi"].map((name) => path(`../shared/${name}`)),
];
/** Every so many of them: planning all takes minutes. */
const EVERY = 6;

const planned = (table: Operators, graph: Graph) => {
  const plan = planGraphBy(table, runPassesBy(table, graph), { module: "simd", moduleHash: "00" });
  return Buffer.from(writePlan(plan)).toString("base64");
};

/** The graph or plan, or why there is none. */
async function result<T>(make: () => T | Promise<T>): Promise<T | string> {
  try {
    return await make();
  } catch (error) {
    return String(error);
  }
}

test("networks of ordinary operators need no others", async (t) => {
  const files = FOLDERS.filter((folder) => existsSync(folder)).flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".tflite"))
      .sort()
      .map((name) => join(folder, name)),
  );
  let ordinary = 0;
  for (const [i, file] of files.entries()) {
    if (i % EVERY !== 0) continue;
    const bytes = new Uint8Array(readFileSync(file));
    const graph = await result(() => importModel(bytes));
    assert.deepEqual(await result(() => importLater(bytes, {})), graph, file);
    if (typeof graph === "string") continue;
    const own = await operatorsFor(graph);
    if (Object.keys(own).length === Object.keys(operators).length) continue;
    ordinary++;
    assert.equal(await result(() => planned(own, graph)), await result(() => planned(operators, graph)), file);
  }
  t.diagnostic(`${ordinary} of ${Math.ceil(files.length / EVERY)}`);
  assert.ok(ordinary > 0);
});

test("what floats often need is what is said, of the rarer operators", () => {
  const { liteRounding, products, ...kinds } = often;
  assert.deepEqual(Object.keys(kinds), OFTEN.split(" "));
  for (const [kind, operator] of Object.entries(often))
    assert.equal(Object.entries(rare).find(([name]) => name === kind)?.[1], operator);
  assert.deepEqual(
    Object.keys(often).filter((kind) => Object.hasOwn(ordinaryOperators, kind)),
    [],
  );
});

test("slices of computed sizes need the rarer ones", async () => {
  const model = (data?: Int32Array) =>
    buildTflite({
      tensors: [
        { name: "x", dtype: "int8", shape: [3, 4] },
        { name: "begin", dtype: "int32", shape: [2], data: Int32Array.of(0, 1) },
        { name: "size", dtype: "int32", shape: [2], ...(data && { data }) },
        { name: "y", dtype: "int8", shape: [1, 1] },
      ],
      operators: [{ code: "SLICE", inputs: [0, 1, 2], outputs: [3] }],
      inputs: data === undefined ? [0, 2] : [0],
      outputs: [3],
    });
  const kinds = async (bytes: Uint8Array) => Object.keys(await operatorsFor(await importModel(bytes)));
  assert.ok((await kinds(model(Int32Array.of(2, 2)))).length < Object.keys(operators).length);
  assert.equal((await kinds(model())).length, Object.keys(operators).length);
});

test("ordinary operators lower no products of other types", async () => {
  const model = (dtype: "int8" | "float32") =>
    buildTflite({
      tensors: [
        { name: "x", dtype, shape: [1, 4], ...(dtype === "int8" && { scale: [0.5] }) },
        { name: "w", dtype: "int8", shape: [2, 4], scale: [0.1], data: Int8Array.of(1, 2, 3, 4, 5, 6, 7, 8) },
        { name: "y", dtype, shape: [1, 2], ...(dtype === "int8" && { scale: [1] }) },
      ],
      operators: [{ code: "FULLY_CONNECTED", inputs: [0, 1, -1], outputs: [2], options: options.fullyConnected({}) }],
      inputs: [0],
      outputs: [2],
    });
  const [int8, float] = [await importModel(model("int8")), await importModel(model("float32"))];
  const ordinary = await operatorsFor(int8);
  assert.equal(ordinary.products, undefined);
  const more = await operatorsFor(float);
  assert.ok(more.products !== undefined && Object.keys(more).length < Object.keys(operators).length);
  assert.throws(() => planned(ordinary, float), { code: "INVALID_MODEL", message: /types that the file says/ });
});
