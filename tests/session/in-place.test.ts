/** Runs that copy nothing: inputs filled where they lie, outputs as views of the memory. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadModel } from "../../bindings/public/index.ts";
import { network, sessionOf } from "./networks.ts";

const DIGITS = new URL("../../models/digits/digits_int8.tflite", import.meta.url);
const VIEWS = { outputs: "views" } as const;

test("inputs filled in place give what copied ones give, run after run", async () => {
  const model = await loadModel(DIGITS, { module: "scalar" });
  const [{ data, name }] = model.inputs;
  for (let seed = 1; seed < 4; seed++) {
    const pixels = Int8Array.from({ length: 784 }, (_, i) => i * seed * 31);
    const expected = model.run([pixels]);
    data.set(pixels);
    assert.deepEqual(model.run(), expected);
    data.set(pixels);
    assert.deepEqual({ ...model.run(undefined, VIEWS) }, expected);
    data.set(pixels);
    assert.deepEqual(model.run({ [name]: data }), expected);
  }
  assert.throws(() => (model.run as (inputs: unknown) => void)(undefined), /received nothing/);
  model.close();
  assert.throws(() => model.inputs[0].data, /open model/);
  assert.throws(() => model.run(), /open model/);
});

test("views come in one object, and one input in place with others copied", async () => {
  const session = await sessionOf(network());
  const [a, b] = [Int8Array.from({ length: 12 }, (_, i) => i - 6), Int8Array.from({ length: 12 }, (_, i) => 5 * i)];
  const expected = session.run([a, b]);
  const place = session.inputs[0].data;
  place.set(a);
  const views = session.run([place, b], VIEWS);
  assert.deepEqual({ ...views }, expected);
  assert.equal(session.run([a, b], VIEWS), views);
  assert.throws(() => Object.assign(views, { sum: b }), TypeError);
});
