/** What recurrent layers of one and two directions check and place alike. */
import { constrain } from "../constraints.ts";
import type { NodeView } from "../types.ts";
import type { RecurrentActivation } from "./cells.ts";

export function requireActivation(node: { readonly where: string }, activation: number): RecurrentActivation {
  constrain(
    node,
    "C7",
    activation >= 0 && activation <= 4,
    () => ({ expected: "an activation up to TANH", received: `${activation}` }),
    "UNSUPPORTED",
  );
  return activation as RecurrentActivation;
}

/** Types of the outputs of two directions. */
export function outputTypes(
  node: { readonly where: string; readonly inputs: NodeView<"rnn">["inputs"]; readonly outputs: readonly unknown[] },
  mergeOutputs: boolean,
  [forward, backward]: readonly [number, number],
) {
  const wanted = mergeOutputs ? 1 : 2;
  constrain(node, "C8", node.outputs.length === wanted, () => ({
    expected: `${wanted} outputs`,
    received: `${node.outputs.length}`,
  }));
  const before = node.inputs[0]?.shape.slice(0, -1) ?? [];
  const widths = mergeOutputs ? [forward + backward] : [forward, backward];
  return widths.map((width) => ({ dtype: "float32" as const, shape: [...before, width] }));
}

/** Where direction i writes. */
export function placeOf(i: number, mergeOutputs: boolean, [forward, backward]: readonly [number, number]) {
  const reverse = i === 1;
  if (!mergeOutputs) return { reverse, output: i, width: reverse ? backward : forward, offset: 0 };
  return { reverse, output: 0, width: forward + backward, offset: reverse ? forward : 0 };
}
