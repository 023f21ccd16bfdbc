/** Many float32 at once give the bytes that one gives: functions around their blocks, and reductions in the order of memory. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { operators } from "../../bindings/ops/index.ts";
import { checkOperator, random, runOperator, type Subject, subjects, tensor } from "../support/kernels.ts";

const list = await subjects();
const first = list.find(({ skip }) => !skip) as Subject;
const { fround } = Math;

const FUNCTIONS = {
  logistic: [{}, (x: number) => 1 / (1 + Math.exp(-x))],
  exp: [{}, Math.exp],
  leakyRelu: [{ alpha: 0.3 }, (x: number) => (x < 0 ? fround(x * fround(0.3)) : x)],
  softmax: [{ beta: 1 }, undefined],
} as const;

/** Ends of ranges of the exponential, of numbers, and zeros. */
const EXTREMES = [0, -0, 88.7, -87, -87.4, -88.8, -103.9, -104.5, 1e-40, -1e-40, 3e38, -3e38, Infinity, -Infinity];

describe("functions of float32 around blocks of them", () => {
  for (const [kind, [attributes, f]] of Object.entries(FUNCTIONS))
    test(kind, () => {
      const draw = random(7);
      for (const length of [1, 3, 4, 5, 15, 16, 17, 19, 31, 33, 64, 67, 1027, 2500]) {
        const x = Float32Array.from({ length }, () =>
          kind !== "softmax" && draw.int(0, 5) === 0 ? draw.pick(EXTREMES) : draw.int(-9000, 9000) / 300,
        );
        const shape = kind === "softmax" ? [1, length] : [length];
        const example = {
          attributes: attributes as never,
          inputs: [tensor("float32", shape)],
          values: [x],
          output: tensor("float32", shape),
        };
        const operator = operators[kind as "logistic"] as never;
        const y = new Float32Array(runOperator(first, operator, example).slice().buffer);
        for (const [i, value] of x.entries()) {
          if (f === undefined) break;
          const expected = fround(f(value));
          const isNear =
            y[i] === expected || Math.abs((y[i] as number) - expected) <= 3e-7 * Math.abs(expected) + 2e-45;
          assert.ok(isNear, `${kind} ${value}: ${y[i]} and not ${expected}`);
        }
        if (f === undefined) assert.ok(Math.abs(y.reduce((sum, value) => sum + value, 0) - 1) < 1e-5);
        for (const subject of list) if (!subject.skip) checkOperator(subject, operator, example, y);
      }
    });

  test("softmax of short rows, each as it is alone", () => {
    const draw = random(9);
    const of = (x: Float32Array, shape: readonly number[]) => ({
      attributes: { beta: 1 },
      inputs: [tensor("float32", shape)],
      values: [x],
      output: tensor("float32", shape),
    });
    for (const depth of [1, 2, 3, 4, 5, 6, 9, 15, 16, 17]) {
      const rows = draw.int(1, 40);
      const x = Float32Array.from({ length: rows * depth }, () => draw.int(-9000, 9000) / 300);
      const y = new Float32Array(x.length);
      for (let i = 0; i < x.length; i += depth) {
        const alone = runOperator(first, operators.softmax, of(x.slice(i, i + depth), [1, depth]));
        y.set(new Float32Array(alone.slice().buffer), i);
      }
      for (const subject of list) if (!subject.skip) checkOperator(subject, operators.softmax, of(x, [rows, depth]), y);
    }
  });
});

const REDUCTIONS = {
  sum: (a: number, b: number) => fround(a + b),
  mean: (a: number, b: number) => fround(a + b),
  reduceProd: (a: number, b: number) => fround(a * b),
  reduceMax: (a: number, b: number) => (b > a ? b : a),
  reduceMin: (a: number, b: number) => (b < a ? b : a),
} as const;
const START = { sum: 0, mean: 0, reduceProd: 1, reduceMax: -Infinity, reduceMin: Infinity } as const;

for (const subject of list)
  describe(`reductions of float32, ${subject.name}`, { skip: subject.skip }, () => {
    for (const kind of Object.keys(REDUCTIONS) as (keyof typeof REDUCTIONS)[])
      test(kind, () => {
        const draw = random(8);
        for (const channels of [1, 3, 4, 5, 7, 15, 16, 17, 24, 31, 33, 64])
          for (const axes of [[0, 1], [2], [1], [0], [0, 2], [0, 1, 2]]) {
            const shape = [draw.int(1, 4), draw.int(1, 5), channels];
            const [h, w] = shape as [number, number];
            const x = Float32Array.from({ length: h * w * channels }, () => draw.int(-1500, 1500) / 1000);
            const kept = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
            const y = new Float32Array(kept.reduce((n, size) => n * size, 1)).fill(START[kind]);
            const place = (i: number) => {
              const at = [Math.floor(i / (w * channels)), Math.floor(i / channels) % w, i % channels];
              return at.reduce((sum, index, axis) => sum * (kept[axis] as number) + (kept[axis] === 1 ? 0 : index), 0);
            };
            for (const [i, value] of x.entries()) y[place(i)] = REDUCTIONS[kind](y[place(i)] as number, value);
            const expected = kind === "mean" ? y.map((value) => fround(value / (x.length / y.length))) : y;
            const example = {
              attributes: { keepDims: false },
              inputs: [tensor("float32", shape), tensor("int32", [axes.length], undefined, Int32Array.from(axes))],
              values: [x, Int32Array.from(axes)],
              output: tensor("float32", []),
            };
            checkOperator(subject, operators[kind] as never, example, expected);
          }
      });
  });
