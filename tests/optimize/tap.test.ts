/** Any tensor of a graph as the engine computes it, for one sample and for several. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { importModel } from "../../bindings/formats/index.ts";
import type { TensorId } from "../../bindings/graph.ts";
import { tapGraph } from "../../bindings/optimize/tap.ts";
import { loadModel } from "../../bindings/public/index.ts";
import { dequantize } from "../../bindings/values/quantize.ts";

const MODELS = new URL("../../../shared/models/", import.meta.url);
const DIGITS = new URL("../../models/digits/digits_int8.tflite", import.meta.url);
const models: readonly (readonly [string, URL, number])[] = [
  ["the built-in model", DIGITS, 16],
  ["float", new URL("digits_res_f32.tflite", MODELS), 16],
  ["float .onnx", new URL("digits_f32.onnx", MODELS), 16],
  ["samples that meet", new URL("trained_lstm_int8.tflite", MODELS), 1],
];

describe("tapGraph", () => {
  for (const [name, url, batch] of models)
    test(name, { skip: existsSync(url) ? false : "no ../shared folder" }, async () => {
      const bytes = new Uint8Array(readFileSync(url));
      const graph = importModel(bytes, {});
      const ids = [
        graph.inputs[0]?.tensor as TensorId,
        ...graph.nodes.slice(0, 5).flatMap(({ outputs }) => outputs),
        graph.outputs[0]?.tensor as TensorId,
        graph.tensors.findIndex(({ data, dtype }) => data !== undefined && dtype !== "string") as TensorId,
      ];
      const many = await tapGraph(graph, ids, { batch, module: "simd" });
      const one = await tapGraph(graph, ids, { batch: 1, module: "simd" });
      const model = await loadModel(bytes, { module: "simd" });
      assert.equal(many.batch, batch);
      assert.equal(one.batch, 1);
      const length = model.inputs[0].shape.reduce((a, b) => a * b, 1);
      const samples = Math.max(1, batch - 3);
      const input = Float32Array.from({ length: length * samples }, (_, i) => ((i * 37) % 101) / 100);
      const rows = many.run([input]);
      for (let sample = 0; sample < samples; sample++) {
        const own = input.subarray(sample * length, (sample + 1) * length);
        one.session.reset();
        const alone = one.run([own]);
        for (const [i, values] of alone.entries()) {
          const row = rows[i] as Float32Array;
          assert.equal(row.length, values.length * samples, `tensor ${ids[i]}`);
          assert.deepEqual(row.slice(sample * values.length, (sample + 1) * values.length), values, `tensor ${ids[i]}`);
        }
        model.reset();
        const expected = dequantize(model.outputs[0], model.run([own]));
        assert.deepEqual(alone.at(-2), expected);
      }
      const given = rows[0] as Float32Array;
      assert.ok(
        given.every((value, i) => Math.abs(value - (input[i] as number)) <= (model.inputs[0].scale || 0) / 2 + 1e-6),
      );
      assert.throws(() => many.run([input.subarray(1)]), { code: "INVALID_INPUT" });
      assert.throws(() => many.run([]), { code: "INVALID_INPUT" });
      for (const each of [many, one]) each.close();
      model.close();
    });

  test("an id that is none", async () => {
    const graph = importModel(new Uint8Array(readFileSync(DIGITS)), {});
    await assert.rejects(tapGraph(graph, [9999 as TensorId]), { code: "INVALID_OPTION" });
  });
});
