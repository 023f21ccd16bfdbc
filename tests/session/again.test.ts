/** What a loaded model holds on to: its memory alone. A file is read again where the model is reshaped. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { createImage } from "../../bindings/plan/image.ts";
import { loadModel, Pint8Error } from "../../bindings/public/index.ts";
import { reach } from "../../bindings/session/memory.ts";
import { buildOnnx } from "../formats/build-onnx.ts";
import { random } from "../support/kernels.ts";

/** y = x·w, of rows `[n, 4]`; some kilobytes of weights for every 256 columns. */
const product = (columns: number, scale = 1) =>
  buildOnnx({
    nodes: [{ operator: "MatMul", inputs: ["x", "w"], outputs: ["y"] }],
    inputs: [{ name: "x", dims: ["n", 4] }],
    outputs: [{ name: "y" }],
    initializers: [
      {
        name: "w",
        dims: [4, columns],
        type: 1,
        values: Array.from({ length: 4 * columns }, (_, i) => scale * (((i * 37) % 19) / 19 - 0.5)),
      },
    ],
  });

const folder = () => mkdtempSync(join(tmpdir(), "pint8-again-"));
const row = Float32Array.of(1, -2, 3, 0.5);

test("a model of a path, of the URL of a file, of a Blob and of bytes can be reshaped", async () => {
  const home = folder();
  const path = join(home, "model.onnx");
  const bytes = product(300);
  writeFileSync(path, bytes);
  try {
    for (const source of [path, pathToFileURL(path), pathToFileURL(path).href, new Blob([bytes.slice()]), bytes]) {
      const model = await loadModel(source, { shapes: { x: [1, 4] } });
      const { y } = model.run([row]) as { y: Float32Array };
      for (const count of [2, 1, 3]) {
        await model.reshape({ x: [count, 4] });
        const many = Float32Array.from({ length: 4 * count }, (_, i) => row[i % 4] as number);
        assert.deepEqual((model.run([many]) as { y: Float32Array }).y.slice(300 * (count - 1)), y);
      }
      model.close();
    }
  } finally {
    rmSync(home, { recursive: true });
  }
});

test("a file that is gone or another is an error, and the session stays as it was", async () => {
  const home = folder();
  const path = join(home, "model.onnx");
  try {
    writeFileSync(path, product(300));
    const model = await loadModel(path, { shapes: { x: [1, 4] } });
    const before = model.run([row]);
    const refused = async (words: RegExp) => {
      await assert.rejects(
        model.reshape({ x: [2, 4] }),
        (error) => error instanceof Pint8Error && error.code === "IO" && words.test(error.message),
      );
      assert.deepEqual(model.run([row]), before);
    };
    writeFileSync(path, product(300, 2));
    await refused(/another one in its place/);
    rmSync(path);
    await refused(/model\.onnx/);
    writeFileSync(path, product(300));
    await model.reshape({ x: [2, 4] });
    assert.deepEqual(model.inputs[0]?.shape, [2, 4]);
    model.close();
  } finally {
    rmSync(home, { recursive: true });
  }
});

test("an image in memory is the same as one in parts, however it grows", () => {
  for (const seed of [1, 2, 3]) {
    const { int } = random(seed);
    const address = 16 * int(1, 20000);
    const images = [createImage(address), createImage(address, { reach })] as const;
    const placed: Uint8Array[] = [];
    for (let i = 0; i < 60; i++) {
      const fresh = new Uint8Array(int(1, 60000)).map((_, at) => (at * 7 + i * seed) & 255);
      const bytes = i % 5 === 4 ? (placed[int(0, placed.length - 1)] as Uint8Array).slice() : fresh;
      placed.push(bytes);
      const [a, b] = images.map((image) => (i % 7 === 0 ? image.placeOwn(bytes) : image.place(bytes)));
      assert.equal(a, b);
    }
    const memory = images[1].memory() as WebAssembly.Memory;
    assert.equal(memory.buffer.byteLength, 65536 * Math.ceil((address + images[0].size()) / 65536));
    const expected = images[0].bytes();
    assert.deepEqual(Buffer.from(memory.buffer, address, expected.length), Buffer.from(expected));
    assert.deepEqual(Buffer.from(images[1].bytes()), Buffer.from(expected));
  }
});

test("what is left of loading a file is the session's memory", () => {
  const home = folder();
  try {
    const path = join(home, "model.onnx");
    writeFileSync(path, product(1 << 19));
    const program = `
      import { loadModel } from ${JSON.stringify(new URL("../../bindings/public/index.ts", import.meta.url).href)};
      const settle = async () => { gc(); await new Promise((end) => setTimeout(end, 20)); gc(); };
      const [, , small, path] = process.argv;
      (await loadModel(small)).close();
      await settle();
      const { external } = process.memoryUsage();
      const model = await loadModel(path, { shapes: { x: [1, 4] } });
      await settle();
      console.log(process.memoryUsage().external - external, model.memoryBytes);`;
    const script = join(home, "program.mjs");
    writeFileSync(script, program);
    const small = join(home, "small.onnx");
    writeFileSync(small, product(16));
    const [held, memory] = execFileSync(process.execPath, ["--expose-gc", "--import", "tsx", script, small, path], {
      cwd: fileURLToPath(new URL("../..", import.meta.url)),
      encoding: "utf8",
    })
      .trim()
      .split(" ")
      .map(Number) as [number, number];
    assert.ok(memory > 8 << 20, `${memory} bytes of memory`);
    assert.ok(held < memory + (4 << 20), `${held} bytes held, of which ${memory} are the session's`);
  } finally {
    rmSync(home, { recursive: true });
  }
});
