/** Files of kinds that are not read are named, with what to do; NumPy arrays of every kind end in values or a reason. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { writeTflite } from "../../bindings/public/optimize.ts";
import { buildNetwork } from "../optimize/support/networks.ts";
import { DIGITS, folder, pint8 } from "./run.ts";

/** A .npy file of zeros. */
function npy(descr: string, order: string, shape: string, bytes: number): Buffer {
  const header = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${shape}), }`.padEnd(117);
  return Buffer.concat([
    Buffer.from("\x93NUMPY\x01\x00\x76\x00", "latin1"),
    Buffer.from(`${header}\n`),
    Buffer.alloc(bytes),
  ]);
}

test("pictures that are not decoded, and empty files", async (t) => {
  const dir = folder(t);
  for (const [name, letters, what] of [
    ["gif.png", "GIF89a", "a GIF picture"],
    ["webp.png", "RIFF....WEBPVP8 ", "a WebP picture"],
    ["avif.png", "\0\0\0\x1cftypavif", "an AVIF picture"],
    ["heic.png", "\0\0\0\x1cftypheic", "a HEIC picture"],
    ["tif.png", "II*\0", "a TIFF picture"],
    ["empty.png", "", "an empty file"],
    ["svg.png", "<svg/>", "another kind of file"],
  ] as const) {
    const of = join(dir, name.slice(0, -4));
    mkdirSync(of);
    const file = join(of, name);
    writeFileSync(file, letters);
    for (const args of [
      ["run", DIGITS, "--input", file],
      ["evaluate", DIGITS, "--data", of],
      ["evaluate", DIGITS, "--data", file],
    ]) {
      const { status, err } = await pint8(...args);
      assert.equal(status, 1);
      assert.match(err, new RegExp(`INVALID_INPUT: .*${name.replace(".", "\\.")}: expected .* received ${what}`), err);
      if (/picture$/.test(what)) assert.match(err, /hint: Convert it to PNG/);
    }
  }
});

test("NumPy arrays", async (t) => {
  const file = join(folder(t), "a.npy");
  const shape = "1, 28, 28, 1";
  for (const [bytes, refused] of [
    [npy("<f2", "False", shape, 1568)],
    [npy("<f4", "False", shape, 3136)],
    [npy("<f8", "False", shape, 6272)],
    [npy("|i1", "False", "784,", 784)],
    [npy(">f4", "False", shape, 3136), /received >f4\n.*ascontiguousarray/],
    [npy("<f4", "True", shape, 3136), /received <f4, not in C order\n.*ascontiguousarray/],
    [npy("|u1", "False", shape, 784), /received \|u1\n.*numpy\.save/],
    [npy("|O", "False", shape, 784), /received \|O\n/],
    [npy("<f4", "False", shape, 100), /3136 bytes of float32 .* received 100 bytes\nhint: .*cut short/],
  ] as const) {
    writeFileSync(file, bytes);
    const { status, err } = await pint8("run", DIGITS, "--input", file);
    assert.equal(status, refused === undefined ? 0 : 1, err);
    if (refused !== undefined) assert.match(err, refused);
  }
});

test("evaluate says that classes are no answers of an embedding's", async (t) => {
  const dir = folder(t);
  const [model, table] = ["embedder.tflite", "table.csv"].map((name) => join(dir, name)) as [string, string];
  const to = buildNetwork([1, 3]);
  const x = to.node("fullyConnected", [to.input, to.weights([2, 3]), to.weights([2])], {
    activation: "none",
    keepDims: false,
  });
  writeFileSync(model, writeTflite(to.graph(to.node("l2Normalization", [x], { activation: "none" }))));
  writeFileSync(table, "a,b,c,class\n1,2,3,0\n3,1,2,7\n");
  for (const more of [[], ["--against", model]]) {
    const { status, out, err } = await pint8("evaluate", model, "--data", table, "--labels", "class", ...more);
    assert.equal(status, 0, err);
    assert.match(err, /^note: the labels say nothing of this model/);
    assert.doesNotMatch(out, /top-1|the same/);
  }
});
