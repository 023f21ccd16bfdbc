/** Every int8 function of one element, on all 256 values and on lengths around the unrolled loop. */
import { describe, test } from "node:test";
import type { OpKind } from "../../bindings/graph.ts";
import { operators } from "../../bindings/ops/index.ts";
import type { Operator } from "../../bindings/ops/types.ts";
import type { Affine } from "../../bindings/primitives/requantize/quantization.ts";
import * as reference from "../reference/unary.ts";
import { checkOperator, random, subjects, tensor } from "../support/kernels.ts";

interface Function {
  readonly kind: OpKind;
  readonly attributes?: { readonly alpha: number };
  readonly y?: Affine;
  readonly value: (q: number, x: Affine, y: Affine) => number;
}

const FUNCTIONS: readonly Function[] = [
  { kind: "relu", value: (q, x, y) => reference.rectify(q, x, y, 0, Infinity) },
  { kind: "relu6", value: (q, x, y) => reference.rectify(q, x, y, 0, 6) },
  { kind: "reluN1To1", value: (q, x, y) => reference.rectify(q, x, y, -1, 1) },
  { kind: "hardSwish", value: reference.hardSwish },
  { kind: "logistic", y: { scale: 1 / 256, zeroPoint: -128 }, value: reference.logistic },
  { kind: "tanh", y: { scale: 1 / 128, zeroPoint: 0 }, value: reference.tanh },
  { kind: "quantize", value: (q, x, y) => reference.rectify(q, x, y, -Infinity, Infinity) },
  ...[0.1, 0.25, -0.5, 1.5].map((alpha) => ({
    kind: "leakyRelu" as const,
    attributes: { alpha },
    value: (q: number, x: Affine, y: Affine) => reference.leakyRelu(q, x, y, Math.fround(alpha)),
  })),
];

const ALL = Int8Array.from({ length: 256 }, (_, i) => i - 128);

for (const subject of await subjects())
  describe(`functions of one int8, ${subject.name}`, { skip: subject.skip }, () => {
    for (const { kind, attributes, y: fixed, value } of FUNCTIONS)
      test(`${kind} ${JSON.stringify(attributes ?? {})}`, () => {
        const draw = random(7);
        const operator = operators[kind] as unknown as Operator<OpKind>;
        for (let i = 0; i < 24; i++) {
          const x = { scale: draw.scale(), zeroPoint: draw.int(-128, 127) };
          const y = fixed ?? { scale: draw.scale(), zeroPoint: draw.int(-128, 127) };
          if (kind === "hardSwish" && x.scale / y.scale >= 128) continue;
          const data = i < 16 ? ALL : draw.int8(draw.int(0, 40));
          const example = {
            attributes: attributes ?? {},
            inputs: [tensor("int8", [data.length], x)],
            values: [data],
            output: tensor("int8", [data.length], y),
          };
          checkOperator(
            subject,
            operator,
            example,
            data.map((q) => value(q, x, y)),
          );
        }
      });
    for (const [from, to, values] of [
      ["int8", "int8", Int8Array.of(5, -7, 0, 127, -128)],
      ["int16", "int16", Int16Array.of(5, -700, 0, 32767, -32768)],
    ] as const)
      test(`neg, ${from} as it is, whatever its scale`, () => {
        const expected = values.slice();
        for (const [i, q] of values.entries()) expected[i] = -q;
        const operator = operators.neg as unknown as Operator<OpKind>;
        const example = {
          attributes: {},
          inputs: [tensor(from, [5], { scale: 0.5, zeroPoint: 3 })],
          values: [values],
          output: tensor(to, [5], { scale: 2, zeroPoint: 0 }),
        };
        checkOperator(subject, operator, example, expected);
      });
    test("cast, float32 to 16 bits: those without a sign wrap", () => {
      const operator = operators.cast as unknown as Operator<OpKind>;
      const values = Float32Array.of(-1.5, -0.5, 70000, 65535, 3.9, -40000);
      for (const [dtype, expected] of [
        ["uint16", Uint16Array.of(65535, 0, 4464, 65535, 3, 25536)],
        ["int16", Int16Array.of(-1, 0, 32767, 32767, 3, -32768)],
      ] as const) {
        const inputs = [tensor("float32", [6])];
        checkOperator(
          subject,
          operator,
          { attributes: {}, inputs, values: [values], output: tensor(dtype, [6]) },
          expected,
        );
      }
    });
  });
