/** STRIDED_SLICE from indices that are computed: x[i], x[:, j], negative ones from the end, held inside. */
import { describe, test } from "node:test";
import { operators } from "../../bindings/ops/index.ts";
import { BITS, type DType, elementCount } from "../../bindings/tensor.ts";
import { checkOperator, random, subjects, tensor } from "../support/kernels.ts";

/** Folding has constant begins, which have to be inside: not what this is about. */
const { fold: _, ...stridedSlice } = operators.stridedSlice;

const DTYPES: readonly DType[] = ["int8", "int16", "float32", "int64"];

for (const subject of await subjects())
  describe(`strided slices from computed places, ${subject.name}`, { skip: subject.skip }, () => {
    test("one index, of the first dimension or the second", () => {
      const draw = random(71);
      for (let i = 0; i < 24; i++) {
        const size = BITS[draw.pick(DTYPES)] / 8;
        const dtype = DTYPES.find((each) => BITS[each] / 8 === size) as DType;
        const [rows, columns, depth] = [draw.int(1, 5), draw.int(1, 5), draw.int(1, 4)];
        const shape = [rows, columns, depth];
        const second = draw.int(0, 1) === 1;
        const all = second ? columns : rows;
        const index = draw.int(-all - 2, all + 2);
        const at = Math.min(Math.max(index < 0 ? index + all : index, 0), all - 1);
        const x = Uint8Array.from({ length: elementCount(shape) * size }, () => draw.int(0, 255));
        const row = (r: number, c: number) =>
          x.subarray((r * columns + c) * depth * size, (r * columns + c + 1) * depth * size);
        const parts = second
          ? Array.from({ length: rows }, (_, r) => row(r, at))
          : Array.from({ length: columns }, (_, c) => row(at, c));
        const begins = Int32Array.from(second ? [0, index] : [index]);
        const ends = Int32Array.from(second ? [0, index + 1] : [index + 1]);
        const list = (values?: Int32Array) => tensor("int32", [begins.length], undefined, values);
        const mask = second ? 1 : 0;
        const steps = new Int32Array(begins.length).fill(1);
        checkOperator(
          subject,
          stridedSlice,
          {
            attributes: {
              beginMask: mask,
              endMask: mask,
              ellipsisMask: 0,
              newAxisMask: 0,
              shrinkAxisMask: second ? 2 : 1,
            },
            inputs: [tensor(dtype, shape), list(), list(), list(steps)],
            values: [x, begins, ends, steps],
            output: tensor(dtype, []),
          },
          Uint8Array.from(Buffer.concat(parts)),
        );
      }
    });
  });
