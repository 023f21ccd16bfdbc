/** AI Edge Quantizer's recipes, read and written. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { quantize } from "../../bindings/optimize/quantize/quantize.ts";
import { readRecipe, writeRecipe } from "../../bindings/optimize/quantize/recipe.ts";
import { dataset, digits, model, skip } from "./support/digits.ts";

const rule = (regex: string, operation: string, weights: number, activations?: number, more: object = {}) => ({
  regex,
  operation,
  algorithm_key: "min_max_uniform_quantize",
  op_config: {
    ...(activations === undefined ? {} : { activation_tensor_config: { num_bits: activations, dtype: "INT" } }),
    weight_tensor_config: { num_bits: weights, dtype: "INT", granularity: "CHANNELWISE" },
    compute_precision: "INTEGER",
  },
  ...more,
});

describe("recipes", { skip }, () => {
  const float = skip ? undefined : model("digits_f32.tflite");
  const read = (rules: unknown) =>
    readRecipe(typeof rules === "string" ? rules : JSON.stringify(rules), float as never);

  test("the last rule that matches a layer wins", () => {
    const {
      layers = {},
      activations,
      scales,
    } = read([
      rule(".*", "*", 8, 8),
      rule(".*", "FULLY_CONNECTED", 4, 8),
      rule(".*", "CONV_2D", 8, 16),
      { regex: "stem", operation: "CONV_2D", algorithm_key: "no_quantize" },
    ]);
    const settings = Object.values(layers).map(({ weights, activations: type }) => `${weights} ${type}`);
    assert.equal(activations, "int8");
    assert.equal(scales, "channel");
    assert.equal(settings[0], "float32 float32");
    assert.equal(settings[1], "int8 int8", "depthwise");
    assert.equal(settings[2], "int8 int16", "pointwise");
    assert.equal(settings.at(-1), "int4 int8");
  });

  test("settings are the same after writing and reading", async () => {
    const options = {
      layers: { dense: { weights: "int4" }, first: { weights: "float32", activations: "float32" } },
    } as const;
    const result = await quantize(float as never, dataset(digits(0, 8)), options);
    const { layers = {}, activations } = read(writeRecipe(result));
    assert.equal(activations, "int8");
    assert.deepEqual(
      layers,
      Object.fromEntries(
        result.layers.map(({ name, weights, activations: type }) => [name, { weights, activations: type }]),
      ),
    );
    const again = await quantize(float as never, dataset(digits(0, 8)), { layers });
    assert.deepEqual(again.graph, result.graph);
  });

  test("what is no recipe is refused", () => {
    for (const bad of ["{", "{}", [{}], [rule("(", "*", 8)], [rule(".*", "*", 3, 8)], [rule(".*", "*", 8, 4)]])
      assert.throws(() => read(bad), { code: "INVALID_OPTION" });
  });
});
