/** The form of requantization that takes fewest operations, against onnxruntime's rule as `reference/nearest.ts` has it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { proveOnnx } from "../../bindings/primitives/requantize/requantizeProof.ts";
import { rint } from "../reference/nearest.ts";
import { random } from "../support/kernels.ts";

test("the form positive is onnxruntime's rule on every accumulator", () => {
  const draw = random(73);
  let found = 0;
  for (let i = 0; i < 40; i++) {
    const zeroPoint = draw.int(-128, 127);
    const scale = Math.fround(draw.scale() / draw.pick([8, 64, 512]));
    const step = { scale, min: -40000, max: 40000 };
    const output = { zeroPoint, lo: draw.pick([-128, zeroPoint]), hi: 127 };
    const proof = proveOnnx(step, output);
    if (proof === undefined) continue;
    found++;
    const { fround } = Math;
    const within = (q: number) => Math.min(Math.max(q, output.lo), output.hi);
    for (let acc = step.min; acc <= step.max; acc++) {
      const actual = rint(fround(fround(acc * proof[0]) + proof[1]));
      assert.equal(within(actual), within(rint(fround(acc * scale)) + zeroPoint), `${i}: ${acc}`);
    }
  }
  assert.ok(found >= 20, `${found} of 40`);
});

test("the form positive is the rule at every step where offsets are 128 and more, which float32 holds to 2^-16", () => {
  const { fround } = Math;
  const draw = random(74);
  const output = { zeroPoint: -128, lo: -128, hi: 127 };
  const within = (q: number) => Math.min(Math.max(q, output.lo), output.hi);
  // the first gave 30 for 30.50002
  const scales = [0.006479714531451464, ...Array.from({ length: 1500 }, () => 2 ** (draw.int(-1100, -400) / 100))];
  for (const scale of scales.map(fround)) {
    const proof = proveOnnx({ scale, min: -1e6, max: 1e6 }, output);
    if (proof === undefined) continue;
    for (let t = 0; t < 255; t++)
      for (let acc = Math.round((t + 0.5) / scale) - 1, end = acc + 3; acc < end; acc++) {
        const actual = rint(fround(fround(acc * proof[0]) + proof[1]));
        assert.equal(within(actual), within(rint(fround(acc * scale)) - 128), `${scale}: ${acc}`);
      }
  }
});
