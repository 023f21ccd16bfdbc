/** Places of extremes, the greatest k, running sums, segments, one-hot rows and diagonals. */
import { describe, test } from "node:test";
import { operators } from "../../bindings/ops/index.ts";
import type { DType } from "../../bindings/tensor.ts";
import { checkOperator, type Random, random, subjects, tensor } from "../support/kernels.ts";

type Numbers = Int8Array | Uint8Array | Int16Array | Int32Array | Float32Array;

/** Numbers with many equals among them. */
function draw(from: Random, dtype: DType, count: number): Numbers {
  const values = Array.from({ length: count }, () => from.int(0, 9) * (dtype === "uint8" || from.int(0, 1) ? 1 : -1));
  switch (dtype) {
    case "int8":
      return Int8Array.from(values);
    case "uint8":
      return Uint8Array.from(values);
    case "int16":
      return Int16Array.from(values);
    case "int32":
      return Int32Array.from(values);
    default:
      return Float32Array.from(values, (value) => value / 4);
  }
}

const TYPES = ["int8", "uint8", "int16", "int32", "float32"] as const;
const product = (sizes: readonly number[]) => sizes.reduce((n, size) => n * size, 1);
const constant = (...values: number[]) => tensor("int32", [values.length], undefined, Int32Array.from(values));

for (const subject of await subjects())
  describe(`sorting, ${subject.name}`, { skip: subject.skip }, () => {
    for (const kind of ["argMax", "argMin"] as const)
      test(`${kind} of every type`, () => {
        const from = random(61);
        for (let i = 0; i < 60; i++) {
          const rows = i % 5 === 0;
          const shape = rows ? [3, from.int(14, 50)] : Array.from({ length: from.int(1, 4) }, () => from.int(1, 6));
          const axis = rows ? 1 : from.int(0, shape.length - 1);
          const dtype = rows ? from.pick(["int8", "float32"] as const) : from.pick(TYPES);
          const x = draw(from, dtype, product(shape));
          // neither greater nor less: a row that begins with one has its place
          if (dtype === "float32") for (let j = from.int(0, 9); j < x.length; j += from.int(9, 99)) x[j] = Number.NaN;
          const [inner, depth] = [product(shape.slice(axis + 1)), shape[axis] as number];
          const places = Array.from({ length: x.length / depth }, (_, at) => {
            const start = Math.floor(at / inner) * depth * inner + (at % inner);
            const line = Array.from({ length: depth }, (_, j) => x[start + j * inner] as number);
            const isBetter = (a: number, b: number) => (kind === "argMax" ? a > b : a < b);
            return line.reduce((best, each, j) => (isBetter(each, line[best] as number) ? j : best), 0);
          });
          const long = from.int(0, 1) === 1;
          const example = {
            attributes: {},
            inputs: [tensor(dtype, shape), constant(from.int(0, 1) ? axis : axis - shape.length)],
            values: [x, Int32Array.of(axis)],
            output: tensor(long ? "int64" : "int32", []),
          };
          const y = long ? BigInt64Array.from(places, BigInt) : Int32Array.from(places);
          checkOperator(subject, operators[kind], example, y);
        }
      });

    test("CUMSUM forwards, backwards and without the element itself", () => {
      const from = random(62);
      for (let i = 0; i < 30; i++) {
        const shape = Array.from({ length: from.int(1, 4) }, () => from.int(1, 5));
        const axis = from.int(0, shape.length - 1);
        const dtype = from.pick(["int32", "float32"] as const);
        const x = draw(from, dtype, product(shape));
        const [inner, depth] = [product(shape.slice(axis + 1)), shape[axis] as number];
        const [exclusive, reverse] = [from.int(0, 1) === 1, from.int(0, 1) === 1];
        const y = x.map((_, at) => {
          const place = Math.floor(at / inner) % depth;
          const start = at - place * inner;
          let sum = 0;
          for (let j = 0; j < depth; j++) {
            const counts = reverse ? j > place : j < place;
            if (counts || (j === place && !exclusive)) sum += x[start + j * inner] as number;
          }
          return sum;
        });
        const example = {
          attributes: { exclusive, reverse },
          inputs: [tensor(dtype, shape), constant(axis)],
          values: [x, Int32Array.of(axis)],
          output: tensor(dtype, []),
        };
        checkOperator(subject, operators.cumsum, example, y);
      }
    });

    test("ONE_HOT at any axis, of elements of every size", () => {
      const from = random(63);
      for (let i = 0; i < 24; i++) {
        const shape = Array.from({ length: from.int(0, 3) }, () => from.int(1, 4));
        const axis = from.int(-1, shape.length);
        const [depth, dtype] = [from.int(1, 5), from.pick(TYPES)];
        const indices = Int32Array.from({ length: product(shape) }, () => from.int(-1, depth));
        const inner = product(axis < 0 ? [] : shape.slice(axis));
        const cells = Array.from({ length: indices.length * depth }, (_, at) => {
          const [outer, place] = [Math.floor(at / (depth * inner)), Math.floor(at / inner) % depth];
          return indices[outer * inner + (at % inner)] === place ? 5 : 3;
        });
        const array = draw(from, dtype, cells.length).map((_, at) => cells[at] as number);
        const [on, off] = [array.slice(0, 1).fill(5), array.slice(0, 1).fill(3)];
        const example = {
          attributes: { axis },
          inputs: [tensor("int32", shape), constant(depth), tensor(dtype, []), tensor(dtype, [])],
          values: [indices, Int32Array.of(depth), on, off],
          output: tensor(dtype, []),
        };
        checkOperator(subject, operators.oneHot, example, array);
      }
    });

    for (const [kind, start, combine] of [
      ["unsortedSegmentSum", 0, (a: number, b: number) => a + b],
      ["unsortedSegmentProd", 1, (a: number, b: number) => Math.imul(a, b)],
      ["unsortedSegmentMax", -(2 ** 31), Math.max],
      ["unsortedSegmentMin", 2 ** 31 - 1, Math.min],
      ["segmentSum", 0, (a: number, b: number) => a + b],
    ] as const)
      test(kind, () => {
        const from = random(64);
        for (let i = 0; i < 12; i++) {
          const [rows, inner, segments] = [from.int(1, 9), from.int(1, 7), from.int(1, 5)];
          const x = draw(from, "int32", rows * inner);
          const sorted = kind === "segmentSum";
          const ids = Int32Array.from({ length: rows }, () => from.int(sorted ? 0 : -1, segments - (sorted ? 1 : 0)));
          if (sorted) ids.sort();
          const count = sorted ? (ids.at(-1) as number) + 1 : segments;
          const y = new Int32Array(count * inner).fill(start);
          for (const [row, id] of ids.entries())
            if (id >= 0 && id < count)
              for (let j = 0; j < inner; j++)
                y[id * inner + j] = combine(y[id * inner + j] as number, x[row * inner + j] as number);
          const example = {
            attributes: {},
            inputs: [
              tensor("int32", [rows, inner]),
              tensor("int32", [rows], undefined, ids),
              ...(sorted ? [] : [constant(segments)]),
            ],
            values: [x, ids, ...(sorted ? [] : [Int32Array.of(segments)])],
            output: tensor("int32", []),
          };
          checkOperator(subject, operators[kind], example, y);
        }
      });

    test("MATRIX_DIAG and MATRIX_SET_DIAG, tall and wide, of elements of every size", () => {
      const from = random(65);
      for (let i = 0; i < 24; i++) {
        const dtype = from.pick(TYPES);
        const [batch, rows, columns] = [from.int(1, 4), from.int(1, 5), from.int(1, 5)];
        const length = Math.min(rows, columns);
        const diagonal = draw(from, dtype, batch * length);
        const x = draw(from, dtype, batch * rows * columns);
        const set = x.map((value, at) => {
          const [n, row, column] = [Math.floor(at / (rows * columns)), Math.floor(at / columns) % rows, at % columns];
          return row === column ? (diagonal[n * length + row] as number) : value;
        });
        const setting = {
          attributes: {},
          inputs: [tensor(dtype, [batch, rows, columns]), tensor(dtype, [batch, length])],
          values: [x, diagonal],
          output: tensor(dtype, []),
        };
        checkOperator(subject, operators.matrixSetDiag, setting, set);
        const square = draw(from, dtype, batch * length * length).map((_, at) => {
          const [n, row, column] = [Math.floor(at / length ** 2), Math.floor(at / length) % length, at % length];
          return row === column ? (diagonal[n * length + row] as number) : 0;
        });
        const making = {
          attributes: {},
          inputs: [tensor(dtype, [batch, length])],
          values: [diagonal],
          output: tensor(dtype, []),
        };
        checkOperator(subject, operators.matrixDiag, making, square);
      }
    });
  });
