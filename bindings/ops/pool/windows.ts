/** Where the windows of poolings stand, and what is checked about them. */

import type { Attributes } from "../../graph.ts";
import type { ParamBlocks } from "../../primitives/params.ts";
import { placeWindow } from "../../primitives/window.ts";
import { dimensions } from "../../tensor.ts";
import { areWhole, constrain, inputOf } from "../constraints.ts";
import type { Lowering, NodeView } from "../types.ts";

type Pool = "averagePool2d" | "maxPool2d" | "l2Pool2d" | "maxPoolPlaces";

/** Windows by height and width of an image. */
function poolWindows(shape: readonly number[], { filter, stride, padding }: Attributes[Pool]) {
  const [, height, width] = dimensions(shape, 4);
  return {
    height,
    width,
    h: placeWindow(height, filter[0], stride[0], 1, padding, "height"),
    w: placeWindow(width, filter[1], stride[1], 1, padding, "width"),
  };
}

/** C5–C7: see `poolOperator`. */
export function requireWindows(node: NodeView<Pool>): ReturnType<typeof poolWindows> {
  const { attributes } = node;
  const sizes = [...attributes.filter, ...attributes.stride];
  const whole = areWhole(sizes, 1, 65535);
  constrain(node, "C5", whole, () => ({
    expected: "filter and stride from 1 to 65535",
    received: `filter ${attributes.filter.join("x")}, stride ${attributes.stride.join("x")}`,
  }));
  const placed = poolWindows(inputOf(node, 0).shape, attributes);
  const { height, width, h, w } = placed;
  constrain(node, "C6", h.out >= 1 && w.out >= 1, () => ({
    expected: "a filter that fits the input",
    received: `${attributes.filter.join("x")} on ${height}x${width}`,
  }));
  const [kH, kW] = attributes.filter;
  const [sH, sW] = attributes.stride;
  const touches = (before: number, out: number, stride: number, kernelSize: number, size: number) =>
    before >= 0 && before < kernelSize && (out - 1) * stride - before < size;
  constrain(node, "C7", touches(h.before, h.out, sH, kH, height) && touches(w.before, w.out, sW, kW, width), () => ({
    expected: "padding smaller than the filter",
    received: `${h.before} rows and ${w.before} columns before, ${h.after} and ${w.after} after`,
  }));
  return placed;
}

/** What the blocks of all poolings hold, without scratch and clamps. */
export function windowParams(
  node: NodeView<Pool>,
  to: Lowering,
): Omit<ParamBlocks["Pool"], "scratch" | "scratchStride" | "lo" | "hi"> {
  const { attributes } = node;
  const { shape } = inputOf(node, 0);
  const [batch, inH, inW, channels] = dimensions(shape, 4);
  const { h, w } = poolWindows(shape, attributes);
  return {
    x: to.input(0),
    y: to.output(0),
    batch,
    inH,
    inW,
    channels,
    outH: h.out,
    outW: w.out,
    kH: attributes.filter[0],
    kW: attributes.filter[1],
    strideH: attributes.stride[0],
    strideW: attributes.stride[1],
    padTop: h.before,
    padLeft: w.before,
  };
}
