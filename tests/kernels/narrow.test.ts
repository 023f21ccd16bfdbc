/** Which convolutions compute several outputs of a row in one product. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Ends, narrowLayout } from "../../bindings/primitives/product/narrow.ts";

/** A convolution of stride 1 with padding "same", of weights that count up from 1. */
function layout(
  module: "scalar" | "simd" | "relaxed",
  n: number,
  inC: number,
  kernel: number,
  size: number,
  ends: Ends = "anywhere",
) {
  const before = (kernel - 1) >> 1;
  return narrowLayout(
    module,
    "speed",
    Int8Array.from({ length: n * kernel * kernel * inC }, (_, i) => (i % 126) + 1),
    n,
    {
      inH: size,
      inW: size,
      inC,
      outH: size,
      outW: size,
      kH: kernel,
      kW: kernel,
      strideH: 1,
      strideW: 1,
      dilationH: 1,
      dilationW: 1,
      padTop: before,
      padLeft: before,
      xZeroPoint: 0,
    },
    ends,
  );
}

describe("bands of outputs", () => {
  for (const module of ["simd", "relaxed"] as const)
    test(`${module}: as many as fill a panel`, () => {
      for (const [n, repeat] of [
        [1, 8],
        [2, 4],
        [4, 2],
        [12, 2],
      ] as const) {
        const bands = layout(module, n, 8, 3, 48);
        assert.equal(bands?.repeat, repeat, `${n} channels`);
        assert.equal(bands?.n, 8 * Math.ceil((n * repeat) / 8));
        assert.equal(bands?.patches.outW, 48 / repeat);
      }
    });
  test("each output has the weights where its window stands, zeros elsewhere", () => {
    const bands = layout("simd", 2, 1, 3, 16);
    assert.equal(bands?.repeat, 4);
    const line = (output: number, channel: number, y: number) =>
      Array.from(
        bands?.data.subarray(((output * 2 + channel) * 3 + y) * 6, ((output * 2 + channel) * 3 + y + 1) * 6) ?? [],
      );
    for (let output = 0; output < 4; output++)
      for (let channel = 0; channel < 2; channel++)
        for (let y = 0; y < 3; y++) {
          const first = (channel * 3 + y) * 3 + 1;
          const expected = [0, 0, 0, 0, 0, 0];
          expected.splice(output, 3, first, first + 1, first + 2);
          assert.deepEqual(line(output, channel, y), expected);
        }
  });
  test("the last tile of a row begins earlier where rows are no whole bands", () => {
    for (const module of ["simd", "relaxed"] as const) {
      const { repeat = 0, back = 0, patches } = layout(module, 1, 8, 3, 47) ?? {};
      assert.equal(repeat, 8);
      assert.deepEqual([patches?.outW, back], [6, 1]);
      assert.equal(layout(module, 1, 8, 3, 47, "whole"), undefined);
      // Four bands are a whole tile: none is left that could begin earlier.
      assert.notEqual(layout(module, 1, 8, 3, 31)?.repeat, 8);
    }
  });
  test("full panels, kernels of one column and the scalar module stay as they are", () => {
    assert.equal(layout("simd", 16, 8, 3, 48), undefined);
    assert.equal(layout("simd", 1, 8, 1, 48), undefined);
    assert.equal(layout("scalar", 1, 8, 3, 48), undefined);
  });
});
