/** CONV_2D and FULLY_CONNECTED against their reference, around tile edges and at the extremes. */
import { describe, test } from "node:test";
import { operators } from "../../bindings/ops/index.ts";
import { activationRange, quantizeMultiplier } from "../../bindings/primitives/requantize/quantization.ts";
import { convolution } from "../reference/convolution.ts";
import { bytesOf, checkOperator, random, subjects, tensor } from "../support/kernels.ts";
import { ACTIVATIONS, check, padding, side, weights } from "./convolution-draw.ts";

/** Kernels that are blocks of 3×3. */
const BLOCKS = [3, 5, 7];
const POINTWISE = {
  kernel: [1, 1],
  stride: [1, 1],
  dilation: [1, 1],
  padding: "valid",
  groups: 1,
  depthwise: false,
} as const;

for (const subject of await subjects())
  describe(`convolutions, ${subject.name}`, { skip: subject.skip }, () => {
    for (const scales of ["usual", "any"] as const) {
      test(`1x1, ${scales} scales`, () => {
        const draw = random(101);
        for (let i = 0; i < 60; i++) {
          const channels = draw.pick([1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 100]);
          check(subject, draw, {
            xShape: [draw.int(1, 2), side(draw), side(draw), channels],
            outputs: draw.pick([1, 2, 3, 7, 8, 9, 15, 16, 17, 33, 40]),
            ...POINTWISE,
            scales,
          });
        }
      });
      test(`1x1, weights pruned one by one, ${scales} scales`, () => {
        const draw = random(104);
        for (let i = 0; i < 40; i++)
          check(subject, draw, {
            xShape: [1, draw.int(4, 9), draw.pick([4, 7, 8]), draw.pick([16, 17, 24, 31, 48, 64, 100])],
            outputs: draw.pick([7, 8, 9, 16, 33, 40]),
            ...POINTWISE,
            scales,
            pruned: true,
          });
      });
      test(`any kernel, stride, dilation, padding and groups, ${scales} scales`, () => {
        const draw = random(102);
        for (let i = 0; i < 80; i++) {
          const groups = draw.pick([1, 1, 1, 2, 3]);
          check(subject, draw, {
            xShape: [draw.int(1, 2), side(draw), side(draw), groups * draw.pick([1, 2, 3, 4, 5, 8, 9, 16, 17])],
            outputs: groups * draw.pick([1, 3, 4, 8, 9, 16]),
            kernel: [draw.int(1, 5), draw.int(1, 5)],
            stride: [draw.int(1, 3), draw.int(1, 3)],
            dilation: draw.pick([
              [1, 1],
              [1, 1],
              [2, 2],
              [1, 3],
            ]),
            padding: padding(draw),
            groups,
            depthwise: false,
            scales,
          });
        }
      });
    }
    test("kernel rows that are read in place", () => {
      const draw = random(105);
      for (let i = 0; i < 60; i++) {
        const kernel = [draw.int(1, 4), draw.int(1, 5)] as const;
        check(subject, draw, {
          xShape: [draw.int(1, 2), draw.int(3, 12), draw.int(5, 14), draw.pick([3, 4, 5, 8, 16])],
          outputs: draw.pick([8, 16, 24]),
          kernel,
          stride: draw.pick([
            [1, 1],
            [2, 2],
            [1, 3],
          ] as const),
          dilation: [draw.pick([1, 1, 2]), 1],
          padding: padding(draw),
          groups: 1,
          depthwise: false,
          scales: "usual",
        });
      }
    });
    test("narrow images, whose rows are one product", () => {
      const draw = random(109);
      for (let i = 0; i < 80; i++) {
        const depthwise = draw.int(0, 3) === 0;
        check(subject, draw, {
          xShape: [draw.int(1, 2), draw.int(4, 20), draw.int(1, 6), depthwise ? 1 : draw.pick([1, 2, 3, 8, 16])],
          outputs: draw.pick([1, 3, 8, 16]),
          kernel: [draw.int(1, 6), draw.int(1, 4)],
          stride: [draw.pick([1, 1, 2]), draw.int(1, 2)],
          dilation: [draw.pick([1, 1, 2]), draw.pick([1, 1, 2])],
          padding: padding(draw),
          groups: 1,
          depthwise,
          scales: draw.pick(["usual", "any"] as const),
        });
      }
    });
    test("few channels, several outputs of a row in one product", () => {
      const draw = random(111);
      for (let i = 0; i < 160; i++)
        check(subject, draw, {
          xShape: [
            draw.int(1, 2),
            draw.int(1, 7),
            draw.pick([8, 11, 12, 13, 14, 16, 17, 21, 23, 24, 31, 32, 33, 43]),
            draw.pick([1, 2, 3, 8, 17]),
          ],
          outputs: draw.pick([1, 2, 3, 4, 5, 6, 8, 12, 18]),
          kernel: [draw.int(1, 4), draw.int(2, 7)],
          stride: [draw.int(1, 2), draw.pick([1, 1, 2, 3])],
          dilation: [draw.pick([1, 1, 2]), 1],
          padding: padding(draw),
          groups: 1,
          depthwise: false,
          scales: draw.pick(["usual", "any"] as const),
        });
    });
    test("kernels that reach beyond images of few pixels", () => {
      const draw = random(112);
      for (let i = 0; i < 100; i++) {
        const groups = draw.pick([1, 1, 1, 2]);
        check(subject, draw, {
          xShape: [draw.int(1, 2), draw.int(1, 4), draw.int(1, 4), groups * draw.pick([1, 3, 8, 17])],
          outputs: groups * draw.pick([1, 4, 8, 9]),
          kernel: [draw.int(1, 7), draw.int(1, 7)],
          stride: [draw.int(1, 3), draw.int(1, 3)],
          dilation: [draw.int(1, 3), draw.int(1, 3)],
          padding: draw.pick(["same", "same", { top: 3, bottom: 4, left: 5, right: 2 }] as const),
          groups,
          depthwise: false,
          scales: draw.pick(["usual", "any"] as const),
        });
      }
    });
    test("steps as long as long rows", () => {
      const draw = random(113);
      for (let i = 0; i < 24; i++) {
        const [channels, depthwise, width] = [draw.pick([1, 3, 8]), draw.int(0, 1) === 0, draw.int(1400, 2300)];
        const long = draw.int(1025, width);
        const far = draw.int(0, 2) > 0;
        const [height, fill] = [draw.int(1, 2), draw.int(0, width)];
        check(subject, draw, {
          xShape: [1, height, width, channels],
          outputs: channels * draw.pick([1, 2]),
          kernel: [1, draw.int(1, 3)],
          stride: [1, far ? draw.pick([1, 97]) : long],
          dilation: [1, far ? long : 1],
          padding: far ? draw.pick(["same", { top: 0, bottom: 0, left: fill, right: width - fill }] as const) : "valid",
          groups: 1,
          depthwise,
          scales: "usual",
        });
      }
    });
    test("windows that are runs of memory, few outputs among them", () => {
      const draw = random(110);
      for (let i = 0; i < 100; i++) {
        const [height, width] = [draw.int(1, 9), draw.int(1, 4)];
        const rows = draw.int(0, 2) === 0 ? height : draw.int(1, height);
        check(subject, draw, {
          xShape: [draw.int(1, 3), height, width, draw.pick([1, 3, 8, 16, 33])],
          outputs: draw.pick([1, 2, 3, 4, 5, 8, 9, 33]),
          kernel: height === 1 && draw.int(0, 1) ? [1, draw.int(1, width)] : [rows, width],
          stride: [draw.int(1, 4), draw.int(1, 3)],
          dilation: [draw.pick([1, 1, 2]), draw.pick([1, 1, 2])],
          padding: draw.pick(["valid", "valid", "same", { top: 0, bottom: 1, left: 0, right: 0 }] as const),
          groups: 1,
          depthwise: false,
          scales: draw.pick(["usual", "any"] as const),
        });
      }
    });
    test("3x3, 5x5 and 7x7 in tiles of four outputs", () => {
      const draw = random(107);
      for (let i = 0; i < 100; i++)
        check(subject, draw, {
          xShape: [draw.int(1, 2), draw.int(1, 11), draw.int(1, 11), draw.pick([8, 16, 24])],
          outputs: draw.pick([16, 24, 32]),
          kernel: [draw.pick(BLOCKS), draw.pick(BLOCKS)],
          stride: [1, 1],
          dilation: [1, 1],
          groups: 1,
          depthwise: false,
          scales: "usual",
          padding: draw.int(0, 1) ? "same" : padding(draw),
        });
    });
    test("more products than one lane can sum", () => {
      const draw = random(106);
      for (let i = 0; i < 150; i++)
        check(subject, draw, {
          xShape: [1, draw.int(1, 2), draw.int(70, 90), 2],
          outputs: 2,
          kernel: [1, 75],
          stride: [1, draw.int(1, 2)],
          dilation: [1, 1],
          padding: "valid",
          groups: 1,
          depthwise: true,
          scales: "usual",
        });
      for (let i = 0; i < 3; i++)
        check(subject, draw, {
          xShape: [1, 1, 1, 70000],
          outputs: 2,
          ...POINTWISE,
          scales: "usual",
        });
    });
    test("fully connected", () => {
      const draw = random(104);
      for (let i = 0; i < 120; i++) {
        const k = draw.pick([1, 2, 3, 4, 5, 8, 15, 16, 17, 31, 32, 33, 40, 64, 129, 1000]);
        const n = draw.pick([1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 40, 65]);
        const m = draw.pick([1, 1, 1, 2, 3, 4, 6]);
        const x = draw.int8(m * k);
        const wData = weights(draw, n * k, k);
        const bias = Int32Array.from({ length: n }, () => draw.int(-20000, 20000));
        const xq = { scale: draw.scale(), zeroPoint: draw.int(-128, 127) };
        const yq = { scale: draw.scale(), zeroPoint: draw.int(-128, 127) };
        const sw = Math.fround(1 / (Math.sqrt(k) * 40));
        const activation = draw.pick(ACTIVATIONS);
        const expected = convolution({
          x,
          xShape: [m, 1, 1, k],
          w: wData,
          bias,
          kernel: [1, 1],
          stride: [1, 1],
          dilation: [1, 1],
          before: [0, 0],
          yShape: [m, 1, 1, n],
          xZeroPoint: xq.zeroPoint,
          yZeroPoint: yq.zeroPoint,
          depthwise: false,
          ...activationRange(activation, "int8", yq),
          multipliers: [quantizeMultiplier(Math.fround(xq.scale * sw) / yq.scale)],
        });
        const quantization = { scale: [sw], zeroPoint: [0], axis: 0 };
        checkOperator(
          subject,
          operators.fullyConnected,
          {
            attributes: { activation, keepDims: false },
            inputs: [
              tensor("int8", [m, k], xq),
              { name: "w", dtype: "int8", shape: [n, k], data: bytesOf(wData), quantization },
              tensor("int32", [n], undefined, bias),
            ],
            values: [x, wData, bias],
            output: tensor("int8", [m, n], yq),
          },
          expected,
        );
      }
    });
  });
