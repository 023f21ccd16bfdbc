import type { AnyNode, TensorId } from "../../graph.ts";
import type { Builder } from "./builder.ts";
import { fuseGelu } from "./gelu.ts";
import { fuseIntegers } from "./integer/index.ts";

/** A graph's nodes, those that belong together as one, that these outputs need. */
export function fusedNodes(b: Builder, outputs: readonly TensorId[]): readonly AnyNode[] {
  return b.needed(fuseIntegers(b.tensors, fuseGelu(b.tensors, b.nodes, outputs), outputs, b.origins), outputs);
}
