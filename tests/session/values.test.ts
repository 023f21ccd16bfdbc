/** Numbers from the world and back: quantizing, pictures, best classes, and what sessions take of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type ErrorCode, Pint8Error } from "../../bindings/errors.ts";
import { dequantize, imageInput, loadModel, quantize, type TensorInfo, topK } from "../../bindings/public/index.ts";

const DIGITS = new URL("../../models/digits/digits_int8.tflite", import.meta.url);
const fails = (code: ErrorCode, message: RegExp) => (error: unknown) =>
  error instanceof Pint8Error && error.code === code && message.test(error.message);
const port = (dtype: TensorInfo["dtype"], shape: readonly number[], scale = 0, zeroPoint = 0): TensorInfo => ({
  name: "x",
  dtype,
  shape,
  scale,
  zeroPoint,
});

test("quantize rounds ties away from zero, saturates, and gives the port's class", () => {
  const to = port("int8", [6], 0.5, 3);
  assert.deepEqual(quantize(to, [0.25, -0.25, 0.74, 1000, -1000, 0]), Int8Array.of(4, 2, 4, 127, -128, 3));
  assert.deepEqual(quantize(port("uint8", [2], 1, 128), Float32Array.of(-1, 300)), Uint8Array.of(127, 255));
  assert.deepEqual(quantize(port("int16", [1], 1 / 32768), [-1]), Int16Array.of(-32768));
  assert.deepEqual(quantize(port("float32", [1]), [0.5]), Float32Array.of(0.5));
  assert.throws(() => quantize(port("int32", [1]), [1]), fails("INVALID_INPUT", /a quantized tensor/));
  assert.throws(() => quantize(to, [1]), fails("INVALID_INPUT", /6 numbers/));
  const reals = [1, 2, 3, Number.NaN, 5, 6];
  assert.throws(() => quantize(to, reals), fails("INVALID_INPUT", /element 3: expected a real number.*received NaN/));
});

test("what was quantized comes back within half a step", () => {
  const scales = fc.float({ min: Math.fround(1e-3), max: 1, noNaN: true });
  const zeros = fc.integer({ min: -128, max: 127 });
  fc.assert(
    fc.property(scales, zeros, fc.integer({ min: -128, max: 127 }), (scale, zeroPoint, q) => {
      const to = port("int8", [1], scale, zeroPoint);
      assert.deepEqual(quantize(to, dequantize(to, [q])), Int8Array.of(q));
    }),
  );
});

test("dequantize takes elements or all outputs; integers that are not quantized stay", () => {
  const from = port("int8", [2], 0.5, -1);
  assert.deepEqual(dequantize(from, Int8Array.of(1, -1)), Float32Array.of(1, 0));
  assert.deepEqual(dequantize(from, { x: Int8Array.of(1, -1), y: Int8Array.of(9) }), Float32Array.of(1, 0));
  assert.deepEqual(dequantize(port("int64", [2]), BigInt64Array.of(5n, -7n)), Float32Array.of(5, -7));
  assert.throws(() => dequantize(from, { y: Int8Array.of(9) }), fails("INVALID_INPUT", /"x".*outputs y/));
});

test("topK: the largest first, the first of equal ones first, no number last, labels by place", () => {
  assert.deepEqual(topK([1, 3, 3, Number.NaN, 2], 3, ["a", "b", "c"]), [
    { index: 1, value: 3, label: "b" },
    { index: 2, value: 3, label: "c" },
    { index: 4, value: 2 },
  ]);
  assert.equal(topK([Number.NaN, -1])[0].index, 1);
  assert.throws(() => topK([]), fails("INVALID_INPUT", /numbers/));
  assert.throws(() => topK([1], 0), fails("INVALID_OPTION", /whole number from 1/));
  for (const labels of ["cat", {}, 5] as unknown as readonly string[][])
    assert.throws(() => topK([1], 1, labels), fails("INVALID_OPTION", /labels as an array of names/));
});

test("imageInput: pixels of 1, 3 and 4 numbers, planes, and proportions", () => {
  const rgba = { width: 2, height: 1, data: Uint8ClampedArray.of(10, 20, 30, 255, 40, 50, 60, 128) };
  const raw = port("uint8", [1, 1, 2, 3], 1);
  assert.deepEqual(imageInput(raw, rgba), Uint8Array.of(10, 20, 30, 20, 25, 30));
  assert.deepEqual(imageInput(port("uint8", [1, 3, 1, 2], 1), rgba), Uint8Array.of(10, 20, 20, 25, 30, 30));
  assert.deepEqual(imageInput(port("uint8", [1, 2, 1], 1), { width: 2, height: 1, data: [7, 9] }), Uint8Array.of(7, 9));
  const half = imageInput(
    port("float32", [1, 1, 2, 1]),
    { width: 2, height: 1, data: [0, 255] },
    { mean: 127.5, std: 127.5 },
  );
  assert.deepEqual(half, Float32Array.of(-1, 1));
  const wide = { width: 4, height: 2, data: [1, 2, 3, 4, 5, 6, 7, 8] };
  const square = port("uint8", [1, 2, 2, 1], 1);
  assert.deepEqual(imageInput(square, wide, { fit: "cover" }), Uint8Array.of(2, 3, 6, 7));
  const tall = port("uint8", [1, 4, 4, 1], 1);
  const contained = imageInput(tall, wide, { fit: "contain" });
  assert.deepEqual(contained, Uint8Array.of(0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0));
  assert.throws(
    () => imageInput(square, wide, { fit: "crop" as never }),
    fails("INVALID_OPTION", /stretch, cover, contain/),
  );
  assert.throws(() => imageInput(square, { width: 2, height: 2, data: [1] }), fails("INVALID_INPUT", /1, 3 or 4/));
});

test("a session takes real numbers as quantize gives them, and gives views where they are asked for", async () => {
  const model = await loadModel(DIGITS);
  const [input, output] = [model.inputs[0], model.outputs[0]];
  const reals = Float32Array.from({ length: 784 }, (_, i) => ((i * 37) % 256) / 255);
  const expected = model.run([quantize(input, reals)])[output.name];
  for (const given of [reals, [...reals]]) assert.deepEqual(model.run([given])[output.name], expected);
  assert.deepEqual(model.run({ [input.name]: reals })[output.name], expected);
  const view = model.run([reals], { outputs: "views" })[output.name];
  assert.deepEqual(view, expected);
  assert.equal(model.run([reals], { outputs: "views" })[output.name], view);
  assert.notEqual(model.run([reals])[output.name]?.buffer, view?.buffer);
  assert.throws(
    () => model.run([reals], { outputs: "borrowed" as never }),
    fails("INVALID_OPTION", /"copies" or "views"/),
  );
  assert.throws(() => model.run([reals], { views: true } as never), fails("INVALID_OPTION", /the options outputs/));
  assert.throws(
    () => model.run([new Float64Array(784)] as never),
    fails("INVALID_INPUT", /Int8Array of 784 elements.*or as many real numbers/),
  );
  assert.throws(() => model.run([["1"]] as never), fails("INVALID_INPUT", /Array of 1/));
  model[Symbol.dispose]();
  assert.throws(() => model.run([reals]), fails("CLOSED", /open model/));
});

test("unknown options are an error that names those there are", async () => {
  const load = (options: object) => loadModel(DIGITS, options);
  await assert.rejects(load({ thread: 2 }), fails("INVALID_OPTION", /threads.*received "thread"/));
  await assert.rejects(load(null as never), fails("INVALID_OPTION", /an object/));
});
