import { dimensions } from "../../tensor.ts";
import { inputOf, outputOf } from "../constraints.ts";
import type { Lowering, NodeView } from "../types.ts";
import { asProduct, paddingOf } from "./transposed.ts";
import { inputZeroPoint, reals } from "./weights.ts";
import { centred, lowerWide } from "./wide.ts";

/** Output lines (or columns) that meet the same taps of the kernel, along one dimension. */
interface Phase {
  /** The first, and how many: each `stride` after the one before. */
  readonly first: number;
  readonly count: number;
  /** Taps from the last to the first: a convolution of stride 1 over the input. */
  readonly taps: readonly number[];
  /** Inputs before the first output's window. */
  readonly before: number;
}

/** Output o and tap t meet input (o + padding − t) / stride where that is whole. */
function phasesOf(outputs: number, kernel: number, stride: number, padding: number): readonly Phase[] {
  return Array.from({ length: Math.min(stride, outputs) }, (_, first) => {
    const least = (first + padding) % stride;
    const count = Math.max(0, Math.ceil((kernel - least) / stride));
    const own = Math.ceil((outputs - first) / stride);
    // a kernel below the stride: outputs that no tap meets are those of one that stands before every input
    if (count === 0) return { first, count: own, taps: [0], before: own };
    const taps = Array.from({ length: count }, (_, i) => least + stride * (count - 1 - i));
    const before = count - 1 - (first + padding - least) / stride;
    return { first, count: own, taps, before };
  });
}

/** TRANSPOSE_CONV of 8 or 16 bits: an ordinary convolution for each pair of an output line and column within the strides. */
export function lowerTransposeConvWide(node: NodeView<"transposeConv">, to: Lowering): void {
  const product = asProduct(node);
  const placed: Lowering = { ...to, inputs: [to.inputs[2], to.inputs[1], to.inputs[3]] };
  const [batch, inH, inW, inC] = dimensions(inputOf(product, 0).shape, 4);
  const [n, kH, kW] = dimensions(inputOf(product, 1).shape, 4);
  const [, outH, outW] = dimensions(outputOf(node).shape, 4);
  const [top, left] = paddingOf(node);
  const [strideH, strideW] = node.attributes.stride;
  const all = centred(product, 0, n, kH * kW * inC);
  for (const h of phasesOf(outH, kH, strideH, top))
    for (const w of phasesOf(outW, kW, strideW, left)) {
      const taps = h.taps.flatMap((ky) => w.taps.map((kx) => (ky * kW + kx) * inC));
      lowerWide(product, placed, {
        first: 0,
        firstInput: 0,
        m: batch * h.count * w.count,
        n,
        xPixel: inC,
        w: pick(all, n, kH * kW * inC, taps, inC),
        y: {
          first: (h.first * outW + w.first) * n,
          pixel: strideW * n,
          line: strideH * outW * n,
          image: outH * outW * n,
        },
        reals: reals(product),
        activation: node.attributes.activation,
        patches: {
          inH,
          inW,
          inC,
          outH: h.count,
          outW: w.count,
          kH: h.taps.length,
          kW: w.taps.length,
          strideH: 1,
          strideW: 1,
          dilationH: 1,
          dilationW: 1,
          padTop: h.before,
          padLeft: w.before,
          xZeroPoint: inputZeroPoint(product),
        },
      });
    }
}

/** Runs of `length` weights from each of `starts`, of n channels of `depth`. */
function pick(w: Int16Array, n: number, depth: number, starts: readonly number[], length: number): Int16Array {
  const picked = new Int16Array(n * starts.length * length);
  let to = 0;
  for (let c = 0; c < n; c++)
    for (const start of starts) {
      picked.set(w.subarray(c * depth + start, c * depth + start + length), to);
      to += length;
    }
  return picked;
}
