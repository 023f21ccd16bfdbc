/** Each numbered constraint of the elementwise, pooling, reduction and movement operators is enforced under its name. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ErrorCode, Pint8Error } from "../../bindings/errors.ts";
import type { Attributes, OpKind } from "../../bindings/graph.ts";
import { operators } from "../../bindings/ops/index.ts";
import type { Operator } from "../../bindings/ops/types.ts";
import type { Affine } from "../../bindings/primitives/requantize/quantization.ts";
import type { DType, Tensor } from "../../bindings/tensor.ts";
import { tensor } from "../support/kernels.ts";

const A: Affine = { scale: 0.5, zeroPoint: 0 };
const int8 = (shape: readonly number[], affine: Affine = A) => tensor("int8", shape, affine);
const ints = (...values: number[]) => tensor("int32", [values.length], undefined, Int32Array.from(values));
const typed = (dtype: DType, shape: readonly number[] = [4]) => tensor(dtype, shape, A);

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

const UNARY: readonly Broken[] = [
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

const MOVED: Broken = {
  number: "C5",
  why: "int16 with a zero point",
  inputs: [tensor("int16", [4], { scale: 1, zeroPoint: 1 })],
  output: typed("int16"),
};

const BINARY: readonly Broken[] = [
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

const TINY = int8([4], { scale: 2 ** -22, zeroPoint: 0 });
const TO_128 = int8([4], { scale: 1 / 128, zeroPoint: 0 });
const TO_256 = int8([4], { scale: 1 / 256, zeroPoint: -128 });
const image = int8([1, 4, 4, 2]);
const pool = { filter: [2, 2], stride: [1, 1], padding: "valid", activation: "none" };

const POOL: readonly Broken[] = [
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
const KINDS: { readonly [K in OpKind]?: { readonly attributes: object; readonly broken: readonly Broken[] } } = {
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
  add: {
    attributes: { activation: "none" },
    broken: [...BINARY, { number: "C6", why: "a tiny output scale", inputs: [int8([4]), int8([4])], output: TINY }],
  },
  sub: {
    attributes: { activation: "none" },
    broken: [...BINARY, { number: "C6", why: "a tiny output scale", inputs: [int8([4]), int8([4])], output: TINY }],
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
  averagePool2d: { attributes: pool, broken: POOL },
  maxPool2d: { attributes: pool, broken: POOL },
  mean: {
    attributes: { keepDims: true },
    broken: [
      { number: "C1", why: "no axes", inputs: [image] },
      { number: "C2", why: "float32 to int8", inputs: [typed("float32"), ints(0)], code: "UNSUPPORTED" },
      { number: "C2", why: "strings", inputs: [typed("string"), ints(0)], code: "UNSUPPORTED" },
      { number: "C3", why: "scale 0", inputs: [int8([4], { scale: 0, zeroPoint: 0 }), ints(0)] },
      { number: "C4", why: "computed axes", inputs: [image, tensor("int32", [1])], code: "UNSUPPORTED" },
      { number: "C5", why: "an axis beyond the rank", inputs: [image, ints(4)] },
      { number: "C6", why: "too many to add", inputs: [int8([2 ** 24]), ints(0)], code: "UNSUPPORTED" },
    ],
  },
  l2Pool2d: {
    attributes: pool,
    broken: [
      { number: "C1", why: "no input", inputs: [] },
      { number: "C2", why: "int8", inputs: [image], code: "UNSUPPORTED" },
      { number: "C4", why: "three dimensions", inputs: [typed("float32", [4, 4, 2])], output: typed("float32") },
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
  argMax: {
    attributes: {},
    broken: [
      { number: "C1", why: "no axis", inputs: [image] },
      { number: "C2", why: "strings", inputs: [typed("string"), ints(0)], output: typed("int32"), code: "UNSUPPORTED" },
      { number: "C2", why: "an int8 output", inputs: [image, ints(0)], code: "UNSUPPORTED" },
      { number: "C3", why: "two axes", inputs: [image, ints(0, 1)], output: typed("int32") },
      { number: "C4", why: "an axis beyond the rank", inputs: [image, ints(4)], output: typed("int32") },
      { number: "C5", why: "nothing along it", inputs: [int8([2, 0]), ints(1)], output: typed("int32") },
    ],
  },
  cumsum: {
    attributes: { exclusive: false, reverse: false },
    broken: [
      { number: "C1", why: "no axis", inputs: [typed("int32")] },
      { number: "C2", why: "int8", inputs: [image, ints(0)], code: "UNSUPPORTED" },
      { number: "C3", why: "two axes", inputs: [typed("int32"), ints(0, 1)], output: typed("int32") },
      { number: "C4", why: "an axis beyond the rank", inputs: [typed("int32"), ints(1)], output: typed("int32") },
    ],
  },
  oneHot: {
    attributes: { axis: -1 },
    broken: [
      { number: "C1", why: "no values", inputs: [ints(0), ints(3)] },
      { number: "C2", why: "an index of int8", inputs: [image, ints(3), image, image], code: "UNSUPPORTED" },
      { number: "C2", why: "several values", inputs: [ints(0), ints(3), int8([2]), int8([1])] },
      { number: "C3", why: "two depths", inputs: [ints(0), ints(3, 4), int8([1]), int8([1])] },
      { number: "C4", why: "axis 2", inputs: [ints(0), ints(3), int8([1]), int8([1])], attributes: { axis: 2 } },
    ],
  },
  segmentSum: {
    attributes: {},
    broken: [
      { number: "C1", why: "no ids", inputs: [typed("int32")] },
      { number: "C2", why: "int8", inputs: [int8([4]), ints(0, 0, 1, 1)], code: "UNSUPPORTED" },
      { number: "C3", why: "too few ids", inputs: [typed("int32"), ints(0, 0)], output: typed("int32") },
      { number: "C4", why: "falling ids", inputs: [typed("int32"), ints(0, 2, 1, 3)], output: typed("int32") },
    ],
  },
  unsortedSegmentMax: {
    attributes: {},
    broken: [
      { number: "C1", why: "no number", inputs: [typed("int32"), ints(0, 0, 1, 1)] },
      {
        number: "C4",
        why: "−1 segments",
        inputs: [typed("int32"), ints(0, 0, 1, 1), ints(-1)],
        output: typed("int32"),
      },
    ],
  },
  signalWindow: {
    attributes: { shift: 12 },
    broken: [
      { number: "C1", why: "no window", inputs: [typed("int16")], output: typed("int16") },
      { number: "C2", why: "int8", inputs: [image, image], code: "UNSUPPORTED" },
      {
        number: "C3",
        why: "a shift of 32",
        inputs: [typed("int16"), typed("int16")],
        output: typed("int16"),
        attributes: { shift: 32 },
      },
      { number: "C4", why: "a short window", inputs: [typed("int16"), typed("int16", [3])], output: typed("int16") },
    ],
  },
  signalTransform: {
    attributes: { length: 8 },
    broken: [
      { number: "C1", why: "no input", inputs: [], output: typed("int16") },
      { number: "C2", why: "int8", inputs: [image], code: "UNSUPPORTED" },
      { number: "C3", why: "length 2", inputs: [typed("int16")], output: typed("int16"), attributes: { length: 2 } },
      { number: "C4", why: "length 12", inputs: [typed("int16")], output: typed("int16"), attributes: { length: 12 } },
      { number: "C4", why: "rows beyond it", inputs: [typed("int16", [9])], output: typed("int16") },
    ],
  },
  signalEnergy: {
    attributes: { first: 0, last: 2 },
    broken: [
      { number: "C2", why: "int16 out", inputs: [typed("int16")], output: typed("int16"), code: "UNSUPPORTED" },
      { number: "C3", why: "a range beyond", inputs: [typed("int16", [2])], output: typed("uint32") },
      { number: "C4", why: "half a pair", inputs: [typed("int16", [3])], output: typed("uint32") },
    ],
  },
  signalGain: {
    attributes: { shift: 6 },
    broken: [
      {
        number: "C5",
        why: "few gains",
        inputs: [typed("uint32"), typed("uint32"), typed("int16", [124])],
        output: typed("uint32"),
      },
    ],
  },
  rfft2d: {
    attributes: {},
    broken: [
      { number: "C1", why: "no sizes", inputs: [typed("float32", [4, 4])], output: typed("complex64") },
      { number: "C2", why: "int8", inputs: [image, ints(4, 4)], output: typed("complex64"), code: "UNSUPPORTED" },
      { number: "C3", why: "one dimension", inputs: [typed("float32"), ints(4, 4)], output: typed("complex64") },
      { number: "C4", why: "6 by 4", inputs: [typed("float32", [4, 4]), ints(6, 4)], output: typed("complex64") },
    ],
  },
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
};

for (const [kind, { attributes, broken }] of Object.entries(KINDS))
  describe(kind, () => {
    for (const { number, why, inputs, output = int8([4]), attributes: own, code = "INVALID_GRAPH" } of broken)
      test(`${number}: ${why}`, () => {
        assert.throws(
          () => infer(kind as OpKind, own ?? attributes, inputs, output),
          (error) => {
            assert.ok(error instanceof Pint8Error, String(error));
            assert.equal(error.code, code);
            assert.ok(error.where.startsWith(`node 7 (X), ${number}`), error.message);
            return true;
          },
        );
      });
  });
