/** Arithmetic on 64 bits without a sign. */
import type { TensorId } from "../../../graph.ts";
import type { OnnxNode } from "../convert.ts";
import { type Adder, chain } from "../elementwise.ts";
import { NONE } from "../types.ts";
import { longs } from "./move.ts";

type Kind = "add" | "sub" | "mul" | "div" | "maximum" | "minimum";

/** What ONNX calls them. */
const KINDS: { readonly [operator: string]: Kind | undefined } = {
  Add: "add",
  Sub: "sub",
  Mul: "mul",
  Div: "div",
  Max: "maximum",
  Min: "minimum",
  Sum: "add",
};

/** An operator of two on 64 bits without a sign, by those with one; comparisons with the highest bit turned round. */
function unsigned(kind: Kind, ids: readonly TensorId[], add: Adder, n: OnnxNode): TensorId {
  const long = (value: bigint) => longs(n, [value], []);
  const top = long(-(2n ** 63n));
  const turned = (id: TensorId) => add("bitwiseXor", [id, top], {}, "int64");
  const [a, b] = ids.map((id) => add("bitcast", [id], {}, "int64")) as [TensorId, TensorId];
  const back = (id: TensorId) => add("bitcast", [id], {}, "uint64");
  const less = (x: TensorId, y: TensorId) => add("less", [turned(x), turned(y)], {}, "bool");
  if (kind === "maximum" || kind === "minimum") return back(turned(add(kind, [turned(a), turned(b)], {}, "int64")));
  if (kind !== "div") return back(add(kind, [a, b], NONE, "int64"));
  // half of a by b, twice, and one more where what is left is enough; b of the highest bit goes in once at most
  const half = add(
    "bitwise",
    [add("rightShift", [a, long(1n)], {}, "int64"), long(2n ** 63n - 1n)],
    { form: "and" },
    "int64",
  );
  const low = add("bitwise", [b, long(2n ** 63n - 1n)], { form: "and" }, "int64");
  const divisor = add("maximum", [low, long(1n)], {}, "int64");
  const twice = add("mul", [add("div", [half, divisor], NONE, "int64"), long(2n)], NONE, "int64");
  const rest = add("sub", [a, add("mul", [twice, b], NONE, "int64")], NONE, "int64");
  const one = (x: TensorId) => add("selectV2", [less(x, b), long(0n), long(1n)], {}, "int64");
  const small = add("add", [twice, one(rest)], NONE, "int64");
  return back(add("selectV2", [add("less", [b, long(0n)], {}, "bool"), one(a), small], {}, "int64"));
}

/** Arithmetic on uint64. */
export function arithmeticUnsigned(n: OnnxNode): void {
  const kind = KINDS[n.operator] as Kind;
  const values = n.inputs.map((_, i) => n.input(i));
  chain(n, values, (ids, add) => ids.reduce((sum, id) => unsigned(kind, [sum, id], add, n)));
}
