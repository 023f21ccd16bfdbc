/** Softmaxes beyond int8, log-softmax and lengths: exact where a plain reference says so, near their reals elsewhere. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { operators } from "../../bindings/ops/index.ts";
import type { Operator } from "../../bindings/ops/types.ts";
import { logSoftmaxTables, softmaxTable } from "../../bindings/primitives/table/tables.ts";
import * as reference from "../reference/rows.ts";
import { checkOperator, random, runOperator, subjects, tensor } from "../support/kernels.ts";

interface Attributes {
  readonly beta: number;
  readonly radius: number;
  readonly bias: number;
  readonly alpha: number;
}

/** Functions of rows in doubles. */
const REAL: readonly (readonly [
  "softmax" | "layerNorm" | "logSoftmax" | "l2Normalization" | "localResponseNormalization",
  (row: readonly number[], attributes: Attributes) => readonly number[],
])[] = [
  ["softmax", (row, { beta }) => reference.softmaxReal(row, 1, beta)],
  [
    "logSoftmax",
    (row) => {
      const most = Math.max(...row);
      const log = Math.log(row.reduce((sum, x) => sum + Math.exp(x - most), 0));
      return row.map((x) => x - most - log);
    },
  ],
  [
    "layerNorm",
    (row) => {
      const mean = row.reduce((sum, x) => sum + x, 0) / row.length;
      const variance = row.reduce((sum, x) => sum + (x - mean) ** 2, 0) / row.length;
      return row.map((x) => (x - mean) / Math.sqrt(variance + 0.01));
    },
  ],
  ["l2Normalization", (row) => row.map((x) => x / Math.max(Math.hypot(...row), 1e-6))],
  [
    "localResponseNormalization",
    (row, { radius, bias, alpha, beta }) =>
      row.map((x, c) => {
        const near = row.slice(Math.max(c - radius, 0), c + radius + 1);
        return x * (bias + alpha * near.reduce((sum, value) => sum + value * value, 0)) ** -beta;
      }),
  ],
];

/** Outputs of the first module that ran. */
const first = new Map<string, Uint8Array>();

describe("tables of softmaxes", () => {
  test("beta 0 makes every class alike, and so does a scale that int32 cannot tell from 0", () => {
    for (const [scale, beta] of [
      [0.1, 0],
      [2 ** -30, 1],
    ] as const)
      assert.ok(softmaxTable({ scale, zeroPoint: 0 }, beta).every((e) => e === 2 ** 31 - 1));
  });
  test("of log-softmax: exponentials and differences are those of the reals", () => {
    const { exps, differences, least } = logSoftmaxTables({ scale: 0.1, zeroPoint: 0 });
    assert.equal(least, -248);
    for (let d = 0; d < 256; d++) {
      const [real, exp] = d > 248 ? [0, 0] : [-d * 0.1, Math.exp(-d * 0.1)];
      assert.ok(Math.abs((differences[d] as number) / 2 ** 26 - real) < 1e-6);
      assert.ok(Math.abs((exps[d] as number) / 2 ** 19 - exp) < 2 ** -18);
    }
  });
});

for (const subject of await subjects())
  describe(`rows, ${subject.name}`, { skip: subject.skip }, () => {
    test("SOFTMAX of int16", () => {
      const draw = random(51);
      for (let i = 0; i < 40; i++) {
        const [rows, depth] = [draw.int(1, 4), draw.pick([1, 2, 3, 10, 33, 300])];
        const [scale, beta] = [draw.pick([2 ** -15, 2 ** -12, 0.001, 1]), draw.pick([1, 0.5, 2, 0])];
        const x = Int16Array.from({ length: rows * depth }, () => draw.int(-32768, 32767) >> draw.int(0, 12));
        const expected = Array.from({ length: rows }, (_, row) =>
          reference.softmaxInt16([...x.subarray(row * depth, (row + 1) * depth)], scale, beta),
        );
        const example = {
          attributes: { beta },
          inputs: [tensor("int16", [rows, depth], { scale, zeroPoint: 0 })],
          values: [x],
          output: tensor("int16", [], { scale: 2 ** -15, zeroPoint: 0 }),
        };
        checkOperator(subject, operators.softmax, example, Int16Array.from(expected.flat()));
      }
    });

    for (const [kind, reference] of REAL)
      test(`${kind} of float32 is near its reals, the same in every module and however it is run`, () => {
        const draw = random(52);
        for (let i = 0; i < 24; i++) {
          const [rows, depth] = [draw.int(1, 4), draw.pick([1, 2, 3, 4, 5, 10, 33, 300])];
          const x = Float32Array.from({ length: rows * depth }, () => draw.int(-999, 999) / draw.pick([7, 100, 3000]));
          const attributes = {
            beta: draw.pick([1, 0.5, 2, 0]),
            activation: "none",
            radius: draw.int(0, 4),
            bias: 1,
            alpha: 0.3,
            dimensions: 1,
            epsilon: 0.01,
          };
          const shape = kind === "localResponseNormalization" ? [1, 1, rows, depth] : [rows, depth];
          const example = {
            attributes,
            inputs: [tensor("float32", shape)],
            values: [x],
            output: tensor("float32", []),
          };
          const operator = operators[kind] as unknown as Operator<"softmax">;
          const bytes = runOperator(subject, operator, example);
          const y = new Float32Array(bytes.buffer);
          for (let row = 0; row < rows; row++) {
            const expected = reference([...x.subarray(row * depth, (row + 1) * depth)], attributes);
            const within = 2e-6 * Math.max(...expected.map(Math.abs), kind === "layerNorm" ? 1 : 0);
            for (const [c, value] of expected.entries())
              assert.ok(
                Math.abs((y[row * depth + c] as number) - value) <= within,
                `${y[row * depth + c]}, not ${value}`,
              );
          }
          checkOperator(subject, operator, example, bytes);
          const key = `${kind} ${i}`;
          assert.deepEqual(bytes, first.get(key) ?? bytes, "the first module's bytes");
          first.set(key, bytes);
        }
      });
  });
