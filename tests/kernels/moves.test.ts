/** Every operator that moves whole elements, against "output element i is input element f(i)" written out. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Attributes, OpKind } from "../../bindings/graph.ts";
import { operators } from "../../bindings/ops/index.ts";
import type { Operator } from "../../bindings/ops/types.ts";
import { BITS, elementCount, type Tensor } from "../../bindings/tensor.ts";
import { indices } from "../reference/binary.ts";
import { bytesOf, checkOperator, type Random, random, subjects, tensor } from "../support/kernels.ts";
import { CASES, DTYPES, type Index, moved, range, shapeOf } from "./moves-cases.ts";

const bytes = (draw: Random, count: number) => bytesOf(draw.int8(count));

for (const subject of await subjects())
  describe(`moves, ${subject.name}`, { skip: subject.skip }, () => {
    for (const [name, make] of Object.entries(CASES))
      test(name, () => {
        const draw = random(41);
        for (let i = 0; i < 12; i++) {
          const dtype = draw.pick(DTYPES);
          const size = BITS[dtype] / 8;
          const { kind, attributes = {}, shape, y, constants, source } = make(draw);
          const x = bytes(draw, elementCount(shape) * size);
          const lists = constants.map((list) => Int32Array.from(list));
          const operator = operators[kind] as unknown as Operator<OpKind>;
          const example = {
            attributes: attributes as Attributes[OpKind],
            inputs: [
              tensor(dtype, shape),
              ...lists.map((list) => tensor("int32", shapeOfConstant(kind, list), undefined, list)),
            ],
            values: [x, ...lists],
            output: tensor(dtype, []),
          };
          checkOperator(subject, operator, example, moved(x, shape, y, size, source));
        }
      });

    test("SLICE and DYNAMIC_UPDATE_SLICE from places that are computed, held inside", () => {
      const draw = random(43);
      for (let i = 0; i < 12; i++) {
        const dtype = draw.pick(DTYPES);
        const size = BITS[dtype] / 8;
        const shape = shapeOf(draw, 1, 5);
        const part = shape.map((n) => draw.int(1, n));
        const begin = shape.map(() => draw.int(-2, 6));
        const held = begin.map((k, d) => Math.min(Math.max(k, 0), (shape[d] as number) - (part[d] as number)));
        const x = bytes(draw, elementCount(shape) * size);
        const places = Int32Array.from(begin);
        const sizes = Int32Array.from(part);
        const sliced = moved(x, shape, part, size, (index) => index.map((k, d) => k + (held[d] as number)));
        const at = tensor("int32", [shape.length]);
        const constant = tensor("int32", [shape.length], undefined, sizes);
        // Folding has constant begins, which have to be inside: not what this is about.
        const { fold: _, ...slice } = operators.slice;
        checkOperator(
          subject,
          slice,
          {
            attributes: {},
            inputs: [tensor(dtype, shape), at, constant],
            values: [x, places, sizes],
            output: tensor(dtype, []),
          },
          sliced,
        );
        const update = bytes(draw, elementCount(part) * size);
        const inside = (index: Index) => index.map((k, d) => k - (held[d] as number));
        const isInside = (index: Index) => inside(index).every((k, d) => k >= 0 && k < (part[d] as number));
        const expected = moved(x, shape, shape, size, (index) => index);
        const over = moved(update, part, shape, size, (index) => (isInside(index) ? inside(index) : undefined));
        let element = 0;
        for (const index of indices(shape)) {
          if (isInside(index)) expected.set(over.subarray(element * size, (element + 1) * size), element * size);
          element++;
        }
        checkOperator(
          subject,
          operators.dynamicUpdateSlice,
          {
            attributes: {},
            inputs: [tensor(dtype, shape), tensor(dtype, part), at],
            values: [x, update, places],
            output: tensor(dtype, []),
          },
          expected,
        );
      }
    });

    test("GATHER, GATHER_ND and SCATTER_ND by computed indices", () => {
      const draw = random(47);
      for (let i = 0; i < 12; i++) {
        const [b, o, n, c, k] = [1, 2, 3, 4, 5].map(() => draw.int(1, 4)) as [number, number, number, number, number];
        const x = Int32Array.from({ length: b * o * n * c }, () => draw.int(-1000, 1000));
        const chosen = Int32Array.from({ length: b * k }, () => draw.int(0, n - 1));
        const plain: Pick<Tensor, "dtype"> = { dtype: "int32" };
        const gathered: number[] = [];
        for (const [p = 0, q = 0, r = 0, s = 0] of indices([b, o, k, c]))
          gathered.push(x[((p * o + q) * n + (chosen[p * k + r] as number)) * c + s] as number);
        checkOperator(
          subject,
          operators.gather,
          {
            attributes: { axis: 2, batchDims: 1 },
            inputs: [tensor(plain.dtype, [b, o, n, c]), tensor("int32", [b, k])],
            values: [x, chosen],
            output: tensor("int32", []),
          },
          Int32Array.from(gathered),
        );
        const tuples = Int32Array.from(range(k).flatMap(() => [draw.int(0, b - 1), draw.int(0, o - 1)]));
        const rows = range(k).flatMap((row) => {
          const at = ((tuples[row * 2] as number) * o + (tuples[row * 2 + 1] as number)) * n * c;
          return [...x.subarray(at, at + n * c)];
        });
        checkOperator(
          subject,
          operators.gatherNd,
          {
            attributes: {},
            inputs: [tensor("int32", [b, o, n, c]), tensor("int32", [k, 2])],
            values: [x, tuples],
            output: tensor("int32", []),
          },
          Int32Array.from(rows),
        );
        const sums = new Int32Array(b * o * n * c);
        for (const row of range(k)) {
          const at = ((tuples[row * 2] as number) * o + (tuples[row * 2 + 1] as number)) * n * c;
          for (const j of range(n * c)) sums[at + j] = (sums[at + j] as number) + (rows[row * n * c + j] as number);
        }
        const shape = Int32Array.of(b, o, n, c);
        checkOperator(
          subject,
          operators.scatterNd,
          {
            attributes: {},
            inputs: [tensor("int32", [k, 2]), tensor("int32", [k, n, c]), tensor("int32", [4], undefined, shape)],
            values: [tuples, Int32Array.from(rows), shape],
            output: tensor("int32", []),
          },
          sums,
        );
      }
    });

    test("REVERSE_SEQUENCE, with the batch before and after the sequence", () => {
      const draw = random(53);
      for (let i = 0; i < 12; i++) {
        const dtype = draw.pick(DTYPES);
        const size = BITS[dtype] / 8;
        const shape = shapeOf(draw, 2, 5);
        const [sequenceAxis, batchAxis] = draw.int(0, 1) ? [shape.length - 2, shape.length - 1] : [1, 0];
        const lengths = Int32Array.from({ length: shape[batchAxis] as number }, () =>
          draw.int(0, shape[sequenceAxis] as number),
        );
        const x = bytes(draw, elementCount(shape) * size);
        const expected = moved(x, shape, shape, size, (index) => {
          const [t, length] = [index[sequenceAxis] as number, lengths[index[batchAxis] as number] as number];
          return index.map((k, d) => (d === sequenceAxis && t < length ? length - 1 - t : k));
        });
        checkOperator(
          subject,
          operators.reverseSequence,
          {
            attributes: { sequenceAxis, batchAxis },
            inputs: [tensor(dtype, shape), tensor("int32", [lengths.length])],
            values: [x, lengths],
            output: tensor(dtype, []),
          },
          expected,
        );
      }
    });

    test("CONCATENATION of other scales rescales in float32 on unsigned numbers", () => {
      const draw = random(59);
      const [p, y] = [
        { scale: Math.fround(0.07), zeroPoint: 3 },
        { scale: Math.fround(0.1), zeroPoint: -5 },
      ];
      const [a, b] = [draw.int8(12), draw.int8(8)];
      const example = {
        attributes: { axis: 1, activation: "none" as const },
        inputs: [tensor("int8", [4, 3], p), tensor("int8", [4, 2], y)],
        values: [a, b],
        output: tensor("int8", [], y),
      };
      const rescaled = (q: number) => {
        const scale = Math.fround(p.scale * Math.fround(1 / y.scale));
        const value = Math.fround(Math.fround((q + 128) * scale) + Math.fround(-(p.zeroPoint + 128) * scale));
        const rounded = Math.sign(value) * Math.floor(Math.abs(value) + 0.5) + y.zeroPoint;
        return Math.min(Math.max(rounded, -128), 127);
      };
      const rows = range(4).flatMap((row) => [
        ...[...a.subarray(row * 3, row * 3 + 3)].map(rescaled),
        ...b.subarray(row * 2, row * 2 + 2),
      ]);
      checkOperator(subject, operators.concat, example, Int8Array.from(rows));
    });
  });

/** Paddings come as pairs. */
function shapeOfConstant(kind: OpKind, { length }: Int32Array): readonly number[] {
  const pairs = kind === "mirrorPad" || ((kind === "spaceToBatch" || kind === "batchToSpace") && length === 4);
  return pairs ? [length / 2, 2] : [length];
}

test("ranges of no elements, one axis split unevenly, and places outside are refused", () => {
  const infer = (kind: OpKind, attributes: object, inputs: readonly Tensor[], count = 1) =>
    (operators[kind] as unknown as Operator<OpKind>).infer({
      where: "node 0",
      attributes: attributes as Attributes[OpKind],
      inputs,
      outputs: range(count).map(() => tensor("int8", [])),
    });
  const ints = (...values: number[]) => tensor("int32", [values.length], undefined, Int32Array.from(values));
  const x = tensor("int8", [4, 6]);
  assert.throws(() => infer("split", { count: 4 }, [ints(1), x], 4), /C4/);
  assert.throws(() => infer("splitV", {}, [x, ints(2, 3), ints(1)], 2), /C4/);
  assert.throws(() => infer("slice", {}, [x, ints(0, 5), ints(1, 2)]), /C4/);
  assert.throws(() => infer("gather", { axis: 0, batchDims: 0 }, [x, ints(4)]), /C5/);
  assert.throws(() => infer("gatherNd", {}, [x, tensor("int32", [1, 2], undefined, Int32Array.of(0, 6))]), /C4/);
  assert.throws(
    () => infer("spaceToBatch", {}, [x, ints(4), tensor("int32", [1, 2], undefined, Int32Array.of(0, 0))]),
    /C4/,
  );
  assert.throws(() => infer("broadcastTo", {}, [x, ints(4, 5)]), /C4/);
  const masks = { beginMask: 0, endMask: 0, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 1 };
  assert.throws(() => infer("stridedSlice", masks, [x, ints(4), ints(5), ints(1)]), /C6/);
  assert.throws(() => infer("stridedSlice", { ...masks, shrinkAxisMask: 0 }, [x, ints(0), ints(5), ints(0)]), /C5/);
  const empty = infer("stridedSlice", { ...masks, shrinkAxisMask: 0 }, [x, ints(3), ints(1), ints(1)]);
  assert.deepEqual(empty[0]?.shape, [0, 6]);
});
