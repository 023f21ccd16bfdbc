/** Functions of two operands in float32, int16 and integers as they are, comparisons and SELECT, with broadcasting. */
import { describe, test } from "node:test";
import type { OpKind } from "../../bindings/graph.ts";
import { operators } from "../../bindings/ops/index.ts";
import type { Operator } from "../../bindings/ops/types.ts";
import { broadcastShape } from "../../bindings/primitives/broadcast.ts";
import type { Affine } from "../../bindings/primitives/requantize/quantization.ts";
import { BITS, type DType, type TypedArray, typedCopy } from "../../bindings/tensor.ts";
import { broadcastIndex, indices } from "../reference/binary.ts";
import { COMPARED, comparable, REALS, SCALED, WHOLES } from "../reference/elementwise.ts";
import { checkOperator, type Random, random, type Subject, subjects, tensor } from "../support/kernels.ts";

const NONE = { activation: "none" as const };
const elements = (shape: readonly number[]) => shape.reduce((n, size) => n * size, 1);

/** Two shapes that broadcast, of lengths around the vectors' four and sixteen. */
function shapes(draw: Random): readonly [readonly number[], readonly number[]] {
  const full = Array.from({ length: draw.int(0, 5) }, () => draw.pick([1, 2, 3, 7]));
  const some = () => full.map((size) => (draw.int(0, 2) === 0 ? 1 : size)).slice(draw.int(0, 2));
  return draw.pick([
    [full, some()],
    [some(), full],
    [full, full],
    [some(), some()],
    [[5, 21], [21]],
    [[1], [18]],
    [[2, 37], [37]],
    [[40], [1]],
  ]);
}

/** The pairs that meet, in order. */
function pairs<T>(
  [aShape, bShape]: ReturnType<typeof shapes>,
  a: ArrayLike<T>,
  b: ArrayLike<T>,
): readonly (readonly [T, T])[] {
  const shape = broadcastShape(aShape, bShape) ?? [];
  return [...indices(shape)].map(
    (index) => [a[broadcastIndex(aShape, index)] as T, b[broadcastIndex(bShape, index)] as T] as const,
  );
}

/** Values of a type: small ones, extremes, and any bits. */
function values(draw: Random, dtype: DType, count: number): TypedArray {
  const bytes = Uint8Array.from({ length: count * (BITS[dtype] / 8) }, () => draw.int(0, 255));
  const array = typedCopy(dtype, bytes);
  for (let i = 0; i < count; i++) {
    const small = draw.int(dtype.startsWith("u") ? 0 : -4, 5);
    if (draw.int(0, 2) > 0 || dtype === "float32")
      array[i] = (typeof array[i] === "bigint" ? BigInt(small) : small) as never;
    if (dtype === "float32") array[i] = (small / 8 + draw.int(-1000, 1000) / 997) as never;
  }
  return array;
}

function check(
  subject: Subject,
  kind: OpKind,
  types: readonly [DType, DType],
  inputs: readonly { shape: readonly number[]; values: ArrayBufferView; affine?: Affine; constant?: boolean }[],
  expected: ArrayBufferView,
  y?: Affine,
): void {
  const example = {
    attributes: ["add", "sub", "mul", "div"].includes(kind) ? NONE : {},
    inputs: inputs.map(({ shape, affine, values, constant }, i) =>
      tensor(kind === "selectV2" && i === 0 ? "bool" : types[0], shape, affine, constant ? values : undefined),
    ),
    values: inputs.map((input) => input.values),
    output: tensor(types[1], [], y),
  };
  checkOperator(subject, operators[kind] as unknown as Operator<OpKind>, example, expected);
}

const INTEGERS: { readonly [kind: string]: readonly DType[] } = {
  add: ["int16", "int32", "int64"],
  sub: ["int32", "int64"],
  mul: ["int16", "int32", "uint32", "int64"],
  div: ["int32", "int64"],
  maximum: ["int8", "uint8", "int16", "int64"],
  minimum: ["int8", "uint16", "int32", "uint32"],
  squaredDifference: ["int32", "int64"],
  floorDiv: ["int8", "int32", "int64"],
  floorMod: ["int16", "int32", "int64"],
  bitwiseXor: ["int8", "uint32", "int64"],
  rightShift: ["int8", "uint8", "int16", "int32", "uint32", "int64"],
};

for (const subject of await subjects())
  describe(`functions of two tensors, ${subject.name}`, { skip: subject.skip }, () => {
    for (const [kind, value] of Object.entries(REALS))
      test(`${kind}, float32`, () => {
        const draw = random(31);
        for (let i = 0; i < 12; i++) {
          const both = shapes(draw);
          const [a, b] = both.map((shape) => values(draw, "float32", elements(shape))) as [Float32Array, Float32Array];
          const expected = Float32Array.from(pairs(both, a, b), ([p, q]) => value(p, q));
          const inputs = [a, b].map((each, k) => ({ shape: both[k] as readonly number[], values: each }));
          check(subject, kind as OpKind, ["float32", "float32"], inputs, expected);
        }
      });
    for (const [kind, value] of Object.entries(REALS))
      test(`${kind}, float32, long rows, and constants beside few channels`, () => {
        const draw = random(33);
        for (let i = 0; i < 12; i++) {
          const width = draw.pick([1, 2, 3, 5, 8, 12, 21, 63, 64, 71]);
          const full = [draw.int(1, 3), draw.int(1, 40), width];
          const both = [full, draw.pick([full, [width], [width]])] as const;
          const [a, b] = both.map((shape) => values(draw, "float32", elements(shape))) as [Float32Array, Float32Array];
          // which NaN the quotient of two zeros is differs between processors
          for (const [at, number] of b.entries()) b[at] = number || 1;
          const expected = Float32Array.from(pairs(both, a, b), ([p, q]) => value(p, q));
          const inputs = [a, b].map((each, k) => ({
            shape: both[k] as readonly number[],
            values: each,
            constant: k === 1,
          }));
          check(subject, kind as OpKind, ["float32", "float32"], inputs, expected);
        }
      });
    for (const kind of ["maximum", "minimum", "squaredDifference", "prelu", "pow"] as const)
      test(`${kind}, float32, infinities as they are`, () => {
        const extremes = [Infinity, -Infinity, 1, -1, 0.5, 3e38];
        const [a, b] = [extremes.flatMap((x) => extremes.map(() => x)), extremes.flatMap(() => extremes)];
        const power = (x: number, y: number) => (x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y);
        const value = kind === "pow" ? power : (REALS[kind] as typeof power);
        const all = a.map((x, i) => [x, b[i] as number] as const);
        const used = all.filter(([x, y]) => !Number.isNaN(value(x, y)) && (kind !== "pow" || Math.abs(x) !== 0.5));
        const inputs = [0, 1].map((k) => ({
          shape: [used.length],
          values: Float32Array.from(used, (pair) => pair[k] as number),
        }));
        const expected = Float32Array.from(used, ([x, y]) => value(x, y));
        check(subject, kind, ["float32", "float32"], inputs, expected);
      });
    for (const [kind, dtypes] of Object.entries(INTEGERS))
      for (const dtype of dtypes)
        test(`${kind}, ${dtype}`, () => {
          const draw = random(32);
          for (let i = 0; i < 6; i++) {
            const both = shapes(draw);
            const [a, b] = both.map((shape) => values(draw, dtype, elements(shape))) as [TypedArray, TypedArray];
            const results = pairs<number | bigint>(both, a, b).map(([p, q]) =>
              WHOLES[kind]?.(BigInt(p), BigInt(q), BITS[dtype]),
            ) as bigint[];
            const expected = typedCopy(dtype, new Uint8Array((results.length * BITS[dtype]) / 8));
            for (const [k, result] of results.entries()) {
              const wrapped = BigInt.asIntN(BITS[dtype], result);
              expected[k] = (typeof expected[k] === "bigint" ? wrapped : Number(wrapped)) as never;
            }
            const inputs = [a, b].map((each, k) => ({ shape: both[k] as readonly number[], values: each }));
            check(subject, kind as OpKind, [dtype, dtype], inputs, expected);
          }
        });
    for (const [kind, dtype] of [
      ...(["add", "sub", "mul", "div", "prelu", "squaredDifference"] as const).map((each) => [each, "int16"] as const),
      ...(["squaredDifference", "div", "prelu"] as const).map((each) => [each, "int8"] as const),
    ])
      test(`${kind}, ${dtype} with scales`, () => {
        const draw = random(33);
        const most = dtype === "int8" ? 127 : 32767;
        const zero = () => (dtype === "int8" ? draw.int(-128, 127) : 0);
        for (let i = 0; i < 20; i++) {
          // the last ones have many rows beside constants: tables of channels
          const constant = i >= 16;
          const channels = draw.int(1, 40);
          const both: ReturnType<typeof shapes> = constant
            ? [
                [13, 5, channels],
                [1, channels],
              ]
            : shapes(draw);
          const affine = () => ({ scale: draw.scale(), zeroPoint: zero() });
          const scales = { a: affine(), b: affine(), y: affine() };
          const [a, b] = both.map((shape, k) => {
            const { zeroPoint } = [scales.a, scales.b][k] as Affine;
            const any = Array.from({ length: elements(shape) }, () =>
              draw.pick([-most - 1, most, zeroPoint, draw.int(-most, most)]),
            );
            return dtype === "int8" ? Int8Array.from(any) : Int16Array.from(any);
          }) as [Int16Array, Int16Array];
          const results = pairs(both, a, b).map(([p, q]) =>
            Math.min(Math.max(SCALED[kind]?.(p, q, scales, dtype) ?? 0, -most - 1), most),
          );
          const expected = dtype === "int8" ? Int8Array.from(results) : Int16Array.from(results);
          const inputs = [
            { shape: both[0], values: a, affine: scales.a },
            { shape: both[1], values: b, affine: scales.b, constant },
          ];
          check(subject, kind, [dtype, dtype], inputs, expected, scales.y);
        }
      });
    for (const [kind, value] of Object.entries(COMPARED))
      for (const dtype of ["float32", "int8", "int16", "int32", "int64", "uint8"] as const)
        test(`${kind}, ${dtype}`, () => {
          const draw = random(34);
          for (let i = 0; i < 4; i++) {
            const both = shapes(draw);
            const [a, b] = both.map((shape) => values(draw, dtype, elements(shape))) as [TypedArray, TypedArray];
            if (dtype === "float32" && a.length > 1) a[1] = Number.NaN as never;
            const expected = Uint8Array.from(pairs<number | bigint>(both, a, b), ([p, q]) =>
              value(p as number, q as number) ? 1 : 0,
            );
            const inputs = [a, b].map((each, k) => ({ shape: both[k] as readonly number[], values: each }));
            check(subject, kind as OpKind, [dtype, "bool"], inputs, expected);
          }
        });
    for (const dtype of ["int8", "int16"] as const)
      test(`comparison of ${dtype} with scales`, () => {
        const draw = random(35);
        for (const [kind, value] of Object.entries(COMPARED)) {
          const isWide = dtype === "int16";
          const affine = () => ({ scale: draw.scale(), zeroPoint: isWide ? 0 : draw.int(-128, 127) });
          const [p, q] = [affine(), affine()];
          const numbers = () =>
            isWide
              ? Int16Array.from({ length: 120 }, () => draw.pick([0, 7, draw.int(-32768, 32767)]))
              : draw.int8(120);
          const [a, b] = [numbers(), numbers()];
          // the reference orders int16 as they are, and compares them as reals for equality alone
          const isRaw = isWide && kind !== "equal" && kind !== "notEqual";
          const seen = (each: number, of: Affine) => (isRaw ? each : comparable(each, of));
          const expected = Uint8Array.from(a, (each, i) => (value(seen(each, p), seen(b[i] as number, q)) ? 1 : 0));
          const inputs = [
            { shape: [120], values: a, affine: p },
            { shape: [120], values: b, affine: q },
          ];
          check(subject, kind as OpKind, [dtype, "bool"], inputs, expected);
        }
      });
    for (const dtype of ["int8", "int16", "float32", "int64"] as const)
      test(`selectV2, ${dtype}`, () => {
        const draw = random(36);
        for (let i = 0; i < 8; i++) {
          const both = shapes(draw);
          const shape = broadcastShape(...both) ?? [];
          const condition = Uint8Array.from({ length: shape.at(-1) ?? 1 }, () => draw.int(0, 1));
          const [a, b] = both.map((each) => values(draw, dtype, elements(each))) as [TypedArray, TypedArray];
          const last = condition.length;
          const chosen = pairs<number | bigint>(both, a, b).map(([p, q], k) => (condition[k % last] ? p : q));
          const expected = typedCopy(dtype, new Uint8Array((chosen.length * BITS[dtype]) / 8));
          for (const [k, each] of chosen.entries()) expected[k] = each as never;
          const inputs = [
            { shape: shape.length ? [last] : [], values: condition },
            { shape: both[0], values: a },
            { shape: both[1], values: b },
          ];
          check(subject, "selectV2", [dtype, dtype], inputs, expected);
        }
      });
  });
