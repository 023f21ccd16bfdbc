/** Numbered constraints of the family elementwise: each breach is refused by its number. */
import { BINARY, checkBroken, int8, MOVED, TINY, typed, UNARY } from "./broken.ts";

checkBroken({
  relu: { attributes: {}, broken: UNARY },
  relu6: { attributes: {}, broken: UNARY },
  reluN1To1: { attributes: {}, broken: UNARY },
  leakyRelu: {
    attributes: { alpha: 0.1 },
    broken: [...UNARY, { number: "C5", why: "alpha NaN", inputs: [int8([4])], attributes: { alpha: NaN } }],
  },
  hardSwish: { attributes: {}, broken: UNARY },
  logistic: { attributes: {}, broken: [...UNARY, MOVED] },
  tanh: { attributes: {}, broken: [...UNARY, MOVED] },
  exp: { attributes: {}, broken: [...UNARY, MOVED] },
  rsqrt: {
    attributes: {},
    broken: [
      ...UNARY.filter(({ number }) => number !== "C4"),
      {
        number: "C5",
        why: "a tiny scale",
        inputs: [int8([4], { scale: 2 ** -20, zeroPoint: 0 })],
        output: int8([4], { scale: 2 ** -21, zeroPoint: 0 }),
      },
    ],
  },
  floor: { attributes: {}, broken: [{ number: "C2", why: "int8", inputs: [int8([4])], code: "UNSUPPORTED" }] },
  div: {
    attributes: { activation: "none" },
    broken: [
      ...BINARY,
      { number: "C6", why: "a tiny scale", inputs: [int8([4]), int8([4], { scale: 2 ** -23, zeroPoint: 0 })] },
    ],
  },
  equal: {
    attributes: {},
    broken: [
      { number: "C1", why: "one input", inputs: [typed("int32")], output: typed("bool") },
      {
        number: "C2",
        why: "strings",
        inputs: [typed("string"), typed("string")],
        output: typed("bool"),
        code: "UNSUPPORTED",
      },
      {
        number: "C2",
        why: "two types",
        inputs: [typed("int32"), typed("int64")],
        output: typed("bool"),
        code: "UNSUPPORTED",
      },
      {
        number: "C2",
        why: "int32 out",
        inputs: [typed("int32"), typed("int32")],
        output: typed("int32"),
        code: "UNSUPPORTED",
      },
      {
        number: "C3",
        why: "quantized uint8",
        inputs: [typed("uint8"), typed("uint8")],
        output: typed("bool"),
        code: "UNSUPPORTED",
      },
      {
        number: "C3",
        why: "a scale of 2^14",
        inputs: [int8([4]), int8([4], { scale: 2 ** 14, zeroPoint: 0 })],
        output: typed("bool"),
      },
      { number: "C4", why: "shapes apart", inputs: [typed("int32", [3]), typed("int32", [4])], output: typed("bool") },
    ],
  },
  addN: {
    attributes: {},
    broken: [
      { number: "C1", why: "nothing", inputs: [] },
      {
        number: "C2",
        why: "two types",
        inputs: [typed("int32"), typed("float32")],
        output: typed("int32"),
        code: "UNSUPPORTED",
      },
      { number: "C3", why: "two shapes", inputs: [typed("int32"), typed("int32", [5])], output: typed("int32") },
    ],
  },
  selectV2: {
    attributes: {},
    broken: [
      { number: "C1", why: "two inputs", inputs: [typed("bool"), int8([4])] },
      { number: "C2", why: "an int8 condition", inputs: [int8([4]), int8([4]), int8([4])], code: "UNSUPPORTED" },
      { number: "C4", why: "shapes apart", inputs: [typed("bool", [3]), int8([4]), int8([4])] },
    ],
  },
  select: {
    attributes: {},
    broken: [
      { number: "C3", why: "operands of two shapes", inputs: [typed("bool"), int8([4]), int8([1])] },
      { number: "C3", why: "a larger condition", inputs: [typed("bool", [2, 4]), int8([4]), int8([4])] },
    ],
  },
  cast: {
    attributes: {},
    broken: [
      { number: "C2", why: "strings", inputs: [typed("string")], code: "UNSUPPORTED" },
      { number: "C2", why: "to strings", inputs: [typed("float32")], output: typed("string"), code: "UNSUPPORTED" },
    ],
  },
  bucketize: {
    attributes: { boundaries: [2, 1] },
    broken: [
      { number: "C2", why: "int8", inputs: [int8([4])], output: typed("int32"), code: "UNSUPPORTED" },
      { number: "C3", why: "falling bounds", inputs: [typed("float32")], output: typed("int32") },
    ],
  },
  fakeQuant: {
    attributes: { min: 1, max: 1, bits: 8, narrow: false },
    broken: [{ number: "C3", why: "an empty range", inputs: [typed("float32")], output: typed("float32") }],
  },
  real: {
    attributes: {},
    broken: [
      { number: "C2", why: "float32", inputs: [typed("float32")], output: typed("float32"), code: "UNSUPPORTED" },
    ],
  },
  add: {
    attributes: { activation: "none" },
    broken: [...BINARY, { number: "C6", why: "a tiny output scale", inputs: [int8([4]), int8([4])], output: TINY }],
  },
  sub: {
    attributes: { activation: "none" },
    broken: BINARY,
  },
  mul: {
    attributes: { activation: "none" },
    broken: [
      ...BINARY,
      {
        number: "C6",
        why: "a tiny output scale",
        inputs: [int8([4]), int8([4])],
        output: int8([4], { scale: 2 ** -40, zeroPoint: 0 }),
      },
    ],
  },
});
