/** Functions of one float32 or int16, CAST, QUANTIZE and DEQUANTIZE of every pair of types, and what lowers to other calls. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Attributes, OpKind } from "../../bindings/graph.ts";
import { operators } from "../../bindings/ops/index.ts";
import type { Operator } from "../../bindings/ops/types.ts";
import { UNARY_F32 } from "../../bindings/primitives/elementwise/forms.ts";
import { paramBytes } from "../../bindings/primitives/params.ts";
import { lineTable, REAL, sigmoidFactor, sigmoidTable } from "../../bindings/primitives/table/functions.ts";
import { interpolatedTable } from "../../bindings/primitives/table/interpolated.ts";
import { inverseRoot } from "../../bindings/primitives/table/rsqrt.ts";
import { type DType, typedCopy } from "../../bindings/tensor.ts";
import * as fp from "../reference/fixedpoint.ts";
import { checkOperator, kernelsOf, random, type Subject, subjects, tensor } from "../support/kernels.ts";

/** Exact functions of float32. */
const EXACT: { readonly [kind: string]: (x: number) => number } = {
  abs: Math.abs,
  neg: (x) => -x,
  sign: Math.sign,
  ceil: Math.ceil,
  floor: Math.floor,
  round: (x) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x)),
  square: (x) => x * x,
  sqrt: (x) => Math.sqrt(Math.abs(x)),
  relu: (x) => Math.max(x, 0),
  relu6: (x) => Math.min(Math.max(x, 0), 6),
  reluN1To1: (x) => Math.min(Math.max(x, -1), 1),
  relu0To1: (x) => Math.min(Math.max(x, 0), 1),
  leakyRelu: (x) => (x < 0 ? x * 0.25 : x),
};

/** Functions that are near: the double, and the greatest error in units of its last place. */
const NEAR: { readonly [F in keyof typeof UNARY_F32]?: readonly [(x: number) => number, number] } = {
  exp: [Math.exp, 1.5],
  log: [Math.log, 1.5],
  logistic: [(x) => 1 / (1 + Math.exp(-x)), 2.5],
  tanh: [Math.tanh, 2],
  elu: [(x) => (x < 0 ? Math.expm1(x) : x), 1.5],
  rsqrt: [(x) => 1 / Math.sqrt(x), 1.5],
  sin: [Math.sin, 1],
  cos: [Math.cos, 1],
};

const ENDS = [
  0, 1, -1, 1e-45, -1e-45, 1e-38, 3e38, -3e38, 88.72, 88.73, -87.5, -103.9, -110, 0.625, -0.625, 1e-20, 1e9,
];
const NUMBERS = Float32Array.from({ length: 6000 }, (_, i) => ENDS[i] ?? (i % 2 ? (i - 3000) / 37 : (i - 3000) / 900));

/** What `unaryF32` of a module makes of NUMBERS, in two parts. */
function outputsOf({ module }: Subject, form: keyof typeof UNARY_F32, numbers: Float32Array): Float32Array {
  const memory = new WebAssembly.Memory({ initial: 2 });
  const [block, x, y] = [1024, 2048, 2048 + numbers.byteLength];
  const scratch = y + numbers.byteLength;
  const call = { x, y, count: numbers.length, form: UNARY_F32[form], lo: 0, hi: 0, scratch, scratchStride: 0 };
  new Uint8Array(memory.buffer).set(paramBytes("UnaryF32", call), block);
  new Float32Array(memory.buffer, x, numbers.length).set(numbers);
  const kernel = kernelsOf(module as WebAssembly.Module, memory)("unaryF32");
  for (const part of [0, 1]) kernel(block, part, 2);
  return new Float32Array(memory.buffer.slice(y, y + numbers.byteLength));
}

/** The error of a float32 in units of the last place of the true value. */
function error(value: number, real: number): number {
  if (Object.is(value, Math.fround(real)) || value === Math.fround(real)) return 0;
  const unit = Math.max(2 ** (Math.floor(Math.log2(Math.abs(real))) - 23), 2 ** -149);
  return Math.abs(value - real) / unit;
}

function check(
  subject: Subject,
  kind: OpKind,
  input: { readonly dtype: DType; readonly values: ArrayBufferView; readonly scale?: number },
  output: { readonly dtype: DType; readonly values: ArrayBufferView; readonly scale?: number },
  attributes: object = {},
): void {
  const affine = (scale: number | undefined) => (scale === undefined ? undefined : { scale, zeroPoint: 0 });
  const length = typedCopy(input.dtype, new Uint8Array(input.values.buffer)).length;
  const example = {
    attributes: attributes as Attributes[OpKind],
    inputs: [tensor(input.dtype, [length], affine(input.scale))],
    values: [input.values],
    output: tensor(output.dtype, [], affine(output.scale)),
  };
  checkOperator(subject, operators[kind] as unknown as Operator<OpKind>, example, output.values);
}

const all = await subjects();
const ALL16 = Int16Array.from({ length: 65536 }, (_, i) => i - 32768);

for (const subject of all)
  describe(`functions of one tensor, ${subject.name}`, { skip: subject.skip }, () => {
    test("float32, exact ones", () => {
      const numbers = Float32Array.from([0.5, 1.5, -2.5, ...NUMBERS.slice(200, 230)]);
      for (const [kind, value] of Object.entries(EXACT)) {
        const x = kind === "sqrt" ? numbers.map(Math.abs) : numbers;
        const y = { dtype: "float32" as const, values: x.map((each) => value(each) + 0) };
        if (kind === "neg" || kind === "round" || kind === "ceil") continue;
        check(subject, kind as OpKind, { dtype: "float32", values: x }, y, { alpha: 0.25 });
      }
    });
    for (const [form, [value, most]] of Object.entries(NEAR) as [
      keyof typeof UNARY_F32,
      [(x: number) => number, number],
    ][])
      test(`${form}, float32: within ${most} ulp, and the bytes of the first module`, () => {
        const numbers = form === "log" || form === "rsqrt" ? NUMBERS.map(Math.abs) : NUMBERS;
        const outputs = outputsOf(subject, form, numbers);
        const worst = Math.max(...Array.from(outputs, (y, i) => error(y, value(numbers[i] as number))));
        assert.ok(worst <= most, `${worst} ulp`);
        assert.deepEqual(outputs, outputsOf(all[0] as Subject, form, numbers));
      });
    test("int16 by lines between 513 entries", () => {
      const [x, y] = [1 / 8192, 1 / 512];
      const table = lineTable({ scale: x, zeroPoint: 0 }, { scale: y, zeroPoint: 0 }, REAL.exp);
      const values = ALL16.map((q) => {
        const entry = table[(q >> 7) + 256] as number;
        return entry + ((((table[(q >> 7) + 257] as number) - entry) * (q & 127) + 64) >> 7);
      });
      check(subject, "exp", { dtype: "int16", values: ALL16, scale: x }, { dtype: "int16", values, scale: y });
      const worst = Math.max(
        ...Array.from(values, (q, i) => Math.abs(q - Math.min(Math.exp((i - 32768) * x) / y, 32767))),
      );
      assert.ok(worst < 5, `${worst} steps from the real function`);
    });
    for (const [kind, value] of [
      ["logistic", (x: number) => 1 / (1 + Math.exp(-x))],
      ["tanh", Math.tanh],
    ] as const)
      test(`${kind}, int16: near the real function, odd around its middle`, () => {
        for (const scale of [1 / 4096, 0.00031]) {
          const outputs = sigmoids(scale, kind === "tanh");
          const step = { dtype: "int16" as const, values: outputs, scale: 2 ** -15 };
          check(subject, kind, { dtype: "int16", values: ALL16, scale }, step);
          const worst = Math.max(
            ...Array.from(outputs, (q, i) => Math.abs(q - Math.min(value((i - 32768) * scale) * 32768, 32767))),
          );
          assert.ok(worst < 8, `${worst} steps`);
        }
      });
    test("int16 rescaled: RELU, LEAKY_RELU, ABS", () => {
      const [x, y] = [0.0003, 0.0007];
      const times = (q: number, real: number) => {
        const { multiplier, shift } = fp.quantizeMultiplier(real);
        return fp.multiplyByQuantizedMultiplier(q, multiplier, shift);
      };
      const alpha = Math.fround(0.3);
      const [fx, fy] = [Math.fround(x), Math.fround(y)];
      const some = ALL16.filter((_, i) => i % 97 === 0);
      const cases: readonly (readonly [OpKind, (q: number) => number])[] = [
        ["relu", (q) => Math.max(times(q, fx / fy), 0)],
        ["leakyRelu", (q) => times(q, q < 0 ? (fx * alpha) / fy : fx / fy)],
        ["abs", (q) => times(Math.abs(q), Math.fround(fx / fy))],
      ];
      for (const [kind, value] of cases) {
        const output = { dtype: "int16" as const, values: some.map(value), scale: fy };
        check(subject, kind, { dtype: "int16", values: some, scale: fx }, output, { alpha: 0.3 });
      }
    });
    test("CAST", () => {
      const draw = random(41);
      const floats = Float32Array.from({ length: 40 }, () => draw.int(-9000, 9000) / 77);
      const float = { dtype: "float32" as const, values: floats };
      check(subject, "cast", float, { dtype: "int8", values: Int8Array.from(floats, (x) => Math.trunc(x)) });
      check(subject, "cast", float, {
        dtype: "uint8",
        values: Uint8Array.from(floats, (x) => Math.max(Math.trunc(x), 0)),
      });
      check(subject, "cast", float, {
        dtype: "int64",
        values: BigInt64Array.from(floats, (x) => BigInt(Math.trunc(x))),
      });
      check(subject, "cast", float, { dtype: "bool", values: Uint8Array.from(floats, (x) => (x === 0 ? 0 : 1)) });
      const far = Float32Array.of(
        0.5,
        -0.5,
        255.9,
        256,
        -1,
        2 ** 31,
        -(2 ** 31),
        2147483520,
        NaN,
        Infinity,
        -Infinity,
        3e9,
        -3e9,
      );
      const least = -(2 ** 31);
      const whole = Int32Array.of(0, 0, 255, 256, -1, least, least, 2147483520, least, least, least, least, least);
      check(subject, "cast", { dtype: "float32", values: far }, { dtype: "int32", values: whole });
      const bytes = Uint8Array.of(0, 0, 255, 255, 0, 255, 0, 255, 0, 255, 0, 255, 0);
      check(subject, "cast", { dtype: "float32", values: far }, { dtype: "uint8", values: bytes });
      const u8 = Uint8Array.from({ length: 39 }, () => draw.int(0, 255));
      check(subject, "cast", { dtype: "uint8", values: u8 }, { dtype: "float32", values: Float32Array.from(u8) });
      const s8 = Int8Array.from(u8);
      check(subject, "cast", { dtype: "int8", values: s8 }, { dtype: "float32", values: Float32Array.from(s8) });
      const ints = Int32Array.from({ length: 40 }, () => draw.int(-100000, 100000));
      const int = { dtype: "int32" as const, values: ints };
      check(subject, "cast", int, { dtype: "int16", values: Int16Array.from(ints) });
      check(subject, "cast", int, { dtype: "float32", values: Float32Array.from(ints) });
      check(subject, "cast", int, { dtype: "int64", values: BigInt64Array.from(ints, BigInt) });
      const halves = Uint16Array.of(0, 0x8000, 1, 0x3ff, 0x400, 0x3c00, 0xc000, 0x7bff, 0x7c00, 0xfc00);
      const values = Float32Array.of(0, -0, 2 ** -24, 1023 * 2 ** -24, 2 ** -14, 1, -2, 65504, Infinity, -Infinity);
      check(subject, "cast", { dtype: "float16", values: halves }, { dtype: "float32", values });
      check(subject, "dequantize", { dtype: "float16", values: halves }, { dtype: "float32", values });
    });
    test("QUANTIZE and DEQUANTIZE of wide types", () => {
      const floats = Float32Array.of(0, 0.25, -0.25, 1e9, -1e9, NaN, 3.1, -3.1, 0.125);
      const float = { dtype: "float32" as const, values: floats };
      const q16 = Int16Array.of(0, 1, -1, 32767, -32768, -32768, 6, -6, 0);
      check(subject, "quantize", float, { dtype: "int16", values: q16, scale: 0.5 });
      const q32 = Int32Array.of(0, 1, -1, 2000000000, -2000000000, -(2 ** 31), 6, -6, 0);
      check(subject, "quantize", float, { dtype: "int32", values: q32, scale: 0.5 });
      const back = { dtype: "float32" as const, values: Float32Array.from(ALL16.slice(0, 99), (q) => q / 4) };
      check(subject, "dequantize", { dtype: "int16", values: ALL16.slice(0, 99), scale: 0.25 }, back);
      const narrow = Int8Array.from(q16, (q) => Math.min(Math.max(2 * q, -128), 127));
      check(
        subject,
        "quantize",
        { dtype: "int16", values: q16, scale: 0.5 },
        { dtype: "int8", values: narrow, scale: 0.25 },
      );
      const wide = { dtype: "int32" as const, values: Int32Array.from(q16, (q) => 2 * q), scale: 0.25 };
      check(subject, "quantize", { dtype: "int16", values: q16, scale: 0.5 }, wide);
    });
    test("integers by other calls: NEG, SIGN, ABS, SQUARE; BUCKETIZE, LOGICAL_NOT, REAL, IMAG, COMPLEX_ABS", () => {
      const ints = { dtype: "int32" as const, values: Int32Array.of(-7, 0, 5, -(2 ** 31), 2 ** 31 - 1, 46341) };
      const results: { readonly [kind: string]: Int32Array } = {
        neg: ints.values.map((x) => -x),
        sign: ints.values.map(Math.sign),
        abs: ints.values.map(Math.abs),
        square: ints.values.map((x) => Math.imul(x, x)),
      };
      for (const [kind, values] of Object.entries(results))
        check(subject, kind as OpKind, ints, { dtype: "int32", values });
      const buckets = { dtype: "int32" as const, values: Int32Array.of(0, 1, 2, 0, 3, 3) };
      check(subject, "bucketize", ints, buckets, { boundaries: [-1, 4, 6] });
      const bools = { dtype: "bool" as const, values: Uint8Array.of(1, 0, 1) };
      check(subject, "logicalNot", bools, { dtype: "bool", values: Uint8Array.of(0, 1, 0) });
      const complex = Float32Array.of(3, 4, -5, 12, 0, -1);
      const parts = { real: [3, -5, 0], imag: [4, 12, -1], complexAbs: [5, 13, 1], cast: [3, -5, 0] };
      for (const [kind, values] of Object.entries(parts)) {
        const example = {
          attributes: {},
          inputs: [tensor("complex64", [3])],
          values: [complex],
          output: tensor("float32", []),
        };
        const operator = operators[kind as "real"] as unknown as Operator<OpKind>;
        checkOperator(subject, operator, example as never, Float32Array.from(values));
      }
      const widened = {
        attributes: {},
        inputs: [tensor("float32", [3])],
        values: [Float32Array.of(3, -0, 7)],
        output: tensor("complex64", []),
      };
      checkOperator(subject, operators.cast, widened as never, Float32Array.of(3, 0, -0, 0, 7, 0));
    });
  });

/** LOGISTIC or TANH of every int16, as TFLite writes them, on unsigned numbers. */
function sigmoids(scale: number, tanh: boolean): Int16Array {
  const table = sigmoidTable();
  const { multiplier, shift } = sigmoidFactor(scale, tanh);
  const bits = tanh ? 8 : 9;
  return ALL16.map((q) => {
    const x = (q * multiplier + (shift > 0 ? 2 ** (shift - 1) : 0)) >> shift;
    const a = Math.abs(x);
    const i = a >> bits;
    const [from, to] = [table[i] as number, table[i + 1] as number];
    let y = i >= 255 ? (tanh ? 0xffff : 0x7fff * 2) * 2 ** bits : from * 2 ** bits + (a % 2 ** bits) * (to - from);
    if (tanh) y = x >= 0 ? y - 2 ** 23 + 128 : -y + 2 ** 23 + 127;
    else y = x >= 0 ? y + 512 : 2 ** 25 - y + 511;
    return Math.floor(y / 2 ** (tanh ? 8 : 10));
  });
}

test("the inverse root of integers in fixed point is near the real one", () => {
  for (const x of [1, 2, 3, 4, 17, 100, 255, 4096, 2 ** 29, 2 ** 31 - 1]) {
    const { multiplier, shift } = inverseRoot(x);
    const value = multiplier * 2 ** (shift - 31);
    assert.ok(Math.abs(value * Math.sqrt(x) - 1) < 1e-5, `${x}: ${value}`);
  }
});

test("GELU far below 0 is the small number that 1 + erf has no digits for", () => {
  assert.equal(REAL.gelu(-4), Math.fround(-0.00012668500130530447));
  assert.equal(REAL.gelu(-6), Math.fround(-5.919535528420283e-9));
});

test("tables of int16 SOFTMAX: TFLite Micro's numbers are float32, TFLite's double; two entries of the reciprocal differ", () => {
  const of = (f: (x: number) => number) => interpolatedTable((a) => 1 / f(1 + a), [0, 1], [-1, 1], f);
  const [single, double] = [of(Math.fround), of(Number)];
  const differing = [...single.keys()].filter((i) => single[i] !== double[i]);
  assert.deepEqual(differing, [160, 294]);
  assert.deepEqual([double[160], double[294]], [24967, 20815]);
});
