/** What recurrent layers of one and two directions check and place alike. */
import type { Attributes } from "../../graph.ts";
import { constrain } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import {
  type CellInputs,
  type CellSizes,
  callCell,
  cellMacs,
  checkCell,
  type RecurrentActivation,
  type Run,
} from "./cells.ts";

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
function outputTypes(
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
function placeOf(i: number, mergeOutputs: boolean, [forward, backward]: readonly [number, number]) {
  const reverse = i === 1;
  if (!mergeOutputs) return { reverse, output: i, width: reverse ? backward : forward, offset: 0 };
  return { reverse, output: 0, width: forward + backward, offset: reverse ? forward : 0 };
}

/** Each turn is a step of the plan. */
const MOST_TURNS = 4096;

type Bidirectional = "bidirectionalLstm" | "bidirectionalRnn";

/**
 * Two layers over one sequence, the second from its end. C1–C6: see `checkCell`. C7: an activation that is known. C8: the outputs
 * that merging asks for. `turnsOf` says how often each direction goes over the sequence, its state kept; once where it is not given. C9:
 * turns that a plan has room for.
 */
export function bidirectional<K extends Bidirectional>(
  directions: (node: NodeView<K>) => readonly [CellInputs, CellInputs],
  runOf: (attributes: Attributes[K]) => Omit<Run, "reverse" | "output" | "width" | "offset">,
  turnsOf: (node: NodeView<K>, sizes: CellSizes) => number = () => 1,
): Operator<K> {
  const check = (node: NodeView<K>) => {
    const [forward, backward] = directions(node);
    const { timeMajor } = node.attributes as Attributes[Bidirectional];
    const partOf = (cell: CellInputs) => {
      const sizes = checkCell(node, cell, true, timeMajor);
      const turns = turnsOf(node, sizes);
      constrain(
        node,
        "C9",
        turns <= MOST_TURNS,
        () => ({ expected: `${MOST_TURNS} turns at most`, received: `${turns}` }),
        "UNSUPPORTED",
      );
      return { cell, sizes, turns };
    };
    return [partOf(forward), partOf(backward)] as const;
  };
  const widthsOf = ([a, b]: ReturnType<typeof check>) => [a.sizes.outputs, b.sizes.outputs] as const;
  return {
    infer(node) {
      const { activation, mergeOutputs } = node.attributes as Attributes[Bidirectional];
      requireActivation(node, activation);
      return outputTypes(node, mergeOutputs, widthsOf(check(node)));
    },
    macs: (node) =>
      check(node).reduce((sum, { cell, sizes, turns }) => sum + turns * cellMacs(sizes, cell.gates.length), 0),
    lower(node, to) {
      const both = check(node);
      const { mergeOutputs } = node.attributes as Attributes[Bidirectional];
      for (const [i, { cell, sizes, turns }] of both.entries())
        for (let turn = turns; turn > 0; turn--)
          callCell(to, cell, sizes, { ...runOf(node.attributes), ...placeOf(i, mergeOutputs, widthsOf(both)) });
    },
  };
}
