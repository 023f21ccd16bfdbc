/** Numbered constraints of the family product that no model of the corpora breaks: each breach is refused by its number. */
import { tensor } from "../../support/kernels.ts";
import { checkBroken, int8, typed } from "./broken.ts";

const windows = { stride: [1, 1], dilation: [1, 1], padding: "valid", activation: "none" };

/** x of int16 whose zero point is not 0. */
const moved = (x: readonly number[], weights: readonly number[], y: readonly number[]) => ({
  number: "C2",
  why: "int16 with a zero point",
  inputs: [tensor("int16", x, { scale: 1, zeroPoint: 5 }), int8(weights)],
  output: typed("int16", y),
});

checkBroken({
  conv2d: { attributes: windows, broken: [moved([1, 4, 4, 8], [2, 3, 3, 8], [1, 2, 2, 2])] },
  depthwiseConv2d: { attributes: windows, broken: [moved([1, 4, 4, 8], [1, 3, 3, 8], [1, 2, 2, 8])] },
  fullyConnected: {
    attributes: { activation: "none", keepDims: false, asymmetric: false },
    broken: [moved([2, 8], [4, 8], [2, 4])],
  },
});
