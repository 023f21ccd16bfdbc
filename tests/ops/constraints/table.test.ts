/** Numbered constraints of the family table: each breach is refused by its number. */
import { tensor } from "../../support/kernels.ts";
import { checkBroken, image, int8, TO_128, TO_256, typed, UNARY } from "./broken.ts";

checkBroken({
  softmax: {
    attributes: { beta: 1 },
    broken: [
      ...UNARY.filter(({ number, why }) => number !== "C4" && why !== "an int16 output"),
      { number: "C2", why: "int16 to int8", inputs: [typed("int16")], output: TO_256, code: "UNSUPPORTED" },
      { number: "C2", why: "float32 to int8", inputs: [typed("float32")], output: TO_256, code: "UNSUPPORTED" },
      {
        number: "C3",
        why: "int16 around 3",
        inputs: [tensor("int16", [4], { scale: 1, zeroPoint: 3 })],
        output: typed("int16"),
      },
      { number: "C5", why: "a scalar", inputs: [int8([])], output: TO_256 },
      { number: "C6", why: "another output", inputs: [int8([4])] },
      { number: "C6", why: "another int16 output", inputs: [int8([4])], output: typed("int16") },
      { number: "C7", why: "beta −1", inputs: [int8([4])], output: TO_256, attributes: { beta: -1 } },
      { number: "C7", why: "beta NaN", inputs: [int8([4])], output: TO_256, attributes: { beta: NaN } },
    ],
  },
  logSoftmax: {
    attributes: {},
    broken: [
      { number: "C1", why: "no input", inputs: [] },
      { number: "C2", why: "int16", inputs: [typed("int16")], code: "UNSUPPORTED" },
      { number: "C3", why: "a scale of 2^−26", inputs: [int8([4], { scale: 2 ** -26, zeroPoint: 0 })] },
      { number: "C4", why: "another output", inputs: [int8([4])] },
      { number: "C5", why: "a scalar", inputs: [int8([])], output: int8([], { scale: 1 / 16, zeroPoint: 127 }) },
    ],
  },
  l2Normalization: {
    attributes: { activation: "none" },
    broken: [
      { number: "C1", why: "no input", inputs: [] },
      { number: "C2", why: "int16", inputs: [typed("int16")], code: "UNSUPPORTED" },
      { number: "C3", why: "scale 0", inputs: [int8([4], { scale: 0, zeroPoint: 0 })] },
      { number: "C4", why: "another output", inputs: [int8([4])] },
      { number: "C5", why: "a scalar", inputs: [int8([])], output: TO_128 },
      {
        number: "C6",
        why: "an activation",
        inputs: [int8([4])],
        output: TO_128,
        attributes: { activation: "relu" },
        code: "UNSUPPORTED",
      },
    ],
  },
  localResponseNormalization: {
    attributes: { radius: 1, bias: 1, alpha: 1, beta: 0.5 },
    broken: [
      { number: "C1", why: "no input", inputs: [] },
      { number: "C2", why: "int8", inputs: [image], code: "UNSUPPORTED" },
      { number: "C3", why: "one dimension", inputs: [typed("float32")], output: typed("float32") },
      {
        number: "C4",
        why: "a radius of −1",
        inputs: [typed("float32", [1, 4, 4, 2])],
        output: typed("float32"),
        attributes: { radius: -1, bias: 1, alpha: 1, beta: 0.5 },
      },
    ],
  },
  quantize: {
    attributes: {},
    broken: [
      { number: "C2", why: "int64", inputs: [typed("int64")], code: "UNSUPPORTED" },
      { number: "C3", why: "to int64", inputs: [typed("float32")], output: typed("int64"), code: "UNSUPPORTED" },
      { number: "C4", why: "scale 0", inputs: [typed("float32")], output: int8([4], { scale: 0, zeroPoint: 0 }) },
    ],
  },
  dequantize: {
    attributes: {},
    broken: [
      { number: "C2", why: "int32", inputs: [typed("int32")], output: typed("float32"), code: "UNSUPPORTED" },
      { number: "C3", why: "to int8", inputs: [int8([4])], code: "UNSUPPORTED" },
      { number: "C4", why: "no quantization", inputs: [tensor("int8", [4])], output: typed("float32") },
    ],
  },
});
