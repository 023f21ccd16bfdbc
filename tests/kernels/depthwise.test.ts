/** DEPTHWISE_CONV_2D against its reference, around tile edges and at the extremes. */
import { describe, test } from "node:test";
import { random, subjects } from "../support/kernels.ts";
import { check, padding, side } from "./convolution-draw.ts";

for (const subject of await subjects())
  describe(`depthwise convolutions, ${subject.name}`, { skip: subject.skip }, () => {
    for (const scales of ["usual", "any"] as const) {
      test(`depthwise, outputs one column wide, ${scales} scales`, () => {
        const draw = random(105);
        for (let i = 0; i < 80; i++) {
          const inC = draw.pick([1, 3, 8, 9, 16, 17]);
          check(subject, draw, {
            xShape: [draw.int(1, 2), draw.int(1, 30), draw.pick([1, 1, 1, 2, 3]), inC],
            outputs: inC * draw.pick([1, 1, 2]),
            kernel: [draw.pick([1, 2, 3, 4, 5, 8, 10, 15, 60, 61, 70]), 1],
            stride: [draw.int(1, 4), draw.pick([1, 3])],
            dilation: [draw.pick([1, 1, 2, 3]), 1],
            padding: padding(draw),
            groups: 1,
            depthwise: true,
            scales,
          });
        }
      });
      test(`depthwise, more rows than columns, ${scales} scales`, () => {
        const draw = random(106);
        for (let i = 0; i < 60; i++) {
          const inC = draw.pick([2, 3, 7, 8, 12, 16, 17, 24]);
          check(subject, draw, {
            xShape: [draw.int(1, 2), draw.int(9, 30), draw.int(2, 7), inC],
            outputs: inC * draw.pick([1, 1, 1, 2]),
            kernel: draw.pick([
              [3, 3],
              [3, 3],
              [draw.int(1, 6), draw.int(1, 4)],
            ]),
            stride: draw.pick([
              [1, 1],
              [2, 2],
              [1, 2],
              [2, 1],
            ]),
            dilation: draw.pick([
              [1, 1],
              [1, 1],
              [2, 1],
            ]),
            padding: padding(draw),
            groups: 1,
            depthwise: true,
            scales,
          });
        }
      });
      test(`depthwise, ${scales} scales`, () => {
        const draw = random(103);
        for (let i = 0; i < 120; i++) {
          const inC = draw.pick([1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 24]);
          check(subject, draw, {
            xShape: [draw.int(1, 2), side(draw), side(draw), inC],
            outputs: inC * draw.pick([1, 1, 1, 2, 3]),
            kernel: draw.pick([
              [3, 3],
              [3, 3],
              [5, 5],
              [draw.int(1, 6), draw.int(1, 6)],
            ]),
            stride: draw.pick([
              [1, 1],
              [1, 1],
              [2, 2],
              [1, 2],
              [3, 1],
            ]),
            dilation: draw.pick([
              [1, 1],
              [1, 1],
              [2, 2],
              [3, 1],
            ]),
            padding: padding(draw),
            groups: 1,
            depthwise: true,
            scales,
          });
        }
      });
    }
    test("depthwise kernels of one row or column", () => {
      const draw = random(108);
      for (let i = 0; i < 80; i++) {
        const inC = draw.pick([8, 16, 24, 40]);
        const length = draw.int(1, 15);
        check(subject, draw, {
          xShape: [draw.int(1, 2), draw.int(1, 18), draw.int(1, 4), inC],
          outputs: inC,
          kernel: draw.int(0, 2) ? [length, 1] : [1, draw.int(1, 5)],
          stride: [draw.int(1, 2), draw.int(1, 2)],
          dilation: [draw.pick([1, 1, 2]), draw.pick([1, 1, 3])],
          padding: padding(draw),
          groups: 1,
          depthwise: true,
          scales: draw.pick(["usual", "any"] as const),
        });
      }
    });
  });
