/** Numbered constraints of the family product that no model of the corpora breaks: each breach is refused by its number. */
import { tensor } from "../../support/kernels.ts";
import { checkBroken, int8, typed } from "./broken.ts";

const moved = (shape: readonly number[]) => tensor("int16", shape, { scale: 1, zeroPoint: 5 });
const windows = { stride: [1, 1], dilation: [1, 1], padding: "valid", activation: "none" };
const why = "int16 with a zero point";

checkBroken({
  conv2d: {
    attributes: windows,
    broken: [
      {
        number: "C2",
        why,
        inputs: [moved([1, 4, 4, 8]), int8([2, 3, 3, 8])],
        output: typed("int16", [1, 2, 2, 2]),
      },
    ],
  },
  depthwiseConv2d: {
    attributes: windows,
    broken: [
      {
        number: "C2",
        why,
        inputs: [moved([1, 4, 4, 8]), int8([1, 3, 3, 8])],
        output: typed("int16", [1, 2, 2, 8]),
      },
    ],
  },
  fullyConnected: {
    attributes: { activation: "none", keepDims: false, asymmetric: false },
    broken: [{ number: "C2", why, inputs: [moved([2, 8]), int8([4, 8])], output: typed("int16", [2, 4]) }],
  },
});
