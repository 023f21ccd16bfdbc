/** A .tflite file is read into the memory that its session will have, and its weights again, node by node. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { takeApart } from "../../bindings/plan/apart.ts";
import { importModel, loadModel, Pint8Error, runPasses } from "../../bindings/public/index.ts";
import { restFile } from "../../bindings/session/rest.ts";
import { random } from "../support/kernels.ts";

const MODELS = fileURLToPath(new URL("../../../shared/models/", import.meta.url));
const LIBRARY = new URL("../../bindings/public/index.ts", import.meta.url).href;
const skip = existsSync(MODELS) ? false : "no folder shared beside the project";
const files = existsSync(MODELS) ? readdirSync(MODELS).filter((name) => name.endsWith(".tflite")) : [];

const outputsOf = async (source: string | Uint8Array | URL, module: "simd" | "scalar") => {
  const model = await loadModel(source, { module });
  const draw = random(5);
  const inputs = model.inputs.map(({ data }) => {
    for (let i = 0; i < data.length; i++) data[i] = draw.int(0, 100);
    return data.slice();
  });
  const outputs = model.run(inputs as never);
  const bytes = model.memoryBytes;
  model.close();
  return { outputs, bytes };
};

test("every model gives the same from its path and from its bytes, and takes as much memory", { skip }, async () => {
  for (const name of files)
    for (const module of ["simd", "scalar"] as const) {
      const path = join(MODELS, name);
      const load = (source: string | Uint8Array) =>
        outputsOf(source, module).catch((error: Error) => error.message.replace(`${path}, `, ""));
      assert.deepEqual(await load(path), await load(new Uint8Array(readFileSync(path))), `${name} ${module}`);
    }
});

test("nothing of a graph but its tensors has bytes in the file's memory, and those have none afterwards", {
  skip,
}, async () => {
  let count = 0;
  for (const name of files) {
    const rest = await restFile(join(MODELS, name), {});
    if (rest === undefined) continue;
    const { buffer } = rest.memory;
    const before = new Uint8Array(rest.bytes);
    let graph: unknown;
    try {
      const read = runPasses(importModel(rest.bytes));
      graph = takeApart({ ...read, subgraphs: [] }, rest);
    } catch (error) {
      assert.ok(error instanceof Pint8Error, `${name}: ${error}`);
      rest.close();
      continue;
    }
    const seen = new Set<unknown>();
    const visit = (value: unknown, path: string): void => {
      if (typeof value !== "object" || value === null || seen.has(value)) return;
      seen.add(value);
      if (ArrayBuffer.isView(value)) return assert.notEqual(value.buffer, buffer, `${name}: ${path}`);
      for (const [key, each] of Object.entries(value)) visit(each, `${path}.${key}`);
    };
    visit(graph, "graph");
    assert.ok(rest.bytes.every((byte) => byte === 0));
    const again = new Uint8Array(before.length);
    rest.read(0, again);
    assert.deepEqual(again, before);
    rest.close();
    count++;
  }
  assert.ok(count > 10, `${count}`);
});

test("all arrays that loading and a run ever make, together, are far smaller than the memory: no copy of the file or of weights", {
  skip,
}, () => {
  const path = join(MODELS, "tf2_mobilenet_v2_1.0_224_ptq.tflite");
  const program = `import { loadModel } from ${JSON.stringify(LIBRARY)};
    const before = process.memoryUsage().arrayBuffers;
    const model = await loadModel(${JSON.stringify(path)}, { module: "simd" });
    model.run([new Uint8Array(224 * 224 * 3)]);
    console.log(JSON.stringify([process.memoryUsage().arrayBuffers - before, model.memoryBytes]));`;
  const arguments_ = [
    "--max-semi-space-size=64",
    "--min-semi-space-size=64",
    "--import",
    "tsx",
    "--input-type=module",
    "-e",
    program,
  ];
  const [arrays = 0, memory = 0] = JSON.parse(
    execFileSync(process.execPath, arguments_, { encoding: "utf8" }),
  ) as number[];
  assert.ok(arrays < 0.6 * memory, `${arrays} bytes beside ${memory}`);
});

test("a file that is cut short before its weights are read again is an error", async () => {
  const home = mkdtempSync(join(tmpdir(), "pint8-rest-"));
  const path = join(home, "model.tflite");
  try {
    writeFileSync(path, new Uint8Array(70_000));
    const rest = await restFile(pathToFileURL(path), {});
    assert.ok(rest !== undefined);
    truncateSync(path, 1000);
    assert.throws(
      () => rest.read(500, new Uint8Array(1000)),
      (error) => error instanceof Pint8Error && error.code === "IO" && /cut short/.test(error.message),
    );
    rest.close();
    await assert.rejects(loadModel(path), (error) => error instanceof Pint8Error && error.code === "INVALID_MODEL");
    for (const none of [join(home, "no.tflite"), home, path, new Uint8Array(1e5)])
      assert.equal(await restFile(none, {}), undefined);
  } finally {
    rmSync(home, { recursive: true });
  }
});

test("progress is told, and a signal ends the reading", { skip }, async () => {
  const path = join(MODELS, "vww_96_int8.tflite");
  const told: unknown[] = [];
  const model = await loadModel(path, { onProgress: (progress) => told.push(progress) });
  model.close();
  const total = readFileSync(path).length;
  assert.ok(total > 65536);
  assert.deepEqual(told, [{ loaded: total, total }]);
  await assert.rejects(loadModel(path, { signal: AbortSignal.abort(new Error("enough")) }), /enough/);
});
