/** RFFT2D against sums in doubles: cut, filled up, of one row and of one number. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { operators } from "../../bindings/ops/index.ts";
import { checkOperator, random, runOperator, subjects, tensor } from "../support/kernels.ts";

for (const subject of await subjects())
  describe(`RFFT2D, ${subject.name}`, { skip: subject.skip }, () => {
    for (const [images, rows, columns, height, width] of [
      [2, 3, 5, 4, 8],
      [1, 8, 16, 4, 4],
      [3, 1, 20, 1, 32],
      [1, 2, 2, 2, 1],
      [2, 1, 500, 1, 512],
      [1, 20, 40, 32, 64],
    ] as const)
      test(`${rows} by ${columns} as ${height} by ${width}`, () => {
        const draw = random(71);
        const x = Float32Array.from({ length: images * rows * columns }, () => draw.int(-99, 99) / 9);
        const sizes = Int32Array.of(height, width);
        const example = {
          attributes: {},
          inputs: [tensor("float32", [images, rows, columns]), tensor("int32", [2], undefined, sizes)],
          values: [x, sizes],
          output: tensor("complex64", []),
        };
        const bytes = runOperator(subject, operators.rfft2d, example);
        const y = new Float32Array(bytes.buffer);
        const half = Math.floor(width / 2) + 1;
        for (let at = 0; at < images * height * half; at++) {
          const [n, a, b] = [Math.floor(at / (height * half)), Math.floor(at / half) % height, at % half];
          let [real, imaginary] = [0, 0];
          for (let i = 0; i < Math.min(rows, height); i++)
            for (let j = 0; j < Math.min(columns, width); j++) {
              const turn = -2 * Math.PI * ((a * i) / height + (b * j) / width);
              const value = x[(n * rows + i) * columns + j] as number;
              real += value * Math.cos(turn);
              imaginary += value * Math.sin(turn);
            }
          assert.ok(Math.abs(real - (y[at * 2] as number)) < 1e-3, `${y[at * 2]}, not ${real}`);
          assert.ok(Math.abs(imaginary - (y[at * 2 + 1] as number)) < 1e-3, `${y[at * 2 + 1]}, not ${imaginary}`);
        }
        checkOperator(subject, operators.rfft2d, example, bytes);
      });
  });
