/** What the two poolings share. */
import type { Attributes } from "../../graph.ts";
import type { KernelCall } from "../../primitives/registry.ts";
import { activationRange } from "../../primitives/requantize/quantization.ts";
import { placeWindow } from "../../primitives/window.ts";
import {
  constrain,
  inputOf,
  outputOf,
  requireAffine,
  requireDType,
  requireImage,
  requireInputs,
} from "../constraints.ts";
import { affineOf } from "../elementwise/elementwise.ts";
import type { Lowering, NodeView, Operator } from "../types.ts";

type Pool = "averagePool2d" | "maxPool2d";

/** Sums of int8 over this many elements fit in int32 with room for rounding. */
const MAX_WINDOW = 2 ** 23;

/**
 * C1: one input, one output. C2: both int8. C3: equal zero points, and scales equal to 10^−6. C4: x is `[N,H,W,C]`
 * without empty dimensions. C5: filter and stride from 1 to 65535. C6: at least one output. C7: every window touches
 * the input. C8: at most 2^23 elements in a window.
 */
export function poolOperator<K extends Pool>(kernel: "averagePool" | "maxPool"): Operator<K> {
  return {
    infer(node) {
      requireInputs(node, 1);
      const x = inputOf(node, 0);
      const y = outputOf(node);
      requireDType(node, "C2", x, "int8");
      requireDType(node, "C2", y, "int8");
      const p = requireAffine(node, "C3", x);
      const q = requireAffine(node, "C3", y);
      const same = p.zeroPoint === q.zeroPoint && Math.abs(p.scale - q.scale) <= 1e-6;
      constrain(node, "C3", same, () => ({
        expected: `an output with scale ${p.scale} and zero point ${p.zeroPoint}, as the input has`,
        received: `scale ${q.scale}, zero point ${q.zeroPoint}`,
      }));
      requireImage(node, "C4", x);
      const { attributes } = node as { readonly attributes: Attributes[Pool] };
      const sizes = [...attributes.filter, ...attributes.stride];
      const whole = sizes.every((size) => Number.isInteger(size) && size >= 1 && size <= 65535);
      constrain(node, "C5", whole, () => ({
        expected: "filter and stride from 1 to 65535",
        received: `filter ${attributes.filter.join("x")}, stride ${attributes.stride.join("x")}`,
      }));
      const { height, width, h, w } = windows(x.shape, attributes);
      constrain(node, "C6", h.out >= 1 && w.out >= 1, () => ({
        expected: "a filter that fits the input",
        received: `${attributes.filter.join("x")} on ${height}x${width}`,
      }));
      const [kH, kW] = attributes.filter;
      const [sH, sW] = attributes.stride;
      const touches = (before: number, out: number, stride: number, kernelSize: number, size: number) =>
        before >= 0 && before < kernelSize && (out - 1) * stride - before < size;
      constrain(
        node,
        "C7",
        touches(h.before, h.out, sH, kH, height) && touches(w.before, w.out, sW, kW, width),
        () => ({
          expected: "padding smaller than the filter",
          received: `${h.before} rows and ${w.before} columns before, ${h.after} and ${w.after} after`,
        }),
      );
      const count = Math.min(kH, height) * Math.min(kW, width);
      constrain(
        node,
        "C8",
        count <= MAX_WINDOW,
        () => ({ expected: `at most ${MAX_WINDOW} elements in a window`, received: String(count) }),
        "UNSUPPORTED",
      );
      return [{ dtype: "int8", shape: [x.shape[0] as number, h.out, w.out, x.shape[3] as number] }];
    },
    lower(node, to) {
      to.call({ kernel, params: poolParams(node, to) });
    },
  };
}

function windows(shape: readonly number[], { filter, stride, padding }: Attributes[Pool]) {
  const [, height = 0, width = 0] = shape;
  return {
    height,
    width,
    h: placeWindow(height, filter[0], stride[0], 1, padding, "height"),
    w: placeWindow(width, filter[1], stride[1], 1, padding, "width"),
  };
}

function poolParams<K extends Pool>(
  node: NodeView<K>,
  to: Lowering,
): Extract<KernelCall, { kernel: "maxPool" }>["params"] {
  const { attributes } = node as { readonly attributes: Attributes[Pool] };
  const x = inputOf(node, 0);
  const [batch = 0, inH = 0, inW = 0, channels = 0] = x.shape;
  const { h, w } = windows(x.shape, attributes);
  return {
    ...{ x: to.inputs[0]?.address ?? 0, y: to.outputs[0]?.address ?? 0 },
    ...to.scratch(Math.ceil(channels / 16) * 64),
    ...{ batch, inH, inW, channels, outH: h.out, outW: w.out, kH: attributes.filter[0], kW: attributes.filter[1] },
    ...{ strideH: attributes.stride[0], strideW: attributes.stride[1], padTop: h.before, padLeft: w.before },
    ...activationRange(attributes.activation, "int8", affineOf(outputOf(node))),
  };
}
