import { BITS, byteLength, listText } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireConstant, requireDType, requireTensors } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { INDEX_TYPES } from "../values.ts";
import { fill, requireData, requireRank } from "./moving.ts";
import { placesOf } from "./places.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** indices `[…, depth]`, updates, shape (constant). */
    readonly scatterNd: Record<never, never>;
  }
}

/**
 * Updates put into zeros by tuples of indices, those that meet added; indices outside are left out. C1: indices, updates
 * and a shape, one output. C2: int8, uint8, int16, int32, int64, float32 or bool; at most eight dimensions. C3: integer
 * indices; the shape is a constant. C4: updates have the shape that indices and shape leave.
 */
export const scatterNd: Operator<"scatterNd"> = {
  infer(node) {
    requireTensors(node, 3, 1);
    const [indices, updates] = [inputOf(node, 0), inputOf(node, 1)];
    requireDType(node, "C2", updates, "float32", "int32", "int8", "int64", "int16", "uint8", "bool");
    requireData(node, updates);
    requireDType(node, "C3", indices, ...INDEX_TYPES);
    const shape = requireConstant(node, "C3", inputOf(node, 2));
    requireRank(node, shape);
    const depth = indices.shape.at(-1) ?? 0;
    const wanted = [...indices.shape.slice(0, -1), ...shape.slice(depth)];
    const fits = indices.shape.length > 0 && depth <= shape.length && shape.every((n) => n >= 0);
    constrain(node, "C4", fits && `${wanted}` === `${updates.shape}`, () => ({
      expected: `updates ${listText(wanted)}`,
      received: `${listText(updates.shape)} for ${listText(shape)} at ${listText(indices.shape)}`,
    }));
    return [{ dtype: updates.dtype, shape }];
  },
  lower(node, to) {
    const [indices, updates] = [inputOf(node, 0), inputOf(node, 1)];
    const y = outputOf(node);
    for (const output of to.outputs) fill(output, to.place(new Uint8Array(16)), to.call);
    if (byteLength(y) === 0 || byteLength(updates) === 0) return;
    to.call({
      kernel: "scatterNd",
      params: {
        x: to.input(1),
        y: to.output(0),
        indices: to.input(0),
        ...placesOf(to, indices, y),
        size: BITS[y.dtype] / 8,
        mode: y.dtype === "float32" ? 2 : y.dtype === "bool" ? 0 : 1,
      },
    });
  },
};
