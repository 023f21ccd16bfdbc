/** What the two resizes share. */
import { type Alignment, type Axis, axisBytes } from "../../primitives/resize/resize.ts";
import { BITS, type Tensor } from "../../tensor.ts";
import {
  constrain,
  inputOf,
  outputOf,
  requireBytes,
  requireConstant,
  requireDType,
  requireImage,
  requireInputs,
} from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";

type Resize = "resizeBilinear" | "resizeNearestNeighbor";

/** Sizes of an output image; its bytes are checked as those of all tensors are. */
const MOST = 65535;

function sizesOf(node: NodeView<Resize>): readonly [number, number] {
  const sizes = requireConstant(node, "C3", inputOf(node, 1));
  const whole = sizes.length === 2 && sizes.every((size) => size >= 1 && size <= MOST);
  constrain(node, "C3", whole, () => ({
    expected: `a height and a width from 1 to ${MOST}`,
    received: `[${sizes.join(",")}]`,
  }));
  return sizes as readonly [number, number];
}

/** How a type is resized: its kernel, and where its pixels come from. */
export interface Way {
  readonly kernel: "resizeNearest" | "resizeBilinear" | "resizeBilinearS16" | "resizeBilinearF32" | "resizeBilinearU8";
  readonly axis: (input: number, output: number, alignment: Alignment) => Axis;
  /** True where the place between two pixels is a float32 and not 1024ths. */
  readonly real?: boolean;
}

/**
 * C1: x and a size, one output. C2: the type stays; int8, int16 or float32 for the bilinear one, whole bytes for the
 * nearest. C3: a constant height and width. C4: x is `[N,H,W,C]` without empty dimensions. C6: corners and centres of
 * pixels are not both aligned by the bilinear one. Values are taken as they are, whatever the output's scale says, as in
 * TFLite.
 */
export function resizeOperator<K extends Resize>(kind: K, wayOf: (x: Tensor) => Way): Operator<K> {
  return {
    infer(node) {
      requireInputs(node, 2);
      const x = inputOf(node, 0);
      const y = outputOf(node);
      if (kind === "resizeBilinear") requireDType(node, "C2", x, "int8", "int16", "float32");
      requireDType(node, "C2", y, x.dtype);
      requireBytes(node, "C2", x);
      const [height, width] = sizesOf(node);
      requireImage(node, "C4", x);
      const { alignCorners, halfPixelCenters } = node.attributes as Alignment;
      constrain(node, "C6", kind === "resizeNearestNeighbor" || !(alignCorners && halfPixelCenters), () => ({
        expected: "corners or centres of pixels aligned",
        received: "both",
      }));
      const [batch = 0, , , channels = 0] = x.shape;
      return [{ dtype: x.dtype, shape: [batch, height, width, channels] }];
    },
    lower(node, to) {
      const { dtype, shape } = inputOf(node, 0);
      const [batch = 0, inH = 0, inW = 0, channels = 0] = shape;
      const [outH, outW] = sizesOf(node);
      const bytes = (channels * BITS[dtype]) / 8;
      const alignment = node.attributes as Alignment;
      const { kernel, axis, real = false } = wayOf(inputOf(node, 0));
      to.call({
        kernel,
        params: {
          ...{ x: to.inputs[0]?.address ?? 0, y: to.outputs[0]?.address ?? 0, batch, outH, outW },
          rows: to.place(axisBytes(axis(inH, outH, alignment), inW * bytes, real)),
          columns: to.place(axisBytes(axis(inW, outW, alignment), bytes, real)),
          ...{ xBytes: inH * inW * bytes, bytes },
        },
      });
    },
  };
}
