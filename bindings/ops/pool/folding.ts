/** Reductions of constants, when planned: products of shapes and the like. */
import { BITS, byteLength, floatsOf, type TensorType } from "../../tensor.ts";
import { inputOf, outputOf } from "../constraints.ts";
import { writeFloats } from "../elementwise/integers.ts";
import type { NodeView } from "../types.ts";

export type Reduction = "mean" | "sum" | "reduceProd" | "reduceMax" | "reduceMin" | "reduceAny" | "reduceAll";

/** What a reduction does with its elements; the scaled forms are of quantized ones. */
export type Form = "sum" | "product" | "max" | "min" | "mean" | "scaledSum" | "scaledProduct";

/** Output 0's bytes in int32, int64 or bool; undefined for other types, which the kernels compute. */
export function foldReduction(
  node: NodeView<Reduction>,
  form: Form,
  axes: ReadonlySet<number>,
): readonly Uint8Array[] | undefined {
  const x = inputOf(node, 0);
  const y = outputOf(node);
  if (x.dtype === "float32") return foldReal(node, form, axes);
  if (x.dtype !== "int32" && x.dtype !== "int64" && x.dtype !== "bool") return undefined;
  const groups = grouped(read(x, x.data as Uint8Array), x.shape, axes);
  const bytes = new Uint8Array(byteLength(y));
  const view = new DataView(bytes.buffer);
  const size = BITS[x.dtype] / 8;
  for (let i = 0; i < bytes.length / size; i++) {
    const value = BigInt.asIntN(BITS[x.dtype], combine(form, groups.get(i) ?? [], BITS[x.dtype]));
    if (size === 1) view.setInt8(i, Number(value));
    else if (size === 4) view.setInt32(i * 4, Number(value), true);
    else view.setBigInt64(i * 8, value, true);
  }
  return [bytes];
}

/** The values that each output is made of. */
function grouped<T>(values: readonly T[], shape: readonly number[], axes: ReadonlySet<number>): Map<number, T[]> {
  const kept = shape.map((size, axis) => (axes.has(axis) ? 1 : size));
  const groups = new Map<number, T[]>();
  for (const [i, value] of values.entries()) {
    const at = keptIndex(i, shape, kept);
    const group = groups.get(at);
    if (group === undefined) groups.set(at, [value]);
    else group.push(value);
  }
  return groups;
}

/** Greatest and least of float32; sums and products, whose order is the kernels' own, are left to these. */
function foldReal(node: NodeView<Reduction>, form: Form, axes: ReadonlySet<number>): readonly Uint8Array[] | undefined {
  const x = inputOf(node, 0);
  if (form !== "max" && form !== "min") return undefined;
  const values = Array.from(floatsOf(x));
  if (values.length === 0 || values.some(Number.isNaN)) return undefined;
  const pick = form === "max" ? Math.max : Math.min;
  const groups = grouped(values, x.shape, axes);
  return [
    writeFloats(
      Array.from({ length: groups.size }, (_, i) => (groups.get(i) as number[]).reduce((a, b) => pick(a, b))),
    ),
  ];
}

/** Where element i goes once the reduced axes are one long. */
function keptIndex(i: number, shape: readonly number[], kept: readonly number[]): number {
  let at = 0;
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] as number;
    if (kept[axis] === size) {
      at += (i % size) * stride;
      stride *= size;
    }
    i = Math.floor(i / size);
  }
  return at;
}

function read({ dtype }: TensorType, data: Uint8Array): readonly bigint[] {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  if (dtype === "bool") return Array.from(data, (value) => BigInt(value));
  const size = BITS[dtype] / 8;
  return Array.from({ length: data.length / size }, (_, i) =>
    size === 4 ? BigInt(view.getInt32(i * 4, true)) : view.getBigInt64(i * 8, true),
  );
}

function combine(form: Form, values: readonly bigint[], bits: number): bigint {
  const most = (1n << BigInt(bits - 1)) - 1n;
  switch (form) {
    case "product":
      return values.reduce((product, value) => product * value, 1n);
    case "max":
      return values.reduce((best, value) => (value > best ? value : best), -most - 1n);
    case "min":
      return values.reduce((best, value) => (value < best ? value : best), most);
    case "mean":
      return values.length === 0 ? 0n : values.reduce((sum, value) => sum + value, 0n) / BigInt(values.length);
    default:
      return values.reduce((sum, value) => sum + value, 0n);
  }
}
