/** What the tests of constraints share: tensors, breaches that many operators have, and the check that each is refused by its number. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ErrorCode, Pint8Error } from "../../../bindings/errors.ts";
import type { Attributes, OpKind } from "../../../bindings/graph.ts";
import { typeHint } from "../../../bindings/ops/constraints.ts";
import { operators } from "../../../bindings/ops/index.ts";
import type { Operator } from "../../../bindings/ops/types.ts";
import type { Affine } from "../../../bindings/primitives/requantize/quantization.ts";
import type { DType, Tensor } from "../../../bindings/tensor.ts";
import { tensor } from "../../support/kernels.ts";

const A: Affine = { scale: 0.5, zeroPoint: 0 };
export const int8 = (shape: readonly number[], affine: Affine = A) => tensor("int8", shape, affine);
export const ints = (...values: number[]) => tensor("int32", [values.length], undefined, Int32Array.from(values));
export const typed = (dtype: DType, shape: readonly number[] = [4]) => tensor(dtype, shape, A);

interface Broken {
  readonly number: string;
  readonly why: string;
  readonly inputs: readonly (Tensor | undefined)[];
  readonly output?: Tensor;
  readonly attributes?: object;
  readonly code?: ErrorCode;
}

function infer(kind: OpKind, attributes: object, inputs: readonly (Tensor | undefined)[], output: Tensor) {
  const operator = operators[kind] as unknown as Operator<OpKind>;
  return operator.infer({
    where: "node 7 (X)",
    attributes: attributes as Attributes[OpKind],
    inputs,
    outputs: [output],
  });
}

export const UNARY: readonly Broken[] = [
  { number: "C1", why: "no input", inputs: [] },
  { number: "C1", why: "an absent input", inputs: [undefined] },
  { number: "C2", why: "float32", inputs: [typed("float32")], code: "UNSUPPORTED" },
  { number: "C2", why: "an int16 output", inputs: [int8([4])], output: typed("int16"), code: "UNSUPPORTED" },
  ...[0, -1, NaN, Infinity].map((scale) => ({
    number: "C3",
    why: `scale ${scale}`,
    inputs: [int8([4], { scale, zeroPoint: 0 })],
  })),
  ...[128, -129, 0.5].map((zeroPoint) => ({
    number: "C3",
    why: `zero point ${zeroPoint}`,
    inputs: [int8([4], { scale: 1, zeroPoint })],
  })),
  { number: "C3", why: "no quantization", inputs: [tensor("int8", [4])] },
  {
    number: "C4",
    why: "a ratio over 2^30",
    inputs: [int8([4], { scale: 2 ** 20, zeroPoint: 0 })],
    output: int8([4], { scale: 2 ** -20, zeroPoint: 0 }),
  },
];

export const MOVED: Broken = {
  number: "C5",
  why: "int16 with a zero point",
  inputs: [tensor("int16", [4], { scale: 1, zeroPoint: 1 })],
  output: typed("int16"),
};

export const BINARY: readonly Broken[] = [
  { number: "C1", why: "one input", inputs: [int8([4])] },
  { number: "C2", why: "float64", inputs: [typed("float64"), typed("float64")], code: "UNSUPPORTED" },
  { number: "C3", why: "scale 0", inputs: [int8([4]), int8([4], { scale: 0, zeroPoint: 0 })] },
  { number: "C4", why: "shapes apart", inputs: [int8([4, 3]), int8([4])] },
  {
    number: "C5",
    why: "seven dimensions in too many slices",
    inputs: [int8([5000, 1, 2, 1, 2, 1, 2]), int8([1, 2, 1, 2, 1, 2, 1])],
    code: "UNSUPPORTED",
  },
];

export const TINY = int8([4], { scale: 2 ** -22, zeroPoint: 0 });
export const TO_128 = int8([4], { scale: 1 / 128, zeroPoint: 0 });
export const TO_256 = int8([4], { scale: 1 / 256, zeroPoint: -128 });
export const image = int8([1, 4, 4, 2]);
export const pool = { filter: [2, 2], stride: [1, 1], padding: "valid", activation: "none" };

export const POOL: readonly Broken[] = [
  { number: "C1", why: "no input", inputs: [] },
  { number: "C2", why: "uint8", inputs: [typed("uint8", [1, 4, 4, 2])], code: "UNSUPPORTED" },
  { number: "C3", why: "another zero point", inputs: [image], output: int8([], { scale: 0.5, zeroPoint: 1 }) },
  { number: "C4", why: "three dimensions", inputs: [int8([4, 4, 2])] },
  { number: "C4", why: "an empty dimension", inputs: [int8([1, 0, 4, 2])] },
  { number: "C5", why: "stride 0", inputs: [image], attributes: { ...pool, stride: [0, 1] } },
  { number: "C5", why: "a filter of −1", inputs: [image], attributes: { ...pool, filter: [-1, 1] } },
  { number: "C6", why: "a filter beyond the input", inputs: [image], attributes: { ...pool, filter: [5, 1] } },
  {
    number: "C7",
    why: "a window of padding",
    inputs: [image],
    attributes: { ...pool, padding: { top: 2, bottom: 0, left: 0, right: 0 } },
  },
  {
    number: "C8",
    why: "too many elements",
    inputs: [int8([1, 4000, 4000, 1])],
    attributes: { ...pool, filter: [4000, 4000] },
    code: "UNSUPPORTED",
  },
];

/** Valid attributes of each kind, and what breaks each constraint. */

/** Operators with attributes that fit, and what breaks their constraints. */
type Kinds = { readonly [K in OpKind]?: { readonly attributes: object; readonly broken: readonly Broken[] } };

/** One test for each breach: refused with the constraint's number and its code. */
export function checkBroken(kinds: Kinds): void {
  for (const [kind, { attributes, broken }] of Object.entries(kinds))
    describe(kind, () => {
      for (const { number, why, inputs, output = int8([4]), attributes: own, code = "INVALID_GRAPH" } of broken)
        test(`${number}: ${why}`, () => {
          assert.throws(
            () => infer(kind as OpKind, own ?? attributes, inputs, output),
            (error) => {
              assert.ok(error instanceof Pint8Error, String(error));
              assert.equal(error.code, code);
              assert.ok(error.where.startsWith(`node 7 (X), ${number}`), error.message);
              const types = /^"[^"]*" as ((?:\w+ or )*\w+)$/.exec(error.expected)?.[1]?.split(" or ");
              if (types !== undefined) assert.equal(error.hint, typeHint(types as DType[]), error.message);
              return true;
            },
          );
        });
    });
}
