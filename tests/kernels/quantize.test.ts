/** QUANTIZE and DEQUANTIZE between float32 and 8 bits, on ties, neighbours of ties, infinities and NaN. */
import { describe, test } from "node:test";
import { operators } from "../../bindings/ops/index.ts";
import { RANGE } from "../../bindings/primitives/requantize/quantization.ts";
import { affineQuantize, rectify } from "../reference/unary.ts";
import { bytesOf, checkOperator, random, subjects, tensor } from "../support/kernels.ts";

const TYPES = ["int8", "uint8"] as const;
const SPECIAL = [0, -0, Infinity, -Infinity, 1e30, -1e30, 1e-40, 2 ** 31, -(2 ** 31), NaN];

/** Each half step of the scale, and its neighbours among float32. */
function ties(scale: number): number[] {
  const values: number[] = [];
  for (let half = -600; half <= 600; half++) {
    const exact = Math.fround((half / 2) * scale);
    values.push(exact, Math.fround(exact * (1 + 2 ** -23)), Math.fround(exact * (1 - 2 ** -24)));
  }
  return values;
}

for (const subject of await subjects())
  describe(`quantization, ${subject.name}`, { skip: subject.skip }, () => {
    for (const dtype of TYPES) {
      const { lo, hi } = RANGE[dtype];
      test(`float32 to ${dtype}`, () => {
        const draw = random(41);
        for (let i = 0; i < 8; i++) {
          const affine = { scale: i === 0 ? 0.5 : draw.scale(), zeroPoint: draw.int(lo, hi) };
          const x = Float32Array.from([...SPECIAL, ...ties(affine.scale)]);
          const expected = Uint8Array.from(x, (v) => (Number.isNaN(v) ? lo : affineQuantize(v, affine, lo, hi)));
          const example = {
            attributes: {},
            inputs: [tensor("float32", [x.length])],
            values: [x],
            output: tensor(dtype, [], affine),
          };
          checkOperator(subject, operators.quantize, example, expected);
        }
      });
      test(`${dtype} to float32`, () => {
        const draw = random(43);
        for (let i = 0; i < 8; i++) {
          const affine = { scale: draw.scale(), zeroPoint: draw.int(lo, hi) };
          const q = Int16Array.from({ length: 256 }, (_, k) => lo + k);
          const example = {
            attributes: {},
            inputs: [tensor(dtype, [256], affine)],
            values: [Uint8Array.from(q)],
            output: tensor("float32", []),
          };
          const expected = Float32Array.from(q, (v) => affine.scale * (v - affine.zeroPoint));
          checkOperator(subject, operators.dequantize, example, bytesOf(expected));
        }
      });
      test(`${dtype} with one scale and zero points 128 apart: every bit but the top one stays`, () => {
        const to = dtype === "int8" ? "uint8" : "int8";
        const x = { scale: 0.25, zeroPoint: lo + 28 };
        const y = { scale: 0.25, zeroPoint: RANGE[to].lo + 28 };
        const q = Uint8Array.from({ length: 1031 }, (_, k) => k);
        const example = {
          attributes: {},
          inputs: [tensor(dtype, [q.length], x)],
          values: [q],
          output: tensor(to, [], y),
        };
        checkOperator(
          subject,
          operators.quantize,
          example,
          q.map((v) => v ^ 128),
        );
      });
      for (const to of TYPES)
        test(`${dtype} to ${to}`, () => {
          const draw = random(47);
          for (let i = 0; i < 8; i++) {
            const x = { scale: draw.scale(), zeroPoint: draw.int(lo, hi) };
            const y = { scale: i === 0 ? x.scale : draw.scale(), zeroPoint: draw.int(RANGE[to].lo, RANGE[to].hi) };
            const q = Int16Array.from({ length: 256 }, (_, k) => lo + k);
            const expected = Uint8Array.from(q, (v) =>
              rectify(v, x, y, -Infinity, Infinity, RANGE[to].lo, RANGE[to].hi),
            );
            const example = {
              attributes: {},
              inputs: [tensor(dtype, [256], x)],
              values: [Uint8Array.from(q)],
              output: tensor(to, [], y),
            };
            checkOperator(subject, operators.quantize, example, expected);
          }
        });
    }
  });
