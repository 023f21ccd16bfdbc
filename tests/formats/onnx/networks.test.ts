/** Whole ONNX networks: how many transposes remain, and that the digits say what onnxruntime and their .tflite twins say. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import type { Graph } from "../../../bindings/graph.ts";
import { importModel, loadModel, runPasses } from "../../../bindings/public/index.ts";

const SHARED = new URL("../../../../shared/", import.meta.url);
const isThere = existsSync(SHARED);
const skip = !isThere && "../shared is not there";
const bytes = (path: string) => new Uint8Array(readFileSync(new URL(path, SHARED)));
const floats = (path: string) => new Float32Array(bytes(path).buffer);

/** Places of transposes among the nodes: at the beginning, which may quantize first, in the middle, and at the end. */
function transposes({ nodes }: Graph): readonly [number, number, number] {
  const found: [number, number, number] = [0, 0, 0];
  for (const [i, { kind }] of nodes.entries())
    if (kind === "transpose") found[i < 2 ? 0 : i >= nodes.length - 3 ? 2 : 1]++;
  return found;
}

describe("transposes of whole convolutional networks", () => {
  const large = isThere ? readdirSync(new URL("zoo/onnx/large/", SHARED)) : [];
  const networks = [
    ...large.filter((file) => /^(mobilenet|resnet).*\.onnx$/.test(file)).map((file) => `zoo/onnx/large/${file}`),
    ...["digits_f32", "digits_qdq_s8", "digits_res_qdq_s8"].map((name) => `models/${name}.onnx`),
  ];
  for (const path of networks)
    test(path.slice(path.lastIndexOf("/") + 1), { skip }, () => {
      const found = transposes(runPasses(importModel(bytes(path), {})));
      assert.ok(found[0] <= 1 && found[1] === 0 && found[2] <= 1, `${found}`);
    });
});

describe("digits", { skip }, () => {
  const IMAGES = 20;
  const best = (values: ArrayLike<number>) => Array.from(values).indexOf(Math.max(...Array.from(values)));
  const inputs = isThere ? floats("goldens/digits/test.f32.in.bin") : new Float32Array(0);
  const names = (isThere ? readdirSync(new URL("models/", SHARED)) : []).filter((file) =>
    /^digits_.*\.onnx$/.test(file),
  );

  for (const name of names) {
    const isFloat = name.includes("_f32");
    test(`${name}: ${isFloat ? "within 1e-4 of" : "the classes of"} onnxruntime's`, async () => {
      const golden = floats(`goldens/digits/${name}.test.ort.out.bin`);
      const model = await loadModel(bytes(`models/${name}`));
      for (let i = 0; i < IMAGES; i++) {
        const [y] = Object.values(model.run([inputs.slice(784 * i, 784 * i + 784)])) as [Float32Array];
        const wanted = golden.slice(10 * i, 10 * i + 10);
        assert.equal(best(y), best(wanted), `picture ${i}`);
        if (isFloat) for (let c = 0; c < 10; c++) assert.ok(Math.abs((y[c] as number) - (wanted[c] as number)) <= 1e-4);
      }
      model.close();
    });
  }

  test("the classes of the int8 .tflite on the last 500 pictures of MNIST's test set", async () => {
    const { gunzipSync } = await import("node:zlib");
    const pictures = gunzipSync(bytes("data/mnist-t10k-images-idx3-ubyte.gz")).subarray(16);
    const [onnx, tflite] = await Promise.all(
      ["digits_qdq_s8.onnx", "digits_int8.tflite"].map((file) => loadModel(bytes(`models/${file}`))),
    );
    assert.ok(onnx && tflite);
    let other = 0;
    for (let i = 9500; i < 10000; i++) {
      const x = Float32Array.from(pictures.subarray(784 * i, 784 * i + 784), (pixel) => pixel / 255);
      const [a, b] = [onnx, tflite].map((model) => best(Object.values(model.run([x]))[0] as unknown as number[]));
      if (a !== b) other++;
    }
    assert.ok(other <= 1, `${other} of 500 differ`);
    onnx.close();
    tflite.close();
  });
});
