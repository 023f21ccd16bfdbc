/** The error function, angles and their inverses, half precision, and updates put into a tensor: against JavaScript's own numbers. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { operators } from "../../bindings/ops/index.ts";
import { checkOperator, runOperator, type Subject, subjects, tensor } from "../support/kernels.ts";

/** Its series, exact to 1e−12 where |x| ≤ 3. */
function erf(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 120; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

const FORMS = {
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  sinh: Math.sinh,
  cosh: Math.cosh,
  asinh: Math.asinh,
  acosh: Math.acosh,
  atanh: Math.atanh,
} as const;

const list = await subjects();
const first = list.find(({ skip }) => !skip) as Subject;

/** The bytes of the first module, which the others must give too. */
function near(
  kind: "erf" | "trigonometric",
  attributes: object,
  x: Float32Array,
  f: (x: number) => number,
): Float32Array {
  const example = {
    attributes: attributes as never,
    inputs: [tensor("float32", [x.length])],
    values: [x],
    output: tensor("float32", [x.length]),
  };
  const y = new Float32Array(runOperator(first, operators[kind] as never, example).slice().buffer);
  for (const [i, value] of x.entries()) {
    const expected = f(value);
    const within = Number.isNaN(expected)
      ? Number.isNaN(y[i])
      : Math.abs((y[i] as number) - expected) <= 3e-7 * Math.max(1, Math.abs(expected));
    assert.ok(within, `${kind} ${value}: ${y[i]} and not ${expected}`);
  }
  for (const subject of list) if (!subject.skip) checkOperator(subject, operators[kind] as never, example, y);
  return y;
}

test("the error function", () => {
  const x = Float32Array.from({ length: 601 }, (_, i) => (i - 300) / 100);
  near("erf", {}, x, erf);
  // small numbers keep their digits
  const small = Float32Array.of(1e-6, -3e-4, 0.01, 0);
  const y = near("erf", {}, small, erf);
  for (const [i, value] of small.entries())
    assert.ok(Math.abs((y[i] as number) - erf(value)) <= 1e-6 * Math.abs(value), `${value}`);
});

test("hard swish divides by six, as TensorFlow Lite's reference does", () => {
  const { fround } = Math;
  const x = Float32Array.from([...Array.from({ length: 801 }, (_, i) => (i - 400) / 99), 3e38, Infinity]);
  const y = x.map((value) => fround(fround(value * fround(Math.min(Math.max(fround(value + 3), 0), 6))) / 6));
  const [input, output] = [tensor("float32", [x.length]), tensor("float32", [x.length])];
  for (const subject of list)
    if (!subject.skip)
      checkOperator(subject, operators.hardSwish as never, { attributes: {}, inputs: [input], values: [x], output }, y);
});

describe("angles and their inverses", () => {
  for (const [form, f] of Object.entries(FORMS))
    test(form, () => {
      const x = Float32Array.from({ length: 67 }, (_, i) => (form === "acosh" ? 1 + i / 8 : (i - 33) / 34));
      near("trigonometric", { form }, x, f);
    });
});

test("hyperbolic functions and their inverses of the smallest, the largest and no numbers", () => {
  const x = Float32Array.of(
    0,
    1e-30,
    -3e-5,
    0.5,
    -0.9999,
    1,
    -1,
    1.0001,
    8.5,
    -30,
    88,
    89.3,
    -95,
    4095.5,
    4097,
    -1e20,
    3e38,
    Infinity,
    -Infinity,
    NaN,
  );
  const extremes = ["sinh", "cosh", "asinh", "acosh", "atanh"] as const;
  for (const form of extremes) {
    const f = (value: number) => Math.fround(FORMS[form](value));
    const finite = x.filter((value) => Number.isFinite(f(value)));
    near("trigonometric", { form }, finite, f);
    const values = x.filter((value) => !Number.isFinite(f(value)));
    const example = {
      attributes: { form } as never,
      inputs: [tensor("float32", [values.length])],
      values: [values],
      output: tensor("float32", [values.length]),
    };
    const y = runOperator(first, operators.trigonometric as never, example).slice();
    assert.deepEqual([...new Float32Array(y.buffer)], [...values].map(f), form);
  }
  // small numbers keep their digits
  const small = Float32Array.of(1e-6, -3e-4, 0.01);
  for (const form of ["sinh", "asinh", "atanh"] as const) {
    const y = near("trigonometric", { form }, small, FORMS[form]);
    for (const [i, value] of small.entries())
      assert.ok(Math.abs((y[i] as number) - FORMS[form](value)) <= 1e-6 * Math.abs(value), `${form} ${value}`);
  }
});

for (const subject of list)
  describe(`half precision and updates, ${subject.name}`, { skip: subject.skip }, () => {
    test("every half comes back, and what lies between goes to the nearer, at ties to the even", () => {
      const halves = Uint16Array.from({ length: 65536 }, (_, i) => i).filter((bits) => (bits & 0x7c00) !== 0x7c00);
      const value = (bits: number) => {
        const [sign, exponent, mantissa] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
        return exponent === 0 ? sign * mantissa * 2 ** -24 : sign * (1024 + mantissa) * 2 ** (exponent - 25);
      };
      const types = { Uint16Array: "float16", Float32Array: "float32", Float64Array: "float64" } as const;
      const typeOf = (x: object) => types[x.constructor.name as keyof typeof types];
      const convert = (x: Float32Array | Float64Array | Uint16Array, expected: Uint16Array | Float32Array) =>
        checkOperator(
          subject,
          operators.cast,
          {
            attributes: {},
            inputs: [tensor(typeOf(x), [x.length])],
            values: [x],
            output: tensor(typeOf(expected), [x.length]),
          },
          expected,
        );
      convert(Float32Array.from(halves, value), halves);
      convert(halves, Float32Array.from(halves, value));
      convert(Uint16Array.of(0x7e00, 0xfc00, 0x7c00, 0), Float32Array.of(NaN, -Infinity, Infinity, 0));
      convert(
        Float32Array.of(NaN, 2 ** -149, -(2 ** -149), -65504, 2 ** 127),
        Uint16Array.of(0x7e00, 0, 0x8000, 0xfbff, 0x7c00),
      );
      const below = halves.filter((bits) => bits < 0x7bff);
      const middle = Float32Array.from(below, (bits) => (value(bits) + value(bits + 1)) / 2);
      convert(
        middle,
        below.map((bits) => bits + (bits & 1)),
      );
      // float64 so near a tie that float32 has only the tie
      const beside = (sign: number) => Float64Array.from(middle, (x) => x * (1 + sign * 2 ** -40));
      const away = (sign: number) => below.map((bits) => bits + Number(sign > 0));
      convert(beside(1), away(1));
      convert(beside(-1), away(-1));
      convert(
        Float32Array.of(65519, 65520, 1e10, -1e10, Number.POSITIVE_INFINITY, 2 ** -26),
        Uint16Array.of(0x7bff, 0x7c00, 0x7c00, 0xfc00, 0x7c00, 0),
      );
    });
    for (const [mode, expected] of [
      ["set", [9, 1, 8, 3]],
      ["add", [9, 1, 18, 3]],
    ] as const)
      test(`updates that ${mode}; those outside are left out`, () =>
        checkOperator(
          subject,
          operators.scatterUpdate,
          {
            attributes: { mode },
            inputs: [tensor("float32", [4]), tensor("int64", [4, 1]), tensor("float32", [4])],
            values: [
              Float32Array.of(mode === "add" ? 7 : 0, 1, mode === "add" ? 5 : 2, 3),
              BigInt64Array.of(0n, 2n, 2n, 4n),
              Float32Array.of(mode === "add" ? 2 : 9, 5, 8, 100),
            ],
            output: tensor("float32", [4]),
          },
          Float32Array.from(expected),
        ));
    for (const [mode, expected] of [
      ["mul", [-6, 1, 40, 3]],
      ["min", [-2, 1, 5, 3]],
      ["max", [3, 1, 8, 3]],
    ] as const)
      for (const [dtype, of] of [
        ["float32", Float32Array],
        ["int8", Int8Array],
        ["int16", Int16Array],
        ["int32", Int32Array],
      ] as const)
        test(`updates of ${dtype} by ${mode}`, () =>
          checkOperator(
            subject,
            operators.scatterUpdate,
            {
              attributes: { mode },
              inputs: [tensor(dtype, [4]), tensor("int64", [4, 1]), tensor(dtype, [4])],
              values: [of.of(3, 1, mode === "mul" ? 1 : 6, 3), BigInt64Array.of(0n, 2n, 2n, 4n), of.of(-2, 5, 8, 100)],
              output: tensor(dtype, [4]),
            },
            of.from(expected),
          ));
  });
