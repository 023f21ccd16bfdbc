/** Functions of constants: what is computed when a model is planned has the bytes that kernels compute when it runs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadModel } from "../../../bindings/public/index.ts";
import { buildTflite, type TensorSpec } from "../build-tflite.ts";

const REALS = Float32Array.of(-2.5, -1.5, -0.5, -0, 0, 0.5, 1.5, 2.5, 3.49, -7.2, 1e9, 16777217, 1e-30, Infinity);
const WHOLES = Int32Array.of(-(2 ** 31), -7, -1, 0, 1, 5, 46341, 2 ** 31 - 1);

/** A model of one operator on x, and on a constant of the same values. */
const model = (code: string, x: Float32Array | Int32Array): Uint8Array => {
  const dtype = x instanceof Float32Array ? "float32" : "int32";
  const type = (name: string, data?: ArrayBufferView): TensorSpec => ({
    name,
    dtype,
    shape: [x.length],
    ...(data && { data }),
  });
  return buildTflite({
    tensors: [type("x"), type("constant", x), type("computed"), type("folded")],
    operators: [
      { code, inputs: [0], outputs: [2] },
      { code, inputs: [1], outputs: [3] },
    ],
    inputs: [0],
    outputs: [2, 3],
  });
};

/** Values, operators, and the steps that one takes that is not folded. */
for (const [x, codes, steps] of [
  [REALS, ["NEG", "ABS", "FLOOR", "CEIL", "ROUND", "SQUARE"], 1],
  [REALS.map(Math.abs), ["SQRT"], 1],
  [WHOLES, ["NEG", "SQUARE"], 1],
  [WHOLES, ["ABS", "SIGN"], 2],
] as const)
  for (const code of codes)
    test(`${code} of ${x instanceof Float32Array ? "float32" : "int32"}`, async () => {
      const session = await loadModel(model(code, x), { module: "scalar" });
      const { computed, folded } = session.run([x]);
      assert.equal(session.steps.length, steps);
      assert.deepEqual(folded, computed);
      session.close();
    });

const FINITE = Float32Array.of(-2.5, -1.5, -0.5, -0, 0, 0.5, 1.5, 2.5, 3.49, -7.2, 1e9, 16777217, 1e-30);
for (const [code, dtype] of [
  ["CAST", "int32"],
  ["CAST", "int64"],
  ["CAST", "bool"],
  ["LESS", "bool"],
  ["EQUAL", "bool"],
  ["NOT_EQUAL", "bool"],
  ["GREATER_EQUAL", "bool"],
] as const)
  test(`${code} of float32 to ${dtype}`, async () => {
    const floats = (name: string, data?: Float32Array): TensorSpec => ({
      name,
      dtype: "float32",
      shape: [FINITE.length],
      ...(data && { data }),
    });
    const others = code === "CAST" ? [] : [2];
    const bytes = buildTflite({
      tensors: [
        floats("x"),
        floats("constant", FINITE),
        floats("other", FINITE.slice().reverse()),
        ...["computed", "folded"].map((name) => ({ name, dtype, shape: [FINITE.length] })),
      ],
      operators: [
        { code, inputs: [0, ...others], outputs: [3] },
        { code, inputs: [1, ...others], outputs: [4] },
      ],
      inputs: [0],
      outputs: [3, 4],
    });
    const session = await loadModel(bytes, { module: "scalar" });
    const { computed, folded } = session.run([FINITE]);
    assert.equal(session.steps.length, 1);
    assert.deepEqual(folded, computed);
    session.close();
  });

/** PAD to a multiple of four, as converters write `tf.pad(x, [[0, -n % 4]])`. */
test("sizes by NEG and FLOOR_MOD of a shape", async () => {
  const int = (name: string, shape: readonly number[], ...values: number[]): TensorSpec => ({
    name,
    dtype: "int32",
    shape,
    ...(values.length > 0 && { data: Int32Array.from(values) }),
  });
  const bytes = buildTflite({
    tensors: [
      { name: "x", dtype: "float32", shape: [6] },
      ...[
        int("n", [1]),
        int("less", [1]),
        int("four", [], 4),
        int("rest", [1]),
        int("none", [1], 0),
        int("pads", [1, 2]),
      ],
      { name: "y", dtype: "float32", shape: [1], signature: [-1] },
      int("shape", [2], 1, 2),
      int("joined", [2]),
    ],
    operators: [
      { code: "SHAPE", inputs: [0], outputs: [1] },
      { code: "NEG", inputs: [1], outputs: [2] },
      { code: "FLOOR_MOD", inputs: [2, 3], outputs: [4] },
      { code: "CONCATENATION", inputs: [5, 4], outputs: [9] },
      { code: "RESHAPE", inputs: [9, 8], outputs: [6] },
      { code: "PAD", inputs: [0, 6], outputs: [7] },
    ],
    inputs: [0],
    outputs: [7],
  });
  const session = await loadModel(bytes, { module: "scalar" });
  assert.deepEqual(session.outputs[0]?.shape, [8]);
  assert.deepEqual(session.run([Float32Array.of(1, 2, 3, 4, 5, 6)]).y, Float32Array.of(1, 2, 3, 4, 5, 6, 0, 0));
  session.close();
});
