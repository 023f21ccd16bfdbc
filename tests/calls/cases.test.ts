/** The cases of the benchmark give the reference's bytes, in every module. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CASES } from "../../bench/cases.ts";
import { prepare } from "../../bench/prepare.ts";
import { activationRange, quantizeMultiplier } from "../../bindings/primitives/requantize/quantization.ts";
import { placeWindow } from "../../bindings/primitives/window.ts";
import { createKernels } from "../../bindings/public/kernels.ts";
import { convolution } from "../reference/convolution.ts";
import { runnable } from "../support/kernels.ts";

/** Rows of a product that the reference computes: the first and the last ones. */
const ROWS = 12;

type Four = readonly [number, number, number, number];
const modules = await runnable();

describe("benchmark cases", () => {
  for (const subject of CASES)
    test(subject.name, async () => {
      let expected: Int8Array | undefined;
      for (const { name, skip } of modules) {
        if (skip) continue;
        const kernels = await createKernels({ module: name, pages: 512 });
        const { call, x, weights } = prepare(kernels, subject);
        call.run();
        const { y } = call;
        const flat = subject.kind === "gemm";
        const m = flat ? Math.min(subject.m, 2 * ROWS) : 0;
        const ends = (data: Int8Array, width: number) =>
          flat && subject.m > m
            ? Int8Array.of(...data.subarray(0, ROWS * width), ...data.subarray(-ROWS * width))
            : data;
        const [xData, yData] = flat ? [ends(x.data, subject.k), ends(y.data, subject.n)] : [x.data, y.data];
        const [kernel, stride] = flat ? [[1, 1] as const, [1, 1] as const] : [subject.kernel, subject.stride];
        const xShape = (flat ? [m, 1, 1, subject.k] : x.shape) as Four;
        const window = (i: 0 | 1) =>
          placeWindow(xShape[i + 1] as number, kernel[i], stride[i], 1, "same", i ? "width" : "height").before;
        expected ??= convolution({
          x: xData,
          xShape,
          w: weights.data,
          bias: weights.bias ?? new Int32Array(0),
          kernel,
          stride,
          dilation: [1, 1],
          before: [window(0), window(1)],
          yShape: (flat ? [m, 1, 1, subject.n] : y.shape) as Four,
          xZeroPoint: x.zeroPoint,
          yZeroPoint: y.zeroPoint,
          ...activationRange("relu6", "int8", y),
          multipliers: weights.scale.map((scale) => quantizeMultiplier((x.scale * scale) / y.scale)),
          depthwise: subject.kind === "depthwiseConv2d",
        });
        assert.ok(new Set(y.data).size > 20, "the outputs use their range");
        assert.equal(Buffer.compare(new Uint8Array(yData), new Uint8Array(expected)), 0, name);
      }
    });
});
