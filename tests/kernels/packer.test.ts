/** packer.wasm gives what its twins in JavaScript give, to the bit. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadPacker } from "../../bindings/packer/index.ts";
import { packer } from "../../bindings/primitives/requantize/packer.ts";
import { quantizeMultiplier } from "../../bindings/primitives/requantize/quantization.ts";
import type { Channels, Output } from "../../bindings/primitives/requantize/types.ts";
import { random } from "../support/kernels.ts";

const wasm = await loadPacker();

test("packer.wasm is at hand", () => {
  assert.notEqual(wasm, packer);
});

test("proofs: multipliers, ranges and clamps of every kind", () => {
  const draw = random(11);
  const tally = { "positive proven": 0, "positive refused": 0, "signed proven": 0, "signed refused": 0 };
  for (let round = 0; round < 600; round++) {
    const n = draw.int(1, 40);
    const zeroPoint = draw.pick([-128, draw.int(-128, 127)]);
    const lo = draw.pick([-128, zeroPoint, Math.min(zeroPoint + 3, 127)]);
    const output: Output = { zeroPoint, lo, hi: draw.pick([127, lo, Math.min(lo + draw.int(0, 255), 127)]) };
    const most = 2 ** draw.int(4, 26);
    const factors = Array.from({ length: n }, () => {
      const real = (draw.int(1, 4000) / most) * 2 ** draw.int(-3, 2);
      const { multiplier, shift } = quantizeMultiplier(real);
      return draw.pick([
        { multiplier, shift },
        { multiplier: draw.pick([0, 2 ** 30, 2 ** 31 - 1, 2 ** 31 - 128]), shift },
      ]);
    });
    const min = Float64Array.from(factors, () => draw.int(-most, most));
    const channels: Channels = {
      bias: new Int32Array(n),
      multiplier: Int32Array.from(factors, ({ multiplier }) => multiplier),
      shift: Int32Array.from(factors, ({ shift }) => draw.pick([shift, shift, shift, draw.int(-14, 1)])),
      min,
      max: min.map((least) => least + draw.pick([0, draw.int(0, most), most * 2, 2 ** 31])),
      sum: new Int32Array(n),
      zeros: 0,
    };
    const form = lo >= zeroPoint ? "positive" : "signed";
    const expected = packer.prove(form, channels, output);
    assert.deepEqual(wasm.prove(form, channels, output), expected, JSON.stringify({ form, channels, output }));
    for (const a of expected.a) tally[`${form} ${Number.isNaN(a) ? "refused" : "proven"}`]++;
  }
  for (const [kind, count] of Object.entries(tally)) assert.ok(count > 100, `${kind}: ${count}`);
});

test("proofs of one rounding: every accumulator lands where it puts it", () => {
  const draw = random(14);
  const tally = { proven: 0, refused: 0 };
  for (let round = 0; round < 300; round++) {
    const zeroPoint = draw.int(-128, 127);
    const output: Output = { zeroPoint, lo: draw.pick([-128, zeroPoint]), hi: 127 };
    const most = draw.pick([40, 900, 3000, 2 ** 20, 2 ** 25]);
    const reals = Array.from({ length: draw.int(1, 20) }, () => draw.int(1, 4000) / draw.pick([5000, 9000, most * 20]));
    const multiplier = Int32Array.from(reals, (real) => quantizeMultiplier(real).multiplier);
    const shift = Int32Array.from(reals, (real) => quantizeMultiplier(real).shift);
    const min = Float64Array.from(reals, () => -draw.int(0, most));
    const max = min.map((least) => least + draw.int(0, 2 * most));
    const none = new Int32Array(reals.length);
    const channels: Channels = { bias: none, multiplier, shift, min, max, sum: none, zeros: 0 };
    const { a, b } = packer.prove("once", channels, output);
    assert.deepEqual(wasm.prove("once", channels, output), { a, b }, JSON.stringify({ channels, output }));
    for (const [c, s] of a.entries()) {
      tally[Number.isNaN(s) ? "refused" : "proven"]++;
      if (Number.isNaN(s)) continue;
      const [first, last] = [min[c] as number, max[c] as number];
      const down = BigInt(31 - (shift[c] as number));
      for (let i = 0; i < 200; i++) {
        const acc = draw.pick([first, last, draw.int(first, last)]);
        const whole = (BigInt(acc) * BigInt(multiplier[c] as number) + (1n << (down - 1n))) >> down;
        const clamp = (q: number) => Math.min(Math.max(q, output.lo), output.hi);
        const { fround } = Math;
        const form = fround(fround(fround(fround(fround(acc) * s) + (b[c] as number)) + 12582912) - 12582912);
        assert.equal(clamp(form), clamp(Number(whole) + zeroPoint), JSON.stringify({ acc, c, channels, output }));
      }
    }
  }
  for (const [kind, count] of Object.entries(tally)) assert.ok(count > 100, `${kind}: ${count}`);
});

test("proofs by onnxruntime's rule: every accumulator lands where the rule puts it", () => {
  const draw = random(13);
  const { fround } = Math;
  const rounded = (x: number) => fround(fround(x + 12582912) - 12582912);
  const tally = { proven: 0, refused: 0 };
  for (let round = 0; round < 300; round++) {
    const n = draw.int(1, 20);
    const zeroPoint = draw.int(-128, 127);
    const lo = draw.pick([-128, zeroPoint]);
    const output: Output = { zeroPoint, lo, hi: 127 };
    const most = draw.pick([40, 900, 3000, 2 ** 25]);
    const scale = Float32Array.from(
      { length: n },
      () => draw.int(1, 2 ** 24) / 2 ** 23 / draw.pick([1, 16, most / 200]),
    );
    const min = Float64Array.from(scale, () => -draw.int(0, most));
    const max = min.map((least) => least + draw.int(0, 2 * most));
    const none = new Int32Array(n);
    const channels: Channels = { bias: none, multiplier: none, shift: none, scale, min, max, sum: none, zeros: 0 };
    const { a, b } = packer.prove("onnx", channels, output);
    assert.deepEqual(wasm.prove("onnx", channels, output), { a, b }, JSON.stringify({ channels, output }));
    const clamp = (q: number) => Math.min(Math.max(q, lo), 127);
    for (const [c, s] of a.entries()) {
      tally[Number.isNaN(s) ? "refused" : "proven"]++;
      if (Number.isNaN(s)) continue;
      const [least, greatest] = [min[c] as number, max[c] as number];
      for (let acc = least; acc <= greatest; acc += greatest - least > 10_000 ? draw.int(1, 2 ** 16) : 1) {
        const expected = clamp(rounded(fround(fround(acc) * (scale[c] as number))) + zeroPoint);
        assert.equal(clamp(rounded(fround(fround(fround(acc) * s) + (b[c] as number)))), expected, `${acc}`);
      }
    }
  }
  for (const [kind, count] of Object.entries(tally)) assert.ok(count > 100, `${kind}: ${count}`);
});

test("sums and panels: sizes around vectors, extreme weights, after memory has grown", () => {
  const draw = random(12);
  const sizes = [
    ...Array.from({ length: 60 }, () => [draw.int(1, 20), draw.int(1, 70)]),
    [100, 2000],
    [3, 5],
    [37, 5000],
    [9, 30_000],
  ];
  for (const [n = 0, k = 0] of sizes) {
    const data = Int8Array.from({ length: n * k }, () => draw.pick([-128, 127, 0, draw.int(-128, 127)]));
    assert.deepEqual(wasm.sumRows(data, n, k), packer.sumRows(data, n, k));
    for (const kr of [2, 4] as const) {
      const [ours, twins] = [wasm, packer].map((each) => {
        const target = new Uint8Array(Math.ceil(n / 8) * 8 * Math.ceil(k / kr) * kr).fill(85);
        each.packPanels(kr, data, n, k, target);
        return target;
      });
      assert.deepEqual(ours, twins, `${kr}, ${n}x${k}`);
    }
  }
});
