/** LOGISTIC and TANH of int16 by one table. */
import type { OpKind } from "../../graph.ts";
import { sigmoidFactor, sigmoidTable } from "../../primitives/table/functions.ts";
import { elementCount } from "../../tensor.ts";
import { inputOf } from "../constraints.ts";
import { affineOf } from "../elementwise/elementwise.ts";
import { ends } from "../elementwise/unary.ts";
import type { Lowering, NodeView } from "../types.ts";

/** One call of `sigmoidS16`. */
export function callSigmoid<K extends OpKind>(node: NodeView<K>, to: Lowering, form: "logistic" | "tanh"): void {
  const [x, y] = ends(to);
  const tanh = form === "tanh";
  to.call({
    kernel: "sigmoidS16",
    params: {
      x: x.address,
      y: y.address,
      count: elementCount(y.shape),
      tanh: tanh ? 1 : 0,
      table: to.place(new Uint8Array(sigmoidTable().buffer)),
      ...sigmoidFactor(affineOf(inputOf(node, 0)).scale, tanh),
    },
    note: `${form}, int16`,
  });
}
