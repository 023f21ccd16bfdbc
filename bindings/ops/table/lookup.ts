import { constrain, inputOf, outputOf, requireDType, requireInputs } from "../constraints.ts";
import { looked, lowerLookup } from "../elementwise/elementwise.ts";
import type { NodeView, Operator } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** A function of one byte: entry i is the output's i-th value from the least, of the input's i-th. */
    readonly lookup: { readonly table: Uint8Array };
  }
}

/** The table by bytes: int8 is in another order there than its values. */
function bytesOf(node: NodeView<"lookup">): Uint8Array {
  const { table } = node.attributes;
  const from = inputOf(node, 0).dtype === "int8" ? 0x80 : 0;
  const to = outputOf(node).dtype === "int8" ? 0x80 : 0;
  return table.map((_, i) => (table[i ^ from] as number) ^ to);
}

/** y[i] = table[x[i]]. C1: one input, one output. C2: both int8 or uint8. C3: 256 entries. */
export const lookup: Operator<"lookup"> = {
  infer(node) {
    requireInputs(node, 1);
    const x = inputOf(node, 0);
    requireDType(node, "C2", x, "int8", "uint8");
    const dtype = requireDType(node, "C2", outputOf(node), "int8", "uint8");
    const { length } = node.attributes.table;
    constrain(node, "C3", length === 256, () => ({ expected: "256 entries", received: `${length}` }));
    return [{ dtype, shape: x.shape }];
  },
  fold: (node) => [looked(bytesOf(node), inputOf(node, 0).data as Uint8Array)],
  bytes: (node, [x]) => looked(bytesOf(node), x as Uint8Array),
  inPlace: () => [0],
  lower: (node, to) => lowerLookup(to, bytesOf(node), "of a function"),
};
