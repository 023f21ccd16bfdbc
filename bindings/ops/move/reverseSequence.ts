import { BITS, byteLength, elementCount, listText } from "../../tensor.ts";
import { constrain, inputOf, requireAxis, requireDType, requireTensors } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import { requireData } from "./moving.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, lengths (one a batch). */
    readonly reverseSequence: { readonly sequenceAxis: number; readonly batchAxis: number };
  }
}

function axesOf(node: NodeView<"reverseSequence">): { readonly time: number; readonly batch: number } {
  const { length } = inputOf(node, 0).shape;
  const { sequenceAxis, batchAxis } = node.attributes;
  return { time: requireAxis(node, "C3", sequenceAxis, length), batch: requireAxis(node, "C3", batchAxis, length) };
}

/**
 * Turns the first lengths[b] elements of batch b round along an axis, any type. C1: x and lengths, one output. C2: the
 * type stays and has whole bytes; at most eight dimensions. C3: two different axes inside the rank. C4: int32 or int64
 * lengths, one a batch; they are held inside the axis.
 */
export const reverseSequence: Operator<"reverseSequence"> = {
  infer(node) {
    requireTensors(node, 2, 1);
    const [x, lengths] = [inputOf(node, 0), inputOf(node, 1)];
    requireData(node, x);
    const { time, batch } = axesOf(node);
    constrain(node, "C3", time !== batch, () => ({ expected: "two axes", received: `${time} twice` }));
    requireDType(node, "C4", lengths, "int32", "int64");
    constrain(node, "C4", lengths.shape.length === 1 && lengths.shape[0] === x.shape[batch], () => ({
      expected: `${x.shape[batch]} lengths`,
      received: listText(lengths.shape),
    }));
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  lower(node, to) {
    const x = inputOf(node, 0);
    const { shape } = x;
    const { time, batch } = axesOf(node);
    const inner = Math.max(time, batch) + 1;
    if (byteLength(x) === 0) return;
    to.call({
      kernel: "reverseSequence",
      params: {
        x: to.input(0),
        y: to.output(0),
        lengths: to.input(1),
        lengthBytes: BITS[inputOf(node, 1).dtype] / 8,
        rows: elementCount(shape.slice(0, inner)),
        bytes: (elementCount(shape.slice(inner)) * BITS[x.dtype]) / 8,
        batches: shape[batch] as number,
        batchStep: elementCount(shape.slice(batch + 1, inner)),
        time: shape[time] as number,
        timeStep: elementCount(shape.slice(time + 1, inner)),
      },
    });
  },
};
