/** BIDIRECTIONAL_SEQUENCE_LSTM of float32, with float32 or int8 weights. */
import type { NodeView, Operator } from "../types.ts";
import type { CellInputs, RecurrentActivation } from "./cells.ts";
import { bidirectional } from "./directions.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /** x, 17 tensors of each direction, both states of each, aux, and its four weights of each. */
    readonly bidirectionalLstm: LstmAttributes & { readonly mergeOutputs: boolean };
  }
}

function direction(x: number, aux: number, first: number, auxFirst: number, h: number): CellInputs {
  const gates = [0, 1, 2, 3].map((i) => ({
    x: first + i,
    h: first + 4 + i,
    // There is no weight from the state to the cell gate.
    peephole: i === 2 ? -1 : first + 8 + Math.min(i, 2),
    bias: first + 11 + i,
    aux: auxFirst < 0 ? -1 : auxFirst + i,
    norm: -1,
  }));
  return { x, aux, gates, projection: first + 15, projectionBias: first + 16, h, c: h + 1 };
}

function directions(node: NodeView<"bidirectionalLstm">): readonly [CellInputs, CellInputs] {
  const hasAux = node.inputs[39] !== undefined;
  const crossed = hasAux && node.inputs[41] !== undefined;
  const aux = crossed ? 39 : -1;
  return [
    direction(0, aux, 1, crossed ? 40 : -1, 35),
    direction(hasAux && !crossed ? 39 : 0, aux, 18, crossed ? 44 : -1, 37),
  ];
}

/** C1–C8: see `bidirectional`. */
export const bidirectionalLstm: Operator<"bidirectionalLstm"> = bidirectional(
  directions,
  ({ activation, cellClip, projectionClip, asymmetric }) => ({
    activation: activation as RecurrentActivation,
    cellClip,
    projectionClip,
    asymmetric,
  }),
);
