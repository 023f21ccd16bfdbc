import { whole } from "../../primitives/move/view.ts";
import { walkCalls } from "../../primitives/move/walk.ts";
import { BITS, byteLength, type DType, listText } from "../../tensor.ts";
import { constrain, inputOf, requireDType, requireTensors } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { requireData } from "./moving.ts";
import { placesOf } from "./places.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** data, indices `[…, depth]`, updates. `set`: the last update of a place stays; of the others all count. */
    readonly scatterUpdate: { readonly mode: "set" | "add" | "mul" | "min" | "max" };
  }
}

/** The kernel's number of a mode on a type. */
function modeOf(mode: "set" | "add" | "mul" | "min" | "max", dtype: DType): number {
  const isFloat = dtype === "float32";
  if (mode === "set") return 0;
  if (mode === "add") return isFloat ? 2 : 1;
  const base = isFloat ? 4 : dtype === "uint8" || dtype === "bool" ? 12 : 8;
  return base + ["mul", "min", "max"].indexOf(mode);
}

/**
 * data with updates put into it, or added, multiplied or compared with what is there, by tuples of indices; indices outside are left out. C1: data, indices and
 * updates, one output. C2: int8, uint8, int16, int32, int64, float32 or bool, all of one type; at most eight dimensions.
 * C3: int32 or int64 indices of at least one dimension. C4: updates have the shape that indices and data leave.
 * Source: ONNX's ScatterND.
 */
export const scatterUpdate: Operator<"scatterUpdate"> = {
  infer(node) {
    requireTensors(node, 3, 1);
    const [x, indices, updates] = [inputOf(node, 0), inputOf(node, 1), inputOf(node, 2)];
    const dtype = requireDType(node, "C2", x, "float32", "int32", "int8", "int64", "int16", "uint8", "bool");
    requireDType(node, "C2", updates, dtype);
    requireData(node, x);
    requireDType(node, "C3", indices, "int32", "int64");
    const depth = indices.shape.at(-1) ?? 0;
    const wanted = [...indices.shape.slice(0, -1), ...x.shape.slice(depth)];
    const fits = indices.shape.length > 0 && depth <= x.shape.length && `${wanted}` === `${updates.shape}`;
    constrain(node, "C4", fits, () => ({
      expected: `updates ${listText(wanted)}`,
      received: `${listText(updates.shape)} at ${listText(indices.shape)}`,
    }));
    return [{ dtype, shape: x.shape }];
  },
  inPlace: () => [0],
  lower(node, to) {
    const [x, indices, updates] = [inputOf(node, 0), inputOf(node, 1), inputOf(node, 2)];
    const [from, y] = [to.input(0), to.output(0)];
    const size = BITS[x.dtype] / 8;
    if (byteLength(x) === 0) return;
    const all = { from: whole(x.shape), to: whole(x.shape), size };
    if (from !== y) for (const call of walkCalls(all, from, y)) to.call(call);
    if (byteLength(updates) === 0) return;
    to.call({
      kernel: "scatterNd",
      params: {
        x: to.input(2),
        y,
        indices: to.input(1),
        ...placesOf(to, indices, x),
        size,
        mode: modeOf(node.attributes.mode, x.dtype),
      },
    });
  },
};
