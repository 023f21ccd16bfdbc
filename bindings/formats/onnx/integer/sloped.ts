/** PRelu with a slope for each channel on integers, where no value's rounding differs from that of the file's floats. */
import type { AnyNode, Rounding, TensorId } from "../../../graph.ts";
import { NONE } from "../../../graph.ts";
import { slopedSteps } from "../../../ops/elementwise/slopes.ts";
import { elementCount, scaleOf, type Tensor, typedCopy, zeroOf } from "../../../tensor.ts";
import { boundsOf, rint } from "../rounding.ts";
import { declare, emit, isByte, type Network, type Target, targetOf, tensorAt } from "./network.ts";

const { fround } = Math;

/** x, below 0 times its channel's slope: one kernel where slopes are integers, else the greater of x and their product. */
export function slopedOf(net: Network, node: AnyNode, target: Target, rounding: Rounding): TensorId | undefined {
  if (node.kind !== "prelu" || rounding.rule !== "onnx" || rounding.lo > -65536 || rounding.hi < 65536)
    return undefined;
  const [f = NONE, by = NONE] = node.inputs;
  const x = net.meaning.get(f);
  const own = x === undefined ? undefined : targetOf(net, x);
  const slope = tensorAt(net, by);
  if (x === undefined || own === undefined || !isByte(own.dtype) || !isByte(target.dtype)) return undefined;
  if (slope.data === undefined || slope.dtype !== "float32") return undefined;
  const slopes = Array.from(typedCopy("float32", slope.data) as Float32Array);
  const { shape } = tensorAt(net, x);
  const expected = slopes.map((each) => roundedFloats(own, target, (value) => (value < 0 ? value * each : value)));
  const origin = net.origins.get(by);
  const integers = origin === undefined ? undefined : tensorAt(net, origin);
  if (origin !== undefined && integers !== undefined && areExact(own, integers, target, expected)) {
    const y = declare(net, { name: "", shape, ...target });
    emit(net, { kind: "prelu", where: node.where, inputs: [x, origin], outputs: [y], attributes: {} });
    return y;
  }
  const perChannel = slope.shape.slice(0, -1).every((size) => size === 1) && slopes.length === shape.at(-1);
  if (shape.length !== 4 || !perChannel || !slopes.every((each) => each <= 1 && Math.abs(each) > 1e-30))
    return undefined;
  const scale = slopes.map((each) => fround(Math.abs(each) / 127));
  const fits = slopes.every((each, c) => {
    const factor = fround(fround(fround(scaleOf(own)) * (scale[c] as number)) / fround(scaleOf(target)));
    const products = roundedSteps(own, target, (steps) => fround(steps * 127 * Math.sign(each)) * factor);
    const plain = roundedFloats(own, target, (value) => value);
    return products.every((q, i) => Math.max(q, plain[i] as number) === (expected[c] as readonly number[])[i]);
  });
  if (!fits) return undefined;
  const w = declare(net, {
    name: "",
    dtype: "int8",
    shape: [1, 1, 1, slopes.length],
    data: new Uint8Array(Int8Array.from(slopes, (each) => 127 * Math.sign(each)).buffer),
    quantization: { scale, zeroPoint: scale.map(() => 0), axis: 3 },
  });
  const [product, plain, y] = [0, 1, 2].map(() => declare(net, { name: "", shape, ...target })) as [
    TensorId,
    TensorId,
    TensorId,
  ];
  const { where } = node;
  const convolution = { stride: [1, 1], dilation: [1, 1], padding: "valid", activation: "none", rounding } as const;
  emit(net, { kind: "depthwiseConv2d", where, inputs: [x, w], outputs: [product], attributes: convolution });
  emit(net, { kind: "quantize", where, inputs: [x], outputs: [plain], attributes: { rounding } });
  emit(net, { kind: "maximum", where, inputs: [plain, product], outputs: [y], attributes: {} });
  return y;
}

/** What every value of x becomes by a function of its meaning, from the least. */
function roundedFloats(x: Target, y: Target, compute: (value: number) => number): readonly number[] {
  const [xs, ys] = [fround(scaleOf(x)), fround(scaleOf(y))];
  return roundedSteps(x, y, (steps) => fround(compute(fround(steps * xs))) / ys);
}

/** What every value of x becomes by a function of its distance from the zero point, rounded. */
function roundedSteps(x: Target, y: Target, compute: (steps: number) => number): readonly number[] {
  const [least] = boundsOf(x.dtype);
  return Array.from({ length: 256 }, (_, i) => saturated(rint(fround(compute(least + i - zeroOf(x)))), y));
}

function saturated(steps: number, y: Target): number {
  const [lo, hi] = boundsOf(y.dtype);
  return Math.min(Math.max(steps + zeroOf(y), lo), hi);
}

/** True where the kernel of fixed-point factors gives what floats do, for every value and channel. */
function areExact(x: Target, slope: Tensor, y: Target, expected: readonly (readonly number[])[]): boolean {
  if (!isByte(slope.dtype) || slope.data === undefined || slope.quantization?.scale.length !== 1) return false;
  const up = fround(fround(scaleOf(x)) / fround(scaleOf(y)));
  const down = fround(fround(fround(scaleOf(x)) * fround(scaleOf(slope))) / fround(scaleOf(y)));
  if (!(up > 2 ** -20 && up < 2 ** 7 && down > 2 ** -20 && down < 2 ** 7)) return false;
  const steps = slopedSteps(up, down);
  const values = Array.from(typedCopy(slope.dtype, slope.data) as Int8Array, (q) => q - zeroOf(slope));
  const [least] = boundsOf(x.dtype);
  return (
    elementCount(slope.shape) === expected.length &&
    values.every((b, c) =>
      (expected[c] as readonly number[]).every((want, i) => {
        const a = least + i - zeroOf(x);
        return saturated(steps(a, b), y) === want;
      }),
    )
  );
}
