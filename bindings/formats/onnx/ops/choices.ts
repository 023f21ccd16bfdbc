/** Comparisons, logic and choices. */
import type { Attributes, OpKind } from "../../../graph.ts";
import type { DType } from "../../../tensor.ts";
import type { Conversion, Conversions, OnnxNode } from "../convert.ts";
import { elementwise } from "../elementwise.ts";
import { compared } from "./wholes.ts";

/** A function of two values that broadcast; comparisons give bool. */
function binary<K extends OpKind>(kind: K, attributes: Attributes[K], dtype?: DType): Conversion {
  return (n) => elementwise(n, kind, attributes, [n.input(0), n.input(1)], { dtype: dtype ?? n.input(0).dtype });
}

/** Where(condition, a, b). */
function where(n: OnnxNode): void {
  const values = [n.input(0), n.input(1), n.input(2)];
  elementwise(n, "selectV2", {}, values, { dtype: n.input(1).dtype });
}

export const CHOICES: Conversions = {
  Equal: compared("equal"),
  Less: compared("less"),
  LessOrEqual: compared("lessEqual"),
  Greater: compared("greater"),
  GreaterOrEqual: compared("greaterEqual"),
  And: binary("logicalAnd", {}),
  Or: binary("logicalOr", {}),
  Xor: binary("notEqual", {}, "bool"),
  Not: (n) => elementwise(n, "logicalNot", {}, [n.input(0)], { dtype: n.input(0).dtype }),
  Where: where,
};
