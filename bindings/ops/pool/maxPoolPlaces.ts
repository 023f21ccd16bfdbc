import type { Activation, Padding } from "../../graph.ts";
import { BOUNDS } from "../../primitives/requantize/quantization.ts";
import { inputOf, requireDType, requireImage, requireTensors } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { requireWindows, windowParams } from "./windows.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly maxPoolPlaces: {
      readonly filter: readonly [number, number];
      readonly stride: readonly [number, number];
      readonly padding: Padding;
      readonly activation: Activation;
    };
  }
}

/**
 * The largest of each window, and where in the window it stands, as float32 and a tenth. C1: one input, two outputs. C2: float32.
 * C4–C7: see `poolOperator`. Source: MediaPipe's MaxPoolingWithArgmax2D.
 */
export const maxPoolPlaces: Operator<"maxPoolPlaces"> = {
  infer(node) {
    requireTensors(node, 1, 2);
    const x = inputOf(node, 0);
    for (const tensor of [x, ...node.outputs]) requireDType(node, "C2", tensor, "float32");
    requireImage(node, "C4", x);
    const { h, w } = requireWindows(node);
    const type = { dtype: "float32", shape: [x.shape[0] as number, h.out, w.out, x.shape[3] as number] } as const;
    return [type, type];
  },
  lower(node, to) {
    const [least, most] = BOUNDS[node.attributes.activation];
    to.call({
      kernel: "maxPoolPlaces",
      params: {
        ...windowParams(node, to),
        scratch: 0,
        scratchStride: 0,
        lo: 0,
        hi: 0,
        least,
        most,
        places: to.output(1),
      },
      note: `${inputOf(node, 0).shape.join("x")}, with places`,
    });
  },
};
