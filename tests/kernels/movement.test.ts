/** Operators that move bytes, for every element size. */
import { describe, test } from "node:test";
import { operators } from "../../bindings/ops/index.ts";
import { BITS, type DType } from "../../bindings/tensor.ts";
import * as reference from "../reference/movement.ts";
import { bytesOf, checkOperator, type Random, random, subjects, tensor } from "../support/kernels.ts";

const DTYPES: readonly DType[] = ["int8", "int16", "float32", "int64", "complex128", "bool", "uint8"];

/** Transpositions whose last two dimensions change places, around the tiles of sixteen by eight. */
const SWAPS: readonly (readonly [readonly number[], readonly number[]])[] = [
  [
    [33, 20],
    [1, 0],
  ],
  [
    [8, 16],
    [1, 0],
  ],
  [
    [2, 17, 40],
    [0, 2, 1],
  ],
  [
    [2, 3, 5, 16],
    [0, 3, 1, 2],
  ],
  [
    [1, 16, 7, 9],
    [0, 2, 3, 1],
  ],
];

function shapeOf(draw: Random, most: number): readonly number[] {
  return Array.from({ length: draw.int(1, most) }, () => draw.pick([1, 2, 3, 4, 7]));
}

function shuffled(draw: Random, rank: number): readonly number[] {
  const order = Array.from({ length: rank }, (_, i) => i);
  for (let i = rank - 1; i > 0; i--) {
    const j = draw.int(0, i);
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  return order;
}

const bytes = (draw: Random, shape: readonly number[], size: number) =>
  bytesOf(draw.int8(shape.reduce((n, k) => n * k, size)));

for (const subject of await subjects())
  describe(`movement, ${subject.name}`, { skip: subject.skip }, () => {
    test("TRANSPOSE up to six dimensions", () => {
      const draw = random(29);
      for (let i = 0; i < 36; i++) {
        const dtype = draw.pick(DTYPES);
        const size = BITS[dtype] / 8;
        const shape = shapeOf(draw, 6);
        const order = shuffled(draw, shape.length);
        const x = bytes(draw, shape, size);
        const constant = Int32Array.from(order, (axis) => (draw.int(0, 3) ? axis : axis - shape.length));
        const example = {
          attributes: {},
          inputs: [tensor(dtype, shape), tensor("int32", [order.length], undefined, constant)],
          values: [x, constant],
          output: tensor(dtype, []),
        };
        checkOperator(subject, operators.transpose, example, reference.transpose(x, shape, order, size));
      }
    });

    for (const [shape, order] of SWAPS)
      test(`TRANSPOSE of bytes, [${shape.join(",")}] by [${order.join(",")}]`, () => {
        const x = bytes(random(30), shape, 1);
        const constant = Int32Array.from(order);
        const example = {
          attributes: {},
          inputs: [tensor("int8", shape), tensor("int32", [order.length], undefined, constant)],
          values: [x, constant],
          output: tensor("int8", []),
        };
        checkOperator(subject, operators.transpose, example, reference.transpose(x, shape, order, 1));
      });

    for (const dtype of ["int8", "float32"] as const)
      for (const [shape, order] of [
        [
          [2, 3, 6, 7],
          [0, 2, 3, 1],
        ],
        [
          [3, 48],
          [1, 0],
        ],
        [
          [3, 37],
          [1, 0],
        ],
      ] as const)
        test(`TRANSPOSE of three planes to pixels, ${dtype} [${shape.join(",")}]`, () => {
          const size = BITS[dtype] / 8;
          const x = bytes(random(31), shape, size);
          const constant = Int32Array.from(order);
          const example = {
            attributes: {},
            inputs: [tensor(dtype, shape), tensor("int32", [order.length], undefined, constant)],
            values: [x, constant],
            output: tensor(dtype, []),
          };
          checkOperator(subject, operators.transpose, example, reference.transpose(x, shape, order, size));
        });

    test("PAD of rows longer than a vector", () => {
      const draw = random(32);
      for (const size of [1, 4, 16]) {
        const dtype = ({ 1: "uint8", 4: "float32", 16: "complex128" } as const)[size as 1 | 4 | 16];
        const paddings = [
          [1, 2],
          [2, 1],
          [0, 37],
        ] as const;
        const shape = [3, 4, 21];
        const x = bytes(draw, shape, size);
        const value = bytes(draw, [1], size);
        const flat = Int32Array.from(paddings.flat());
        const inputs = [tensor(dtype, shape), tensor("int32", [3, 2], undefined, flat)];
        const example = {
          attributes: {},
          inputs: [...inputs, tensor(dtype, [1], undefined, value)],
          values: [x, flat, value],
          output: tensor(dtype, []),
        };
        checkOperator(subject, operators.pad, example, reference.pad(x, shape, paddings, value));
      }
    });

    test("PAD and PADV2 up to six dimensions", () => {
      const draw = random(31);
      for (let i = 0; i < 36; i++) {
        const dtype = draw.pick(DTYPES);
        const size = BITS[dtype] / 8;
        const shape = shapeOf(draw, 6);
        const paddings = shape.map(() => [draw.pick([0, 0, 1, 2]), draw.pick([0, 0, 1, 3])] as const);
        const x = bytes(draw, shape, size);
        const flat = Int32Array.from(paddings.flat());
        const value = bytes(draw, [1], size);
        const given = draw.int(0, 1) === 1;
        const affine = dtype === "int8" ? { scale: 0.5, zeroPoint: -7 } : undefined;
        const zero = new Uint8Array(size).fill(dtype === "int8" ? -7 : 0);
        const inputs = [tensor(dtype, shape, affine), tensor("int32", [shape.length, 2], undefined, flat)];
        const example = {
          attributes: {},
          inputs: given ? [...inputs, tensor(dtype, [1], undefined, value)] : inputs,
          values: given ? [x, flat, value] : [x, flat],
          output: tensor(dtype, [], affine),
        };
        checkOperator(subject, operators.pad, example, reference.pad(x, shape, paddings, given ? value : zero));
      }
    });

    test("CONCATENATION", () => {
      const draw = random(37);
      for (let i = 0; i < 30; i++) {
        const dtype = draw.pick(DTYPES);
        const size = BITS[dtype] / 8;
        const first = shapeOf(draw, 5);
        const axis = draw.int(0, first.length - 1);
        const shapes = Array.from({ length: draw.int(1, 4) }, (_, k) =>
          first.map((n, d) => (d === axis && k > 0 ? draw.int(0, 5) : n)),
        );
        const parts = shapes.map((shape) => ({ shape, data: bytes(draw, shape, size) }));
        const example = {
          attributes: { axis: draw.int(0, 1) ? axis : axis - first.length, activation: "none" as const },
          inputs: shapes.map((shape) => tensor(dtype, shape)),
          values: parts.map(({ data }) => data),
          output: tensor(dtype, []),
        };
        checkOperator(subject, operators.concat, example, reference.concat(parts, axis, size));
      }
    });
  });
