import { whole } from "../../primitives/move/view.ts";
import { walkCalls } from "../../primitives/move/walk.ts";
import { BITS, elementCount, listText } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireDType } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { requireData, requireOpen } from "./moving.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, and an int32: how many of its elements count; whole rows unless `open` says otherwise. */
    readonly prefix: { readonly open?: "length" };
  }
}

/** The first elements of x, whose number is computed. C1: x and the number, one output. C2: any type; one int32. */
export const prefix: Operator<"prefix"> = {
  infer(node) {
    requireOpen(node, 2, 1);
    const [x, count] = [inputOf(node, 0), inputOf(node, 1)];
    requireDType(node, "C2", count, "int32");
    constrain(node, "C2", elementCount(count.shape) === 1, () => ({
      expected: "one number",
      received: listText(count.shape),
    }));
    const dtype = requireDType(node, "C2", outputOf(node), x.dtype);
    requireData({ ...node, outputs: [outputOf(node)] }, x);
    return [{ dtype, shape: x.shape, open: node.attributes.open ?? "rows" }];
  },
  lower(node, to) {
    const x = inputOf(node, 0);
    const all = { from: whole(x.shape), to: whole(x.shape), size: BITS[x.dtype] / 8 };
    for (const call of walkCalls(all, to.input(0), to.output(0))) to.call(call);
    const one = { from: whole([]), to: whole([]), size: 4 };
    for (const call of walkCalls(one, to.input(1), to.output(1))) to.call(call);
  },
};
