/** Wrong uses of the public API: each is refused by a Pint8Error that says where, what was expected, what came, and what to do. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { writeOnnx } from "../../bindings/formats/onnx/write/index.ts";
import { compileModel } from "../../bindings/public/compile.ts";
import * as pint8 from "../../bindings/public/index.ts";
import { importModel, loadModel, planModel, readPlan } from "../../bindings/public/index.ts";
import { buildOnnx } from "../formats/build-onnx.ts";

const MODEL = fileURLToPath(new URL("../../models/digits/digits_int8.tflite", import.meta.url));
const bytes = readFileSync(MODEL);
const utf8 = (text: string) => new TextEncoder().encode(text);
/** The API as JavaScript sees it. */
// biome-ignore lint/suspicious/noExplicitAny: what TypeScript forbids is what is tried.
const api = pint8 as any;

async function refusal(work: () => unknown): Promise<pint8.Pint8Error> {
  try {
    await work();
  } catch (error) {
    assert.ok(error instanceof pint8.Pint8Error, String(error));
    return error;
  }
  return assert.fail("nothing was refused");
}

test("files that are no models are called by name", async () => {
  const files: readonly (readonly [Uint8Array, RegExp, RegExp])[] = [
    [utf8("<!doctype html><html>"), /^an HTML page$/, /browser/],
    [utf8("\n<html lang=en>"), /^an HTML page$/, /browser/],
    [utf8("version https://git-lfs.github.com/spec/v1\noid"), /^a Git LFS pointer$/, /git lfs pull/],
    [Uint8Array.of(31, 139, 8, 0, 0, 0, 0, 0), /^a gzip file$/, /Unpack/],
    [Uint8Array.of(80, 75, 3, 4, 20, 0, 0, 0), /^a ZIP file$/, /Unpack/],
    [Uint8Array.of(0x89, 72, 68, 70, 13, 10, 26, 10), /^an HDF5 file/, /TFLiteConverter/],
    [Uint8Array.of(0x80, 2, 125, 113, 0, 0, 0, 0), /^a Python pickle/, /torch.onnx.export/],
    [utf8("GGUF\x03\0\0\0"), /^a GGUF file$/, /without a network/],
    [utf8('\x40\0\0\0\0\0\0\0{"a":{}}'), /^a safetensors file$/, /without a network/],
    [Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0), /^a WebAssembly module$/, /wasmUrl/],
    [Uint8Array.of(0x89, 80, 78, 71, 13, 10, 26, 10), /^a picture/, /input/],
    [utf8('{"modelTopology":{}}'), /^JSON$/, /TensorFlow\.js/],
    [new Uint8Array(64), /^bytes 00 00/, /download/],
  ];
  for (const [file, received, hint] of files) {
    const error = await refusal(() => loadModel(file));
    assert.equal(error.code, "INVALID_MODEL");
    assert.match(error.received, received);
    assert.match(error.hint, hint);
  }
  assert.match((await refusal(() => importModel(readFileSync(MODEL).subarray(0, 2000), {}))).where, /^buffer 0$/);
});

test("the file's name stands in what is wrong with it", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "pint8-misuse-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "model.tflite");
  writeFileSync(path, bytes.subarray(0, 2000));
  for (const call of [loadModel, planModel, pint8.inspectModel])
    assert.equal((await refusal(() => call(path))).where, `${path}, buffer 0`);
  writeFileSync(path, "<html>");
  assert.equal((await refusal(() => loadModel(path))).where, path);
  assert.equal((await refusal(() => loadModel(new File(["<html>"], "page.tflite")))).where, "page.tflite");
});

test("options: what they must be, and what a mistyped one may have been", async () => {
  const cases: readonly (readonly [object, RegExp, RegExp])[] = [
    [{ thread: 2 }, /"thread"/, /Did you mean "threads"/],
    [{ wasmURL: () => "" }, /"wasmURL"/, /Did you mean "wasmUrl"/],
    [{ modlue: "simd" }, /"modlue"/, /Did you mean "module"/],
    [{ threads: "2" }, /^"2"$/, /^$/],
    [{ wasmUrl: "/wasm/" }, /^"\/wasm\/"$/, /^$/],
    [{ onWarning: "warn" }, /^"warn"$/, /^$/],
    [{ onProgress: 1 }, /^1$/, /^$/],
    [{ signal: "x" }, /^"x"$/, /^$/],
    [{ shapes: [1, 28, 28, 1] }, /^Array$/, /^$/],
    [{ customOperators: null }, /^null$/, /^$/],
    [{ limits: { bytes: 1 } }, /^"bytes"$/, /^$/],
  ];
  for (const [options, received, hint] of cases) {
    const error = await refusal(() => loadModel(bytes, options));
    assert.equal(error.code, "INVALID_OPTION", error.message);
    assert.match(error.received, received);
    assert.match(error.hint, hint);
  }
  assert.match((await refusal(() => api.inspectModel(bytes, { modul: "simd" }))).hint, /"module"/);
  assert.match((await refusal(() => loadModel("nofile.tflite"))).hint, /Relative paths/);
  assert.match((await refusal(() => loadModel(tmpdir()))).hint, /folder/);
  assert.match((await refusal(() => loadModel(new Response("no", { status: 404 })))).hint, /browser/);
});

test("values and ports of the wrong class are refused, never computed on", async () => {
  const model = await loadModel(bytes);
  const [input] = model.inputs;
  const [output] = model.outputs;
  const outputs = model.run([new Int8Array(784)]);
  const pixels = { data: new Uint8Array(16), width: 2, height: 2 };
  const calls: readonly (readonly [() => unknown, RegExp])[] = [
    [() => api.quantize(input), /^quantize: expected a typed array/],
    [() => api.quantize(undefined, [1]), /^quantize: expected an input or output/],
    [() => api.quantize(input, "abc"), /^quantize: .*received "abc"$/],
    [() => api.dequantize(output), /^dequantize: .*received undefined$/],
    [() => api.dequantize(undefined, []), /^dequantize: expected an input or output/],
    [() => api.topK(), /^topK: .*received undefined$/],
    [() => api.topK(outputs), /^topK: .*received an object$/],
    [() => api.imageInput(undefined, pixels), /^imageInput: expected an input or output/],
    [() => api.imageInput(input, "cat.png"), /^image: expected pixels.*received "cat\.png"$/],
    [() => api.imageInput(input, null), /^image: expected pixels.*received null$/],
    [() => api.imageInput(input, { data: pixels.data }), /^image: expected pixels.*received an object$/],
    [() => api.imageInput(model, pixels), /^imageInput: expected an input.*received an object$/],
    [() => api.imageInput(model.inputs, pixels), /^imageInput: expected an input.*received Array$/],
    [() => api.imageInput(input, pixels, { fit: "fill" }), /^option fit: expected stretch, cover, contain/],
    [() => api.imageInput(input, pixels, { mean: "1" }), /^option mean: .*received "1"$/],
    [() => api.imageInput(input, pixels, { std: 0 }), /^option std: expected a number other than 0/],
    [() => api.imageInput(input, pixels, { means: 0 }), /received "means"$/],
    [() => api.importModel("digits.tflite"), /^importModel: .*received string$/],
    [() => api.importModel(), /^importModel: .*received undefined$/],
    [() => api.readPlan(bytes), /^plan file: /],
    [() => api.readPlan(utf8("<!doctype html><html>")), /received an HTML page$/],
    [() => api.runPasses(bytes), /^runPasses: expected a graph.*received Uint8Array$/],
    [() => api.planGraph(), /^planGraph: expected a graph.*received undefined and undefined$/],
    [
      () => api.planGraph(importModel(bytes)),
      /^planGraph: .*\{ module, moduleHash \}, received an object and undefined$/,
    ],
    [() => api.topK({ length: 1e9 }), /^topK: .*received an object$/],
    [() => api.topK([1], Object.create(null)), /^topK: .*received an object$/],
    [() => api.dequantize(output, { length: 1e9 }), /its elements, or outputs with its name/],
    [() => api.runPasses(importModel(bytes), { only: 0 }), /^only: .*received 0$/],
    [() => api.planGraph(importModel(bytes), { module: "fast", moduleHash: "" }), /^module: .*received "fast"$/],
    [() => api.loadModel(bytes, { module: Object.create(null) }), /^module: .*received an object$/],
    [() => api.loadModel(bytes, { batch: Object.create(null) }), /^option batch: .*received an object$/],
    [() => compileModel(bytes, { name: 1 as never }), /^name: .*received 1$/],
    [() => model.reshape({ image: [1n] as never }), /^reshape: .*received Array$/],
    [() => model.reshape({ image: model as never }), /^reshape: .*received an object$/],
    [() => api.writePlan(importModel(bytes)), /^writePlan: expected a plan.*received an object$/],
  ];
  for (const [call, message] of calls) assert.match((await refusal(call)).message, message);
  const pictures = [new Uint8ClampedArray(4 * 784), pixels, [[0, 1]], undefined];
  for (const given of pictures)
    assert.match((await refusal(() => model.run([given as never]))).hint, /imageInput.*flat/);
  for (const given of [new Int8Array(784), new Array(784).fill(0), { picture: new Int8Array(784) }])
    assert.match((await refusal(() => model.run(given as never))).hint, /run\(\[values\]\)/);
  assert.match((await refusal(() => (model as never as { reshape(): unknown }).reshape())).message, /^reshape: /);
  assert.ok(readPlan(await planModel(bytes)).steps.length > 0);
  model.close();
});

test("shapes and constants of an .onnx file are lists of numbers, of whole ones where the input holds no others", async () => {
  const file = buildOnnx({
    nodes: [{ operator: "Add", inputs: ["x", "x"], outputs: ["y"] }],
    inputs: [{ name: "x", dims: ["n"], type: 7 }],
    outputs: [{ name: "y" }],
  });
  for (const given of [0, null, "1", { length: 1 }]) {
    assert.match(
      (await refusal(() => api.loadModel(file, { shapes: { x: given } }))).message,
      /^shapes, x: expected a list/,
    );
    assert.match(
      (await refusal(() => api.loadModel(file, { constants: { x: given } }))).message,
      /^constants, x: expected/,
    );
  }
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 0.5, "a", {}])
    assert.match(
      (await refusal(() => api.loadModel(file, { constants: { x: [value] } }))).message,
      /numbers that int64 holds/,
    );
});

test("options that would do nothing are refused: of another format, and what a plan has settled", async () => {
  const values = { picture: new Uint8Array(784) };
  const onnx = writeOnnx(importModel(bytes));
  const plan = await planModel(bytes, { module: "simd" });
  const inspect = pint8.inspectModel;
  const [all, importing] = [
    [loadModel, inspect, compileModel],
    [loadModel, compileModel],
  ];
  const shapes = { picture: [1, 28, 28, 1] };
  const cases: readonly (readonly [
    readonly ((file: Uint8Array, o: never) => unknown)[],
    Uint8Array,
    object,
    RegExp,
  ])[] = [
    [all, bytes, { constants: values }, /^constants: expected none: \.onnx files .*, received picture$/],
    [all, bytes, { externalData: { "w.bin": bytes } }, /^externalData: .*received w\.bin$/],
    [importing, onnx, { signature: "serving" }, /^signature: expected none: \.tflite .*received serving$/],
    [all, plan, { constants: values }, /^constants: expected none: the plan has its own/],
    [all, plan, { externalData: { "w.bin": bytes } }, /^externalData: /],
    [all, plan, { shapes }, /^shapes: expected none: the plan has its own/],
    [all, plan, { batch: 2 }, /^batch: .*received 2$/],
    [importing, plan, { signature: "main" }, /^signature: /],
    [all, plan, { module: "scalar" }, /^module: expected simd, which the plan was made for, received scalar$/],
  ];
  for (const [calls, file, options, message] of cases)
    for (const call of calls) {
      const error = await refusal(() => call(file, options as never));
      assert.equal(error.code, "INVALID_OPTION", error.message);
      assert.match(error.message, message);
    }
  for (const model of [bytes, onnx]) {
    const nothing = { constants: undefined, externalData: {}, customOperators: {}, signature: undefined };
    (await loadModel(model, nothing as object)).close();
  }
  const own = { Mine: { infer: () => [], run: () => {} } };
  (await loadModel(onnx, { customOperators: own as never })).close();
  (await loadModel(plan, { limits: { memory: 2 ** 24 } })).close();
  assert.equal((await refusal(() => loadModel(plan, { limits: { memory: 1 } }))).code, "OUT_OF_MEMORY");
  const mistyped = await refusal(() => loadModel(plan, { limits: { memroy: 1 } as object }));
  assert.match(mistyped.message, /limits of memory, work and planning.*"memroy"/);
});
