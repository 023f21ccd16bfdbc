import { dequantizeConstant } from "../../primitives/table/constants.ts";
import { BITS, byteLength, elementCount, listText, sizeOf } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireDType, requireTensors } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import { requireData } from "./moving.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** ids `[n]`, table `[rows, …]`. */
    readonly embeddingLookup: Record<never, never>;
  }
}

/** A constant table of int8 or int4 whose rows come out as float32. */
function isHybrid(node: NodeView<"embeddingLookup">): boolean {
  const { dtype, data, quantization } = inputOf(node, 1);
  const small = dtype === "int8" || dtype === "int4";
  return small && data !== undefined && quantization !== undefined && outputOf(node).dtype === "float32";
}

/**
 * Rows of a table by number, any type; a table of int8 or int4 with scales may come out as float32, as which it is kept. C1: ids and a table, one output. C2: the type stays and has whole bytes; at most
 * eight dimensions. C3: int32 ids in one dimension; they are held inside the table. C4: a table with rows.
 */
export const embeddingLookup: Operator<"embeddingLookup"> = {
  infer(node) {
    requireTensors(node, 2, 1);
    const [ids, table] = [inputOf(node, 0), inputOf(node, 1)];
    const hybrid = isHybrid(node);
    if (!hybrid) requireData(node, table);
    requireDType(node, "C3", ids, "int32");
    constrain(node, "C3", ids.shape.length === 1, () => ({
      expected: "[n] ids",
      received: listText(ids.shape),
    }));
    const [rows, ...rest] = table.shape;
    constrain(node, "C4", rows !== undefined && rows > 0, () => ({
      expected: "a table with rows",
      received: listText(table.shape),
    }));
    return [{ dtype: hybrid ? "float32" : table.dtype, shape: [ids.shape[0] as number, ...rest] }];
  },
  lower(node, to) {
    const [ids, table] = [inputOf(node, 0), inputOf(node, 1)];
    if (byteLength(outputOf(node)) === 0) return;
    const hybrid = isHybrid(node);
    to.call({
      kernel: "gather",
      params: {
        x: hybrid ? to.place(dequantizeConstant(table)) : to.input(1),
        y: to.output(0),
        indices: to.input(0),
        indexBytes: 4,
        batches: 1,
        outer: 1,
        count: elementCount(ids.shape),
        limit: sizeOf(table, 0),
        bytes: (elementCount(table.shape.slice(1)) * (hybrid ? 32 : BITS[table.dtype])) / 8,
      },
    });
  },
};
