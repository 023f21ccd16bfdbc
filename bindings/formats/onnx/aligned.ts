/** Operands of before opset 7. */
import type { TensorId } from "../../graph.ts";
import type { Builder } from "./builder.ts";
import { asValue } from "./convert.ts";
import { type Inputs, plain } from "./layout.ts";
import type { NodeProto } from "./messages.ts";

/** A second operand stood from a stated axis on. */
export function aligned(node: NodeProto, where: string, builder: Builder, inputs: Inputs): Inputs {
  const axis = node.attributes.get("axis")?.int;
  const [a, b] = inputs;
  if (axis === undefined || !a || !b) return inputs;
  const behind = a.shape.length - (axis < 0 ? axis + a.shape.length : axis) - b.shape.length;
  const shape = [...b.shape, ...new Array<number>(Math.max(0, behind)).fill(1)];
  const id = plain(builder, where, b.shape, b.twins);
  const type = [{ dtype: builder.tensor(id).dtype }] as const;
  const [moved] = builder.add("reshape", where, [id, builder.integers(shape)], {}, type);
  return [a, asValue(builder, "", moved as TensorId), ...inputs.slice(2)];
}
