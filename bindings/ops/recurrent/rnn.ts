import type { NodeView, Operator } from "../types.ts";
import { type CellInputs, callCell, cellMacs, checkCell, type RecurrentActivation } from "./cells.ts";
import { bidirectional, requireActivation } from "./directions.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, weights, recurrent weights, bias, state. One time only where `sequence` is false. */
    readonly rnn: RnnAttributes & { readonly sequence: boolean };
    /** x, then the same of both directions, perhaps aux, its weights of both. */
    readonly bidirectionalRnn: RnnAttributes & { readonly mergeOutputs: boolean };
  }

  interface RnnAttributes {
    /** TensorFlow Lite's number. */
    readonly activation: number;
    readonly timeMajor: boolean;
    readonly asymmetric: boolean;
  }
}

const NONE = { peephole: -1, norm: -1 };

function direction(x: number, aux: number, first: number, auxWeights: number): CellInputs {
  const gate = { x: first, h: first + 1, bias: first + 2, aux: auxWeights, ...NONE };
  return { x, aux, gates: [gate], projection: -1, projectionBias: -1, h: first + 3, c: -1 };
}

const FORWARD = direction(0, -1, 1, -1);

const runOf = ({ activation, asymmetric }: { readonly activation: number; readonly asymmetric: boolean }) => ({
  activation: activation as RecurrentActivation,
  asymmetric,
  cellClip: 0,
  projectionClip: 0,
});

/** C1–C6: see `checkCell`. C7: an activation that is known. Source: TFLite's kernel_utils::RnnBatchStep. */
export const rnn: Operator<"rnn"> = {
  infer(node) {
    requireActivation(node, node.attributes.activation);
    const { sequence, timeMajor } = node.attributes;
    const { outputs } = checkCell(node, FORWARD, sequence, timeMajor);
    return [{ dtype: "float32", shape: [...(node.inputs[0]?.shape ?? []).slice(0, -1), outputs] }];
  },
  macs: (node) => cellMacs(checkCell(node, FORWARD, node.attributes.sequence, node.attributes.timeMajor), 1),
  lower(node, to) {
    const sizes = checkCell(node, FORWARD, node.attributes.sequence, node.attributes.timeMajor);
    callCell(to, FORWARD, sizes, {
      ...runOf(node.attributes),
      reverse: false,
      output: 0,
      width: sizes.outputs,
      offset: 0,
    });
  },
};

/** Both directions: with aux weights both read aux, too; without, the second reads aux in place of the input. */
function directions(node: NodeView<"bidirectionalRnn">): readonly [CellInputs, CellInputs] {
  const has = (i: number) => node.inputs[i] !== undefined;
  const crossed = has(9) && has(10);
  return [
    direction(0, crossed ? 9 : -1, 1, crossed ? 10 : -1),
    direction(has(9) && !crossed ? 9 : 0, crossed ? 9 : -1, 5, crossed ? 11 : -1),
  ];
}

/**
 * C1–C9: see `bidirectional`. Of int8 weights and sequences by time TFLite goes over the whole sequence once for each of its steps, and
 * what the last turn gives is the output.
 */
export const bidirectionalRnn: Operator<"bidirectionalRnn"> = bidirectional(directions, runOf, (node, { time }) =>
  node.attributes.timeMajor && node.inputs[1]?.dtype === "int8" ? time : 1,
);
