/** CALL, VAR_HANDLE and windows under an operator: what importers replace. Graphs that still have them are not linked. */
import { constrain } from "../constraints.ts";
import type { Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** Its inputs run through a subgraph; replaced by what it calls. */
    readonly call: Bodies;
    /** The handle of the variable `key`; replaced by the variable itself. */
    readonly varHandle: { readonly key: string };
    /**
     * x and an initial value, reduced within windows: one number a dimension of each list, two of paddings (before, after), none where all are 1 (0
     * of paddings). By what: the one operator of the subgraph, or ReduceWindowFunction number `of`, whose windows, strides and dilations are
     * inputs. Replaced by slices and that operator.
     */
    readonly reduceWindow: Bodies & {
      readonly window: readonly number[];
      readonly stride: readonly number[];
      readonly baseDilation: readonly number[];
      readonly dilation: readonly number[];
      readonly padding: readonly number[];
      readonly of: number;
    };
  }
}

const unlinked: Operator<"call"> & Operator<"varHandle"> & Operator<"reduceWindow"> = {
  infer(node) {
    constrain(node, "C1", false, () => ({ expected: "a linked graph", received: "a call, a handle or windows" }));
    return [];
  },
};

/** See above. C1: never valid. */
export const call: Operator<"call"> = unlinked;
/** See above. C1: never valid. */
export const varHandle: Operator<"varHandle"> = unlinked;
/** See above. C1: never valid. */
export const reduceWindow: Operator<"reduceWindow"> = unlinked;
