import { type Placement, padBytes, placementOf } from "../../primitives/move/movement.ts";
import { BITS, byteLength, elementCount } from "../../tensor.ts";
import {
  constrain,
  inputOf,
  outputOf,
  requireAffine,
  requireBytes,
  requireConstant,
  requireDType,
  requireInputs,
  requireSameQuantization,
} from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, paddings `[rank,2]` (constant), value (optional constant). */
    readonly pad: Record<never, never>;
  }
}

/** [before, after] of each dimension. */
function paddingsOf(node: NodeView<"pad">): readonly (readonly [number, number])[] {
  const rank = inputOf(node, 0).shape.length;
  const flat = requireConstant(node, "C3", inputOf(node, 1));
  constrain(node, "C4", flat.length === 2 * rank && flat.every((n) => n >= 0 && n < 2 ** 31), () => ({
    expected: `${rank} pairs of sizes from 0`,
    received: `[${flat.join(",")}]`,
  }));
  return Array.from({ length: rank }, (_, i) => [flat[2 * i] as number, flat[2 * i + 1] as number]);
}

function shapeOf(node: NodeView<"pad">): readonly number[] {
  const pads = paddingsOf(node);
  return inputOf(node, 0).shape.map((size, i) => size + (pads[i]?.[0] ?? 0) + (pads[i]?.[1] ?? 0));
}

/** The bytes of the element that fills: the constant, else what stands for zero in the output. */
function fillOf(node: NodeView<"pad">): Uint8Array {
  const y = outputOf(node);
  const value = node.inputs[2];
  if (value?.data !== undefined) return value.data;
  const bytes = new Uint8Array(BITS[y.dtype] / 8);
  if (y.dtype === "int8" || y.dtype === "uint8") bytes[0] = y.quantization?.zeroPoint[0] ?? 0;
  return bytes;
}

function placement(node: NodeView<"pad">): Placement {
  const x = inputOf(node, 0);
  const before = paddingsOf(node).map(([n]) => n);
  return placementOf(x.shape, before, shapeOf(node), BITS[x.dtype] / 8);
}

/**
 * PAD and PADV2, any type of whole bytes. C1: x, paddings and perhaps a value, one output. C2: the type stays and has
 * whole bytes. C3: paddings a constant. C4: one pair of sizes from 0 per dimension. C5: the value is one constant of
 * the same type. C6: quantized like the output; an 8-bit output has one scale and zero point. C7: at most 6 dimensions.
 */
export const pad: Operator<"pad"> = {
  infer(node) {
    requireInputs(node, 2, 3);
    const x = inputOf(node, 0);
    const y = outputOf(node);
    requireDType(node, "C2", y, x.dtype);
    requireBytes(node, "C2", x);
    const shape = shapeOf(node);
    const value = node.inputs[2];
    if (value !== undefined) {
      requireDType(node, "C5", value, x.dtype);
      const one = value.data?.length === BITS[x.dtype] / 8 && elementCount(value.shape) === 1;
      constrain(node, "C5", one, () => ({
        expected: "one constant value",
        received: value.data === undefined ? "a computed tensor" : `[${value.shape.join(",")}]`,
      }));
      if (value.quantization !== undefined && y.quantization !== undefined)
        requireSameQuantization(node, "C6", y, value);
    }
    if (y.quantization !== undefined && (y.dtype === "int8" || y.dtype === "uint8")) requireAffine(node, "C6", y);
    constrain(
      node,
      "C7",
      shape.length <= 6,
      () => ({ expected: "at most 6 dimensions", received: `${shape.length}` }),
      "UNSUPPORTED",
    );
    return [{ dtype: x.dtype, shape }];
  },
  fold: (node) => [
    padBytes(inputOf(node, 0).data as Uint8Array, placement(node), fillOf(node), elementCount(shapeOf(node))),
  ],
  lower(node, to) {
    const { offset, bytes, sizes, strides } = placement(node);
    const [d0 = 1, d1 = 1, d2 = 1, d3 = 1, d4 = 1] = sizes;
    const [y0 = 0, y1 = 0, y2 = 0, y3 = 0, y4 = 0] = strides;
    const { dtype } = inputOf(node, 0);
    to.call({
      kernel: "pad",
      params: {
        ...{ x: to.inputs[0]?.address ?? 0, y: to.outputs[0]?.address ?? 0, value: to.place(fillOf(node)) },
        ...{ yBytes: byteLength({ dtype, shape: shapeOf(node) }), size: BITS[dtype] / 8, offset, bytes },
        ...{ d0, d1, d2, d3, d4, y0, y1, y2, y3, y4 },
      },
    });
  },
};
