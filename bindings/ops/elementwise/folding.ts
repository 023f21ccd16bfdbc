/** Functions of two constants, computed when a model is planned: integers exactly, float32 as the kernels do. */
import type { OpKind } from "../../graph.ts";
import type { COMPARISONS, PAIRS_INT } from "../../primitives/elementwise/forms.ts";
import { floatsOf } from "../../tensor.ts";
import { inputOf } from "../constraints.ts";
import type { NodeView } from "../types.ts";
import { mapPairs, readIntegers, writeFloats, writeIntegers } from "./integers.ts";

function floorDiv(a: bigint, b: bigint): bigint {
  if (b === 0n) return 0n;
  return a / b - (a % b !== 0n && a < 0n !== b < 0n ? 1n : 0n);
}

function floorMod(a: bigint, b: bigint): bigint {
  return b === 0n ? 0n : a - floorDiv(a, b) * b;
}

/** a to the power of b, wrapped; below 0 what 1 over it is, cut. */
const power = (a: bigint, b: bigint): bigint =>
  b < 2n
    ? b < 0n
      ? a * a === 1n
        ? a ** (b & 1n)
        : 0n
      : a ** b
    : power(BigInt.asIntN(64, a * a), b / 2n) * power(a, b & 1n);

/** The kernels' functions, before the result wraps; those that are not here are not folded. */
const INTEGER: { readonly [F in keyof typeof PAIRS_INT]?: (a: bigint, b: bigint) => bigint } = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => (b === 0n ? 0n : a / b),
  maximum: (a, b) => (a > b ? a : b),
  minimum: (a, b) => (a < b ? a : b),
  squaredDifference: (a, b) => (a - b) * (a - b),
  floorDiv,
  floorMod,
  pow: power,
  bitwiseXor: (a, b) => a ^ b,
  and: (a, b) => a & b,
  or: (a, b) => a | b,
};

const REAL: { readonly [F in keyof typeof PAIRS_INT]?: (a: number, b: number) => number } = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  maximum: (a, b) => (a > b ? a : b),
  minimum: (a, b) => (a < b ? a : b),
};

/** Both inputs as integers with their shapes; undefined where a type is another. */
function integersOf<K extends OpKind>(node: NodeView<K>) {
  const [a, b] = [inputOf(node, 0), inputOf(node, 1)];
  const [p, q] = [readIntegers(a), readIntegers(b)];
  return p && q && { a: { shape: a.shape, values: p }, b: { shape: b.shape, values: q } };
}

/** The result of an operator without quantization and activation; undefined where it is left to the kernels. */
export function foldPairs<K extends OpKind>(
  node: NodeView<K>,
  form: keyof typeof PAIRS_INT,
): readonly Uint8Array[] | undefined {
  const { dtype, shape } = inputOf(node, 0);
  if (dtype === "float32") {
    const real = REAL[form];
    const b = inputOf(node, 1);
    if (real === undefined) return undefined;
    const result = mapPairs(
      { shape, values: floatsOf(inputOf(node, 0)) },
      { shape: b.shape, values: floatsOf(b) },
      real,
    );
    return [writeFloats(result)];
  }
  const integers = integersOf(node);
  const integer = INTEGER[form];
  return integers && integer && [writeIntegers(dtype, mapPairs(integers.a, integers.b, integer))];
}

/** The result of a comparison. */
export function foldComparison<K extends OpKind>(
  node: NodeView<K>,
  { form, extra }: (typeof COMPARISONS)[keyof typeof COMPARISONS],
): readonly Uint8Array[] | undefined {
  const [a, b] = [inputOf(node, 0), inputOf(node, 1)];
  // a kernel has its own word for what is no number
  const [p, q] = [a, b].map((tensor) => (tensor.dtype === "float32" ? floatsOf(tensor) : readIntegers(tensor)));
  if (p === undefined || q === undefined || [...p, ...q].some(Number.isNaN)) return undefined;
  const verdict = (a: bigint | number, b: bigint | number) => {
    const bit = a === b ? 1 : a > b ? 2 : 4;
    return BigInt(((form & bit) !== 0 ? 1 : 0) ^ extra);
  };
  const verdicts = mapPairs({ shape: a.shape, values: p }, { shape: b.shape, values: q }, verdict);
  return [writeIntegers("bool", verdicts)];
}
