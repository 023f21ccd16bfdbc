/** Calls of kernels without what they need: errors that say so. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createKernels, denseWeights, Pint8Error, prunedWeights } from "../../bindings/public/kernels.ts";

type Loose = (...given: readonly unknown[]) => unknown;

describe("kernels called with nothing", async () => {
  const kernels = await createKernels({ module: "scalar", pages: 2 });
  const x = kernels.tensor("int8", [1, 4], { scale: 1, zeroPoint: 0 });
  const weights = denseWeights({ shape: [1, 4], data: new Int8Array(4), scale: 1 });
  const y = { scale: 1, zeroPoint: 0 };
  const refused = (name: string, call: Loose, given: readonly unknown[]) =>
    test(`${name}(${given.map((each) => JSON.stringify(each)).join()})`, () => {
      assert.throws(
        () => call(...given),
        (error) => error instanceof Pint8Error && error.hint !== "" && /expected .+, received .+/.test(error.message),
      );
    });
  for (const name of ["gemm", "spmm", "conv2d", "depthwiseConv2d", "requantize"] as const)
    for (const given of [[], [{}], [null], [{ x }], [{ x, weights, multiplier: 1, y: {} }], [{ x, weights, y: null }]])
      refused(name, kernels[name] as unknown as Loose, given);
  refused("denseWeights", denseWeights as unknown as Loose, []);
  refused("prunedWeights", prunedWeights as unknown as Loose, [{}]);
  refused("tensor", kernels.tensor as unknown as Loose, ["int8", [1], null]);
  for (const wrong of [{}, { data: new Int8Array(4) }, "w", null])
    test(`gemm with weights ${JSON.stringify(wrong)}`, () => {
      const call = { x, weights: wrong, y } as unknown as Parameters<typeof kernels.gemm>[0];
      assert.throws(() => kernels.gemm(call), Pint8Error);
    });
});
