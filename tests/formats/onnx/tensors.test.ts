/** Constants of .onnx files in the forms that protobuf has for them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PbfWriter } from "pbf";
import { Pint8Error } from "../../../bindings/errors.ts";
import { tensorOf } from "../../../bindings/formats/onnx/tensors.ts";
import { readTensorProto } from "../../support/tensor-proto.ts";

const VALUES = [1.5, -2, 0.25];

/** The bytes of a float32 tensor whose values this writes. */
function bytesOf(write: (pbf: PbfWriter) => void): Uint8Array | undefined {
  const pbf = new PbfWriter();
  pbf.writeVarintField(1, VALUES.length);
  write(pbf);
  pbf.writeVarintField(2, 1);
  return tensorOf(readTensorProto(pbf.finish()), "tensor", {}).data;
}

const FORMS: { readonly [form: string]: (pbf: PbfWriter) => void } = {
  "in one piece": (pbf) => pbf.writePackedFloat(4, VALUES),
  "in several pieces": (pbf) => {
    pbf.writePackedFloat(4, VALUES.slice(0, 1));
    pbf.writePackedFloat(4, VALUES.slice(1));
  },
  "one by one": (pbf) => {
    for (const value of VALUES) pbf.writeFloatField(4, value);
  },
};

for (const [form, write] of Object.entries(FORMS))
  test(`floats ${form}`, () => assert.deepEqual(bytesOf(write), new Uint8Array(Float32Array.from(VALUES).buffer)));

const WHOLE = [3, -2, 70000, 0, 127, 128];

/** int32 values that this writes. */
function integersOf(write: (pbf: PbfWriter) => void, count = WHOLE.length): Int32Array {
  const pbf = new PbfWriter();
  pbf.writeVarintField(1, count);
  write(pbf);
  pbf.writeVarintField(2, 6);
  const { data } = tensorOf(readTensorProto(pbf.finish()), "tensor", {});
  return new Int32Array((data as Uint8Array).slice().buffer);
}

const INTEGERS: { readonly [form: string]: (pbf: PbfWriter) => void } = {
  "in one piece": (pbf) => pbf.writePackedVarint(5, WHOLE),
  "in several pieces": (pbf) => {
    pbf.writePackedVarint(5, WHOLE.slice(0, 2));
    pbf.writePackedVarint(5, WHOLE.slice(2));
  },
  "one by one": (pbf) => {
    for (const value of WHOLE) pbf.writeVarintField(5, value);
  },
};

for (const [form, write] of Object.entries(INTEGERS))
  test(`integers ${form}`, () => assert.deepEqual(integersOf(write), Int32Array.from(WHOLE)));

test("as many pieces as numbers take no longer than one", () => {
  const count = 200_000;
  const each = (pbf: PbfWriter) => {
    for (let i = 0; i < count; i++) pbf.writePackedVarint(5, [i % 1000]);
  };
  assert.equal(integersOf(each, count)[123_456], 456);
  const pbf = new PbfWriter();
  pbf.writeVarintField(1, count);
  for (let i = 0; i < count; i++) pbf.writePackedFloat(4, [i]);
  pbf.writeVarintField(2, 1);
  const { data } = tensorOf(readTensorProto(pbf.finish()), "tensor", {});
  assert.equal(new Float32Array((data as Uint8Array).slice().buffer)[123_456], 123_456);
});

test("floats that are too few", () => {
  assert.throws(() => bytesOf((pbf) => pbf.writePackedFloat(4, VALUES.slice(1))), Pint8Error);
});
