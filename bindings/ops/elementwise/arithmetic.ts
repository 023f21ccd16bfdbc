/** Operators of two operands in every type: with scales by kernels of their own, all else as the numbers are. */
import type { Activation, OpKind } from "../../graph.ts";
import type { PAIRS_F32, PAIRS_INT } from "../../primitives/elementwise/forms.ts";
import type { DType } from "../../tensor.ts";
import { inputOf, outputOf, requireAffine } from "../constraints.ts";
import type { Lowering, NodeView, Operator } from "../types.ts";
import { sameSizeInputs } from "./elementwise.ts";
import { foldPairs } from "./folding.ts";
import { callActivationInt, callPairsF32, callPairsInt, inferPairs, isQuantized, placed } from "./pairs.ts";
import { bySlices } from "./slices.ts";

/** How an operator computes on tensors with scales. */
interface Scaled<K extends OpKind> {
  readonly types: readonly DType[];
  /** Checks the factors, from C6 on. */
  check?(node: NodeView<K>): void;
  /** Of int8, what `lower`'s kernels compute of two numbers. */
  each?(node: NodeView<K>): (a: number, b: number) => number;
  lower(node: NodeView<K>, to: Lowering): void;
}

/** Integer types that are computed on as they are. */
type RawType = "int8" | "uint8" | "int16" | "uint16" | "int32" | "uint32" | "int64";

/** An operator of two operands. */
interface Arithmetic<K extends OpKind> {
  readonly real?: keyof typeof PAIRS_F32;
  readonly whole?: keyof typeof PAIRS_INT;
  /** Types for `whole`. */
  readonly raw?: readonly RawType[];
  readonly scaled?: Scaled<K>;
}

/** int8 that must, and int16 that may, have a scale. */
function isScaled<K extends OpKind>(node: NodeView<K>, scaled: Scaled<K> | undefined): boolean {
  const x = inputOf(node, 0);
  return scaled?.types.includes(x.dtype) === true && (x.dtype === "int8" || isQuantized(x));
}

/** Attributes of float32 that need not be finite. */
interface Bounded {
  /** The largest magnitude of floats; absent: the largest finite one of operators that have an activation, as in TFLite. */
  readonly most?: number;
}

function activationOf(attributes: object): Activation {
  return "activation" in attributes ? (attributes.activation as Activation) : "none";
}

/**
 * C1: two inputs, one output. C2: all of one type, of those that the operator has. C3: those with scales have one each.
 * C4: shapes that broadcast. C5: at most six loops. C6: factors that fit.
 */
export function arithmetic<K extends OpKind>(of: Arithmetic<K>): Operator<K> {
  // short: operators are made when the package is loaded, their functions are read when a network has one
  const each = of.scaled?.each;
  return {
    infer: (node) => inferArithmetic(node, of),
    fold: (node) => foldArithmetic(node, of),
    ...(each && { bytes: (node, [a, b]) => bytesOf(each(node), a as Uint8Array, b as Uint8Array) }),
    inPlace: sameSizeInputs,
    lower: (node, to) => bySlices(node, to, (slice, place) => lowerArithmetic(slice, place, of)),
  };
}

function bytesOf(each: (a: number, b: number) => number, a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((q, i) => each((q << 24) >> 24, ((b[i] as number) << 24) >> 24));
}

function inferArithmetic<K extends OpKind>(node: NodeView<K>, { real, whole, raw = [], scaled }: Arithmetic<K>) {
  const dtypes: readonly DType[] = [
    ...new Set<DType>([...(scaled?.types ?? []), ...(real ? (["float32"] as const) : []), ...(whole ? raw : [])]),
  ];
  const types = inferPairs(node, dtypes);
  if (scaled && isScaled(node, scaled)) {
    for (const tensor of [inputOf(node, 0), inputOf(node, 1), outputOf(node)]) requireAffine(node, "C3", tensor);
    scaled.check?.(node);
  }
  return types;
}

function foldArithmetic<K extends OpKind>(node: NodeView<K>, { whole, scaled }: Arithmetic<K>) {
  const plain = activationOf(node.attributes) === "none" && !isScaled(node, scaled);
  return plain && whole !== undefined ? foldPairs(node, whole) : undefined;
}

function lowerArithmetic<K extends OpKind>(
  node: NodeView<K>,
  to: Lowering,
  { real, whole, scaled }: Arithmetic<K>,
): void {
  const operands = placed(to);
  const { dtype } = operands.a;
  const activation = activationOf(node.attributes);
  if (scaled && isScaled(node, scaled)) scaled.lower(node, to);
  else if (dtype === "float32") {
    const most = "activation" in node.attributes ? (node.attributes as Bounded).most : Number.POSITIVE_INFINITY;
    callPairsF32(to, real as keyof typeof PAIRS_F32, operands, activation, most);
  } else {
    callPairsInt(to, whole as keyof typeof PAIRS_INT, dtype as RawType, operands);
    callActivationInt(to, activation, dtype as RawType);
  }
}
