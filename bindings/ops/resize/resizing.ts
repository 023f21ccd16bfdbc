/** What the two resizes share. */
import { type Alignment, type Axis, axisBytes } from "../../primitives/resize/resize.ts";
import { BITS, dimensions, elementCount, listText, type Tensor } from "../../tensor.ts";
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
import { OPEN_LENGTH, requireOpen } from "../move/moving.ts";
import type { NodeView, Operator } from "../types.ts";

type Resize = "resizeBilinear" | "resizeNearestNeighbor";

/** Sizes of an output image; its bytes are checked as those of all tensors are. */
const MOST = 65535;

function sizesOf(node: NodeView<Resize>): readonly [number, number] {
  const sizes = requireConstant(node, "C3", inputOf(node, 1));
  const whole = sizes.length === 2 && sizes.every((size) => size >= 1 && size <= MOST);
  constrain(node, "C3", whole, () => ({
    expected: `a height and a width from 1 to ${MOST}`,
    received: listText(sizes),
  }));
  return sizes as readonly [number, number];
}

/** True of a size that only a run can tell. */
const isOpen = (node: NodeView<Resize>) => node.inputs[1] !== undefined && node.inputs[1].data === undefined;

/** Elements of an output whose size is computed. */
function roomFor(node: NodeView<Resize>): number {
  const [x, size] = [inputOf(node, 0), inputOf(node, 1)];
  requireDType(node, "C3", size, "int32");
  constrain(node, "C3", elementCount(size.shape) === 2, () => ({
    expected: "a height and a width",
    received: listText(size.shape),
  }));
  return Math.max(OPEN_LENGTH, 4 * elementCount(x.shape));
}

/** How a type is resized: its kernel, and where its pixels come from. */
interface Way {
  readonly kernel: "resizeNearest" | "resizeBilinear" | "resizeBilinearS16" | "resizeBilinearF32" | "resizeBilinearU8";
  readonly axis: (input: number, output: number, alignment: Alignment) => Axis;
  /** True where the place between two pixels is a float32 and not 1024ths. */
  readonly real?: boolean;
}

/**
 * C1: x and a size, one output. C2: the type stays; int8, int16 or float32 for the bilinear one, whole bytes for the
 * nearest. C3: a constant height and width; one that is computed leaves the nearest's length open, at most 65,536 or four times x's. C4: x is `[N,H,W,C]` without empty dimensions. C6: corners and centres of
 * pixels are not both aligned by the bilinear one. Values are taken as they are, whatever the output's scale says, as in
 * TFLite.
 */
export function resizeOperator<K extends Resize>(kind: K, wayOf: (x: Tensor) => Way): Operator<K> {
  return {
    infer(node) {
      const open = kind === "resizeNearestNeighbor" && isOpen(node);
      if (open) requireOpen(node, 2, 1);
      else requireInputs(node, 2);
      const x = inputOf(node, 0);
      const y = outputOf(node);
      if (kind === "resizeBilinear") requireDType(node, "C2", x, "int8", "int16", "float32");
      requireDType(node, "C2", y, x.dtype);
      requireBytes(node, "C2", x);
      const [height, width] = open ? [0, 0] : sizesOf(node);
      requireImage(node, "C4", x);
      const { alignCorners, halfPixelCenters } = node.attributes as Alignment;
      constrain(node, "C6", kind === "resizeNearestNeighbor" || !(alignCorners && halfPixelCenters), () => ({
        expected: "corners or centres of pixels aligned",
        received: "both",
      }));
      const [batch, , , channels] = dimensions(x.shape, 4);
      if (open) return [{ dtype: x.dtype, shape: [roomFor(node), 1, 1, 1], open: "length" }];
      return [{ dtype: x.dtype, shape: [batch, height, width, channels] }];
    },
    lower(node, to) {
      const { dtype, shape } = inputOf(node, 0);
      const [batch, inH, inW, channels] = dimensions(shape, 4);
      const bytes = (channels * BITS[dtype]) / 8;
      const alignment = node.attributes as Alignment;
      if (isOpen(node)) {
        to.call({
          kernel: "resizeNearestOpen",
          params: {
            x: to.input(0),
            y: to.output(0),
            size: to.input(1),
            batch,
            inH,
            inW,
            bytes,
            channels,
            lengthAt: to.output(1),
            bound: roomFor(node),
            alignCorners: alignment.alignCorners ? 1 : 0,
            halfPixelCenters: alignment.halfPixelCenters ? 1 : 0,
          },
        });
        return;
      }
      const [outH, outW] = sizesOf(node);
      const { kernel, axis, real = false } = wayOf(inputOf(node, 0));
      const rowBytes = inW * bytes;
      const params = {
        x: to.input(0),
        y: to.output(0),
        batch,
        outH,
        outW,
        rows: to.place(axisBytes(axis(inH, outH, alignment), rowBytes, real)),
        columns: to.place(axisBytes(axis(inW, outW, alignment), bytes, real)),
        xBytes: inH * rowBytes,
        bytes,
      };
      // Of bytes, two rows of products in float32, with what vectors reach beyond them.
      const scratch = to.module === "scalar" ? 0 : 2 * (rowBytes * 4 + 16) + 16;
      if (kernel === "resizeBilinearU8") to.call({ kernel, params: { ...params, rowBytes, ...to.scratch(scratch) } });
      else to.call({ kernel, params });
    },
  };
}
