/** CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED of float32, with weights of float32, int8 and int4, on every byte. */
import { describe, test } from "node:test";
import type { Activation, Padding } from "../../bindings/graph.ts";
import { operators } from "../../bindings/ops/index.ts";
import { BOUNDS } from "../../bindings/primitives/requantize/quantization.ts";
import { placeWindow } from "../../bindings/primitives/window.ts";
import type { DType, Tensor } from "../../bindings/tensor.ts";
import { floatConvolution } from "../reference/floats.ts";
import { bytesOf, checkOperator, type Random, random, type Subject, subjects, tensor } from "../support/kernels.ts";

const ACTIVATIONS: readonly Activation[] = ["none", "relu", "relu6", "reluN1To1"];
const PADDINGS: readonly Padding[] = ["same", "valid", { top: 2, bottom: 0, left: 1, right: 3 }];
type Pair = readonly [number, number];

/** Floats of many magnitudes, zeros of both signs among them. */
function floats(draw: Random, count: number): Float32Array {
  return Float32Array.from({ length: count }, () => {
    const kind = draw.int(0, 9);
    return kind === 0 ? draw.pick([0, -0]) : (draw.int(-1000, 1000) / 512) * 2 ** draw.int(-3, 3);
  });
}

/** Weights `[rows of channels]` of a type: the tensor, its stored bytes, and its numbers with their scales. */
function weights(draw: Random, dtype: DType, shape: readonly number[], axis: number, perChannel: boolean) {
  const count = shape.reduce((all, size) => all * size, 1);
  if (dtype === "float32") {
    const numbers = floats(draw, count);
    return { tensor: tensor(dtype, shape), stored: numbers as ArrayBufferView, numbers };
  }
  const numbers = draw.int8(count).map((value) => Math.max(dtype === "int4" ? value >> 4 : value, -127));
  const channels = shape[axis] as number;
  const scale = Array.from({ length: perChannel ? channels : 1 }, () => draw.scale());
  const stored = dtype === "int8" ? numbers : nibbles(numbers);
  const quantization = { scale, zeroPoint: scale.map(() => 0), axis };
  const scales = Array.from({ length: channels }, (_, i) => scale[perChannel ? i : 0] as number);
  return {
    tensor: { ...tensor(dtype, shape), quantization } as Tensor,
    stored: stored as ArrayBufferView,
    numbers,
    scales,
  };
}

/** Two numbers to a byte, the first in its low half. */
function nibbles(numbers: Int8Array): Uint8Array {
  return Uint8Array.from({ length: Math.ceil(numbers.length / 2) }, (_, i) => {
    const [low = 0, high = 0] = numbers.subarray(2 * i, 2 * i + 2);
    return (low & 15) | ((high & 15) << 4);
  });
}

interface Shape {
  readonly x: readonly [number, number, number, number];
  readonly outputs: number;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  readonly padding: Padding;
  readonly groups: number;
  readonly depthwise: boolean;
}

function checkConvolution(subject: Subject, draw: Random, dtype: DType, s: Shape): void {
  const [n, inH, inW, inC] = s.x;
  const [kH, kW] = s.kernel;
  const h = placeWindow(inH, kH, s.stride[0], s.dilation[0], s.padding, "height");
  const w = placeWindow(inW, kW, s.stride[1], s.dilation[1], s.padding, "width");
  if (h.out < 1 || w.out < 1) return;
  const x = draw.int(0, 9) === 0 ? new Float32Array(n * inH * inW * inC) : floats(draw, n * inH * inW * inC);
  const wShape = s.depthwise ? [1, kH, kW, s.outputs] : [s.outputs, kH, kW, inC / s.groups];
  const own = weights(draw, dtype, wShape, s.depthwise ? 3 : 0, draw.int(0, 1) === 0);
  const bias = draw.int(0, 3) === 0 ? undefined : floats(draw, s.outputs);
  const activation = draw.pick(ACTIVATIONS);
  const yShape = [n, h.out, w.out, s.outputs] as const;
  const expected = floatConvolution({
    x,
    xShape: s.x,
    w: own.numbers,
    ...(bias && { bias }),
    kernel: s.kernel,
    stride: s.stride,
    dilation: s.dilation,
    before: [h.before, w.before],
    yShape,
    lo: BOUNDS[activation][0],
    hi: BOUNDS[activation][1],
    depthwise: s.depthwise,
    ...(own.scales && { scales: own.scales }),
    group: inH * inW * inC,
    asymmetric: s.depthwise || own.scales?.some((scale) => scale !== own.scales?.[0]) === true,
    scalesFirst: s.depthwise || own.scales?.every((scale) => scale === own.scales?.[0]) === true,
  });
  const computed = dtype === "float32" && draw.int(0, 2) === 0;
  checkOperator(
    subject,
    s.depthwise ? operators.depthwiseConv2d : operators.conv2d,
    {
      attributes: { stride: s.stride, dilation: s.dilation, padding: s.padding, activation },
      inputs: [
        tensor("float32", s.x),
        computed ? own.tensor : { ...own.tensor, data: bytesOf(own.stored) },
        ...(bias ? [computed ? tensor("float32", [s.outputs]) : tensor("float32", [s.outputs], undefined, bias)] : []),
      ],
      values: [x, own.stored, ...(bias ? [bias] : [])],
      output: tensor("float32", yShape),
    },
    expected,
  );
}

function checkRows(subject: Subject, draw: Random, dtype: DType, m: number, k: number, n: number): void {
  const x = floats(draw, m * k);
  const own = weights(draw, dtype, [n, k], 0, draw.int(0, 1) === 0);
  const bias = draw.int(0, 2) === 0 ? undefined : floats(draw, n);
  const activation = draw.pick(ACTIVATIONS);
  const asymmetric = draw.int(0, 1) === 0;
  const expected = floatConvolution({
    x,
    xShape: [m, 1, 1, k],
    w: own.numbers,
    ...(bias && { bias }),
    kernel: [1, 1],
    stride: [1, 1],
    dilation: [1, 1],
    before: [0, 0],
    yShape: [m, 1, 1, n],
    lo: BOUNDS[activation][0],
    hi: BOUNDS[activation][1],
    depthwise: false,
    ...(own.scales && { scales: own.scales }),
    group: k,
    asymmetric,
    scalesFirst: true,
  });
  const computed = dtype === "float32" && draw.int(0, 2) === 0;
  checkOperator(
    subject,
    operators.fullyConnected,
    {
      attributes: { activation, keepDims: false, asymmetric },
      inputs: [
        tensor("float32", [m, k]),
        computed ? own.tensor : { ...own.tensor, data: bytesOf(own.stored) },
        ...(bias ? [tensor("float32", [n])] : []),
      ],
      values: [x, own.stored, ...(bias ? [bias] : [])],
      output: tensor("float32", [m, n]),
    },
    expected,
  );
}

for (const subject of await subjects())
  describe(`products of float32, ${subject.name}`, { skip: subject.skip }, () => {
    for (const dtype of ["float32", "int8", "int4"] as const) {
      test(`CONV_2D with ${dtype} weights`, () => {
        const draw = random(dtype.length * 7 + 1);
        for (let i = 0; i < 40; i++) {
          const groups = draw.pick([1, 1, 1, 2, 3]);
          checkConvolution(subject, draw, dtype, {
            x: [draw.int(1, 2), draw.int(1, 7), draw.int(1, 9), groups * draw.int(1, 6)],
            outputs: groups * draw.int(1, 11),
            kernel: [draw.int(1, 3), draw.int(1, 4)],
            stride: [draw.int(1, 2), draw.int(1, 3)],
            dilation: [draw.int(1, 2), draw.pick([1, 1, 2])],
            padding: draw.pick(PADDINGS),
            groups,
            depthwise: false,
          });
        }
      });
      test(`CONV_2D with ${dtype} weights, of more pixels than have tiles beforehand`, () => {
        const draw = random(dtype.length * 7 + 2);
        for (let i = 0; i < 6; i++)
          checkConvolution(subject, draw, dtype, {
            x: [draw.int(1, 2), draw.int(20, 26), draw.int(38, 44), draw.int(1, 3)],
            outputs: draw.int(1, 9),
            kernel: [3, draw.int(2, 3)],
            stride: [1, 1],
            dilation: [draw.int(1, 2), draw.int(1, 2)],
            padding: draw.pick(PADDINGS),
            groups: 1,
            depthwise: false,
          });
      });
      // bytes in fours of k, six patches a tile, images and blocks that end within one
      if (dtype !== "float32")
        test(`CONV_2D with ${dtype} weights, of sixteen columns and more`, () => {
          const draw = random(dtype.length * 7 + 4);
          for (let i = 0; i < 20; i++) {
            const groups = draw.pick([1, 1, 2]);
            checkConvolution(subject, draw, dtype, {
              x: [draw.int(1, 3), draw.int(1, 6), draw.int(1, 9), groups * draw.int(1, 21)],
              outputs: groups * draw.int(16, 26),
              kernel: [draw.int(1, 3), draw.int(1, 4)],
              stride: [draw.int(1, 2), draw.int(1, 2)],
              dilation: [1, draw.pick([1, 1, 2])],
              padding: draw.pick(PADDINGS),
              groups,
              depthwise: false,
            });
          }
        });
      test(`DEPTHWISE_CONV_2D with ${dtype} weights`, () => {
        const draw = random(dtype.length * 5 + 3);
        for (let i = 0; i < 40; i++) {
          const channels = draw.int(1, 9);
          checkConvolution(subject, draw, dtype, {
            x: [draw.int(1, 2), draw.int(1, 7), draw.int(1, 12), channels],
            outputs: channels * draw.pick([1, 1, 1, 2, 3]),
            kernel: [draw.int(1, 3), draw.int(1, 4)],
            stride: [draw.int(1, 2), draw.int(1, 2)],
            dilation: [draw.int(1, 2), draw.pick([1, 1, 2])],
            padding: draw.pick(PADDINGS),
            groups: channels,
            depthwise: true,
          });
        }
      });
      if (dtype === "float32")
        test("layers of one input channel, and channels around the vectors' four and eight", () => {
          const draw = random(77);
          for (let i = 0; i < 60; i++) {
            const depthwise = draw.int(0, 2) > 0;
            const channels = depthwise ? draw.pick([1, 1, 4, 8, 9, 17]) : 1;
            checkConvolution(subject, draw, dtype, {
              x: [draw.int(1, 2), draw.int(1, 7), draw.int(1, 12), channels],
              outputs: channels * draw.pick([1, 2, 4, 7, 13]),
              kernel: [draw.int(1, 3), draw.int(1, 4)],
              stride: [draw.int(1, 2), draw.pick([1, 1, 2])],
              dilation: [1, draw.pick([1, 1, 2])],
              padding: draw.pick(PADDINGS),
              groups: depthwise ? channels : 1,
              depthwise,
            });
          }
        });
      test(`steps as long as long rows, of ${dtype} weights`, () => {
        const draw = random(dtype.length * 7 + 5);
        for (const depthwise of [false, true])
          for (const [stride, dilation] of [
            [1, 1200],
            [1, 2000],
            [1500, 1],
          ] as const)
            checkConvolution(subject, draw, dtype, {
              x: [1, 1, 2000, 3],
              outputs: depthwise ? 3 : 17,
              kernel: [1, 3],
              stride: [1, stride],
              dilation: [1, dilation],
              padding: draw.pick(["same", { top: 0, bottom: 0, left: 2000, right: 2000 }] as const),
              groups: depthwise ? 3 : 1,
              depthwise,
            });
      });
      test(`one column of ${dtype} weights, whose rows stand on padding`, () => {
        const draw = random(dtype.length * 7 + 1);
        // the padding above the second image is where the first one's last lines are
        for (const channels of [4, 8, 9])
          for (const kH of [1, 2, 3])
            checkConvolution(subject, draw, dtype, {
              x: [2, 5, 6, channels],
              outputs: channels,
              kernel: [kH, 1],
              stride: [1, 1],
              dilation: [1, 1],
              padding: { top: 2, bottom: 2, left: 1, right: 1 },
              groups: channels,
              depthwise: true,
            });
      });
      test(`FULLY_CONNECTED with ${dtype} weights`, () => {
        const draw = random(dtype.length * 3 + 5);
        for (const m of [1, 2, 4, 5, 21])
          for (const k of [1, 7, 32]) for (const n of [1, 8, 13, 37]) checkRows(subject, draw, dtype, m, k, n);
        checkRows(subject, draw, dtype, 70, 300, 9);
        // bytes in fours of k, six rows a tile, and more rows than one block has
        if (dtype !== "float32")
          for (const m of [2, 6, 13])
            for (const k of [63, 64, 65, 66, 67, 96, 121]) checkRows(subject, draw, dtype, m, k, 11);
        if (dtype === "int8") checkRows(subject, draw, dtype, 190, 250, 20);
        // more weights than the caches hold, whose panels are read one by one
        if (dtype === "float32") checkRows(subject, draw, dtype, 1, 1531, 1413);
      });
    }
  });
