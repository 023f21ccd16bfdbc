import { type Placement, placementOf } from "../../primitives/move/movement.ts";
import { cut, whole } from "../../primitives/move/view.ts";
import { type Walk, walkBytes, walkCalls, words } from "../../primitives/move/walk.ts";
import { BITS, byteLength, elementCount, listText } from "../../tensor.ts";
import {
  constrain,
  inputOf,
  outputOf,
  requireAffine,
  requireBytes,
  requireConstant,
  requireDType,
  requireInputs,
} from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import { fill, fillBytes, OPEN_LENGTH, requireOpen, requireRank, zeroBytes } from "./moving.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, paddings `[rank,2]`, value (optional). */
    readonly pad: Record<never, never>;
  }
}

/** What stands before and after. */
type Pair = readonly [before: number, after: number];

/** The paddings of each dimension. */
function paddingsOf(node: NodeView<"pad">): readonly Pair[] {
  const rank = inputOf(node, 0).shape.length;
  const flat = requireConstant(node, "C3", inputOf(node, 1));
  constrain(node, "C4", flat.length === 2 * rank && flat.every((n) => n >= 0 && n < 2 ** 31), () => ({
    expected: `${rank} pairs of sizes from 0`,
    received: listText(flat),
  }));
  return Array.from({ length: rank }, (_, i) => [flat[2 * i] as number, flat[2 * i + 1] as number]);
}

/** True of paddings that only a run can tell. */
const isOpen = (node: NodeView<"pad">) => node.inputs[1] !== undefined && node.inputs[1].data === undefined;

/** Room for an output whose sizes are computed. */
function roomFor(node: NodeView<"pad">): readonly number[] {
  const [x, pads] = [inputOf(node, 0), inputOf(node, 1)];
  requireDType(node, "C3", pads, "int32", "int64");
  const rank = x.shape.length;
  constrain(node, "C4", rank > 0 && elementCount(x.shape) > 0 && elementCount(pads.shape) === 2 * rank, () => ({
    expected: `${rank} pairs of sizes, and an input that is not empty`,
    received: `${listText(pads.shape)} for ${listText(x.shape)}`,
  }));
  return [Math.max(OPEN_LENGTH, 4 * elementCount(x.shape)), ...new Array<number>(rank - 1).fill(1)];
}

function shapeOf(node: NodeView<"pad">): readonly number[] {
  const { shape } = inputOf(node, 0);
  return paddingsOf(node).map(([before, after], d) => before + (shape[d] as number) + after);
}

/** The bytes of the element that fills: the constant, else what stands for zero in the output; undefined if computed. */
function fillOf(node: NodeView<"pad">): Uint8Array | undefined {
  const value = node.inputs[2];
  return value === undefined ? zeroBytes(outputOf(node)) : value.data;
}

function placement(node: NodeView<"pad">): Placement {
  const x = inputOf(node, 0);
  const before = paddingsOf(node).map(([n]) => n);
  return placementOf(x.shape, before, shapeOf(node), BITS[x.dtype] / 8);
}

/** What the one kernel that fills and copies holds. */
const MOST_LOOPS = 6;

/**
 * PAD and PADV2, any type. C1: x, paddings and perhaps a value, one output. C2: the type stays and has whole bytes; at
 * most eight dimensions. C3: paddings a constant; where they are computed the length is open, at most 65,536 or four times x's. C4: one pair of sizes from 0 per dimension. C5: the value is one
 * element of the same type. C6: an 8-bit output that is quantized has one scale and zero point.
 */
export const pad: Operator<"pad"> = {
  infer(node) {
    if (isOpen(node)) requireOpen(node, node.inputs.length === 3 ? 3 : 2, 1);
    else requireInputs(node, 2, 3);
    const x = inputOf(node, 0);
    const y = outputOf(node);
    requireBytes(node, "C2", x);
    requireDType(node, "C2", y, x.dtype);
    requireRank(node, x.shape);
    const shape = isOpen(node) ? roomFor(node) : shapeOf(node);
    const value = node.inputs[2];
    if (value !== undefined) {
      requireDType(node, "C5", value, x.dtype);
      constrain(node, "C5", elementCount(value.shape) === 1, () => ({
        expected: "one value",
        received: listText(value.shape),
      }));
    }
    if (y.quantization !== undefined && (y.dtype === "int8" || y.dtype === "uint8")) requireAffine(node, "C6", y);
    return [{ dtype: x.dtype, shape, ...(isOpen(node) && { open: "length" }) }];
  },
  fold(node) {
    const y = fillBytes(new Uint8Array(byteLength(outputOf(node))), fillOf(node) as Uint8Array);
    walkBytes(walkOf(node), inputOf(node, 0).data as Uint8Array, y);
    return [y];
  },
  lower(node, to) {
    const constant = fillOf(node);
    const value = constant === undefined ? to.input(2) : to.place(constant);
    const { dtype, shape } = inputOf(node, 0);
    const [x, y] = [to.input(0), to.output(0)];
    if (isOpen(node)) {
      const pads = { pads: to.input(1), padBytes: BITS[inputOf(node, 1).dtype] / 8 };
      const room = { lengthAt: to.output(1), bound: elementCount(roomFor(node)) };
      const sizes = { rank: shape.length, sizeTable: to.place(words(shape)), size: BITS[dtype] / 8 };
      to.call({ kernel: "padOpen", params: { x, y, value, ...pads, ...sizes, ...room } });
      return;
    }
    if (shape.length > MOST_LOOPS) {
      for (const output of to.outputs) fill(output, value, to.call);
      for (const call of walkCalls(walkOf(node), x, y)) to.call(call);
      return;
    }
    const { offset, bytes, sizes, strides } = placement(node);
    const [, d0, d1, d2, d3, d4] = sizes;
    const [, y0, y1, y2, y3, y4] = strides;
    to.call({
      kernel: "pad",
      params: {
        x,
        y,
        value,
        yBytes: byteLength({ dtype, shape: shapeOf(node) }),
        size: BITS[dtype] / 8,
        offset,
        bytes,
        d0,
        d1,
        d2,
        d3,
        d4,
        y0,
        y1,
        y2,
        y3,
        y4,
      },
    });
  },
};

function walkOf(node: NodeView<"pad">): Walk {
  const x = inputOf(node, 0);
  const pads = paddingsOf(node);
  const to = x.shape.reduce((view, n, d) => cut(view, d, (pads[d] as Pair)[0], n), whole(shapeOf(node)));
  return { from: whole(x.shape), to, size: BITS[x.dtype] / 8 };
}
