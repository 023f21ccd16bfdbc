/** Sums, products, extremes and means over any axes, in every type. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { operators } from "../../bindings/ops/index.ts";
import type { Operator } from "../../bindings/ops/types.ts";
import type { Affine } from "../../bindings/primitives/requantize/quantization.ts";
import * as reference from "../reference/reductions.ts";
import { checkOperator, type Random, random, subjects, tensor } from "../support/kernels.ts";

const KINDS = ["sum", "mean", "reduceProd", "reduceMax", "reduceMin"] as const;
const ARRAYS: { readonly [type: string]: { from(source: ArrayLike<number>): reference.Numbers } } = {
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  int16: Int16Array,
  int32: Int32Array,
  float32: Float32Array,
};

/** A typed array of the element type. */
function arrayOf(type: string, count: number, value: (i: number) => number): reference.Numbers {
  const array = ARRAYS[type]?.from(Array.from({ length: count }, (_, i) => value(i)));
  assert.ok(array);
  return array;
}

/** Long runs of one axis, with neighbours that are kept and without. */
const LONG = [
  [1, 300, 1],
  [3, 47, 1],
  [2, 5, 3],
  [2, 7, 4],
  [1, 260, 21],
  [2, 9, 40],
  [1, 3, 130],
] as const;

interface Case {
  readonly shape: readonly number[];
  readonly axes: readonly number[];
  readonly spelled: Int32Array;
  readonly count: number;
}

/** A shape of up to eight dimensions, empty ones among them, and axes: some negative, some twice. */
function drawCase(draw: Random, least: number): Case {
  const shape = Array.from({ length: draw.int(0, 8) }, () => draw.pick([least, 1, 1, 2, 2, 3]));
  const axes = shape.flatMap((_, axis) => (draw.int(0, 1) ? [axis] : []));
  const spelled = axes.flatMap((axis) => draw.pick([[axis], [axis - shape.length], [axis, axis - shape.length]]));
  const count = shape.reduce((n, size) => n * size, 1);
  return { shape, axes, spelled: Int32Array.from(spelled), count };
}

/** Reductions of bool, and what each of them is. */
const LOGICAL = [
  ["reduceAny", "reduceAny"],
  ["reduceAll", "reduceAll"],
  ["reduceMax", "reduceAny"],
  ["reduceMin", "reduceAll"],
  ["sum", "reduceAny"],
  ["reduceProd", "reduceAll"],
] as const;

for (const subject of await subjects()) {
  describe(`reductions of plain numbers, ${subject.name}`, { skip: subject.skip }, () => {
    for (const type of ["uint8", "int32", "bool"] as const)
      for (const [kind, plain] of type === "bool" ? LOGICAL : KINDS.map((each) => [each, each] as const))
        test(`${kind}, ${type}`, () => {
          const draw = random(31);
          const operator = operators[kind] as unknown as Operator<"sum">;
          for (let i = 0; i < 16; i++) {
            const { shape, axes, spelled, count } = drawCase(draw, i % 4 === 0 ? 0 : 1);
            const [lo, hi] = type === "int32" ? [-40, 40] : [0, type === "bool" ? 1 : 255];
            const x = arrayOf(type, count, () => draw.int(lo, hi));
            const example = {
              attributes: { keepDims: draw.int(0, 1) === 1 },
              inputs: [tensor(type, shape), tensor("int32", [spelled.length], undefined, spelled)],
              values: [x, spelled],
              output: tensor(type, []),
            };
            const groups = reference.groupsOf(x, shape, axes);
            const y = arrayOf(type, groups.length, (i) => Number(reference.reduceWhole(plain, type, groups[i] ?? [])));
            if (y.length > 0) checkOperator(subject, operator, example, y);
          }
        });

    for (const kind of KINDS)
      test(`${kind}, int64`, () => {
        const draw = random(32);
        const operator = operators[kind] as unknown as Operator<"sum">;
        for (let i = 0; i < 12; i++) {
          const { shape, axes, spelled, count } = drawCase(draw, 1);
          const x = BigInt64Array.from({ length: count }, () => BigInt(draw.int(-99, 99)) << BigInt(draw.int(0, 50)));
          const example = {
            attributes: { keepDims: false },
            inputs: [tensor("int64", shape), tensor("int32", [spelled.length], undefined, spelled)],
            values: [x, spelled],
            output: tensor("int64", []),
          };
          const groups = reference.groupsOf(x, shape, axes);
          const y = BigInt64Array.from(groups, (group) => reference.reduceWhole(kind, "int64", group));
          checkOperator(subject, operator, example, y);
        }
      });

    for (const kind of KINDS)
      test(`${kind}, float32`, () => {
        const draw = random(33);
        const operator = operators[kind] as unknown as Operator<"sum">;
        for (let i = 0; i < 16; i++) {
          const { shape, axes, spelled, count } = drawCase(draw, 1);
          const x = Float32Array.from({ length: count }, () => draw.int(-1000, 1000) / 7);
          const example = {
            attributes: { keepDims: false },
            inputs: [tensor("float32", shape), tensor("int32", [spelled.length], undefined, spelled)],
            values: [x, spelled],
            output: tensor("float32", []),
          };
          const groups = reference.groupsOf(x, shape, axes);
          const y = Float32Array.from(groups, (group) => reference.reduceFloat(kind, group as number[]));
          checkOperator(subject, operator, example, y);
        }
      });
  });

  describe(`reductions of quantized numbers, ${subject.name}`, { skip: subject.skip }, () => {
    for (const type of ["int8", "int16"] as const)
      for (const kind of KINDS)
        test(`${kind}, ${type}`, () => {
          const draw = random(34);
          const operator = operators[kind] as unknown as Operator<"sum">;
          for (let i = 0; i < 24; i++) {
            const long = { shape: LONG[i] ?? [], axes: [1], spelled: Int32Array.of(1) };
            const { shape, axes, spelled } = i < LONG.length ? long : drawCase(draw, 1);
            const count = shape.reduce((n, size) => n * size, 1);
            const zero = () => (type === "int8" ? draw.int(-128, 127) : 0);
            const p: Affine = { scale: draw.scale(), zeroPoint: zero() };
            const same = kind === "reduceMax" || kind === "reduceMin";
            const q = same ? p : { scale: draw.scale() * (kind === "reduceProd" ? 64 : 1), zeroPoint: zero() };
            const bits = type === "int8" ? 8 : 16;
            const x = arrayOf(type, count, () => draw.int(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1));
            const example = {
              attributes: { keepDims: draw.int(0, 1) === 1 },
              inputs: [tensor(type, shape, p), tensor("int32", [spelled.length], undefined, spelled)],
              values: [x, spelled],
              output: tensor(type, [], q),
            };
            const groups = reference.groupsOf(x, shape, axes);
            const y = arrayOf(type, groups.length, (j) =>
              reference.reduceScaled(kind, groups[j] as number[], bits, p, q),
            );
            checkOperator(subject, operator, example, y);
          }
        });
  });
}
