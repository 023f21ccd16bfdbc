/** What begin, end, strides and masks of a strided slice mean, dimension by dimension. */
import { listText } from "../../tensor.ts";
import { constrain, inputOf, requireConstant } from "../constraints.ts";
import type { NodeView } from "../types.ts";

/** One dimension of x (or a new one), with the entry of begin, end and strides that speaks of it. */
export interface Spec {
  readonly kind: "all" | "range" | "index" | "new";
  readonly entry?: number;
  /** Absent where it is left out, or computed at run time. */
  readonly begin?: number | undefined;
  readonly end?: number | undefined;
  readonly step: number;
}

/** `count` indices from `begin` on. */
export interface Range {
  readonly begin: number;
  readonly count: number;
  readonly step: number;
}

/** The entries, the ellipsis written out and what is missing at the end added. */
export function specsOf(node: NodeView<"stridedSlice">): readonly Spec[] {
  const { beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask, offset = false } = node.attributes;
  const rank = inputOf(node, 0).shape.length;
  const [begins, ends] = [1, 2].map((i) =>
    inputOf(node, i).data === undefined ? undefined : requireConstant(node, "C3", inputOf(node, i)),
  );
  const steps = requireConstant(node, "C3", inputOf(node, 3));
  const entries = steps.length;
  const lengths = [1, 2, 3].map((i) => inputOf(node, i).shape);
  constrain(node, "C3", entries <= 32 && lengths.every((shape) => shape.length === 1 && shape[0] === entries), () => ({
    expected: "begin, end and strides of one length",
    received: lengths.map(listText).join(", "),
  }));
  const has = (mask: number, i: number) => ((mask >> i) & 1) === 1;
  const list = [...steps.keys()];
  const taken = list.filter((i) => !has(ellipsisMask, i) && !has(newAxisMask, i)).length;
  const ellipses = list.filter((i) => has(ellipsisMask, i)).length;
  constrain(node, "C4", taken <= rank && ellipses <= 1, () => ({
    expected: `at most ${rank} entries and one ellipsis`,
    received: `${taken} entries, ${ellipses} ellipses`,
  }));
  const rest = Array.from({ length: rank - taken }, (): Spec => ({ kind: "all", step: 1 }));
  const specs = list.flatMap((i): readonly Spec[] => {
    if (has(ellipsisMask, i)) return rest;
    if (has(newAxisMask, i)) return [{ kind: "new", step: 1 }];
    const step = steps[i] as number;
    constrain(node, "C5", step !== 0, () => ({ expected: "strides other than 0", received: "0" }));
    const kind = has(shrinkAxisMask, i) ? "index" : "range";
    // a single index that is left out is the first; begins that are computed are absent
    const first = kind === "index" ? 0 : undefined;
    const begin = has(beginMask, i) ? first : begins?.[i];
    const end = has(endMask, i) ? undefined : ends?.[i];
    const masked = has(beginMask, i) && has(endMask, i);
    const known = begins !== undefined && ends !== undefined;
    constrain(
      node,
      "C3",
      known || (masked && kind === "range") || (kind === "index" && (begins !== undefined || !has(beginMask, i))),
      () => ({ expected: "constant begins and ends", received: "computed ones" }),
      "UNSUPPORTED",
    );
    if (offset && begin !== undefined && end !== undefined) return [{ kind, entry: i, begin, end: begin + end, step }];
    return [{ kind, entry: i, begin, end, step }];
  });
  return ellipses === 1 ? specs : [...specs, ...rest];
}

/** The range of each dimension of x. */
export function rangesOf(node: NodeView<"stridedSlice">, specs: readonly Spec[]): readonly Range[] {
  const { shape } = inputOf(node, 0);
  const computed = inputOf(node, 1).data === undefined;
  return specs
    .filter(({ kind }) => kind !== "new")
    .map((spec, d): Range => {
      const size = shape[d] as number;
      const { kind, step } = spec;
      if (kind === "index") {
        const begin = spec.begin ?? 0;
        const at = begin < 0 ? begin + size : begin;
        constrain(node, "C6", step > 0 && (computed ? size > 0 : at >= 0 && at < size), () => ({
          expected: `an index of dimension ${d} of ${size}, with stride 1`,
          received: `${begin}, stride ${step}`,
        }));
        return { begin: at, count: 1, step: 1 };
      }
      const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
      const inside = (value: number) => Math.min(Math.max(value < 0 ? value + size : value, low), high);
      const begin = spec.begin === undefined ? (step > 0 ? low : high) : inside(spec.begin);
      const end = spec.end === undefined ? (step > 0 ? high : low) : inside(spec.end);
      const count = Math.max(0, Math.ceil((end - begin) / step));
      return count === 0 ? { begin: 0, count: 0, step: 1 } : { begin, count, step };
    });
}
