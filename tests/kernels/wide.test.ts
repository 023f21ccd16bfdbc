/** Products of 16 bits, weights with zero points and computed ones, against sums written out in BigInt. */
import { describe, test } from "node:test";
import { operators } from "../../bindings/ops/index.ts";
import { quantizeMultiplier } from "../../bindings/primitives/requantize/quantization.ts";
import { placeWindow } from "../../bindings/primitives/window.ts";
import type { Tensor } from "../../bindings/tensor.ts";
import { checkOperator, type Random, random, type Subject, subjects, tensor } from "../support/kernels.ts";

type Values = Int8Array | Int16Array;
const SCALES = { x: 2 ** -7, w: 2 ** -6 };

/** x·multiplier·2^(shift − 31) as the reference rounds it: 32-bit sums twice, 64-bit ones once by 16 bits. */
function rescale(sum: bigint, real: number, bits: 32 | 64): number {
  const { multiplier, shift } = quantizeMultiplier(real);
  if (bits === 64) {
    const upper = BigInt(multiplier < 0x7fff0000 ? (multiplier + 2 ** 15) >> 16 : 0x7fff);
    const total = BigInt(15 - shift);
    return Number(BigInt.asIntN(32, (sum * upper + (1n << (total - 1n))) >> total));
  }
  const left = BigInt.asIntN(32, BigInt.asIntN(32, sum) << BigInt(Math.max(shift, 0)));
  const high = (left * BigInt(multiplier) + (1n << 30n)) >> 31n;
  const exponent = BigInt(Math.max(-shift, 0));
  const half = exponent === 0n ? 0n : (1n << exponent) >> 1n;
  return Number(high < 0n ? -((-high + half) >> exponent) : (high + half) >> exponent);
}

const draw16 = (draw: Random, count: number): Int16Array =>
  Int16Array.from({ length: count }, () => draw.pick([-32768, 32767, draw.int(-32768, 32767), draw.int(-99, 99)]));

/** What all examples have: x and y of one type, and how their sums end. */
interface Kind {
  readonly dtype: "int8" | "int16";
  readonly xZero: number;
  readonly wZero: number;
  readonly yZero: number;
  readonly bits: 32 | 64;
  readonly real: number;
}

function kindOf(draw: Random, dtype: "int8" | "int16"): Kind {
  const eight = dtype === "int8";
  return {
    dtype,
    xZero: eight ? draw.int(-128, 127) : 0,
    wZero: eight ? draw.int(-128, 127) : 0,
    yZero: eight ? 5 : 0,
    bits: eight ? 32 : 64,
    real: draw.pick([0.0007, 0.0131, 2 ** -9, 0.003]),
  };
}

const activations = (draw: Random, { dtype }: Kind, count: number): Values =>
  dtype === "int8" ? draw.int8(count) : draw16(draw, count);

function requantized(sums: readonly bigint[], { dtype, bits, real, yZero }: Kind): Values {
  const [lo, hi] = dtype === "int8" ? [-128, 127] : [-32768, 32767];
  const values = sums.map((sum) => Math.min(Math.max(rescale(sum, real, bits) + yZero, lo), hi));
  return dtype === "int8" ? Int8Array.from(values) : Int16Array.from(values);
}

function tensors(kind: Kind, x: readonly number[], w: readonly number[]) {
  const scale = (SCALES.x * SCALES.w) / kind.real;
  return {
    x: tensor(kind.dtype, x, { scale: SCALES.x, zeroPoint: kind.xZero }),
    w: { ...tensor("int8", w, { scale: SCALES.w, zeroPoint: kind.wZero }), unsigned: true },
    y: tensor(kind.dtype, [], { scale, zeroPoint: kind.yZero }),
  };
}

/** The multiplier as the operator sees it: the scale of y is stored as a double here. */
const realOf = (kind: Kind): Kind => ({ ...kind, real: (SCALES.x * SCALES.w) / ((SCALES.x * SCALES.w) / kind.real) });

const biasOf = (draw: Random, { bits }: Kind, n: number) => {
  const values = Array.from({ length: n }, () => draw.int(-5000, 5000));
  return bits === 64
    ? { values, bytes: BigInt64Array.from(values, BigInt), tensor: tensor("int64", [n]) }
    : { values, bytes: Int32Array.from(values), tensor: tensor("int32", [n]) };
};

/** A tensor that carries its values, as constants do. */
const constant = (t: Tensor, values: ArrayBufferView): Tensor => ({
  ...t,
  data: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
});

function fullyConnected(subject: Subject, draw: Random, dtype: "int8" | "int16", computed: boolean): void {
  const kind = realOf(kindOf(draw, dtype));
  const [m, n, k] = [draw.int(1, 9), draw.int(1, 21), draw.pick([1, 2, 7, 33, 700])];
  const isPair = computed && dtype === "int16" && draw.pick([true, false]);
  const [x, w] = [activations(draw, kind, m * k), isPair ? draw16(draw, n * k) : draw.int8(n * k)];
  const bias = biasOf(draw, kind, n);
  const t = tensors(kind, [m, k], [n, k]);
  const computedW = isPair ? tensor("int16", [n, k], { scale: SCALES.w, zeroPoint: 0 }) : t.w;
  const sums = Array.from({ length: m * n }, (_, i) => {
    let sum = BigInt(bias.values[i % n] as number);
    for (let j = 0; j < k; j++) {
      const a = (x[Math.floor(i / n) * k + j] as number) - kind.xZero;
      sum += BigInt(a * ((w[(i % n) * k + j] as number) - kind.wZero));
    }
    return sum;
  });
  const inputs = computed ? [t.x, computedW, bias.tensor] : [t.x, constant(t.w, w), constant(bias.tensor, bias.bytes)];
  checkOperator(
    subject,
    operators.fullyConnected,
    {
      attributes: { activation: "none", keepDims: false, asymmetric: false },
      inputs,
      values: [x, w, bias.bytes],
      output: t.y,
    },
    requantized(sums, kind),
  );
}

function depthwise(subject: Subject, draw: Random, dtype: "int8" | "int16"): void {
  const kind = realOf(kindOf(draw, dtype));
  const [c, multiplier, size, kernel] = [
    draw.pick([2, 8, 13, 16]),
    draw.pick([1, 1, 2]),
    draw.int(3, 6),
    draw.int(1, 3),
  ];
  const n = c * multiplier;
  const stride = draw.int(1, 2);
  const at = placeWindow(size, kernel, stride, 1, "same", "height");
  const [x, w] = [activations(draw, kind, size * size * c), draw.int8(kernel * kernel * n)];
  const bias = biasOf(draw, kind, n);
  const t = tensors(kind, [1, size, size, c], [1, kernel, kernel, n]);
  const sums = Array.from({ length: at.out * at.out * n }, (_, i) => {
    const [o, pixel] = [i % n, Math.floor(i / n)];
    let sum = BigInt(bias.values[o] as number);
    for (let ky = 0; ky < kernel; ky++)
      for (let kx = 0; kx < kernel; kx++) {
        const iy = Math.floor(pixel / at.out) * stride + ky - at.before;
        const ix = (pixel % at.out) * stride + kx - at.before;
        if (iy < 0 || ix < 0 || iy >= size || ix >= size) continue;
        const a = (x[(iy * size + ix) * c + Math.floor(o / multiplier)] as number) - kind.xZero;
        sum += BigInt(a * ((w[(ky * kernel + kx) * n + o] as number) - kind.wZero));
      }
    return sum;
  });
  checkOperator(
    subject,
    operators.depthwiseConv2d,
    {
      attributes: { stride: [stride, stride], dilation: [1, 1], padding: "same", activation: "none" },
      inputs: [t.x, constant(t.w, w), constant(bias.tensor, bias.bytes)],
      values: [x, w, bias.bytes],
      output: t.y,
    },
    requantized(sums, kind),
  );
}

function transposed(subject: Subject, draw: Random, dtype: "int8" | "int16"): void {
  const kind = realOf(kindOf(draw, dtype));
  const few = draw.int(0, 1) === 1;
  const [c, n, size] = [few ? draw.int(1, 5) : draw.pick([8, 12, 16]), few ? draw.int(1, 11) : 8, draw.int(1, 4)];
  const [kH, kW, sH, sW] = [draw.int(1, 4), draw.int(1, 4), draw.int(1, 4), draw.int(1, 4)];
  const padding = draw.pick(["same", "valid"] as const);
  const sizeOf = (kernel: number, stride: number) =>
    padding === "same" ? size * stride : (size - 1) * stride + kernel;
  const [outH, outW] = [sizeOf(kH, sH), sizeOf(kW, sW)];
  const { before: top } = placeWindow(outH, kH, sH, 1, padding, "height");
  const { before: left } = placeWindow(outW, kW, sW, 1, padding, "width");
  const [x, w] = [activations(draw, kind, size * size * c), draw.int8(n * kH * kW * c)];
  const bias = biasOf(draw, kind, n);
  const t = tensors(kind, [1, size, size, c], [n, kH, kW, c]);
  const sums = Array.from({ length: outH * outW * n }, (_, i) => BigInt(bias.values[i % n] as number));
  for (let i = 0; i < size * size * n * kH * kW; i++) {
    const [tap, rest] = [i % (kH * kW), Math.floor(i / (kH * kW))];
    const [o, pixel] = [rest % n, Math.floor(rest / n)];
    const oy = Math.floor(pixel / size) * sH - top + Math.floor(tap / kW);
    const ox = (pixel % size) * sW - left + (tap % kW);
    if (oy < 0 || ox < 0 || oy >= outH || ox >= outW) continue;
    for (let j = 0; j < c; j++) {
      const a = (x[pixel * c + j] as number) - kind.xZero;
      const b = (w[(o * kH * kW + tap) * c + j] as number) - kind.wZero;
      sums[(oy * outW + ox) * n + o] = (sums[(oy * outW + ox) * n + o] as bigint) + BigInt(a * b);
    }
  }
  const shape = Int32Array.of(1, outH, outW, n);
  checkOperator(
    subject,
    operators.transposeConv,
    {
      attributes: { stride: [sH, sW], padding, activation: "none" },
      inputs: [constant(tensor("int32", [4]), shape), constant(t.w, w), t.x, constant(bias.tensor, bias.bytes)],
      values: [shape, w, x, bias.bytes],
      output: { ...t.y, shape: [1, outH, outW, n] },
    },
    requantized(sums, kind),
  );
}

function matrices(subject: Subject, draw: Random, dtype: "int8" | "int16"): void {
  const kind = realOf(kindOf(draw, dtype));
  const [m, n, k, batch] = [draw.int(1, 6), draw.int(1, 10), draw.int(1, 19), draw.int(1, 3)];
  const shared = draw.int(0, 1) === 1;
  const [adjointA, adjointB] = [draw.int(0, 1) === 1, draw.int(0, 1) === 1];
  const [a, b] = [activations(draw, kind, batch * m * k), activations(draw, kind, (shared ? 1 : batch) * k * n)];
  const sums = Array.from({ length: batch * m * n }, (_, i) => {
    const [column, row, at] = [i % n, Math.floor(i / n) % m, Math.floor(i / n / m)];
    let sum = 0n;
    for (let j = 0; j < k; j++) {
      const left = a[at * m * k + (adjointA ? j * m + row : row * k + j)] as number;
      const right = b[(shared ? 0 : at * k * n) + (adjointB ? column * k + j : j * n + column)] as number;
      sum += BigInt((left - kind.xZero) * (right - kind.wZero));
    }
    return sum;
  });
  const t = tensors(kind, [batch, ...(adjointA ? [k, m] : [m, k])], []);
  const bShape = [shared ? 1 : batch, ...(adjointB ? [n, k] : [k, n])];
  const second = tensor(dtype, bShape, { scale: SCALES.w, zeroPoint: kind.wZero });
  checkOperator(
    subject,
    operators.batchMatMul,
    {
      attributes: { adjointA, adjointB, asymmetric: false },
      inputs: [t.x, second],
      values: [a, b],
      output: t.y,
    },
    requantized(sums, kind),
  );
}

for (const subject of await subjects())
  describe(`products of 16 bits, ${subject.name}`, { skip: subject.skip }, () => {
    for (const dtype of ["int8", "int16"] as const) {
      const repeat =
        (seed: number, once: (draw: Random) => void, times = 12) =>
        () => {
          for (let i = 0; i < times; i++) once(random(seed + i));
        };
      test(
        `rows of ${dtype}`,
        repeat(100, (draw) => fullyConnected(subject, draw, dtype, false)),
      );
      test(
        `rows of ${dtype}, weights and bias computed`,
        repeat(200, (draw) => fullyConnected(subject, draw, dtype, true)),
      );
      test(
        `depthwise ${dtype}`,
        repeat(300, (draw) => depthwise(subject, draw, dtype)),
      );
      test(
        `transposed ${dtype}`,
        repeat(400, (draw) => transposed(subject, draw, dtype), 40),
      );
      test(
        `stacks of matrices of ${dtype}`,
        repeat(500, (draw) => matrices(subject, draw, dtype)),
      );
    }
  });
