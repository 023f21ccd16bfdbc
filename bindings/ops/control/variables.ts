/** READ_VARIABLE and ASSIGN_VARIABLE: state that has a name. */
import { byteLength, typeText } from "../../tensor.ts";
import { constrain, inputOf, outputOf, requireInputs } from "../constraints.ts";
import type { Lowering, Operator, Placed } from "../types.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** The variable; its value. */
    readonly readVariable: Record<never, never>;
    /** The variable, its next value; no output. */
    readonly assignVariable: Record<never, never>;
  }
}

/** The value of a variable, which a later assignment does not change. C1: one input and one output. */
export const readVariable: Operator<"readVariable"> = {
  infer(node) {
    requireInputs(node, 1);
    const { dtype, shape } = inputOf(node, 0);
    constrain(node, "C1", inputOf(node, 0).variable === true && outputOf(node).variable !== true, () => ({
      expected: "a variable",
      received: `"${inputOf(node, 0).name}"`,
    }));
    return [{ dtype, shape }];
  },
  lower: (_, to) => copy(to, to.inputs[0] as Placed, to.outputs[0] as Placed),
};

/** Sets a variable. C1: a variable and a value, no output. C2: the value has the variable's type. */
export const assignVariable: Operator<"assignVariable"> = {
  infer(node) {
    const [variable, value] = node.inputs;
    const fits = node.inputs.length === 2 && node.outputs.length === 0 && variable?.variable === true;
    constrain(node, "C1", fits && value !== undefined, () => ({
      expected: "a variable and a value",
      received: `${node.inputs.length} inputs, ${node.outputs.length} outputs`,
    }));
    constrain(node, "C2", typeText(variable) === typeText(value), () => ({
      expected: typeText(variable),
      received: typeText(value),
    }));
    return [];
  },
  lower: (_, to) => copy(to, to.inputs[1] as Placed, to.inputs[0] as Placed),
};

function copy(to: Lowering, x: Placed, y: Placed): void {
  const bytes = byteLength(x);
  if (bytes === 0) return;
  to.call({ kernel: "copy", params: { x: x.address, y: y.address, rows: 1, bytes, xStride: bytes, yStride: bytes } });
}
