/** CONV_2D of float32 by Winograd's F(2×2, 3×3): every byte of its own reference, and close to the plain convolution. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Padding } from "../../bindings/graph.ts";
import { operators } from "../../bindings/ops/index.ts";
import type { PatchesF32, ProductF32 } from "../../bindings/primitives/product/gemmF32.ts";
import { winogradTiles } from "../../bindings/primitives/product/winogradF32.ts";
import { BOUNDS } from "../../bindings/primitives/requantize/quantization.ts";
import { placeWindow } from "../../bindings/primitives/window.ts";
import { floatConvolution } from "../reference/floats.ts";
import { winogradConvolution } from "../reference/winograd.ts";
import { bytesOf, checkOperator, type Random, random, type Subject, subjects, tensor } from "../support/kernels.ts";

const PADDINGS: readonly Padding[] = ["same", "valid", { top: 2, bottom: 0, left: 1, right: 3 }];

function floats(draw: Random, count: number): Float32Array {
  return Float32Array.from({ length: count }, () => draw.int(-1000, 1000) / 512);
}

function check(subject: Subject, draw: Random): void {
  const xShape = [draw.int(1, 2), draw.int(9, 14), draw.int(9, 14), draw.pick([24, 28, 36])] as const;
  const [images, inH, inW, inC] = xShape;
  const outC = draw.pick([24, 28, 36]);
  const padding = draw.pick(PADDINGS);
  const [h, w] = [inH, inW].map((size, i) => placeWindow(size, 3, 1, 1, padding, i === 0 ? "height" : "width")) as [
    ReturnType<typeof placeWindow>,
    ReturnType<typeof placeWindow>,
  ];
  const activation = draw.pick(["none", "relu", "relu6"] as const);
  const [lo, hi] = BOUNDS[activation];
  const [x, weights] = [floats(draw, images * inH * inW * inC), floats(draw, outC * 9 * inC)];
  const bias = draw.int(0, 2) === 0 ? undefined : floats(draw, outC);
  const yShape = [images, h.out, w.out, outC] as const;
  const example = {
    x,
    xShape,
    w: weights,
    ...(bias && { bias }),
    before: [h.before, w.before] as const,
    yShape,
    lo,
    hi,
  };
  const expected = winogradConvolution(example);
  const plain = floatConvolution({
    ...example,
    kernel: [3, 3],
    stride: [1, 1],
    dilation: [1, 1],
    depthwise: false,
    group: inH * inW * inC,
    asymmetric: false,
  });
  const largest = plain.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (const [i, value] of plain.entries())
    assert.ok(Math.abs(value - (expected[i] as number)) <= 4e-6 * largest, `output ${i}`);
  checkOperator(
    subject,
    operators.conv2d,
    {
      attributes: { stride: [1, 1], dilation: [1, 1], padding, activation },
      inputs: [
        tensor("float32", xShape),
        { ...tensor("float32", [outC, 3, 3, inC]), data: bytesOf(weights) },
        ...(bias ? [tensor("float32", [outC], undefined, bias)] : []),
      ],
      values: [x, weights, ...(bias ? [bias] : [])],
      output: tensor("float32", yShape),
    },
    expected,
    plain,
  );
}

for (const subject of await subjects())
  test(`Winograd's convolutions of float32, ${subject.name}`, { skip: subject.skip }, () => {
    const draw = random(29);
    for (let i = 0; i < 12; i++) check(subject, draw);
  });

test("a few channels on narrow images keep the plain kernel, many do not", () => {
  const tilesOf = (height: number, width: number, channels: number, n: number) => {
    const size = [1, height, width] as const;
    const ones = [1, 1, 1] as const;
    const patches = {
      kernel: [1, 3, 3],
      stride: ones,
      dilation: ones,
      before: [0, 1, 1],
      input: size,
      output: size,
    } as const;
    return winogradTiles(
      { m: height * width, n, k: 9 * channels } as ProductF32,
      { ...patches, channels } as PatchesF32,
    );
  };
  assert.equal(tilesOf(43, 3, 12, 16), undefined);
  assert.equal(tilesOf(7, 7, 8, 8), undefined);
  assert.equal(tilesOf(43, 3, 64, 64), 44);
  assert.equal(tilesOf(28, 28, 16, 16), 196);
});
