import type { Activation } from "../../graph.ts";
import { BITS, elementCount, type Tensor } from "../../tensor.ts";
import {
  constrain,
  inputOf,
  outputOf,
  requireAxis,
  requireBytes,
  requireDType,
  requireInputs,
  requireSameQuantization,
} from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly concat: { readonly axis: number; readonly activation: Activation };
  }
}

/** For each input the bytes of one row and where its rows begin in a row of the output. */
function rowsOf(node: NodeView<"concat">) {
  const first = inputOf(node, 0);
  const axis = requireAxis(node, "C5", node.attributes.axis, first.shape.length);
  const size = BITS[first.dtype] / 8;
  let stride = 0;
  const parts = (node.inputs as readonly Tensor[]).map(({ shape }) => {
    const offset = stride;
    const bytes = elementCount(shape.slice(axis)) * size;
    stride += bytes;
    return { offset, bytes };
  });
  return { rows: elementCount(first.shape.slice(0, axis)), stride, parts };
}

/**
 * Joins tensors along an axis, any type of whole bytes. C1: at least one input, all there, one output. C2: one type
 * of whole bytes. C3: 8-bit tensors quantized alike (TFLM rescales none of int8). C4: no fused activation. C5: an axis
 * inside the rank. C6: equal sizes along the other dimensions.
 */
export const concat: Operator<"concat"> = {
  infer(node) {
    requireInputs(node, Math.max(node.inputs.length, 1));
    const first = inputOf(node, 0);
    const y = outputOf(node);
    const { activation } = node.attributes;
    constrain(
      node,
      "C4",
      activation === "none",
      () => ({ expected: "no fused activation", received: activation }),
      "UNSUPPORTED",
    );
    requireBytes(node, "C2", first);
    const axis = requireAxis(node, "C5", node.attributes.axis, first.shape.length);
    let total = 0;
    for (const tensor of [...(node.inputs as readonly Tensor[]), y]) {
      requireDType(node, "C2", tensor, first.dtype);
      if (y.quantization !== undefined && (y.dtype === "int8" || y.dtype === "uint8"))
        requireSameQuantization(node, "C3", y, tensor);
      if (tensor === y) break;
      const fits =
        tensor.shape.length === first.shape.length &&
        tensor.shape.every((size, i) => i === axis || size === first.shape[i]);
      constrain(node, "C6", fits, () => ({
        expected: `[${first.shape.map((size, i) => (i === axis ? "…" : size)).join(",")}]`,
        received: `[${tensor.shape.join(",")}]`,
      }));
      total += tensor.shape[axis] as number;
    }
    return [{ dtype: first.dtype, shape: first.shape.map((size, i) => (i === axis ? total : size)) }];
  },
  fold(node) {
    const { rows, stride, parts } = rowsOf(node);
    const out = new Uint8Array(rows * stride);
    for (const [i, { offset, bytes }] of parts.entries())
      for (let row = 0; row < rows; row++)
        out.set(inputOf(node, i).data?.subarray(row * bytes, (row + 1) * bytes) ?? [], row * stride + offset);
    return [out];
  },
  lower(node, to) {
    const { rows, stride, parts } = rowsOf(node);
    for (const [i, { offset, bytes }] of parts.entries()) {
      if (bytes === 0) continue;
      const y = (to.outputs[0]?.address ?? 0) + offset;
      to.call({
        kernel: "copy",
        params: { x: to.inputs[i]?.address ?? 0, y, rows, bytes, xStride: bytes, yStride: stride },
      });
    }
  },
};
