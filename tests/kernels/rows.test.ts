/** Softmaxes beyond int8, log-softmax and lengths: exact where a plain reference says so, near their reals elsewhere. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { operators } from "../../bindings/ops/index.ts";
import { logSoftmaxTables, softmaxTable } from "../../bindings/primitives/table/tables.ts";
import * as reference from "../reference/rows.ts";
import { checkOperator, random, subjects, tensor } from "../support/kernels.ts";

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
  });
