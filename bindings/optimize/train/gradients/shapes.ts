import { ensure } from "../../../errors.ts";
import type { Node, TensorId } from "../../../graph.ts";
import { inputOf, outputOf } from "../../../ops/constraints.ts";
import type { NodeView } from "../../../ops/types.ts";
import { elementCount } from "../../../tensor.ts";
import { NO_SUMS } from "./pair.ts";
import type { Gradient, Tape } from "./types.ts";

/** The same numbers in another shape: no step, no memory. */
const same = { alias: true, forward: () => {}, backward: () => {} } as const;
export const reshape: Gradient<"reshape"> = same;
export const squeeze: Gradient<"squeeze"> = same;
export const expandDims: Gradient<"expandDims"> = same;

/** Tensors side by side: each gets its part of the gradient. */
export const concat: Gradient<"concat"> = {
  forward(node, view, tape) {
    ensure(view.attributes.activation === "none", "UNSUPPORTED", () => ({
      where: node.where,
      expected: "a concatenation without an activation to train",
      received: view.attributes.activation,
    }));
    const y = tape.value(node.outputs[0] as TensorId);
    for (const { id, offset, ...part } of partsOf(node, view)) {
      const params = { ...rowsOf(part), x: tape.value(id), y: y + offset, xStride: part.bytes, yStride: part.all };
      tape.call({ kernel: "copyRowsF32", params: { ...params, accumulate: 0 } }, work(part));
    }
  },
  backward(node, view, tape) {
    const dy = tape.gradient(node.outputs[0] as TensorId);
    for (const { id, offset, ...part } of partsOf(node, view)) {
      const target = tape.give(id);
      if (target === undefined) continue;
      const { address: y, accumulate } = target;
      const params = { ...rowsOf(part), x: dy + offset, y, xStride: part.all, yStride: part.bytes, accumulate };
      tape.call({ kernel: "copyRowsF32", params }, work(part));
    }
  },
};

interface Part {
  readonly rows: number;
  /** Of a row of this part, and of all. */
  readonly bytes: number;
  readonly all: number;
}

const rowsOf = ({ rows, bytes }: Part) => ({ ...NO_SUMS, rows, bytes });
const work = ({ rows, bytes }: Part): Parameters<Tape["call"]>[1] => ({ elements: (rows * bytes) / 4 });

function partsOf(
  node: Node,
  view: NodeView<"concat">,
): readonly (Part & { readonly id: TensorId; readonly offset: number })[] {
  const { shape } = outputOf(view);
  const axis = (view.attributes.axis + shape.length) % shape.length;
  const rows = elementCount(shape.slice(0, axis));
  const all = (elementCount(shape) / rows) * 4;
  let offset = 0;
  return node.inputs.map((id, i) => {
    const bytes = (elementCount(inputOf(view, i).shape) / rows) * 4;
    const part = { id, offset, rows, bytes, all };
    offset += bytes;
    return part;
  });
}
