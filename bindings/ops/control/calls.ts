/** CALL, VAR_HANDLE, scatters and windows under an operator: what importers replace. Graphs that still have them are not linked. */
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
    /**
     * x, indices, updates: parts of updates, whose dimensions are `windows`, at tuples of indices, which stand along dimension `vector`
     * and are for the dimensions `indexed` of x; windows have no dimensions `inserted`. Replaced by scatterUpdate and transposes.
     */
    readonly scatter: Bodies & {
      readonly windows: readonly number[];
      readonly inserted: readonly number[];
      readonly indexed: readonly number[];
      readonly vector: number;
    };
  }
}

const unlinked: Operator<"call"> & Operator<"varHandle"> & Operator<"reduceWindow"> & Operator<"scatter"> = {
  infer(node) {
    constrain(node, "C1", false, () => ({
      expected: "a linked graph",
      received: "a call, a handle, a scatter or windows",
    }));
    return [];
  },
};

/** See above. C1: never valid. */
export const call: Operator<"call"> = unlinked;
/** See above. C1: never valid. */
export const varHandle: Operator<"varHandle"> = unlinked;
/** See above. C1: never valid. */
export const reduceWindow: Operator<"reduceWindow"> = unlinked;
/** See above. C1: never valid. */
export const scatter: Operator<"scatter"> = unlinked;
