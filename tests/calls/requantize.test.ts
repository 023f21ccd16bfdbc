/** The requantize kernel against the reference, in every form, in every module. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { lowerRequantize } from "../../bindings/calls/requantize.ts";
import type { Operator } from "../../bindings/ops/types.ts";
import { quantizeMultiplier } from "../../bindings/primitives/requantize/quantization.ts";
import type { Channels, Output } from "../../bindings/primitives/requantize/types.ts";
import { createKernels } from "../../bindings/public/kernels.ts";
import { multiplyByQuantizedMultiplier } from "../reference/fixedpoint.ts";
import { checkOperator, type Random, random, runnable, type Subject, tensor } from "../support/kernels.ts";

/** Ranges of accumulators, and reals for them: each form of requantization is proven for some. */
const RANGES = [
  [-(2 ** 31), 2 ** 31 - 1],
  [-(2 ** 29), 2 ** 29],
  [-200_000, 200_000],
  [-3000, 3000],
] as const;

function check(subject: Subject, draw: Random, seen: Set<string>): void {
  const [m, n] = [draw.int(1, 9), draw.pick([1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 33])];
  const [least, most] = draw.pick(RANGES);
  const relu = draw.int(0, 1) === 1;
  const zeroPoint = draw.pick([-128, 0, 127, draw.int(-128, 127)]);
  const output: Output = { zeroPoint, lo: relu ? zeroPoint : -128, hi: draw.pick([127, Math.max(zeroPoint, 40)]) };
  const bias = Int32Array.from({ length: n }, () =>
    draw.int(0, 9) === 0 ? draw.pick([-(2 ** 27), 2 ** 27]) : draw.int(-500, 500),
  );
  const factors = Array.from({ length: n }, () =>
    quantizeMultiplier((draw.int(20, 400) / (most - least)) * 2 ** draw.int(-1, 1)),
  );
  const channels: Channels = {
    bias,
    multiplier: Int32Array.from(factors, ({ multiplier }) => multiplier),
    shift: Int32Array.from(factors, ({ shift }) => shift),
    min: Float64Array.from(bias, (b) => least + b),
    max: Float64Array.from(bias, (b) => most + b),
    zeros: 0,
    sum: new Int32Array(n),
  };
  const x = Int32Array.from({ length: m * n }, () =>
    draw.pick([least, most, 0, draw.int(0, most), least + draw.int(0, most)]),
  );
  const expected = Int8Array.from(x, (acc, i) => {
    const { multiplier, shift } = factors[i % n] as (typeof factors)[number];
    const scaled = multiplyByQuantizedMultiplier((acc + (bias[i % n] as number)) | 0, multiplier, shift);
    return Math.min(Math.max(scaled + zeroPoint, output.lo), output.hi);
  });
  const operator: Operator<"quantize"> = {
    infer: () => [{ dtype: "int8", shape: [m, n] }],
    lower: (_, to) => {
      const addresses = { x: to.inputs[0]?.address ?? 0, y: to.outputs[0]?.address ?? 0 };
      const call: typeof to.call = (made) => {
        seen.add(made.note ?? "");
        to.call(made);
      };
      lowerRequantize({ ...to, call }, { ...addresses, m, n }, channels, output);
    },
  };
  const example = { attributes: {}, inputs: [tensor("int32", [m, n])], values: [x], output: tensor("int8", [m, n]) };
  checkOperator(subject, operator, example, expected);
}

for (const subject of await runnable())
  describe(`requantize, ${subject.name}`, { skip: subject.skip }, () => {
    test("random shapes, multipliers and ranges", () => {
      const draw = random(7);
      const seen = new Set<string>();
      for (let i = 0; i < 150; i++) check(subject, draw, seen);
      const forms = subject.name === "scalar" ? ["short", "exact"] : ["exact", "fixed", "signed", "positive"];
      for (const form of forms)
        assert.ok(
          [...seen].some((note) => note.includes(form)),
          `${form} was taken`,
        );
    });

    test("through the public function, all of int32", async () => {
      const kernels = await createKernels({ module: subject.name, pages: 2 });
      const x = kernels.tensor("int32", [1, 5]);
      const call = kernels.requantize({
        x,
        y: { scale: 1, zeroPoint: 3 },
        multiplier: 2 ** -25,
        bias: new Int32Array([0, 0, 1, 1, -1]),
      });
      x.data.set([-(2 ** 31), 2 ** 31 - 1, 2 ** 31 - 1, 2 ** 24, -(2 ** 24)]);
      call.run();
      assert.deepEqual([...call.y.data], [-61, 67, -61, 4, 2]);
    });
  });
