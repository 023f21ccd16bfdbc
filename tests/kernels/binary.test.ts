/** ADD, SUB and MUL on all pairs of a few quantizations, and with broadcasting in up to eight dimensions. */
import { describe, test } from "node:test";
import type { Activation } from "../../bindings/graph.ts";
import { operators } from "../../bindings/ops/index.ts";
import type { Operator } from "../../bindings/ops/types.ts";
import { broadcastShape } from "../../bindings/primitives/broadcast.ts";
import { activationRange } from "../../bindings/primitives/requantize/quantization.ts";
import { add, broadcastIndex, indices, mul, sub } from "../reference/binary.ts";
import { checkOperator, type Random, random, subjects, tensor } from "../support/kernels.ts";

const REFERENCES = { add, sub, mul } as const;
const ACTIVATIONS: readonly Activation[] = ["none", "relu", "relu6", "reluN1To1"];

const LONG: readonly (readonly [readonly number[], readonly number[]])[] = [
  [[7, 40], [40]],
  [
    [2, 1, 3, 1, 2, 1, 2],
    [1, 2, 1, 3, 1, 2, 1],
  ],
  [
    [2, 1, 3, 1, 2, 1, 2, 17],
    [2, 1, 3, 1, 2, 1, 17],
  ],
  [[16], [7, 16]],
  [
    [3, 5, 19],
    [3, 5, 1],
  ],
  [[100], [1]],
  [[1], [33]],
  [
    [2, 1, 24],
    [2, 3, 24],
  ],
];

/** Few channels beside one number for each; only the first, third and fifth have rows of whole vectors. */
const CHANNELS: readonly (readonly [readonly number[], readonly number[]])[] = [
  [[1, 8, 12, 3], [3]],
  [
    [7, 5, 3],
    [1, 1, 3],
  ],
  [[2, 32, 5], [5]],
  [[9, 17], [17]],
  [[40, 2], [2]],
  [[64, 3], [1]],
];

function affines(draw: Random) {
  const affine = () => ({ scale: draw.scale(), zeroPoint: draw.int(-128, 127) });
  return { a: affine(), b: affine(), y: affine() };
}

/** A shape of up to eight dimensions, and two that broadcast to it. */
function shapes(draw: Random): readonly [readonly number[], readonly number[]] {
  const rank = draw.int(0, 8);
  const full = Array.from({ length: rank }, () => draw.pick(rank > 6 ? [1, 2, 2, 3] : [1, 2, 3, 5]));
  const some = () => full.map((size) => (draw.int(0, 2) === 0 ? 1 : size)).slice(draw.int(0, 2));
  return draw.pick([
    [full, some()],
    [some(), full],
    [full, full],
    [some(), some()],
  ]);
}

for (const subject of await subjects())
  describe(`functions of two int8, ${subject.name}`, { skip: subject.skip }, () => {
    test("sub: differences of a scale that only 0 fits", () => {
      const numbers = Int8Array.from({ length: 512 }, (_, k) => (k < 256 ? k - 128 : 0));
      const others = numbers.map((q, k) => (k < 256 ? q : k));
      for (const scale of [1e-7, 1e-9, 1e-30]) {
        const of = { scale: 0.05, zeroPoint: 3 };
        const example = {
          attributes: { activation: "none" as const },
          inputs: [tensor("int8", [512], of), tensor("int8", [512], of)],
          values: [numbers, others],
          output: tensor("int8", [512], { scale, zeroPoint: -5 }),
        };
        const expected = numbers.map((q, k) => (q === others[k] ? -5 : q > (others[k] as number) ? 127 : -128));
        checkOperator(subject, operators.sub as unknown as Operator<"add">, example, expected);
      }
    });
    for (const kind of ["add", "sub", "mul"] as const) {
      const reference = REFERENCES[kind];
      const operator = operators[kind] as unknown as Operator<"add">;
      test(`${kind}: all pairs`, () => {
        const draw = random(12);
        for (let i = 0; i < 4; i++) {
          const { a, b, y } = affines(draw);
          const activation = ACTIVATIONS[i] ?? "none";
          const range = activationRange(activation, "int8", y);
          const p = Int8Array.from({ length: 65536 }, (_, k) => k >> 8);
          const q = Int8Array.from({ length: 65536 }, (_, k) => k);
          const example = {
            attributes: { activation },
            inputs: [tensor("int8", [65536], a), tensor("int8", [65536], b)],
            values: [p, q],
            output: tensor("int8", [65536], y),
          };
          const expected = p.map((value, k) => reference(value, q[k] as number, { a, b, y, range }));
          checkOperator(subject, operator, example, expected);
        }
      });
      test(`${kind}: broadcasting`, () => {
        const draw = random(13);
        for (let i = 0; i < 60; i++) {
          const quantization = { ...affines(draw), range: { lo: -128, hi: 127 } };
          const [aShape, bShape] = shapes(draw);
          const shape = broadcastShape(aShape, bShape) ?? [];
          const p = draw.int8(aShape.reduce((n, size) => n * size, 1));
          const q = draw.int8(bShape.reduce((n, size) => n * size, 1));
          const example = {
            attributes: { activation: "none" as const },
            inputs: [tensor("int8", aShape, quantization.a), tensor("int8", bShape, quantization.b)],
            values: [p, q],
            output: tensor("int8", shape, quantization.y),
          };
          const expected = [...indices(shape)].map((index) =>
            reference(
              p[broadcastIndex(aShape, index)] as number,
              q[broadcastIndex(bShape, index)] as number,
              quantization,
            ),
          );
          checkOperator(subject, operator, example, Int8Array.from(expected));
        }
      });
      const rows = (seed: number, shapes: typeof LONG, constant: readonly [boolean, boolean]) => {
        const draw = random(seed);
        for (const [aShape, bShape] of shapes) {
          const quantization = { ...affines(draw), range: { lo: -128, hi: 127 } };
          const shape = broadcastShape(aShape, bShape) ?? [];
          const p = draw.int8(aShape.reduce((n, size) => n * size, 1));
          const q = draw.int8(bShape.reduce((n, size) => n * size, 1));
          const example = {
            attributes: { activation: "none" as const },
            inputs: [
              tensor("int8", aShape, quantization.a, constant[0] ? p : undefined),
              tensor("int8", bShape, quantization.b, constant[1] ? q : undefined),
            ],
            values: [p, q],
            output: tensor("int8", shape, quantization.y),
          };
          const expected = [...indices(shape)].map((index) =>
            reference(
              p[broadcastIndex(aShape, index)] as number,
              q[broadcastIndex(bShape, index)] as number,
              quantization,
            ),
          );
          checkOperator(subject, operator, example, Int8Array.from(expected));
        }
      };
      test(`${kind}: rows longer than a vector, an operand repeated along them or across them`, () =>
        rows(14, LONG, [false, false]));
      test(`${kind}: constants beside few channels, which are laid out as longer rows`, () => {
        rows(15, CHANNELS, [false, true]);
        rows(
          16,
          CHANNELS.map(([full, row]) => [row, full] as const),
          [true, false],
        );
      });
    }
  });
