import type { Activation } from "../../graph.ts";
import { joinTable } from "../../primitives/move/join.ts";
import { cut, type View, whole } from "../../primitives/move/view.ts";
import { walkBytes, walkCalls } from "../../primitives/move/walk.ts";
import { BITS, byteLength, elementCount, listText, type Tensor } from "../../tensor.ts";
import {
  constrain,
  inputOf,
  outputOf,
  requireAffine,
  requireAxis,
  requireDType,
  requireInputs,
} from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import { requireData } from "./moving.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly concat: { readonly axis: number; readonly activation: Activation };
  }
}

const axisOf = (node: NodeView<"concat">) =>
  requireAxis(node, "C5", node.attributes.axis, inputOf(node, 0).shape.length);

/** The part of the output that each input becomes. */
function partsOf(node: NodeView<"concat">): readonly View[] {
  const axis = axisOf(node);
  const all = whole(outputOf(node).shape);
  let begin = 0;
  return (node.inputs as readonly Tensor[]).map(({ shape }) => {
    const size = shape[axis] as number;
    begin += size;
    return cut(all, axis, begin - size, size);
  });
}

/** An 8-bit input's bytes in the output's quantization; undefined where they stay as they are. */
function tableOf(node: NodeView<"concat">, x: Tensor): Uint8Array | undefined {
  const y = outputOf(node);
  if ((x.dtype !== "int8" && x.dtype !== "uint8") || !x.quantization || !y.quantization) return undefined;
  const [from, to] = [requireAffine(node, "C3", x), requireAffine(node, "C3", y)];
  if (from.scale === to.scale && from.zeroPoint === to.zeroPoint) return undefined;
  return joinTable(x.dtype, from, to);
}

/** Tensors that one node joins: each takes a step. */
const MOST_INPUTS = 4096;

/**
 * Joins tensors along an axis, any type. C1: at least one input, all there, one output. C2: one type of whole bytes; at
 * most eight dimensions. C3: 8-bit tensors with a scale and zero point each; those of another than the output's are
 * rescaled in float32, as TFLite's uint8 reference does. C4: no fused activation. C5: an axis inside the rank. C6: equal
 * sizes along the other dimensions.
 * C7: at most 4096 inputs.
 */
export const concat: Operator<"concat"> = {
  infer(node) {
    requireInputs(node, Math.max(node.inputs.length, 1));
    const first = inputOf(node, 0);
    const { activation } = node.attributes;
    constrain(
      node,
      "C4",
      activation === "none",
      () => ({ expected: "no fused activation", received: activation }),
      "UNSUPPORTED",
    );
    requireData(node, first);
    constrain(
      node,
      "C7",
      node.inputs.length <= MOST_INPUTS,
      () => ({ expected: `at most ${MOST_INPUTS} inputs`, received: String(node.inputs.length) }),
      "UNSUPPORTED",
    );
    const axis = axisOf(node);
    let total = 0;
    for (const tensor of node.inputs as readonly Tensor[]) {
      requireDType(node, "C2", tensor, first.dtype);
      tableOf(node, tensor);
      const fits =
        tensor.shape.length === first.shape.length &&
        tensor.shape.every((size, i) => i === axis || size === first.shape[i]);
      constrain(node, "C6", fits, () => ({
        expected: `[${first.shape.map((size, i) => (i === axis ? "…" : size)).join(",")}]`,
        received: listText(tensor.shape),
      }));
      total += tensor.shape[axis] as number;
    }
    return [{ dtype: first.dtype, shape: first.shape.map((size, i) => (i === axis ? total : size)) }];
  },
  fold(node) {
    const y = new Uint8Array(byteLength(outputOf(node)));
    for (const [i, to] of partsOf(node).entries()) {
      const x = inputOf(node, i);
      const table = tableOf(node, x);
      const data = x.data as Uint8Array;
      const bytes = table === undefined ? data : data.map((byte) => table[byte] as number);
      walkBytes({ from: whole(x.shape), to, size: BITS[x.dtype] / 8 }, bytes, y);
    }
    return [y];
  },
  lower(node, to) {
    const y = outputOf(node);
    const axis = axisOf(node);
    const size = BITS[y.dtype] / 8;
    const yStride = elementCount(y.shape.slice(axis)) * size;
    for (const [i, part] of partsOf(node).entries()) {
      const x = inputOf(node, i);
      const table = tableOf(node, x);
      const addresses = [to.input(i), to.output(0)] as const;
      if (elementCount(x.shape) === 0) continue;
      if (table === undefined) {
        for (const call of walkCalls({ from: whole(x.shape), to: part, size }, ...addresses)) to.call(call);
        continue;
      }
      const bytes = elementCount(x.shape.slice(axis));
      const rows = elementCount(x.shape.slice(0, axis));
      to.call({
        kernel: "lookupRows",
        params: {
          x: addresses[0],
          y: addresses[1] + part.offset,
          rows,
          bytes,
          xStride: bytes,
          yStride,
          table: to.place(table),
        },
      });
    }
  },
};
