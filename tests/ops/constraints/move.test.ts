/** Numbered constraints of the family move: each breach is refused by its number. */
import { tensor } from "../../support/kernels.ts";
import { checkBroken, image, int8, ints, typed } from "./broken.ts";

checkBroken({
  matrixDiag: {
    attributes: {},
    broken: [
      { number: "C1", why: "no input", inputs: [] },
      { number: "C2", why: "strings", inputs: [typed("string")], output: typed("string"), code: "UNSUPPORTED" },
      { number: "C3", why: "a scalar", inputs: [int8([])] },
    ],
  },
  matrixSetDiag: {
    attributes: {},
    broken: [
      { number: "C1", why: "no diagonal", inputs: [image] },
      { number: "C2", why: "another type", inputs: [int8([2, 2]), typed("int16", [2])], code: "UNSUPPORTED" },
      { number: "C3", why: "a short diagonal", inputs: [int8([2, 2]), int8([1])] },
    ],
  },
  pad: {
    attributes: {},
    broken: [
      { number: "C1", why: "no paddings", inputs: [image] },
      { number: "C2", why: "another type", inputs: [image, ints(0, 0)], output: typed("int16"), code: "UNSUPPORTED" },
      {
        number: "C2",
        why: "strings",
        inputs: [typed("string"), ints(0, 0)],
        output: typed("string"),
        code: "UNSUPPORTED",
      },
      { number: "C3", why: "paddings of int8", inputs: [int8([4]), int8([1, 2])], code: "UNSUPPORTED" },
      { number: "C4", why: "too few computed", inputs: [int8([4]), tensor("int32", [1, 1])] },
      { number: "C4", why: "too few", inputs: [image, ints(1, 1)] },
      { number: "C4", why: "negative", inputs: [int8([4]), ints(-1, 1)] },
      { number: "C5", why: "two values", inputs: [int8([4]), ints(1, 1), int8([2])] },
      {
        number: "C2",
        why: "nine dimensions",
        inputs: [int8(new Array(9).fill(1)), ints(...new Array(18).fill(0))],
        code: "UNSUPPORTED",
      },
    ],
  },
  concat: {
    attributes: { axis: 0, activation: "none" },
    broken: [
      { number: "C1", why: "no input", inputs: [] },
      { number: "C2", why: "two types", inputs: [int8([4]), typed("int16")], code: "UNSUPPORTED" },
      { number: "C3", why: "scale 0", inputs: [int8([4]), int8([4], { scale: 0, zeroPoint: 0 })] },
      {
        number: "C4",
        why: "an activation",
        inputs: [int8([4])],
        attributes: { axis: 0, activation: "relu" },
        code: "UNSUPPORTED",
      },
      {
        number: "C5",
        why: "an axis beyond the rank",
        inputs: [int8([4])],
        attributes: { axis: 1, activation: "none" },
      },
      { number: "C6", why: "other sizes", inputs: [int8([4, 2]), int8([4, 3])] },
    ],
  },
  reshape: {
    attributes: {},
    broken: [
      { number: "C1", why: "no input", inputs: [] },
      { number: "C3", why: "two −1", inputs: [int8([4]), ints(-1, -1)] },
      { number: "C4", why: "another count", inputs: [int8([4]), ints(3)] },
      { number: "C4", why: "no whole size", inputs: [int8([4]), ints(3, -1)] },
      { number: "C5", why: "another type", inputs: [int8([4]), ints(4)], output: typed("int16"), code: "UNSUPPORTED" },
    ],
  },
  squeeze: {
    attributes: { axes: [] },
    broken: [
      { number: "C2", why: "another type", inputs: [int8([4])], output: typed("int16"), code: "UNSUPPORTED" },
      { number: "C3", why: "an axis beyond the rank", inputs: [int8([4])], attributes: { axes: [1] } },
      { number: "C4", why: "a size of 4", inputs: [int8([4])], attributes: { axes: [0] } },
    ],
  },
  expandDims: {
    attributes: {},
    broken: [
      { number: "C3", why: "two axes", inputs: [int8([4]), ints(0, 1)] },
      { number: "C4", why: "an axis beyond the rank", inputs: [int8([4]), ints(2)] },
    ],
  },
  transpose: {
    attributes: {},
    broken: [
      { number: "C2", why: "int4", inputs: [typed("int4"), ints(0)], output: typed("int4"), code: "UNSUPPORTED" },
      { number: "C3", why: "a computed order", inputs: [int8([4]), tensor("int32", [1])], code: "UNSUPPORTED" },
      { number: "C4", why: "an axis twice", inputs: [int8([2, 2]), ints(0, 0)] },
      { number: "C4", why: "too few axes", inputs: [int8([2, 2]), ints(0)] },
      {
        number: "C2",
        why: "nine dimensions",
        inputs: [int8(new Array(9).fill(1)), ints(8, 7, 6, 5, 4, 3, 2, 1, 0)],
        code: "UNSUPPORTED",
      },
    ],
  },
});
