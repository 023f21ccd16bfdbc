import { elementCount, sizeOf } from "../../tensor.ts";
import type { Lowering, Placed } from "../types.ts";

/** The rows along the last dimension that kernels of one input work on: of x, which has a dimension or more. */
export function rowsOf(to: Lowering) {
  const [x] = to.inputs as readonly [Placed];
  return { x: to.input(0), y: to.output(0), rows: elementCount(x.shape.slice(0, -1)), depth: sizeOf(x, -1) };
}
