import { byteLength } from "../../tensor.ts";
import { inputOf, outputOf, requireTensors } from "../constraints.ts";
import type { Operator } from "../types.ts";
import { fill, requireData } from "./moving.ts";

declare module "../../graph.ts" {
  interface Attributes {
    readonly zerosLike: Record<never, never>;
  }
}

/** Bytes of 0 in the shape of x, any type. C1: x, one output. C2: the type stays and has whole bytes; at most eight dimensions. */
export const zerosLike: Operator<"zerosLike"> = {
  infer(node) {
    requireTensors(node, 1, 1);
    const { dtype, shape } = inputOf(node, 0);
    requireData(node, inputOf(node, 0));
    return [{ dtype, shape }];
  },
  fold: (node) => [new Uint8Array(byteLength(outputOf(node)))],
  lower(_, to) {
    for (const y of to.outputs) fill(y, to.place(new Uint8Array(16)), to.call);
  },
};
