import { BITS, byteLength, elementCount, listText } from "../../tensor.ts";
import { constrain, inputOf, requireBytes, requireDType, requireTensors } from "../constraints.ts";
import type { Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** wanted keys `[n]`, keys `[rows]` ascending, values `[rows, …]`; values `[n, …]`, hits `[n]`. */
    readonly hashtableLookup: Record<never, never>;
  }
}

/**
 * Rows of a table by key; zeros where there is none. C1: wanted keys, keys and values; two outputs, the rows and 1 or 0
 * for each. C2: values of whole bytes, whose type stays; uint8 hits. C3: int32 keys in one dimension, one a row.
 */
export const hashtableLookup: Operator<"hashtableLookup"> = {
  infer(node) {
    requireTensors(node, 3, 2);
    const [wanted, keys, values] = [inputOf(node, 0), inputOf(node, 1), inputOf(node, 2)];
    requireBytes(node, "C2", values);
    const [y, hits] = node.outputs;
    if (y !== undefined) requireDType(node, "C2", y, values.dtype);
    if (hits !== undefined) requireDType(node, "C2", hits, "uint8");
    for (const each of [wanted, keys]) requireDType(node, "C3", each, "int32");
    const fits = wanted.shape.length === 1 && keys.shape.length === 1 && keys.shape[0] === values.shape[0];
    constrain(node, "C3", fits, () => ({
      expected: "[n] wanted keys, and a key for each row",
      received: [wanted, keys, values].map(({ shape }) => listText(shape)).join(", "),
    }));
    const count = wanted.shape[0] as number;
    return [
      { dtype: values.dtype, shape: [count, ...values.shape.slice(1)] },
      { dtype: "uint8", shape: [count] },
    ];
  },
  lower(node, to) {
    const [wanted, keys, values] = [inputOf(node, 0), inputOf(node, 1), inputOf(node, 2)];
    if (byteLength(wanted) === 0) return;
    to.call({
      kernel: "hashtableLookup",
      params: {
        x: to.input(0),
        keys: to.input(1),
        values: to.input(2),
        y: to.output(0),
        hits: to.output(1),
        count: elementCount(wanted.shape),
        keyCount: elementCount(keys.shape),
        bytes: (elementCount(values.shape.slice(1)) * BITS[values.dtype]) / 8,
      },
    });
  },
};
