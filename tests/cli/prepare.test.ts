import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultScaling, preparePicture, scalingText } from "../../bindings/values/image.ts";
import type { Picture } from "../../bindings/values/picture.ts";
import type { Port } from "../../bindings/values/port.ts";

const port = (
  dtype: Port["dtype"],
  scale: number,
  zeroPoint: number,
  shape: readonly number[] = [1, 16, 16, 1],
): Port => ({
  name: "x",
  dtype,
  shape,
  scale,
  zeroPoint,
});

/** All 256 greys. */
const RAMP: Picture = {
  width: 16,
  height: 16,
  data: Float32Array.from({ length: 256 * 3 }, (_, i) => Math.floor(i / 3)),
};
const ramp = (offset: number) => Array.from({ length: 256 }, (_, i) => i + offset);
const prepared = (to: Port) => Array.from(preparePicture(RAMP, to, defaultScaling(to)), Number);
const said = (to: Port) => scalingText(defaultScaling(to));

test("uint8 inputs, and int8 ones of scale 1 or 1/255 and zero point -128, get raw pixels", () => {
  for (const to of [port("uint8", 0.00784313772, 127), port("uint8", 0, 0)]) {
    assert.equal(said(to), "raw pixels");
    assert.deepEqual(prepared(to), ramp(0));
  }
  for (const to of [port("int8", 1, -128), port("int8", Math.fround(1 / 255), -128)]) {
    assert.equal(said(to), "raw pixels");
    assert.deepEqual(prepared(to), ramp(-128));
  }
});

test("an input that reaches -1 gets -1..1; the scale 2/255 makes that pixel - 128 exactly", () => {
  const to = port("int8", Math.fround(0.00784313772), -1);
  assert.equal(said(to), "pixels scaled to -1..1");
  assert.deepEqual(prepared(to), ramp(-128));
});

test("an input from 0 gets 0..1, quantized by its own scale and saturated", () => {
  const to = port("int8", 1 / 128, -100);
  assert.equal(said(to), "pixels scaled to 0..1");
  const values = prepared(to);
  assert.equal(values[0], -100);
  assert.equal(values[255], 28);
  assert.equal(values[128], -36);
  assert.equal(prepared(port("int8", 1 / 1000, -100))[255], 127);
});

test("float32 inputs get 0..1, int16 ones their range", () => {
  assert.equal(prepared(port("float32", 0, 0))[51], Math.fround(0.2));
  const values = prepared(port("int16", 1 / 32768, 0));
  assert.deepEqual([values[0], values[255]], [-32768, 32767]);
});

test("mean and standard deviation, one for all or one for each channel", () => {
  const picture: Picture = { width: 2, height: 1, data: Float32Array.of(10, 20, 30, 40, 50, 60) };
  const to = port("float32", 0, 0, [1, 1, 2, 3]);
  const all = preparePicture(picture, to, { kind: "real", mean: [10], std: [2] });
  assert.deepEqual(Array.from(all, Number), [0, 5, 10, 15, 20, 25]);
  const each = preparePicture(picture, to, { kind: "real", mean: [10, 20, 30], std: [1, 2, 3] });
  assert.deepEqual(Array.from(each, Number), [0, 0, 0, 30, 15, 10]);
  assert.throws(() => preparePicture(picture, to, { kind: "real", mean: [1, 2], std: [1] }), {
    code: "INVALID_OPTION",
  });
});

test("inputs that hold no image refuse pictures", () => {
  for (const shape of [[1, 10], [1, 96, 96, 4], [2, 8, 8, 3], [], [1, 1, 1, 1]])
    assert.throws(
      () => preparePicture(RAMP, port("int8", 1, 0, shape), { kind: "raw" }),
      { code: "INVALID_INPUT" },
      `${shape}`,
    );
  assert.throws(() => preparePicture(RAMP, port("int32", 0, 0), { kind: "raw" }), { code: "INVALID_INPUT" });
});
