/** Networks quantized under bounds: what is promised is kept, or said to be missed. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { writeTflite } from "../../bindings/formats/tflite/write/index.ts";
import { layersOf } from "../../bindings/optimize/layers.ts";
import { prepareFloat } from "../../bindings/optimize/prepare/index.ts";
import type { QuantizeOptions } from "../../bindings/optimize/quantize/options.ts";
import { quantize } from "../../bindings/optimize/quantize/quantize.ts";
import { accuracy, dataset, digits, model, skip } from "./support/digits.ts";

describe("bounds", { skip }, () => {
  const float = skip ? undefined : model("digits_f32.tflite");
  const samples = skip ? [] : digits(0, 64);
  const run = (options: QuantizeOptions) => quantize(float as never, dataset(samples), options);

  test("a size that int8 does not reach: the layers that hurt least get int4", async () => {
    const { graph, bounds, layers } = await run({ size: 45, maxDrop: 2 });
    assert.deepEqual(
      bounds.map(({ name, met }) => [name, met]),
      [
        ["maxDrop", true],
        ["size", true],
      ],
    );
    const bytes = writeTflite(prepareFloat(float as never)).length;
    assert.ok(writeTflite(graph).length <= 0.45 * bytes);
    const types = new Set(layers.map(({ weights }) => weights));
    assert.deepEqual([...types].sort(), ["int4", "int8"]);
    assert.ok((await accuracy(graph, digits(8000, 8300))) > 98);
  });

  test("a drop that is too large: the layers that hurt most get more bits or stay float", async () => {
    const rough = { "*": { weights: "int4" } } as const;
    const { bounds, layers } = await run({
      layers: rough,
      scales: "tensor",
      rounding: "nearest",
      correction: "none",
      maxDrop: 0,
    });
    assert.equal(bounds[0]?.met, true, JSON.stringify(bounds));
    assert.ok(layers.some(({ weights }) => weights !== "int4"));
  });

  test("what cannot be reached is said", async () => {
    const { bounds, layers } = await run({ size: 1 });
    assert.equal(bounds[0]?.met, false);
    assert.ok((bounds[0]?.reached ?? 0) > 20);
    assert.equal(layers.length, layersOf(prepareFloat(float as never)).length);
    await assert.rejects(run({ maxDrop: -1 }), { code: "INVALID_OPTION" });
    await assert.rejects(quantize(float as never, undefined, { maxDrop: 1 }), { code: "INVALID_OPTION" });
  });
});
