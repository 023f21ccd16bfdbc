/** What the reductions over axes share: their checks, the nest of the kernels, and the factors of quantized ones. */
import type { KernelCall } from "../../primitives/registry.ts";
import { type Multiplier, quantizeMultiplier } from "../../primitives/requantize/quantization.ts";
import { type DType, elementCount, type TensorType } from "../../tensor.ts";
import {
  constrain,
  inputOf,
  outputOf,
  requireAffine,
  requireAxis,
  requireConstant,
  requireDType,
  requireInputs,
  requirePlain,
  requireRatio,
  requireSameQuantization,
  requireSymmetric,
} from "../constraints.ts";
import { affineOf } from "../elementwise/elementwise.ts";
import type { Lowering, NodeView, Operator } from "../types.ts";
import { type Form, foldReduction, type Reduction } from "./folding.ts";

/** Forms of the kernels, by name as `assembly/pool/reduce.ts` numbers them. */
const FORMS: { readonly [F in Form]: number } = {
  sum: 0,
  product: 1,
  max: 2,
  min: 3,
  mean: 4,
  scaledSum: 5,
  scaledProduct: 6,
};

const PLAIN: { readonly [K in Reduction]: Form } = {
  mean: "mean",
  sum: "sum",
  reduceProd: "product",
  reduceMax: "max",
  reduceMin: "min",
  reduceAny: "max",
  reduceAll: "min",
};
/** Of bool: a sum says whether any is true, a product whether all are. */
const LOGICAL: { readonly [K in Reduction]?: Form } = { sum: "max", reduceProd: "min" };

/** Kernels by element type. */
const KERNEL = {
  int8: "reduceS8",
  uint8: "reduceU8",
  bool: "reduceS8",
  int16: "reduceS16",
  int32: "reduceS32",
  int64: "reduceS64",
  float32: "reduceF32",
} as const satisfies { readonly [D in DType]?: KernelCall["kernel"] };

/** Sums of differences of 8 bits over this many elements fit in int32. */
const MAX_COUNT = 2 ** 23;
/** Products are rescaled by a right shift of 15 less this. */
const MAX_SHIFT = 14;

/** The reduced axes, in any order and spelling of the constant. */
export function axesOf(node: NodeView<Reduction>): ReadonlySet<number> {
  const rank = inputOf(node, 0).shape.length;
  const axes = requireConstant(node, "C4", inputOf(node, 1));
  return rank === 0 ? new Set() : new Set(axes.map((axis) => requireAxis(node, "C5", axis, rank)));
}

function plainForm<K extends Reduction>(kind: K, node: NodeView<K>): Form {
  return (inputOf(node, 0).dtype === "bool" ? LOGICAL[kind] : undefined) ?? PLAIN[kind];
}

/** How many elements one output is made of. */
export function reducedCount(shape: readonly number[], axes: ReadonlySet<number>): number {
  return shape.reduce((product, size, axis) => (axes.has(axis) ? product * size : product), 1);
}

/** True where sums and products are of numbers with a scale: 8 and 16 bits with quantization. */
export function isScaled(node: NodeView<Reduction>): boolean {
  const { dtype, quantization } = inputOf(node, 0);
  return (dtype === "int8" || dtype === "int16") && quantization !== undefined;
}

/** C1–C6: see `reduceOperator`. */
function inferReduction<K extends Reduction>(kind: K, node: NodeView<K>): readonly TensorType[] {
  requireInputs(node, 2);
  const x = inputOf(node, 0);
  const y = outputOf(node);
  const logical = kind === "reduceAny" || kind === "reduceAll";
  if (logical) requireDType(node, "C2", x, "bool");
  else
    requireDType(
      node,
      "C2",
      x,
      "int8",
      "uint8",
      "int16",
      "int32",
      "int64",
      "float32",
      ...(kind === "mean" ? [] : ["bool" as const]),
    );
  requireDType(node, "C2", y, x.dtype);
  const exact = kind === "reduceMax" || kind === "reduceMin";
  if (!exact) requirePlain(node, "C2", x);
  if (isScaled(node)) {
    requireSymmetric(node, "C3", x);
    requireSymmetric(node, "C3", y);
    const ratio = requireAffine(node, "C3", x).scale / requireAffine(node, "C3", y).scale;
    if (exact) requireSameQuantization(node, "C3", x, y);
    else requireRatio(node, "C3", ratio);
  }
  const axes = axesOf(node);
  const count = reducedCount(x.shape, axes);
  if (isScaled(node)) {
    const fits = kind === "reduceProd" ? productFactor(node, count).shift <= MAX_SHIFT : count <= MAX_COUNT;
    constrain(
      node,
      "C6",
      fits,
      () => ({ expected: `at most ${MAX_COUNT} elements in each sum, or a product that fits`, received: `${count}` }),
      "UNSUPPORTED",
    );
  }
  const shape = node.attributes.keepDims
    ? x.shape.map((size, axis) => (axes.has(axis) ? 1 : size))
    : x.shape.filter((_, axis) => !axes.has(axis));
  return [{ dtype: x.dtype, shape }];
}

/**
 * C1: x and axes, one output. C2: the type stays; bool for ANY and ALL, else 8, 16, 32 or 64 bits, float32, or (but for MEAN) bool. C3: of
 * scaled types, one scale and zero point each in a ratio that fits, and equal ones for the greatest and the least. C4:
 * axes a constant. C5: axes inside the rank, twice the same is once. C6: at most 2^23 elements in each scaled sum.
 * Source: TFLite's reference_ops::ReduceGeneric, QuantizedMeanOrSum and QuantizedReduceProd.
 */
export function reduceOperator<K extends Reduction>(kind: K): Operator<K> {
  return {
    infer: (node) => inferReduction(kind, node),
    fold: (node) => (isScaled(node) ? undefined : foldReduction(node, plainForm(kind, node), axesOf(node))),
    lower: (node, to) => lowerReduction(kind, node, to),
  };
}

/** The call of the kernel that takes any axes. */
export function lowerReduction<K extends Reduction>(kind: K, node: NodeView<K>, to: Lowering): void {
  const x = inputOf(node, 0);
  const y = outputOf(node);
  if (elementCount(y.shape) === 0) return;
  const axes = axesOf(node);
  const count = reducedCount(x.shape, axes);
  const { form, ...factor } = formOf(kind, node, count);
  const strides = x.shape.map((_, axis) => elementCount(x.shape.slice(axis + 1)));
  const [k0, k1, k2, k3, s0, s1, s2, s3] = nestOf(x.shape, strides, (axis) => !axes.has(axis));
  const [r0, r1, r2, r3, t0, t1, t2, t3] = nestOf(x.shape, strides, (axis) => axes.has(axis));
  to.call({
    kernel: KERNEL[x.dtype as keyof typeof KERNEL],
    params: {
      x: to.input(0),
      y: to.output(0),
      form: FORMS[form],
      k0,
      k1,
      k2,
      k3,
      s0,
      s1,
      s2,
      s3,
      r0,
      r1,
      r2,
      r3,
      t0,
      t1,
      t2,
      t3,
      xZeroPoint: affineOf(x).zeroPoint,
      yZeroPoint: affineOf(y).zeroPoint,
      ...factor,
    },
    note: `reduce ${form}`,
  });
}

/** What the kernel does. The mean of nothing is 0, also where 0 is no real 0: as the reference fills it. */
function formOf<K extends Reduction>(
  kind: K,
  node: NodeView<K>,
  count: number,
): Multiplier & { readonly form: Form; readonly yZeroPoint?: number } {
  const none = { multiplier: 0, shift: 0 };
  if (!isScaled(node) || kind === "reduceMax" || kind === "reduceMin") return { form: plainForm(kind, node), ...none };
  const real = affineOf(inputOf(node, 0)).scale / affineOf(outputOf(node)).scale;
  if (count === 0) return { form: "scaledSum", ...none, yZeroPoint: 0 };
  if (kind === "reduceProd") return { form: "scaledProduct", ...productFactor(node, count) };
  return { form: "scaledSum", ...(kind === "sum" ? quantizeMultiplier(real) : meanMultiplier(real, count)) };
}

/** The factor of each step of a product of `count` numbers: their scale by the root of the output's. */
function productFactor(node: NodeView<Reduction>, count: number): Multiplier {
  const { scale } = affineOf(inputOf(node, 0));
  return quantizeMultiplier(scale / affineOf(outputOf(node)).scale ** (1 / Math.max(count, 1)));
}

/** The multiplier with 1/count worked in, as TFLite's QuantizedMeanOrSum readapts it. */
export function meanMultiplier(real: number, count: number): Multiplier {
  const { multiplier, shift } = quantizeMultiplier(real);
  const extra = Math.min(31 - Math.clz32(count), 31 + shift);
  return { multiplier: Number((BigInt(multiplier) << BigInt(extra)) / BigInt(count)), shift: shift - extra };
}

type Nest = readonly [number, number, number, number, number, number, number, number];

/** Four sizes, then four strides, of the axes asked for: neighbours are one, and at rank 8 four are left. */
function nestOf(shape: readonly number[], strides: readonly number[], wanted: (axis: number) => boolean): Nest {
  const sizes: number[] = [];
  const steps: number[] = [];
  let last = Number.NaN;
  for (const [axis, size] of shape.entries()) {
    if (size === 1) continue;
    if (wanted(axis)) {
      const joins = last === axis - 1 && sizes.length > 0;
      if (joins) {
        sizes[sizes.length - 1] = (sizes.at(-1) as number) * size;
        steps[steps.length - 1] = strides[axis] as number;
      } else {
        sizes.push(size);
        steps.push(strides[axis] as number);
      }
      last = axis;
    }
  }
  const four = (list: readonly number[], fill: number) => [...Array<number>(4 - list.length).fill(fill), ...list];
  return [...four(sizes, 1), ...four(steps, 0)] as unknown as Nest;
}
