/** Comparisons of two operands: bool out of any type. */
import type { OpKind } from "../../graph.ts";
import { ELEMENT, type Element } from "../../primitives/elementwise/element.ts";
import { COMPARISONS } from "../../primitives/elementwise/forms.ts";
import { quantizeMultiplier } from "../../primitives/requantize/quantization.ts";
import { BITS } from "../../tensor.ts";
import { inputOf, requireAffine, requirePlain, requireRatio } from "../constraints.ts";
import type { Lowering, NodeView, Operator } from "../types.ts";
import { affineOf } from "./elementwise.ts";
import { foldComparison } from "./folding.ts";
import { inferPairs, isQuantized, pairFields, placed } from "./pairs.ts";
import { bySlices } from "./slices.ts";

const TYPES = ["int8", "uint8", "int16", "int32", "int64", "float32"] as const;

/** True where both operands have scales and are then compared as reals: int8, and int16 for equality, as the reference has it. */
function isScaled<K extends OpKind>(node: NodeView<K>, equality: boolean): boolean {
  const [a, b] = [inputOf(node, 0), inputOf(node, 1)];
  return (a.dtype === "int8" || (equality && a.dtype === "int16")) && isQuantized(a) && isQuantized(b);
}

/**
 * C1: two inputs, one output. C2: both of one type, bool for equality only; the output bool. C3: scales below 2^13.
 * C4, C5: see `requireBroadcast`. Source: TFLite's comparisons: operands with scales are shifted left by 8 and scaled, so that nearly equal
 * reals may compare equal.
 */
export function comparison<K extends keyof typeof COMPARISONS>(kind: K): Operator<K> {
  const equality = kind === "equal" || kind === "notEqual";
  return {
    infer(node) {
      const types = inferPairs(node, equality ? [...TYPES, "bool"] : TYPES, "bool");
      for (const tensor of [inputOf(node, 0), inputOf(node, 1)]) {
        requirePlain(node, "C3", tensor);
        if (isScaled(node, equality)) requireRatio(node, "C3", requireAffine(node, "C3", tensor).scale * 2 ** 17);
      }
      return types;
    },
    fold: (node) => (isScaled(node, equality) ? undefined : foldComparison(node, COMPARISONS[kind])),
    lower: (node, to) => bySlices(node, to, lowerSlice),
  };

  function lowerSlice(node: NodeView<K>, to: Lowering): void {
    const { a, b, y } = placed(to);
    const dtype = a.dtype as Element;
    const fields = { ...pairFields(a, b, y, BITS[dtype] / 8), type: ELEMENT[dtype], ...COMPARISONS[kind] };
    if (!isScaled(node, equality)) {
      to.call({ kernel: "compare", params: fields, note: `${kind}, ${dtype}` });
      return;
    }
    const [p, q] = [affineOf(a), affineOf(b)];
    const [u, v] = [quantizeMultiplier(p.scale), quantizeMultiplier(q.scale)];
    to.call({
      kernel: "compareQs8",
      params: {
        ...fields,
        aZeroPoint: p.zeroPoint,
        bZeroPoint: q.zeroPoint,
        aMultiplier: u.multiplier,
        aShift: u.shift,
        bMultiplier: v.multiplier,
        bShift: v.shift,
      },
      note: `${kind}, ${dtype}`,
    });
  }
}
