/** Constants of .onnx files in the forms that protobuf has for them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PbfWriter } from "pbf";
import { Pint8Error } from "../../bindings/errors.ts";
import { readTensorProto } from "../../bindings/formats/onnx/proto.ts";
import { tensorOf } from "../../bindings/formats/onnx/tensors.ts";

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

test("floats that are too few", () => {
  assert.throws(() => bytesOf((pbf) => pbf.writePackedFloat(4, VALUES.slice(1))), Pint8Error);
});
