/** What float kernels compute, of whole numbers: products of matrices, roots and logarithms that are cut towards 0, comparisons. */
import type { TensorId } from "../../../graph.ts";
import type { DType } from "../../../tensor.ts";
import type { OnnxNode } from "../convert.ts";
import { type Adder, adderOf, chain, elementwise } from "../elementwise.ts";
import { NONE } from "../types.ts";
import { entries, longs, reshapedTo } from "./move.ts";

/** Whole numbers that are not quantized ones. */
export const isWhole = (dtype: DType): boolean => /^u?int(16|32|64)$/.test(dtype);

/** Types that kernels of two operands have not, and the wider ones that hold their values. */
const WIDER: { readonly [D in DType]?: DType } = { uint16: "int32", uint32: "int64" };

/** A comparison of two operands, of types without a sign in wider ones. */
export function compared(kind: "equal" | "less" | "lessEqual" | "greater" | "greaterEqual") {
  return (n: OnnxNode): void => {
    const wider = WIDER[n.input(0).dtype];
    // of 64 bits with the highest one turned round
    const turned = (id: TensorId, add: Adder) =>
      add("bitwiseXor", [add("bitcast", [id], {}, "int64"), longs(n, [-(2n ** 63n)], [])], {}, "int64");
    chain(n, [n.input(0), n.input(1)], (ids, add) => {
      const isLong = n.input(0).dtype === "uint64";
      const wide = ids.map((id) =>
        isLong ? turned(id, add) : wider === undefined ? id : add("cast", [id], {}, wider),
      );
      return add(kind, wide, {}, "bool");
    });
  };
}

/** The product of matrices of any rank, as sums of products that wrap around. */
export function wholeProduct(n: OnnxNode): void {
  const { dtype } = n.input(0);
  const own = WIDER[dtype] ?? dtype;
  const add = adderOf(n);
  const [a, b] = [0, 1].map((i) => {
    const id = n.plain(n.input(i));
    return own === dtype ? id : add("cast", [id], {}, own);
  }) as [TensorId, TensorId];
  const [aShape, bShape] = [n.input(0).shape, n.input(1).shape];
  const right = bShape.length === 1 ? [...bShape, 1] : bShape;
  const batches = [aShape, right].map((shape) => shape.slice(0, -2).reduce((all, size) => all * size, 1));
  entries(n, Math.max(...batches) * (aShape.at(-2) ?? 1) * (right.at(-2) as number) * (right.at(-1) as number));
  const wide = reshapedTo(n, a, [...aShape, 1]);
  const deep = reshapedTo(n, b, [...right.slice(0, -2), 1, ...right.slice(-2)]);
  const products = add("mul", [wide, deep], NONE, own);
  const { shape } = n.b.tensor(products);
  const sum = add("sum", [products, n.b.integers([shape.length - 2])], { keepDims: false }, own);
  const gone = [...(aShape.length === 1 ? [shape.length - 3] : []), ...(bShape.length === 1 ? [shape.length - 2] : [])];
  const kept = n.b.tensor(sum).shape.filter((_, i) => !gone.includes(i));
  const y = gone.length === 0 ? sum : reshapedTo(n, sum, kept);
  n.setPlain(0, own === dtype ? y : add("cast", [y], {}, dtype));
}

/** The root of sums, of whole numbers the greatest whole one; of 64 bits it is exact below 2^47. */
export function rootOf(x: TensorId, add: Adder, n: OnnxNode): TensorId {
  const { dtype } = n.b.tensor(x);
  if (!isWhole(dtype)) return add("sqrt", [x], {});
  const wide = add("cast", [x], {}, "int64");
  const near = add("cast", [add("sqrt", [add("cast", [x], {}, "float32")], {}, "float32")], {}, "int64");
  const one = longs(n, [1], []);
  // float32 is off by one at most
  const square = (r: TensorId) => add("mul", [r, r], NONE, "int64");
  const over = add("cast", [add("greater", [square(near), wide], {}, "bool")], {}, "int64");
  const more = add("lessEqual", [square(add("add", [near, one], NONE, "int64")), wide], {}, "bool");
  const up = add("add", [near, add("cast", [more], {}, "int64")], NONE, "int64");
  return add("cast", [add("sub", [up, over], NONE, "int64")], {}, dtype);
}

/** The logarithm of sums; of whole numbers how many powers of e they reach, and the least number where there is none. */
export function logOf(x: TensorId, add: Adder, n: OnnxNode): TensorId {
  const { dtype, shape } = n.b.tensor(x);
  if (!isWhole(dtype)) return add("log", [x], {});
  const wide = reshapedTo(n, add("cast", [x], {}, "int64"), [...shape, 1]);
  const bits = dtype === "int64" ? 63 : 31;
  const powers = Array.from({ length: Math.floor(bits * Math.LN2) }, (_, i) => Math.ceil(Math.exp(i + 1)));
  const reached = add("cast", [add("greaterEqual", [wide, longs(n, powers)], {}, "bool")], {}, "int64");
  const count = add("sum", [reached, n.b.integers([shape.length])], { keepDims: false }, "int64");
  const least = longs(n, [-(2 ** bits)], []);
  const isOver = add("greater", [reshapedTo(n, wide, shape), longs(n, [0], [])], {}, "bool");
  return add("cast", [add("selectV2", [isOver, count, least], {}, "int64")], {}, dtype);
}

/** x where it is not below 0, else its product with the slope. */
export function wholePrelu(n: OnnxNode): void {
  const { dtype } = n.input(0);
  chain(n, [n.input(0), n.input(1)], ([x, slope], add) => {
    const id = x as TensorId;
    if (WIDER[dtype] !== undefined) return id;
    const isLess = add("less", [id, zeroOf(n, dtype)], {}, "bool");
    return add("selectV2", [isLess, add("mul", [id, slope as TensorId], NONE, dtype), id], {}, dtype);
  });
}

/** Abs, Sign, Relu: types that have no kernel are widened, and wrap when narrowed. */
export function whole(kind: "abs" | "sign" | "relu") {
  return (n: OnnxNode): void => {
    const { dtype } = n.input(0);
    const isWide = /^int(32|64)$/.test(dtype);
    if (!/int/.test(dtype) || (isWide && kind !== "relu")) return elementwise(n, kind, {}, [n.input(0)], { dtype });
    chain(n, [n.input(0)], ([x], add) => {
      const id = x as TensorId;
      if (isWide) return add("maximum", [id, zeroOf(n, dtype)], {}, dtype);
      const wide = add("cast", [id], {}, "int32");
      const y =
        kind === "relu" ? add("maximum", [wide, n.b.integers([0], [])], {}, "int32") : add(kind, [wide], {}, "int32");
      return add("cast", [y], {}, dtype);
    });
  };
}

/** 0 of a type. */
export const zeroOf = (n: OnnxNode, dtype: DType): TensorId =>
  n.add("cast", [n.b.integers([0], [])], {}, [{ dtype }])[0] as TensorId;
