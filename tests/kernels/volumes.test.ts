/** Products of float32 beyond images: CONV_3D, transposed convolutions, stacks of matrices, windows; on every byte. */
import { describe, test } from "node:test";
import { operators } from "../../bindings/ops/index.ts";
import { placeWindow } from "../../bindings/primitives/window.ts";
import { checkOperator, type Random, random, subjects, tensor } from "../support/kernels.ts";

const f = Math.fround;
type Volume = readonly [number, number, number];

const floats = (draw: Random, count: number): Float32Array =>
  Float32Array.from({ length: count }, () => (draw.int(-1000, 1000) / 512) * 2 ** draw.int(-3, 3));
const size = (shape: readonly number[]): number => shape.reduce((all, each) => all * each, 1);

/** Calls `each` with every place of a volume, in order. */
function places([d, h, w]: Volume, each: (z: number, y: number, x: number) => void): void {
  for (let z = 0; z < d; z++) for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) each(z, y, x);
}

interface Transposed {
  readonly x: Float32Array;
  readonly batch: number;
  readonly input: Volume;
  readonly channels: number;
  readonly output: Volume;
  readonly outputs: number;
  readonly kernel: Volume;
  readonly stride: Volume;
  readonly before: Volume;
  readonly weight: (o: number, z: number, y: number, x: number, c: number) => number;
  readonly bias: Float32Array;
}

/** Every input adds its products to the outputs around it, then the bias. */
function transposedConvolution(t: Transposed): Float32Array {
  const [, oH, oW] = t.output;
  const y = new Float32Array(t.batch * size(t.output) * t.outputs);
  for (let n = 0; n < t.batch; n++)
    places(t.input, (iz, iy, ix) => {
      for (let c = 0; c < t.channels; c++)
        places(t.kernel, (kz, ky, kx) => {
          const oz = iz * t.stride[0] - t.before[0] + kz;
          const oy = iy * t.stride[1] - t.before[1] + ky;
          const ox = ix * t.stride[2] - t.before[2] + kx;
          if (oz < 0 || oz >= t.output[0] || oy < 0 || oy >= oH || ox < 0 || ox >= oW) return;
          const at = (((n * t.output[0] + oz) * oH + oy) * oW + ox) * t.outputs;
          const from = (((n * t.input[0] + iz) * t.input[1] + iy) * t.input[2] + ix) * t.channels + c;
          for (let o = 0; o < t.outputs; o++)
            y[at + o] = f((y[at + o] as number) + f((t.x[from] as number) * t.weight(o, kz, ky, kx, c)));
        });
    });
  return y.map((sum, i) => f(sum + (t.bias[i % t.outputs] as number)));
}

for (const subject of await subjects())
  describe(`volumes and matrices of float32, ${subject.name}`, { skip: subject.skip }, () => {
    test("CONV_3D", () => {
      const draw = random(11);
      for (let i = 0; i < 12; i++) {
        const input: Volume = [draw.int(1, 4), draw.int(1, 4), draw.int(1, 5)];
        const kernel: Volume = [draw.int(1, 2), draw.int(1, 3), draw.int(1, 2)];
        const stride: Volume = [draw.int(1, 2), draw.int(1, 2), draw.int(1, 2)];
        const [c, n] = [draw.int(1, 5), draw.int(1, 10)];
        const at = ([0, 1, 2] as const).map((a) => placeWindow(input[a], kernel[a], stride[a], 1, "same", "height"));
        const output = at.map(({ out }) => out) as unknown as Volume;
        const x = floats(draw, size(input) * c);
        const w = floats(draw, size(kernel) * c * n);
        const bias = floats(draw, n);
        const expected: number[] = [];
        places(output, (oz, oy, ox) => {
          for (let o = 0; o < n; o++) {
            let sum = 0;
            places(kernel, (kz, ky, kx) => {
              const [z, y, column] = [oz, oy, ox].map(
                (place, a) => place * (stride[a] as number) - (at[a]?.before ?? 0) + ([kz, ky, kx][a] as number),
              ) as unknown as Volume;
              if (z < 0 || z >= input[0] || y < 0 || y >= input[1] || column < 0 || column >= input[2]) return;
              for (let j = 0; j < c; j++) {
                const value = x[((z * input[1] + y) * input[2] + column) * c + j] as number;
                const tap = (kz * kernel[1] + ky) * kernel[2] + kx;
                sum = f(sum + f(value * (w[(tap * c + j) * n + o] as number)));
              }
            });
            expected.push(f(sum + (bias[o] as number)));
          }
        });
        const computed = i % 3 === 0;
        const weights = tensor("float32", [...kernel, c, n], undefined, computed ? undefined : w);
        checkOperator(
          subject,
          operators.conv3d,
          {
            attributes: { stride, dilation: [1, 1, 1], padding: "same", activation: "none" },
            inputs: [tensor("float32", [1, ...input, c]), weights, tensor("float32", [n])],
            values: [x, w, bias],
            output: tensor("float32", [1, ...output, n]),
          },
          Float32Array.from(expected),
        );
      }
    });
    test("CONV_3D_TRANSPOSE, strides beyond the kernel among them", () => {
      const draw = random(12);
      for (let i = 0; i < 10; i++) {
        const input: Volume = [draw.int(1, 2), draw.int(1, 3), draw.int(1, 4)];
        const kernel: Volume = [draw.int(1, 2), draw.int(1, 3), draw.int(1, 3)];
        const stride: Volume = [draw.int(1, 2), draw.int(1, 3), draw.int(1, 3)];
        const output = input.map((each, a) => each * (stride[a] as number)) as unknown as Volume;
        const [batch, channels, outputs] = [draw.int(1, 2), draw.int(1, 5), draw.int(1, 9)];
        const before = output.map(
          (out, a) => placeWindow(out, kernel[a] as number, stride[a] as number, 1, "same", "height").before,
        ) as unknown as Volume;
        const x = floats(draw, batch * size(input) * channels);
        const w = floats(draw, size(kernel) * outputs * channels);
        const bias = floats(draw, outputs);
        const shape = Int32Array.from([batch, ...output, outputs]);
        checkOperator(
          subject,
          operators.conv3dTranspose,
          {
            attributes: { stride, dilation: [1, 1, 1], padding: "same", activation: "none" },
            inputs: [
              tensor("int32", [5], undefined, shape),
              tensor("float32", [...kernel, outputs, channels], undefined, w),
              tensor("float32", [batch, ...input, channels]),
              tensor("float32", [outputs]),
            ],
            values: [shape, w, x, bias],
            output: tensor("float32", [...shape]),
          },
          transposedConvolution({
            x,
            batch,
            input,
            channels,
            output,
            outputs,
            kernel,
            stride,
            before,
            bias,
            weight: (o, z, y, column, c) =>
              w[(((z * kernel[1] + y) * kernel[2] + column) * outputs + o) * channels + c] as number,
          }),
        );
      }
    });
    test("TRANSPOSE_CONV and Convolution2DTransposeBias", () => {
      const draw = random(13);
      for (let i = 0; i < 18; i++) {
        const padding = draw.pick(["same", "valid"] as const);
        const input: Volume = [1, draw.int(1, 4), draw.int(1, 5)];
        const kernel: Volume = [1, draw.int(1, 4), draw.int(1, 4)];
        // every third of kernels beside each other, whose phases read the same pixels
        const stride: Volume = i % 3 === 0 ? kernel : [1, draw.int(1, 3), draw.int(1, 3)];
        const reach = (a: 1 | 2) =>
          padding === "same" ? input[a] * stride[a] : (input[a] - 1) * stride[a] + kernel[a];
        const output: Volume = [1, reach(1), reach(2)];
        const [batch, channels, outputs] = [draw.int(1, 2), draw.int(1, 6), draw.int(1, 9)];
        const at = (a: 1 | 2) => placeWindow(output[a], kernel[a], stride[a], 1, padding, "height").before;
        const x = floats(draw, batch * size(input) * channels);
        const w = floats(draw, size(kernel) * outputs * channels);
        const bias = floats(draw, outputs);
        const expected = transposedConvolution({
          x,
          batch,
          input,
          channels,
          output,
          outputs,
          kernel,
          stride,
          before: [0, at(1), at(2)],
          bias,
          weight: (o, _z, y, column, c) => w[((o * kernel[1] + y) * kernel[2] + column) * channels + c] as number,
        });
        const weights = tensor("float32", [outputs, kernel[1], kernel[2], channels], undefined, w);
        const image = tensor("float32", [batch, input[1], input[2], channels]);
        const shape = Int32Array.from([batch, output[1], output[2], outputs]);
        const steps = [stride[1], stride[2]] as const;
        const ofBias = tensor("float32", [outputs], undefined, draw.int(0, 3) === 0 ? undefined : bias);
        checkOperator(
          subject,
          operators.transposeConv,
          {
            attributes: { stride: steps, padding, activation: "none" },
            inputs: [tensor("int32", [4], undefined, shape), weights, image, ofBias],
            values: [shape, w, x, bias],
            output: tensor("float32", [...shape]),
          },
          expected,
        );
        checkOperator(
          subject,
          operators.transposeConvBias,
          {
            attributes: { stride: steps, padding },
            inputs: [image, weights, ofBias],
            values: [x, w, bias],
            output: tensor("float32", [...shape]),
          },
          expected,
        );
      }
    });
    test("BATCH_MATMUL, adjoint and broadcast, of constants and of computed matrices", () => {
      const draw = random(14);
      for (let i = 0; i < 24; i++) {
        const [m, k, n] = [draw.int(1, 9), draw.int(1, 12), draw.int(1, 19)];
        const [adjointA, adjointB] = [i % 2 === 1, draw.int(0, 1) === 1];
        const [aBatch, bBatch, batch] = draw.pick([
          [[2], [1], 2],
          [[1], [3], 3],
          [[3], [3], 3],
          [[], [], 1],
        ] as const);
        const a = floats(draw, size(aBatch) * m * k);
        const b = floats(draw, size(bBatch) * k * n);
        const y = new Float32Array(batch * m * n);
        for (let at = 0; at < y.length; at++) {
          const [matrix, row, column] = [Math.floor(at / (m * n)), Math.floor(at / n) % m, at % n];
          const aAt = size(aBatch) === 1 ? 0 : matrix * m * k;
          const bAt = size(bBatch) === 1 ? 0 : matrix * k * n;
          let sum = 0;
          for (let j = 0; j < k; j++) {
            const left = a[aAt + (adjointA ? j * m + row : row * k + j)] as number;
            sum = f(sum + f(left * (b[bAt + (adjointB ? column * k + j : j * n + column)] as number)));
          }
          y[at] = sum;
        }
        const bShape = [...bBatch, ...(adjointB ? [n, k] : [k, n])];
        checkOperator(
          subject,
          operators.batchMatMul,
          {
            attributes: { adjointA, adjointB },
            inputs: [
              tensor("float32", [...aBatch, ...(adjointA ? [k, m] : [m, k])]),
              tensor("float32", bShape, undefined, draw.int(0, 1) === 0 ? b : undefined),
            ],
            values: [a, b],
            output: tensor("float32", []),
          },
          y,
        );
      }
    });
    test("AVERAGE_POOL_2D and MAX_POOL_2D", () => {
      const draw = random(15);
      for (let i = 0; i < 16; i++) {
        const [h, w, c] = [draw.int(1, 6), draw.int(1, 7), draw.int(1, 9)];
        const filter = [draw.int(1, Math.min(h, 3)), draw.int(1, Math.min(w, 3))] as const;
        const stride = [draw.int(1, 2), draw.int(1, 2)] as const;
        const x = floats(draw, h * w * c);
        const down = placeWindow(h, filter[0], stride[0], 1, "same", "height");
        const across = placeWindow(w, filter[1], stride[1], 1, "same", "width");
        const means: number[] = [];
        const most: number[] = [];
        places([down.out, across.out, c], (oy, ox, channel) => {
          const seen: number[] = [];
          places([1, ...filter], (_z, ky, kx) => {
            const [y, column] = [oy * stride[0] - down.before + ky, ox * stride[1] - across.before + kx];
            if (y >= 0 && y < h && column >= 0 && column < w) seen.push(x[(y * w + column) * c + channel] as number);
          });
          means.push(f(seen.reduce((sum, value) => f(sum + value), 0) / seen.length));
          most.push(Math.max(...seen));
        });
        const example = {
          attributes: { filter, stride, padding: "same", activation: "none" },
          inputs: [tensor("float32", [1, h, w, c])],
          values: [x],
          output: tensor("float32", []),
        } as const;
        checkOperator(subject, operators.averagePool2d, example, Float32Array.from(means));
        checkOperator(subject, operators.maxPool2d, example, Float32Array.from(most));
      }
    });
  });
