/** onnxruntime's rules of rounding: products, sums, tables and quantization in every module. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Rounding } from "../../bindings/graph.ts";
import { operators } from "../../bindings/ops/index.ts";
import type { Operator } from "../../bindings/ops/types.ts";
import { plainOfFloats } from "../../bindings/primitives/elementwise/nearest.ts";
import type { Affine } from "../../bindings/primitives/requantize/quantization.ts";
import type { Tensor } from "../../bindings/tensor.ts";
import { betweenFloats, qlinear, rint, scaledSum } from "../reference/nearest.ts";
import { bytesOf, checkOperator, type Random, random, subjects, tensor } from "../support/kernels.ts";

const WHOLE: Rounding = { rule: "onnx", lo: -65536, hi: 65536 };
const NONE = { activation: "none" } as const;

const affine = (draw: Random): Affine => ({ scale: Math.fround(draw.scale()), zeroPoint: draw.int(-128, 127) });
/** Exact halves and quarters of steps: every second result is a tie. */
const ties = (draw: Random): Affine => ({ scale: draw.pick([0.25, 0.5, 1]), zeroPoint: draw.int(-128, 127) });
const int8s = (draw: Random, n: number) => Int8Array.from({ length: n }, () => draw.int(-128, 127));

/** Weights of a scale and a zero point a channel. */
function weights(draw: Random, shape: readonly number[], axis: number, zeros: "none" | "some") {
  const channels = shape[axis] as number;
  const values = int8s(
    draw,
    shape.reduce((n, size) => n * size, 1),
  );
  const scale = Array.from({ length: channels }, () => Math.fround(draw.scale() / 64));
  const zeroPoint = scale.map(() => (zeros === "some" ? draw.int(-20, 20) : 0));
  const w: Tensor = {
    name: "w",
    dtype: "int8",
    shape,
    data: bytesOf(values),
    quantization: { scale, zeroPoint, axis },
  };
  return { w, values, scale, zeroPoint };
}

test("sums without division are the rule's on all pairs, and most have one", () => {
  const draw = random(72);
  let found = 0;
  for (let i = 0; i < 12; i++) {
    const [a, b, y] = [0, 1, 2].map(() => affine(draw)) as [Affine, Affine, Affine];
    const sign = i % 2 ? 1 : -1;
    const sum = plainOfFloats([a, b, y], sign, -128, -128);
    if (sum === undefined) continue;
    found++;
    for (let k = 0; k < 65536; k++) {
      const [u, v] = [(k >> 8) - 128, (k & 255) - 128];
      const expected = betweenFloats(sign > 0 ? "add" : "sub", u, v, a, b, y);
      const plain = Math.fround(Math.fround(u * sum.aScale) + Math.fround(Math.fround(v * sum.bScale) + sum.offset));
      assert.equal(Math.min(Math.max(rint(plain), -128), 127), expected, `${i}: ${u}, ${v}`);
    }
  }
  assert.ok(found >= 6, `${found} of 12`);
});

/** Sums that are almost ties: fused in place of rounded after each step, a factor that is moved by a unit gives another byte. */
const ALMOST: readonly (readonly [Affine, Affine, Affine])[] = [
  [
    { scale: 0.0016447368543595076, zeroPoint: -66 },
    { scale: 0.0078125, zeroPoint: 127 },
    { scale: 0.0010373444529250264, zeroPoint: 0 },
  ],
];

for (const subject of await subjects())
  describe(`onnxruntime's rules, ${subject.name}`, { skip: subject.skip }, () => {
    for (const kind of ["add", "sub", "mul"] as const) {
      const operator = operators[kind] as unknown as Operator<"add">;
      const p = Int8Array.from({ length: 65536 }, (_, k) => k >> 8);
      const q = Int8Array.from({ length: 65536 }, (_, k) => k);
      test(`${kind}: all pairs`, () => {
        const draw = random(71);
        for (let i = 0; i < 12; i++) {
          const drawn = [0, 1, 2].map(() => (i < 2 ? ties(draw) : affine(draw))) as [Affine, Affine, Affine];
          const [a, b, y] = ALMOST[i - 4] ?? drawn;
          const inputs = [tensor("int8", [65536], a), tensor("int8", [65536], b)];
          const expected = p.map((u, k) => betweenFloats(kind, u, q[k] as number, a, b, y));
          const attributes = { ...NONE, rounding: WHOLE };
          checkOperator(
            subject,
            operator,
            { attributes, inputs, values: [p, q], output: tensor("int8", [], y) },
            expected,
          );
          if (kind === "sub") continue;
          const shift = i % 2 === 0 ? 128 : 0;
          const unsigned = (each: Tensor): Tensor => (shift > 0 ? { ...each, unsigned: true } : each);
          const example = {
            attributes: { ...NONE, rounding: { ...WHOLE, rule: "qlinear" } as const },
            inputs: inputs.map(unsigned),
            values: [p, q],
            output: unsigned(tensor("int8", [], y)),
          };
          checkOperator(
            subject,
            operator,
            example,
            p.map((u, k) => qlinear(kind, u, q[k] as number, a, b, y, shift)),
          );
        }
      });
    }

    for (const zeros of ["none", "some"] as const)
      test(`products of weights with ${zeros === "none" ? "no" : "several"} zero points`, () => {
        const draw = random(72);
        for (const [rows, n, k] of [
          [1, 24, 40],
          [7, 9, 33],
          [20, 16, 64],
          [5, 8, 300],
        ] as const) {
          const [x, y] = [affine(draw), { scale: 1, zeroPoint: draw.int(-128, 127) }];
          const { w, values, scale, zeroPoint } = weights(draw, [n, k], 0, zeros);
          const a = int8s(draw, rows * k);
          const bias = Int32Array.from({ length: n }, () => draw.int(-9000, 9000));
          const rounding: Rounding = { rule: "onnx", lo: -draw.int(0, 100), hi: draw.int(0, 200) };
          const expected = new Int8Array(rows * n);
          for (let r = 0; r < rows; r++)
            for (let c = 0; c < n; c++) {
              let acc = bias[c] as number;
              for (let i = 0; i < k; i++)
                acc +=
                  ((a[r * k + i] as number) - x.zeroPoint) * ((values[c * k + i] as number) - (zeroPoint[c] as number));
              const value = scaledSum(acc, x.scale, scale[c] as number, y);
              expected[r * n + c] = Math.min(Math.max(value, y.zeroPoint + rounding.lo), y.zeroPoint + rounding.hi);
            }
          const example = {
            attributes: { ...NONE, keepDims: true, rounding },
            inputs: [tensor("int8", [rows, k], x), w, tensor("int32", [n], undefined, bias)],
            values: [a, values, bias],
            output: tensor("int8", [], y),
          };
          checkOperator(subject, operators.fullyConnected, example, expected);
        }
      });

    test("sums whose results are far outside", () => {
      const draw = random(73);
      const { w, values, scale } = weights(draw, [8, 16], 0, "none");
      const [x, y] = [
        { scale: 1, zeroPoint: 3 },
        { scale: 1e-9, zeroPoint: -5 },
      ];
      const a = int8s(draw, 4 * 16);
      const expected = new Int8Array(32);
      for (let r = 0; r < 4; r++)
        for (let c = 0; c < 8; c++) {
          let acc = 0;
          for (let i = 0; i < 16; i++) acc += ((a[r * 16 + i] as number) - 3) * (values[c * 16 + i] as number);
          expected[r * 8 + c] = scaledSum(acc, 1, scale[c] as number, y);
        }
      const attributes = { ...NONE, keepDims: true, rounding: WHOLE };
      const inputs = [tensor("int8", [4, 16], x), w];
      checkOperator(
        subject,
        operators.fullyConnected,
        { attributes, inputs, values: [a, values], output: tensor("int8", [], y) },
        expected,
      );
    });

    test("convolution and depthwise convolution of one image", () => {
      const draw = random(74);
      const [h, width, c] = [6, 7, 16];
      const [x, y] = [affine(draw), { scale: 2, zeroPoint: 7 }];
      const image = int8s(draw, h * width * c);
      const at = (row: number, column: number, channel: number) =>
        row < 0 || column < 0 || row >= h || column >= width
          ? 0
          : (image[(row * width + column) * c + channel] as number) - x.zeroPoint;
      const windows = { stride: [1, 1], dilation: [1, 1], padding: "same", rounding: WHOLE, ...NONE } as const;
      for (const [kind, zeros] of [
        ["conv2d", "none"],
        ["depthwiseConv2d", "none"],
        ["conv2d", "some"],
        ["depthwiseConv2d", "some"],
      ] as const) {
        const isDepthwise = kind === "depthwiseConv2d";
        const shape = isDepthwise ? [1, 3, 3, c] : [8, 3, 3, c];
        const { w, values, scale, zeroPoint } = weights(draw, shape, isDepthwise ? 3 : 0, zeros);
        const outputs = isDepthwise ? c : 8;
        const expected = new Int8Array(h * width * outputs);
        for (let i = 0; i < expected.length; i++) {
          const o = i % outputs;
          const [row, column] = [Math.floor(i / outputs / width), Math.floor(i / outputs) % width];
          let acc = 0;
          for (let tap = 0; tap < 9; tap++)
            for (let channel = isDepthwise ? o : 0; channel < (isDepthwise ? o + 1 : c); channel++) {
              const weight = values[isDepthwise ? tap * c + o : (o * 9 + tap) * c + channel] as number;
              acc +=
                (weight - (zeroPoint[o] as number)) *
                at(row + Math.floor(tap / 3) - 1, column + (tap % 3) - 1, channel);
            }
          expected[i] = scaledSum(acc, x.scale, scale[o] as number, y);
        }
        const example = {
          attributes: windows,
          inputs: [tensor("int8", [1, h, width, c], x), w],
          values: [image, values],
          output: tensor("int8", [], y),
        };
        checkOperator(subject, operators[kind] as unknown as Operator<"conv2d">, example, expected);
      }
    });

    test("means of images", () => {
      const draw = random(76);
      for (const c of [1, 5, 16, 40]) {
        const [x, y] = [affine(draw), affine(draw)];
        const image = int8s(draw, 2 * 9 * c);
        const axes = Int32Array.of(1, 2);
        const factor = Math.fround(Math.fround(x.scale) / Math.fround(Math.fround(y.scale) * 9));
        const expected = new Int8Array(2 * c);
        for (let i = 0; i < expected.length; i++) {
          const first = Math.floor(i / c) * 9 * c + (i % c);
          let sum = 0;
          for (let pixel = 0; pixel < 9; pixel++) sum += (image[first + pixel * c] as number) - x.zeroPoint;
          expected[i] = Math.min(Math.max(rint(Math.fround(sum * factor)) + y.zeroPoint, -128), 127);
        }
        const example = {
          attributes: { keepDims: true, rounding: WHOLE },
          inputs: [tensor("int8", [2, 3, 3, c], x), tensor("int32", [2], undefined, axes)],
          values: [image, axes],
          output: tensor("int8", [], y),
        };
        checkOperator(subject, operators.mean, example, expected);
      }
    });

    test("floats quantized as a whole before a product", () => {
      const { fround } = Math;
      const draw = random(77);
      for (const [rows, n, k] of [
        [1, 9, 7],
        [6, 16, 33],
        [13, 24, 64],
      ] as const) {
        const { w, values, scale } = weights(draw, [n, k], 0, "none");
        const x = Float32Array.from({ length: rows * k }, () => draw.int(-4000, 9000) / 1024);
        const bias = Float32Array.from({ length: n }, () => draw.int(-99, 99) / 8);
        const [least, most] = [Math.min(0, ...x), Math.max(0, ...x)];
        const step = fround(fround(most - least) / 255);
        const zero = rint(fround(-least / step));
        const q = Array.from(x, (v) => Math.min(Math.max(rint(fround(v / step)) + zero, 0), 255) - zero);
        const expected = new Float32Array(rows * n);
        for (let i = 0; i < expected.length; i++) {
          const [r, c] = [Math.floor(i / n), i % n];
          let acc = 0;
          for (let j = 0; j < k; j++) acc += (q[r * k + j] as number) * (values[c * k + j] as number);
          expected[i] = fround(acc * fround(step * (scale[c] as number))) + (bias[c] as number);
        }
        const example = {
          attributes: { ...NONE, keepDims: true, rounding: WHOLE },
          inputs: [tensor("float32", [rows, k]), w, tensor("float32", [n])],
          values: [x, values, bias],
          output: tensor("float32", []),
        };
        checkOperator(subject, operators.fullyConnected, example, expected);
      }
    });

    test("quantization half to even, and tables", () => {
      const draw = random(75);
      const x = Float32Array.from({ length: 1203 }, (_, i) => (i - 600) / 4);
      for (const dtype of ["int8", "uint8"] as const) {
        const y = { scale: 0.5, zeroPoint: dtype === "int8" ? draw.int(-128, 127) : draw.int(0, 255) };
        const [lo, hi] = dtype === "int8" ? [-128, 127] : [0, 255];
        const expected = Uint8Array.from(x, (v) => Math.min(Math.max(rint(v / 0.5) + y.zeroPoint, lo), hi));
        const example = {
          attributes: { rounding: WHOLE },
          inputs: [tensor("float32", [x.length])],
          values: [x],
          output: tensor(dtype, [], y),
        };
        checkOperator(subject, operators.quantize, example, expected);
        const table = Uint8Array.from({ length: 256 }, () => draw.int(0, 255));
        const bytes = Uint8Array.from({ length: 300 }, (_, i) => i);
        const flip = dtype === "int8" ? 0x80 : 0;
        const looked = bytes.map((q) => (table[q ^ flip] as number) ^ flip);
        checkOperator(
          subject,
          operators.lookup,
          { attributes: { table }, inputs: [tensor(dtype, [300], y)], values: [bytes], output: tensor(dtype, [], y) },
          looked,
        );
      }
    });
  });
