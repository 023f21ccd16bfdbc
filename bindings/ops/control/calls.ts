/** CALL and VAR_HANDLE: what importers replace. Graphs that still have them are not linked. */
import { constrain } from "../constraints.ts";
import type { Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** Its inputs run through a subgraph; replaced by what it calls. */
    readonly call: Bodies;
    /** The handle of the variable `key`; replaced by the variable itself. */
    readonly varHandle: { readonly key: string };
  }
}

const unlinked: Operator<"call"> & Operator<"varHandle"> = {
  infer(node) {
    constrain(node, "C1", false, () => ({ expected: "a linked graph", received: "a call or handle" }));
    return [];
  },
};

/** See above. C1: never valid. */
export const call: Operator<"call"> = unlinked;
/** See above. C1: never valid. */
export const varHandle: Operator<"varHandle"> = unlinked;
