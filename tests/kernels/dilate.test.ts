/** DILATE, against "every element that is no multiple of the steps is the value". */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { operators } from "../../bindings/ops/index.ts";
import { BITS, type DType, elementCount } from "../../bindings/tensor.ts";
import { broadcastIndex, indices } from "../reference/binary.ts";
import { bytesOf, checkOperator, random, subjects, tensor } from "../support/kernels.ts";

const ints = (values: readonly number[]) => tensor("int32", [values.length], undefined, Int32Array.from(values));

for (const subject of await subjects())
  describe(`DILATE, ${subject.name}`, { skip: subject.skip }, () => {
    test("random shapes, steps and types", () => {
      const draw = random(203);
      for (const dtype of ["int8", "int16", "float32", "int64"] satisfies DType[])
        for (let round = 0; round < 12; round++) {
          const shape = Array.from({ length: draw.int(1, 5) }, () => draw.pick([1, 2, 3, 5]));
          const steps = shape.map(() => draw.pick([1, 2, 3]));
          const size = BITS[dtype] / 8;
          const x = bytesOf(draw.int8(elementCount(shape) * size));
          const value = bytesOf(draw.int8(size));
          const y = shape.map((n, d) => (n - 1) * (steps[d] as number) + 1);
          const expected = [...indices(y)].flatMap((index) => {
            if (index.some((k, d) => k % (steps[d] as number) !== 0)) return [...value];
            const at =
              broadcastIndex(
                shape,
                index.map((k, d) => k / (steps[d] as number)),
              ) * size;
            return [...x.subarray(at, at + size)];
          });
          const example = {
            attributes: {},
            inputs: [tensor(dtype, shape), ints(steps), tensor(dtype, [], undefined, value)],
            values: [x, Int32Array.from(steps), value],
            output: tensor(dtype, []),
          };
          checkOperator(subject, operators.dilate, example, Uint8Array.from(expected));
        }
    });
  });

test("steps of 0, too few steps and values of other types are refused", () => {
  const infer = (steps: readonly number[], value = tensor("int8", [], undefined, Int8Array.of(0))) =>
    operators.dilate.infer({
      where: "node 0",
      attributes: {},
      outputs: [tensor("int8", [])],
      inputs: [tensor("int8", [4, 6]), ints(steps), value],
    });
  assert.throws(() => infer([1, 0]), /C4/);
  assert.throws(() => infer([1]), /C4/);
  assert.throws(() => infer([1, 2], tensor("int16", [], undefined, Int16Array.of(0))), /C5/);
  assert.deepEqual(infer([3, 1])[0]?.shape, [10, 6]);
});
