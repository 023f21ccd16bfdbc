import type { Padding } from "../../graph.ts";
import { dimensions, listText } from "../../tensor.ts";
import { areWhole, constrain, inputOf, outputOf, requireDType, requireImage, requireInputs } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, and places as `maxPoolPlaces` gives them. */
    readonly maxUnpool: {
      readonly filter: readonly [number, number];
      readonly stride: readonly [number, number];
      readonly padding: Padding;
    };
  }
}

/** Sizes of an output; its bytes are checked as those of all tensors are. */
const MOST = 65535;

function sizesOf(node: NodeView<"maxUnpool">) {
  const [batch, inH, inW, channels] = dimensions(inputOf(node, 0).shape, 4);
  const [kH, kW] = node.attributes.filter;
  return { batch, inH, inW, channels, kH, kW, outH: inH * kH, outW: inW * kW };
}

/** What lies before the first window where `count` of them fill `size`. */
const before = (count: number, stride: number, filter: number, size: number) =>
  Math.max(Math.floor(((count - 1) * stride + filter - size) / 2), 0);

/**
 * Values at their places in windows, 0 elsewhere; each size is a filter's times as large. C1: x and places, one output.
 * C2: float32. C3: places for each element. C4: x is `[N,H,W,C]` without empty dimensions. C5: filter and stride from 1 to
 * 65535, and so the output. Source: MediaPipe's MaxUnpooling2D.
 */
export const maxUnpool: Operator<"maxUnpool"> = {
  infer(node) {
    requireInputs(node, 2);
    const [x, places] = [inputOf(node, 0), inputOf(node, 1)];
    for (const tensor of [x, places, outputOf(node)]) requireDType(node, "C2", tensor, "float32");
    requireImage(node, "C4", x);
    constrain(node, "C3", `${places.shape}` === `${x.shape}`, () => ({
      expected: `places for ${listText(x.shape)}`,
      received: listText(places.shape),
    }));
    const { batch, outH, outW, channels } = sizesOf(node);
    const sizes = [...node.attributes.filter, ...node.attributes.stride, outH, outW];
    constrain(node, "C5", areWhole(sizes, 1, MOST), () => ({
      expected: `sizes from 1 to ${MOST}`,
      received: sizes.join(","),
    }));
    return [{ dtype: "float32", shape: [batch, outH, outW, channels] }];
  },
  lower(node, to) {
    const sizes = sizesOf(node);
    const [strideH, strideW] = node.attributes.stride;
    to.call({
      kernel: "maxUnpool",
      params: {
        x: to.input(0),
        places: to.input(1),
        y: to.output(0),
        ...sizes,
        strideH,
        strideW,
        scratch: 0,
        scratchStride: 0,
        lo: 0,
        hi: 0,
        least: 0,
        most: 0,
        padTop: before(sizes.inH, strideH, sizes.kH, sizes.outH),
        padLeft: before(sizes.inW, strideW, sizes.kW, sizes.outW),
      },
    });
  },
};
