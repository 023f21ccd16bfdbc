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

/** True where both operands are int8 with scales, which are then compared as reals. */
function isScaled<K extends OpKind>(node: NodeView<K>): boolean {
  return inputOf(node, 0).dtype === "int8" && isQuantized(inputOf(node, 0)) && isQuantized(inputOf(node, 1));
}

/**
 * C1: two inputs, one output. C2: both of one type, bool for equality only; the output bool. C3: int8 with scales below 2^13.
 * C4, C5: see `requireBroadcast`. Source: TFLite's comparisons: int8 is shifted left by 8 and scaled, so that nearly equal
 * reals may compare equal.
 */
export function comparison<K extends keyof typeof COMPARISONS>(kind: K): Operator<K> {
  const equality = kind === "equal" || kind === "notEqual";
  return {
    infer(node) {
      const types = inferPairs(node, equality ? [...TYPES, "bool"] : TYPES, "bool");
      for (const tensor of [inputOf(node, 0), inputOf(node, 1)]) {
        requirePlain(node, "C3", tensor);
        if (isScaled(node)) requireRatio(node, "C3", requireAffine(node, "C3", tensor).scale * 2 ** 17);
      }
      return types;
    },
    fold: (node) => (isScaled(node) ? undefined : foldComparison(node, COMPARISONS[kind])),
    lower: (node, to) => bySlices(node, to, lowerSlice),
  };

  function lowerSlice(node: NodeView<K>, to: Lowering): void {
    const { a, b, y } = placed(to);
    const dtype = a.dtype as Element;
    const fields = { ...pairFields(a, b, y, BITS[dtype] / 8), type: ELEMENT[dtype], ...COMPARISONS[kind] };
    if (!isScaled(node)) {
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
      note: `${kind}, int8`,
    });
  }
}
