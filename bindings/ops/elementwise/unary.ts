/** Functions of one tensor: of int8 one table, of int16 a kernel, of float32 one form, of other integers what they lower to. */
import type { OpKind } from "../../graph.ts";
import { UNARY_F32, UNARY_SCRATCH } from "../../primitives/elementwise/forms.ts";
import { boundsOf } from "../../primitives/requantize/quantization.ts";
import { lineTable, type RealFunction } from "../../primitives/table/functions.ts";
import { type DType, elementCount, floatsOf } from "../../tensor.ts";
import {
  constrain,
  inputOf,
  outputOf,
  requireAffine,
  requireDType,
  requireInputs,
  requireRatio,
} from "../constraints.ts";
import type { Lowering, NodeView, Operator, Placed } from "../types.ts";
import { affineOf, looked, lowerLookup } from "./elementwise.ts";
import { readIntegers, writeFloats, writeIntegers } from "./integers.ts";
import { isQuantized } from "./pairs.ts";

/** A form of `unaryF32`. */
interface RealForm {
  readonly form: keyof typeof UNARY_F32;
  readonly lo?: number;
  readonly hi?: number;
}

/** What an operator is in each type; absent for types that it has not. */
interface Unary<K extends OpKind> {
  /** int8 with scales: 256 bytes. */
  int8?(node: NodeView<K>): Uint8Array;
  /** int16 with scales. */
  int16?(node: NodeView<K>, to: Lowering): void;
  real?(node: NodeView<K>): RealForm;
  /** Integers as they are, of `raw` types. */
  whole?(dtype: "int32" | "int64" | "int16" | "int8", to: Lowering): void;
  /** What `whole` computes of one, before it wraps. */
  readonly each?: (x: bigint) => bigint;
  readonly raw?: readonly ("int32" | "int64" | "int16" | "int8")[];
  /** Checks of tensors with scales, from C5 on. */
  check?(node: NodeView<K>): void;
}

/** Half to even. */
function nearestEven(x: number): number {
  const rounded = Math.round(x);
  return Math.abs(x % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** Forms of floats whose value is one number, however it is computed. */
const EXACT: { readonly [F in keyof typeof UNARY_F32]?: (x: number) => number } = {
  neg: (x) => -x,
  abs: Math.abs,
  square: (x) => x * x,
  sqrt: Math.sqrt,
  floor: Math.floor,
  ceil: Math.ceil,
  round: nearestEven,
};

/** int16 without a scale counts as integers where the operator has these, and so does what has no function of scales. */
function isScaled<K extends OpKind>(node: NodeView<K>, { int8, int16, raw = [] }: Unary<K>): boolean {
  const x = inputOf(node, 0);
  if (x.dtype === "int8") return int8 !== undefined;
  return x.dtype === "int16" && int16 !== undefined && (isQuantized(x) || !raw.includes("int16"));
}

/** The types that an operator has. */
const dtypesOf = <K extends OpKind>({ int8, int16, real, whole, raw = [] }: Unary<K>): readonly DType[] => [
  ...new Set<DType>([
    ...(int8 ? (["int8"] as const) : []),
    ...(int16 ? (["int16"] as const) : []),
    ...(real ? (["float32"] as const) : []),
    ...(whole ? raw : []),
  ]),
];

/** C1: one input, one output. C2: both of one type. C3: with scales, one each. C4: in a ratio that fits. */
export function unary<K extends OpKind>(functions: Unary<K>): Operator<K> {
  // short: operators are made when the package is loaded, their functions are read when a network has one
  const { int8 } = functions;
  return {
    infer: (node) => inferUnary(node, functions),
    inPlace: (node) => inPlaceUnary(node, functions),
    fold: (node) => foldUnary(node, functions),
    ...(int8 && { bytes: (node, [x]) => looked(int8(node), x as Uint8Array) }),
    lower: (node, to) => lowerUnary(node, to, functions),
  };
}

function inferUnary<K extends OpKind>(node: NodeView<K>, functions: Unary<K>) {
  requireInputs(node, 1);
  const x = inputOf(node, 0);
  const y = outputOf(node);
  const dtype = requireDType(node, "C2", x, ...dtypesOf(functions));
  requireDType(node, "C2", y, dtype);
  if (isScaled(node, functions)) {
    requireRatio(node, "C4", requireAffine(node, "C3", x).scale / requireAffine(node, "C3", y).scale);
    functions.check?.(node);
  }
  return [{ dtype, shape: x.shape }];
}

function inPlaceUnary<K extends OpKind>(node: NodeView<K>, functions: Unary<K>): readonly number[] {
  const { dtype } = inputOf(node, 0);
  return dtypesOf(functions).includes(dtype) && !functions.raw?.includes(dtype as "int32") ? [0] : [];
}

function foldUnary<K extends OpKind>(node: NodeView<K>, functions: Unary<K>) {
  const { real, each } = functions;
  const x = inputOf(node, 0);
  if (x.dtype === "float32") {
    const exact = real && EXACT[real(node).form];
    return exact && [writeFloats(floatsOf(x).map(exact))];
  }
  const values = each && !isScaled(node, functions) ? readIntegers(x) : undefined;
  return values && each && [writeIntegers(x.dtype, values.map(each))];
}

function lowerUnary<K extends OpKind>(node: NodeView<K>, to: Lowering, functions: Unary<K>): void {
  const { int8, int16, real, whole } = functions;
  const { dtype } = inputOf(node, 0);
  if (dtype === "float32" && real) callUnaryF32(to, real(node));
  else if (!isScaled(node, functions)) whole?.(dtype as "int32", to);
  else if (dtype === "int8" && int8) lowerLookup(to, int8(node), node.where.replace(/.*\(|\)/g, "").toLowerCase());
  else int16?.(node, to);
}

/** The largest clamp: all floats but those that are no number. */
const NO_CLAMP = { lo: -Infinity, hi: Infinity };

/** One call of `unaryF32`. */
export function callUnaryF32(to: Lowering, { form, lo = NO_CLAMP.lo, hi = NO_CLAMP.hi }: RealForm): void {
  const [x, y] = ends(to);
  to.call({
    kernel: "unaryF32",
    params: {
      x: x.address,
      y: y.address,
      count: elementCount(y.shape),
      form: UNARY_F32[form],
      lo,
      hi,
      ...to.scratch(to.module === "scalar" ? 0 : (UNARY_SCRATCH[form] ?? 0)),
    },
    note: `${form}, float32`,
  });
}

/** Input 0 and output 0. */
export function ends(to: Lowering): readonly [Placed, Placed] {
  return [to.inputs[0] as Placed, to.outputs[0] as Placed];
}

/** One call of `lookupS16`. */
export function callLineTable<K extends OpKind>(node: NodeView<K>, to: Lowering, value: RealFunction): void {
  const [x, y] = ends(to);
  const table = lineTable(affineOf(inputOf(node, 0)), affineOf(outputOf(node)), value);
  to.call({
    kernel: "lookupS16",
    params: {
      x: x.address,
      y: y.address,
      count: elementCount(y.shape),
      table: to.place(new Uint8Array(table.buffer)),
    },
  });
}

/** C5 of int16: both zero points 0. */
export function requireSymmetric<K extends OpKind>(node: NodeView<K>): void {
  for (const tensor of [inputOf(node, 0), outputOf(node)])
    if (tensor.dtype === "int16")
      constrain(node, "C5", affineOf(tensor).zeroPoint === 0, () => ({
        expected: `"${tensor.name}" with zero point 0, as int16 has`,
        received: String(affineOf(tensor).zeroPoint),
      }));
}

/** True where the output has this scale and zero point. */
export function hasOutput<K extends OpKind>(node: NodeView<K>, scale: number, zeroPoint: number): boolean {
  const y = affineOf(outputOf(node));
  return y.scale === scale && y.zeroPoint === zeroPoint;
}

/** The clamp of an activation on floats, without bounds where it has none. */
export function clampOf(activation: Parameters<typeof boundsOf>[0]): RealForm {
  const { lo, hi } = boundsOf(activation);
  return { form: "clamp", lo, hi: activation === "relu" ? Infinity : hi };
}
