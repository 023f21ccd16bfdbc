/** Pooling, MEAN and SOFTMAX on random shapes, windows and quantizations. */
import { describe, test } from "node:test";
import type { Padding } from "../../bindings/graph.ts";
import { operators } from "../../bindings/ops/index.ts";
import type { Operator } from "../../bindings/ops/types.ts";
import { activationRange } from "../../bindings/primitives/requantize/quantization.ts";
import { placeWindow } from "../../bindings/primitives/window.ts";
import * as reference from "../reference/reduce.ts";
import { checkOperator, random, subjects, tensor } from "../support/kernels.ts";

for (const subject of await subjects()) {
  describe(`pooling, ${subject.name}`, { skip: subject.skip }, () => {
    for (const kind of ["averagePool2d", "maxPool2d"] as const)
      test(kind, () => {
        const draw = random(17);
        const operator = operators[kind] as unknown as Operator<"averagePool2d">;
        for (let i = 0; i < 80; i++) {
          const [batch, inH, inW] = [draw.int(1, 2), draw.int(1, 9), draw.int(1, 9)];
          const channels = draw.pick([1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 33, 50, 64, 97, 112]);
          const filter = [draw.int(1, 5), draw.int(1, 5)] as const;
          const stride = [draw.int(1, 3), draw.int(1, 3)] as const;
          const padding: Padding = draw.pick(["same", "valid"]);
          const h = placeWindow(inH, filter[0], stride[0], 1, padding, "height");
          const w = placeWindow(inW, filter[1], stride[1], 1, padding, "width");
          if (h.out < 1 || w.out < 1) continue;
          const activation = draw.pick(["none", "relu", "relu6"] as const);
          const affine = { scale: draw.scale(), zeroPoint: draw.int(-128, 127) };
          const x = draw.int8(batch * inH * inW * channels);
          const sizes = { batch, inH, inW, channels, outH: h.out, outW: w.out, kH: filter[0], kW: filter[1] };
          const places = { strideH: stride[0], strideW: stride[1], padTop: h.before, padLeft: w.before };
          const pool = kind === "maxPool2d" ? reference.maxPool : reference.averagePool;
          const example = {
            attributes: { filter, stride, padding, activation },
            inputs: [tensor("int8", [batch, inH, inW, channels], affine)],
            values: [x],
            output: tensor("int8", [], affine),
          };
          const expected = pool(x, { ...sizes, ...places }, activationRange(activation, "int8", affine));
          checkOperator(subject, operator, example, expected);
        }
      });
  });

  describe(`large windows, ${subject.name}`, { skip: subject.skip }, () => {
    for (const [inH, inW, channels] of [
      [20, 20, 19],
      [16, 16, 16],
      [16, 17, 8],
      [65, 64, 33],
    ] as const)
      test(`global pooling and MEAN of ${inH}x${inW}x${channels}`, () => {
        const draw = random(18);
        const affine = { scale: 0.5, zeroPoint: -3 };
        const shape = [1, inH, inW, channels];
        const flat = new Int8Array(inH * inW * channels).fill(-128);
        const filter = [inH, inW] as const;
        const sizes = { batch: 1, inH, inW, channels, outH: 1, outW: 1, kH: inH, kW: inW };
        const places = { strideH: 1, strideW: 1, padTop: 0, padLeft: 0 };
        const axes = Int32Array.of(1, 2);
        for (const x of [draw.int8(flat.length), flat]) {
          const pool = {
            attributes: { filter, stride: [1, 1] as const, padding: "valid" as const, activation: "none" as const },
            inputs: [tensor("int8", shape, affine)],
            values: [x],
            output: tensor("int8", [], affine),
          };
          const range = { lo: -128, hi: 127 };
          checkOperator(
            subject,
            operators.averagePool2d,
            pool,
            reference.averagePool(x, { ...sizes, ...places }, range),
          );
          const mean = {
            attributes: { keepDims: false },
            inputs: [tensor("int8", shape, affine), tensor("int32", [2], undefined, axes)],
            values: [x, axes],
            output: tensor("int8", [], affine),
          };
          checkOperator(subject, operators.mean, mean, reference.mean(x, shape, [1, 2], affine, affine));
        }
      });
  });

  describe(`MEAN, ${subject.name}`, { skip: subject.skip }, () => {
    test("any two runs of axes", () => {
      const draw = random(19);
      for (let i = 0; i < 80; i++) {
        const shape = Array.from({ length: draw.int(1, 5) }, () => draw.pick([1, 2, 3, 7, 16, 21, 37]));
        const axes = shape.flatMap((_, axis) => (draw.int(0, 1) ? [axis] : []));
        const [p, q] = [0, 1].map(() => ({ scale: draw.scale(), zeroPoint: draw.int(-128, 127) }));
        if (p === undefined || q === undefined) continue;
        const x = draw.int8(shape.reduce((n, size) => n * size, 1));
        const signed = Int32Array.from(axes, (axis) => (draw.int(0, 1) ? axis : axis - shape.length));
        const example = {
          attributes: { keepDims: draw.int(0, 1) === 1 },
          inputs: [tensor("int8", shape, p), tensor("int32", [axes.length], undefined, signed)],
          values: [x, signed],
          output: tensor("int8", [], q),
        };
        checkOperator(subject, operators.mean, example, reference.mean(x, shape, axes, p, q));
      }
    });
  });

  describe(`SOFTMAX, ${subject.name}`, { skip: subject.skip }, () => {
    const y = { scale: 1 / 256, zeroPoint: -128 };
    const check = (x: Int8Array, shape: readonly number[], scale: number, beta: number) => {
      const example = {
        attributes: { beta },
        inputs: [tensor("int8", shape, { scale, zeroPoint: 3 })],
        values: [x],
        output: tensor("int8", shape, y),
      };
      const expected = reference.softmax(x, shape.at(-1) as number, scale, beta);
      checkOperator(subject, operators.softmax, example, expected);
    };
    test("random rows", () => {
      const draw = random(23);
      for (let i = 0; i < 60; i++) {
        const shape = [draw.int(1, 5), draw.pick([1, 2, 3, 10, 12, 17, 100])];
        const x = draw.int8((shape[0] as number) * (shape[1] as number));
        check(x, shape, draw.scale(), draw.pick([1, 0.5, 2]));
      }
    });
    test("flat rows, where the sum of exponentials is largest", () => {
      for (const depth of [2, 255, 256, 511, 512, 1001, 5000]) check(new Int8Array(depth).fill(-5), [depth], 0.1, 1);
    });
  });
}
