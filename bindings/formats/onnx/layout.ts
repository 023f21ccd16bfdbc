/**
 * ONNX keeps channels in dimension 1, the kernels want them last. A value of three dimensions and more may exist in either
 * order, or in both; it is transposed when someone asks for the other, once. Convolutions and pools take and give channels
 * last, elementwise operators take what there is: so transposes stay at the ends of a convolutional network.
 */
import type { TensorId } from "../../graph.ts";
import type { DType } from "../../tensor.ts";
import type { Builder } from "./builder.ts";

/** A tensor in ONNX's order of dimensions, with its channels last, or both. */
export interface Twins {
  plain?: TensorId;
  last?: TensorId;
}

/** Twins that are made when somebody asks for one of them. */
export function twinsLater(make: () => Twins): Twins {
  let made: Twins | undefined;
  const twins = (): Twins => {
    made ??= make();
    return made;
  };
  return {
    get plain() {
      return twins().plain as TensorId;
    },
    set plain(id) {
      twins().plain = id;
    },
    get last() {
      return twins().last as TensorId;
    },
    set last(id) {
      twins().last = id;
    },
  };
}

/** One value of the ONNX graph. `shape` is in ONNX's order. */
export interface Value {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly twins: Twins;
  /**
   * A float16's or float64's numbers in float32, not rounded yet; `isCast`: the model's own cast, or a DequantizeLinear, rounds them for all but operators of float32;
   * "same": casts to the type that they have do not.
   */
  readonly wide?: Twins | undefined;
  readonly isCast?: boolean | "same" | undefined;
  /** Its part in a dynamically quantized product, or in what finds places. */
  readonly link?: Link;
  /** How much of it counts, where that depends on data. */
  readonly open?: Open;
  /** The values of a sequence, which is no tensor: it has no twins. */
  readonly items?: readonly Value[];
  /** ONNX's number of its type, where `dtype` stands for one of few bits. */
  readonly code?: number;
}

/** Values of a node's inputs. */
export type Inputs = readonly (Value | undefined)[];

/** The first `count` entries count, of `inner` elements each; an int32. */
export interface Open {
  readonly count: TensorId;
  readonly inner: number;
}

/** True of values whose length depends on data, and of sizes of such. */
export const isOpen = (value: Value | undefined): boolean => value?.open !== undefined || value?.link?.is === "sizes";

/** What a value of a dynamically quantized product is; `ops/dynamic.ts` joins them. */
export type Link =
  | { readonly is: "integers" | "scale" | "zeroPoint"; readonly x: Value }
  /** The source's scale times the weights' scales. */
  | { readonly is: "scales"; readonly x: Value; readonly scale: readonly number[] }
  /** The sums of the source's integers with weights; `multiply` makes what they come to. */
  | {
      readonly is: "sums";
      readonly x: Value;
      readonly w: Weights;
      readonly multiply: (where: string, weights: TensorId, bias?: TensorId) => Pick<Value, "shape" | "twins">;
    }
  /** Places `[n, rank]`, of which this is the transpose. */
  | { readonly is: "rows"; readonly rows: TensorId; readonly open: Open }
  /** Sizes of what is open: the greatest that they can be, and which of them is computed; or the least, one of which is a rest: as much more as the count is less. */
  | {
      readonly is: "sizes";
      readonly sizes: readonly number[];
      readonly at: number;
      readonly open: Open;
      readonly isRest?: true;
    }
  /** A product without a bias. */
  | {
      readonly is: "product";
      readonly w: Weights;
      readonly withBias: (where: string, bias: TensorId) => Pick<Value, "shape" | "twins">;
    };

/** int8 weights, `[N,K]` or of a convolution `[N,C,kH,kW]`, with a zero point or one for each of N. */
export interface Weights {
  readonly data: Int8Array;
  readonly shape: readonly number[];
  readonly zeroPoint: readonly number[];
}

/** Dimensions `[N,C,…]` in the order `[N,…,C]`, and back. */
export const toLast = (rank: number): readonly number[] => [0, ...range(2, rank), 1];
export const toPlain = (rank: number): readonly number[] => [0, rank - 1, ...range(1, rank - 1)];
const range = (from: number, to: number) => Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);

/** A shape in the other order. */
export const reorder = <T>(list: readonly T[], order: readonly number[]): readonly T[] =>
  order.map((i) => list[i] as T);

/** Where dimension `axis` of ONNX's order stands when channels are last. */
export function lastAxis(axis: number, rank: number): number {
  if (axis === 0) return 0;
  return axis === 1 ? rank - 1 : axis - 1;
}

/** The tensor with its channels last; values of fewer than three dimensions have one order. */
export function channelsLast(b: Builder, where: string, shape: readonly number[], twins: Twins): TensorId {
  if (shape.length < 3) return plain(b, where, shape, twins);
  twins.last ??= permuted(b, where, twins.plain as TensorId, shape, toLast(shape.length));
  return twins.last;
}

/** The tensor in ONNX's order. */
export function plain(b: Builder, where: string, shape: readonly number[], twins: Twins): TensorId {
  const { length } = shape;
  twins.plain ??= permuted(b, where, twins.last as TensorId, reorder(shape, toLast(length)), toPlain(length));
  return twins.plain;
}

/** Constants that stand in another order too, by their ids and that order: weights that nodes share are turned once. */
const turned = new WeakMap<Builder, Map<string, TensorId>>();

/** A transpose, or a reshape where all that moves are dimensions of size 1. */
export function permuted(
  b: Builder,
  where: string,
  x: TensorId,
  shape: readonly number[],
  order: readonly number[],
): TensorId {
  if (!b.isConstant(x)) return moved(b, where, x, shape, order);
  const known = turned.get(b) ?? new Map<string, TensorId>();
  const key = `${x} ${order}`;
  const y = known.get(key) ?? moved(b, where, x, shape, order);
  turned.set(b, known.set(key, y));
  return y;
}

function moved(b: Builder, where: string, x: TensorId, shape: readonly number[], order: readonly number[]): TensorId {
  const { dtype, quantization } = b.tensor(x);
  const type = { dtype, ...(quantization === undefined ? {} : { quantization }) };
  const long = order.filter((axis) => shape[axis] !== 1);
  const inOrder = long.every((axis, i) => i === 0 || axis > (long[i - 1] as number));
  const target = reorder(shape, order);
  const [y] = inOrder
    ? b.add("reshape", where, [x, b.integers(target)], {}, [type])
    : b.add("transpose", where, [x, b.integers(order)], {}, [type]);
  return y as TensorId;
}
