/** LSTM and UNIDIRECTIONAL_SEQUENCE_LSTM. */
import { constrain } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import { type CellInputs, callCell, cellMacs, checkCell, type RecurrentActivation } from "./cells.ts";
import { requireActivation } from "./directions.ts";
import { checkInteger, inferInteger, lowerInteger } from "./lstmInteger.ts";
import { checkNorm, hasMore, inferNorm, lowerNorm } from "./lstmNorm.ts";

declare module "../../graph.ts" {
  interface Attributes {
    /**
     * x, weights of the gates (input, forget, cell, output), recurrent weights, weights of the state (input, forget, output),
     * biases, projection and its bias, states of the output and the cell, perhaps normalization. One time only where
     * `sequence` is false.
     */
    readonly lstm: LstmAttributes & {
      readonly sequence: boolean;
      /** What the file says of integer gates before their functions (input, forget, cell, output), and of the output before a projection. */
      readonly intermediates?: readonly { readonly scale: number; readonly zeroPoint: number }[];
      /** Of plain int8 gates: TFLite's, where TFLite Micro, which has its own, refuses the network. */
      readonly arithmetic?: "tflite";
    };
  }

  interface LstmAttributes {
    /** TensorFlow Lite's number. */
    readonly activation: number;
    /** 0: none. */
    readonly cellClip: number;
    readonly projectionClip: number;
    readonly timeMajor: boolean;
    readonly asymmetric: boolean;
  }
}

const CELL: CellInputs = {
  x: 0,
  aux: -1,
  gates: [0, 1, 2, 3].map((i) => ({
    x: 1 + i,
    h: 5 + i,
    peephole: i === 2 ? -1 : 9 + Math.min(i, 2),
    bias: 12 + i,
    aux: -1,
    norm: 20 + i,
  })),
  projection: 16,
  projectionBias: 17,
  h: 18,
  c: 19,
};

const isInteger = ({ inputs: [x] }: NodeView<"lstm">) => x?.dtype === "int8" || x?.dtype === "int16";

/**
 * C1–C6: see `checkCell`, of integers `checkInteger` and `checkNorm`. C7: an activation that is known. C8: one output. Source: TFLite's lstm_eval.
 */
export const lstm: Operator<"lstm"> = {
  infer(node) {
    const { activation, sequence, timeMajor } = node.attributes;
    requireActivation(node, activation);
    constrain(node, "C8", node.outputs.length === 1, () => ({
      expected: "1 output",
      received: `${node.outputs.length}`,
    }));
    if (isInteger(node)) return hasMore(node) ? inferNorm(node) : inferInteger(node);
    const { outputs } = checkCell(node, CELL, sequence, timeMajor);
    return [{ dtype: "float32", shape: [...(node.inputs[0]?.shape ?? []).slice(0, -1), outputs] }];
  },
  macs(node) {
    const { sequence, timeMajor } = node.attributes;
    const check = () => (hasMore(node) ? checkNorm(node) : checkInteger(node));
    return cellMacs(isInteger(node) ? check() : checkCell(node, CELL, sequence, timeMajor), 4);
  },
  lower(node, to) {
    if (isInteger(node)) return hasMore(node) ? lowerNorm(node, to) : lowerInteger(node, to);
    const { activation, cellClip, projectionClip, asymmetric, sequence, timeMajor } = node.attributes;
    const sizes = checkCell(node, CELL, sequence, timeMajor);
    callCell(to, CELL, sizes, {
      activation: activation as RecurrentActivation,
      cellClip,
      projectionClip,
      asymmetric,
      reverse: false,
      output: 0,
      width: sizes.outputs,
      offset: 0,
    });
  },
};
