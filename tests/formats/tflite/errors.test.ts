/** Each way in which a file can be wrong, and the error that says so. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ErrorCode } from "../../../bindings/errors.ts";
import { importModel } from "../../../bindings/formats/index.ts";
import { buildTflite, type ModelSpec, type OperatorSpec, type TensorSpec } from "../build-tflite.ts";
import { refused } from "../refused.ts";
import { options } from "../tflite-options.ts";

const X: TensorSpec = { name: "x", dtype: "int8", shape: [1, 4], scale: [0.5], zeroPoint: [-3] };
const Y: TensorSpec = { ...X, name: "y" };
const relu = (from: number, to: number): OperatorSpec => ({ code: "RELU", inputs: [from], outputs: [to] });
const GOOD: ModelSpec = { tensors: [X, Y], operators: [relu(0, 1)], inputs: [0], outputs: [1] };
const SCALES = { shape: [2, 3], scale: [1, 1, 1], zeroPoint: [0, 0, 0] };
const W: TensorSpec = { name: "w", dtype: "int8", shape: [4], data: Int8Array.of(1, 2, 3, 4) };

/** The good model with a further tensor. */
const tensor = (spec: Partial<TensorSpec>): ModelSpec => ({ ...GOOD, tensors: [X, Y, { ...X, name: "t", ...spec }] });
const operator = (spec: Partial<OperatorSpec>): ModelSpec => ({ ...GOOD, operators: [{ ...relu(0, 1), ...spec }] });
const raw = (...fields: NonNullable<ModelSpec["buffers"]>): ModelSpec => ({
  ...tensor({ ...W, buffer: 1 } as TensorSpec),
  buffers: fields,
});

const CASES: { readonly [what: string]: readonly [ModelSpec, ErrorCode, RegExp] } = {
  "another version": [{ ...GOOD, version: 2 }, "UNSUPPORTED", /version 3, received 2/],
  "another identifier": [{ ...GOOD, identifier: "TFL2" }, "INVALID_MODEL", /identifier/],
  "no outputs": [{ ...GOOD, outputs: [] }, "INVALID_GRAPH", /outputs: expected at least one/],
  "an unknown type": [tensor({ dtype: 99 }), "INVALID_MODEL", /tensor 2 "t": .*type 99/],
  "a negative type": [tensor({ dtype: -1 }), "INVALID_MODEL", /type -1/],
  "a type that pint8 lacks": [tensor({ dtype: 18 }), "UNSUPPORTED", /BFLOAT16/],
  "a negative size": [tensor({ shape: [1, -4] }), "INVALID_MODEL", /whole numbers from 0, received \[1,-4\]/],
  "a negative leading size": [tensor({ shape: [-2, 4] }), "INVALID_MODEL", /\[-2,4\]/],
  "sizes that overflow": [tensor({ shape: [2 ** 31 - 1, 2 ** 31 - 1] }), "OUT_OF_MEMORY", /less than 4 GiB/],
  "too many dimensions": [tensor({ shape: new Array(17).fill(1) }), "UNSUPPORTED", /16 dimensions/],
  "a constant of an open size": [tensor({ ...W, shape: [-1] }), "INVALID_MODEL", /\[-1\]/],
  "scale -0.5": [tensor({ scale: [-0.5] }), "INVALID_MODEL", /received scale -0.5/],
  "scale NaN": [tensor({ scale: [Number.NaN] }), "INVALID_MODEL", /received scale NaN/],
  "scale infinite": [tensor({ ...SCALES, scale: [1, 1, Infinity] }), "INVALID_MODEL", /received scale Infinity/],
  "too many scales": [tensor({ ...SCALES, axis: 0 }), "INVALID_MODEL", /1 or 2 scales along axis 0, received 3/],
  "an axis that is none": [tensor({ ...SCALES, axis: 2 }), "INVALID_MODEL", /axis of \[2,3\], received axis 2/],
  "a negative axis": [tensor({ ...SCALES, axis: -1 }), "INVALID_MODEL", /received axis -1/],
  "too few zero points": [
    tensor({ ...SCALES, axis: 1, zeroPoint: [0, 0] }),
    "INVALID_MODEL",
    /3 zero points.*received 2/,
  ],
  "a zero point of int8": [tensor({ zeroPoint: [128] }), "INVALID_MODEL", /-128 to 127 for int8, received 128/],
  "a zero point of uint8": [tensor({ dtype: "uint8", zeroPoint: [-1] }), "INVALID_MODEL", /0 to 255 for uint8/],
  "a zero point of 2^62": [tensor({ dtype: "int32", zeroPoint: [2n ** 62n] }), "INVALID_MODEL", /for int32/],
  "custom quantization": [
    tensor({ extra: { 4: { table: { 2: { float32s: [1] }, 4: { int8: 1 }, 5: { table: {} } } } } }),
    "UNSUPPORTED",
    /by blocks/,
  ],
  "an external buffer": [tensor({ extra: { 10: { int32: 1 } } }), "UNSUPPORTED", /external buffer/],
  "a missing buffer": [tensor({ buffer: 9 }), "INVALID_MODEL", /a buffer below 1, received buffer 9/],
  "too few bytes": [tensor({ ...W, shape: [5] }), "INVALID_MODEL", /5 bytes for \[5\] int8, received 4/],
  "too many bytes": [tensor({ ...W, shape: [3] }), "INVALID_MODEL", /3 bytes for \[3\] int8, received 4/],
  "a buffer outside the file": [
    raw({ 1: { int64: 16n }, 2: { int64: 2n ** 40n } }),
    "INVALID_MODEL",
    /inside the file/,
  ],
  "a buffer offset that wraps": [raw({ 1: { int64: -4n }, 2: { int64: 8n } }), "INVALID_MODEL", /buffer 1: .*inside/],
  "an input out of range": [{ ...GOOD, inputs: [2] }, "INVALID_MODEL", /inputs: .*from 0 to 1, received 2/],
  "an absent graph input": [{ ...GOOD, inputs: [-1] }, "INVALID_MODEL", /received -1/],
  "an output out of range": [{ ...GOOD, outputs: [5] }, "INVALID_MODEL", /outputs: .*received 5/],
  "a node's input out of range": [operator({ inputs: [0, 7] }), "INVALID_MODEL", /node 0 \(RELU\), inputs: .*7/],
  "a node's input below -1": [operator({ inputs: [-2] }), "INVALID_MODEL", /received -2/],
  "a node's output absent": [operator({ outputs: [-1] }), "INVALID_MODEL", /node 0 \(RELU\), outputs: .*-1/],
  "an input twice": [{ ...GOOD, inputs: [0, 0] }, "INVALID_GRAPH", /inputs: expected/],
  "an input that is constant": [{ ...tensor(W), inputs: [0, 2] }, "INVALID_GRAPH", /tensor 2 "w", which has another/],
  "a tensor written twice": [{ ...GOOD, operators: [relu(0, 1), relu(0, 1)] }, "INVALID_GRAPH", /node 1 \(RELU\).*"y"/],
  "an input that is written": [operator({ outputs: [0] }), "INVALID_GRAPH", /tensor 0 "x", which has another/],
  "a constant that is written": [{ ...tensor(W), operators: [relu(0, 2)], outputs: [2] }, "INVALID_GRAPH", /"w"/],
  "a tensor that nothing writes": [
    { ...tensor({}), operators: [relu(2, 1)] },
    "INVALID_GRAPH",
    /node 0 .*tensor 2 "t"/,
  ],
  "an output that nothing writes": [{ ...tensor({}), outputs: [2] }, "INVALID_GRAPH", /outputs: .*tensor 2 "t"/],
  "a node that feeds itself": [
    { ...tensor({}), operators: [relu(0, 1), relu(2, 2)] },
    "INVALID_GRAPH",
    /without loops/,
  ],
  "a loop of two": [
    { ...tensor({}), operators: [{ code: "ADD", inputs: [0, 2], outputs: [1] }, relu(1, 2)] },
    "INVALID_GRAPH",
    /node 0 \(ADD\): expected a graph without loops/,
  ],
  "options of another operator": [
    operator({ code: "ADD", options: options.mul() }),
    "INVALID_MODEL",
    /type 11, received 21/,
  ],
  "an unknown padding": [
    operator({ code: "CONV_2D", options: options.conv2d({ padding: 2 }) }),
    "INVALID_MODEL",
    /padding 2/,
  ],
  "an unknown activation": [
    operator({ code: "ADD", options: options.add({ activation: 9 }) }),
    "INVALID_MODEL",
    /activation 9/,
  ],
  "fused TANH": [
    operator({ code: "ADD", options: options.add({ activation: "tanh" }) }),
    "UNSUPPORTED",
    /received TANH/,
  ],
  "shuffled weights": [
    operator({ code: "FULLY_CONNECTED", options: options.fullyConnected({ format: 1 }) }),
    "UNSUPPORTED",
    /SHUFFLED4x16INT8/,
  ],
  "a softmax of NaN": [
    operator({ code: "SOFTMAX", options: options.softmax({ beta: Number.NaN }) }),
    "INVALID_MODEL",
    /NaN/,
  ],
  "an operator code that is not there": [
    operator({ codeIndex: 1 }),
    "INVALID_MODEL",
    /node 0: .*code below 1, received 1/,
  ],
  "an operator of the future": [operator({ code: 999 }), "UNSUPPORTED", /node 0 \(builtin operator 999\)/],
};

for (const [what, [spec, code, message]] of Object.entries(CASES))
  test(what, () => {
    refused(() => importModel(buildTflite(spec), {}), code, message);
  });

test("the model that the others bend is a good one", () => {
  assert.equal(importModel(buildTflite(GOOD), {}).nodes.length, 1);
});

test("all unknown operators stand in one error, on one line", () => {
  const custom = (name: string) => ({ code: "CUSTOM", custom: name, inputs: [0], outputs: [1] });
  const operators = [
    relu(0, 1),
    custom("Magic"),
    { ...relu(0, 1), code: "SKIP_GRAM" },
    custom(`Two\nlines${"!".repeat(200)}`),
    custom("Magic"),
  ];
  const error = refused(() => importModel(buildTflite({ ...GOOD, operators }), {}), "UNSUPPORTED", /./);
  assert.equal(error.where, 'node 1 (CUSTOM "Magic")');
  assert.match(
    error.received,
    /^CUSTOM "Magic" \(node 1, 4\), SKIP_GRAM \(node 2\), CUSTOM "Two\?lines!+…" \(node 3\)$/,
  );
  assert.ok(error.hint.length > 0);
});

test("a model without nodes may pass its input on, but not leave an output unwritten", () => {
  assert.equal(importModel(buildTflite({ ...GOOD, operators: [], outputs: [0] }), {}).nodes.length, 0);
  refused(() => importModel(buildTflite({ ...GOOD, operators: [] }), {}), "INVALID_GRAPH", /outputs/);
});

test("files compiled for one processor are called that", () => {
  const compiled = (custom: string) => buildTflite(operator({ code: "CUSTOM", custom, inputs: [0], outputs: [1] }));
  for (const [custom, message] of [
    ["ethos-u", /compiled for Ethos-U/],
    ["edgetpu-custom-op", /compiled for the Edge TPU/],
  ] as const)
    refused(() => importModel(compiled(custom), {}), "UNSUPPORTED", message);
});

test("files that are no .tflite", () => {
  const read = (bytes: Uint8Array) => () => importModel(bytes, {});
  refused(read(new Uint8Array(0)), "INVALID_MODEL", /0 bytes/);
  refused(read(new TextEncoder().encode("<!doctype html>")), "INVALID_MODEL", /an HTML page/);
  refused(read(Uint8Array.of(8, 8, 0x12, 7, 1, 2, 3, 4, 5)), "INVALID_MODEL", /field that ends at byte 9/);
});

test("a file of 2 GiB", (t) => {
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(2 ** 31);
  } catch {
    t.skip("this engine does not give an array of 2 GiB");
    return;
  }
  bytes.set(buildTflite(GOOD));
  refused(() => importModel(bytes, {}), "UNSUPPORTED", /less than 2 GiB, received 2147483648/);
});

test("offsets outside the file, at every place of a small file", () => {
  const good = buildTflite({ ...tensor(W), signatures: [{ inputs: { a: 0 }, outputs: { b: 1 } }] });
  const codes = new Set<string>();
  for (let at = 0; at + 4 <= good.length; at += 2)
    for (const value of [0, 0x7fffffff, -1, good.length - at, -at]) {
      const bytes = good.slice();
      new DataView(bytes.buffer).setInt32(at, value, true);
      try {
        importModel(bytes, {});
      } catch (error) {
        assert.equal((error as Error).name, "Pint8Error", `${value} at ${at}: ${error}`);
        codes.add((error as { code: string }).code);
      }
    }
  assert.ok(codes.has("INVALID_MODEL") && codes.has("INVALID_GRAPH") && codes.has("UNSUPPORTED"), [...codes].join());
});

test("a small file that unfolds into a huge one is refused in time", () => {
  // One large subgraph, referred to 401 times: the vector's offsets all lead to the first.
  const { tensors, operators, inputs, outputs } = GOOD;
  const subgraph = { tensors, operators, inputs, outputs };
  const count = 400;
  const bytes = buildTflite({
    ...GOOD,
    tensors: [X, Y, ...new Array(count).fill(X)],
    subgraphs: new Array(count).fill(subgraph),
  });
  const view = new DataView(bytes.buffer);
  const model = view.getUint32(0, true);
  const vtable = model - view.getInt32(model, true);
  const field = model + view.getUint16(vtable + 4 + 2 * 2, true);
  const vector = field + view.getUint32(field, true);
  assert.equal(view.getUint32(vector, true), count + 1);
  const first = vector + 4 + view.getUint32(vector + 4, true);
  for (let i = 1; i <= count; i++) view.setUint32(vector + 4 + 4 * i, first - (vector + 4 + 4 * i), true);
  const start = performance.now();
  refused(() => importModel(bytes, {}), "INVALID_MODEL", /repeated over and over/);
  assert.ok(performance.now() - start < 2000);
});
