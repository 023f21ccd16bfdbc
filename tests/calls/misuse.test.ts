/** Arguments that TypeScript forbids and JavaScript passes: refused by name, never computed on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Pint8Error } from "../../bindings/errors.ts";
import { createKernels, denseWeights } from "../../bindings/public/kernels.ts";

const ONE = { scale: 1, zeroPoint: 0 };
const refused = (message: RegExp) => (error: unknown) =>
  error instanceof Pint8Error && error.code === "INVALID_INPUT" && message.test(error.message);

test("paddings, strides and activations that are none", async () => {
  const kernels = await createKernels({ module: "scalar", pages: 16 });
  const weights = denseWeights({ shape: [1, 3, 3, 16], data: new Int8Array(144).fill(1), scale: 0.1 });
  for (const name of ["conv2d", "depthwiseConv2d"] as const) {
    const call = (more: object) => () => {
      const x = kernels.tensor("int8", [1, 5, 5, 16], ONE);
      return kernels[name]({ x, weights, y: ONE, ...more });
    };
    const sides = { top: 0, bottom: 0, left: 0, right: 0 };
    const paddings = ["SAME", 1, null, [[0, 0]], { top: 1 }, { ...sides, top: -1 }, { ...sides, left: 0.5 }];
    for (const padding of [...paddings, { ...sides, right: "1" }, { ...sides, front: 0 }])
      assert.throws(call({ padding }), refused(/padding: expected "same", "valid" or \{ top/), JSON.stringify(padding));
    for (const activation of ["RELU", "sigmoid", null, 1])
      assert.throws(call({ activation }), refused(/activation: expected none, relu, relu6, reluN1To1/));
    for (const stride of [2, [2], [0, 1], [1.5, 1], ["1", "1"]])
      assert.throws(call({ stride }), refused(/stride: expected \[vertical, horizontal\]/));
    assert.throws(call({ dilation: 2 }), refused(/dilation/));
    call({ padding: { ...sides, top: 1 }, stride: [2, 1], activation: "relu" })();
  }
});

test("weights that denseWeights did not give", async () => {
  const kernels = await createKernels({ module: "scalar", pages: 16 });
  const x = kernels.tensor("int8", [2, 16], ONE);
  const made = denseWeights({ shape: [4, 16], data: new Int8Array(64).fill(1), scale: 0.1 });
  for (const parts of [{ shape: 4 }, { shape: null }, { bias: 0 }, { bias: null }, { scale: 0.1 }, { data: [1] }])
    assert.throws(() => kernels.gemm({ x, weights: { ...made, ...parts } as never, y: ONE }), refused(/denseWeights/));
});

test("multipliers and biases of another class", async () => {
  const kernels = await createKernels({ module: "scalar", pages: 16 });
  const x = kernels.tensor("int32", [1, 2]);
  const call = (more: object) => () => kernels.requantize({ x, y: ONE, multiplier: 1, ...more });
  for (const multiplier of [Float32Array.of(0.5, 0.25), undefined, "1", [1, "1"]])
    assert.throws(call({ multiplier }), refused(/multiplier: expected a number or an array of numbers/));
  for (const bias of [Float32Array.of(1.5, 2.5), [1, 2]])
    assert.throws(call({ bias }), refused(/bias: expected an Int32Array/));
  assert.throws(call({ activation: "RELU" }), refused(/activation/));
  call({ multiplier: [0.5, 0.25], bias: Int32Array.of(1, 2) })();
});
