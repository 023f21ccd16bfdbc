/** Resizes of both kinds, every alignment, up and down, and channels around vectors. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { operators } from "../../bindings/ops/index.ts";
import { bilinearAxis } from "../../bindings/primitives/resize/resize.ts";
import { BITS, type DType } from "../../bindings/tensor.ts";
import * as reference from "../reference/resize.ts";
import { bytesOf, checkOperator, type Random, random, subjects, tensor } from "../support/kernels.ts";

const ALIGNMENTS = [
  { alignCorners: false, halfPixelCenters: false },
  { alignCorners: true, halfPixelCenters: false },
  { alignCorners: false, halfPixelCenters: true },
  { alignCorners: true, halfPixelCenters: true },
] as const;
const DTYPES: readonly DType[] = ["int8", "int16", "float32", "uint8", "bool"];
const AFFINE = { scale: 0.25, zeroPoint: -3 };

function shapes(draw: Random) {
  const [h, w] = [draw.int(1, 9), draw.int(1, 9)];
  const shape = [draw.int(1, 2), h, w, draw.pick([1, 3, 7, 8, 9, 16, 17, 24])] as const;
  const size = [draw.pick([1, h, 2 * h, draw.int(1, 20)]), draw.pick([1, w, 2 * w, draw.int(1, 20)])] as const;
  return { shape, size, constant: Int32Array.from(size) };
}

const count = (shape: readonly number[]) => shape.reduce((n, k) => n * k, 1);

for (const subject of await subjects())
  describe(`resize, ${subject.name}`, { skip: subject.skip }, () => {
    for (const attributes of ALIGNMENTS) {
      const name = `corners ${attributes.alignCorners}, centres ${attributes.halfPixelCenters}`;
      test(`RESIZE_NEAREST_NEIGHBOR, ${name}`, () => {
        const draw = random(41);
        for (let i = 0; i < 24; i++) {
          const { shape, size, constant } = shapes(draw);
          const dtype = draw.pick(DTYPES);
          const bytes = BITS[dtype] / 8;
          const x = bytesOf(draw.int8(count(shape) * bytes));
          const inputs = [tensor(dtype, shape), tensor("int32", [2], undefined, constant)];
          const example = { attributes, inputs, values: [x, constant], output: tensor(dtype, []) };
          const expected = reference.resizeNearest(x, shape, size, attributes, bytes);
          checkOperator(subject, operators.resizeNearestNeighbor, example, expected);
        }
      });

      if (attributes.alignCorners && attributes.halfPixelCenters) continue;
      test(`RESIZE_BILINEAR, ${name}`, () => {
        const draw = random(42);
        for (let i = 0; i < 30; i++) {
          const { shape, size, constant } = shapes(draw);
          const x = i % 3 ? draw.int8(count(shape)) : draw.int8(count(shape)).map((v) => (v < 0 ? -128 : 127));
          const inputs = [tensor("int8", shape, AFFINE), tensor("int32", [2], undefined, constant)];
          const example = { attributes, inputs, values: [x, constant], output: tensor("int8", [], AFFINE) };
          checkOperator(
            subject,
            operators.resizeBilinear,
            example,
            reference.resizeBilinear(x, shape, size, attributes),
          );
        }
      });
      test(`RESIZE_BILINEAR of floats and of what was uint8, ${name}`, () => {
        const draw = random(43);
        for (let i = 0; i < 30; i++) {
          const { shape, size, constant } = shapes(draw);
          const bytes = draw.int8(count(shape));
          const sizes = tensor("int32", [2], undefined, constant);
          const reals = Float32Array.from(bytes, (v) => v / 3);
          checkOperator(
            subject,
            operators.resizeBilinear,
            {
              attributes,
              inputs: [tensor("float32", shape), sizes],
              values: [reals, constant],
              output: tensor("float32", []),
            },
            reference.resizeReal(reals, shape, size, attributes),
          );
          const unsigned = { ...tensor("int8", shape, AFFINE), unsigned: true } as const;
          const numbers = Float32Array.from(bytes, (v) => v + 128);
          const expected = Int8Array.from(
            reference.resizeReal(numbers, shape, size, attributes),
            (v) => Math.trunc(Math.fround(v + 0.5)) - 128,
          );
          const output = { ...tensor("int8", [], AFFINE), unsigned: true } as const;
          const example = { attributes, inputs: [unsigned, sizes], values: [bytes, constant], output };
          checkOperator(subject, operators.resizeBilinear, example, expected);
        }
      });
    }
  });

test("a scale that was rounded up stays inside a small input", () => {
  for (const { first, second, fraction } of bilinearAxis(1, 2000, ALIGNMENTS[0])) {
    assert.ok(first === 0 && second === 0 && Math.abs(fraction) <= 1024);
  }
});
