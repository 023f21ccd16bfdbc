import { BOUNDS } from "../../primitives/requantize/quantization.ts";
import { type DType, dimensions, elementCount, type Tensor, typeText } from "../../tensor.ts";
import { type Constrained, constrain, inputOf, outputOf, requireDType } from "../constraints.ts";
import type { Lowering, NodeView } from "../types.ts";

/** True where rows of weights have a scale for each block. */
export const isBlocked = (node: Constrained): boolean => inputOf(node, 1).quantization?.block !== undefined;

/**
 * C2: x and y float32. C3: weights are constants. C4: bias absent or float32 `[n]`. The reader has seen to it that blocks
 * fit the weights.
 */
export function requireBlocks(node: Constrained): DType {
  const [w, bias] = [inputOf(node, 1), node.inputs[2]];
  requireDType(node, "C2", inputOf(node, 0), "float32");
  requireDType(node, "C2", outputOf(node), "float32");
  constrain(node, "C3", w.data !== undefined, () => ({ expected: "constant weights", received: "computed ones" }));
  const n = w.shape[0];
  const fits = bias === undefined || (bias.dtype === "float32" && elementCount(bias.shape) === n);
  constrain(node, "C4", fits, () => ({
    expected: `a bias of ${n} float32`,
    received: typeText(bias),
  }));
  return "float32";
}

/** FULLY_CONNECTED of float32 with int4 weights in blocks: activations are quantized with a zero point, whatever is asked for. */
export function lowerFullyConnectedBlocks(node: NodeView<"fullyConnected">, to: Lowering): void {
  const w = to.inputs[1] as Lowering["inputs"][0] & Tensor;
  const [n, k] = dimensions(w.shape, 2);
  const { scale = [], block = k } = w.quantization ?? {};
  const [lo, hi] = BOUNDS[node.attributes.activation];
  to.call({
    kernel: "gemmBlocks",
    params: {
      x: to.input(0),
      y: to.output(0),
      w: w.address,
      bias: to.input(2),
      scaleTable: to.place(new Uint8Array(Float32Array.from(scale).buffer)),
      m: elementCount(outputOf(node).shape) / n,
      n,
      k,
      block,
      lo,
      hi,
      ...to.scratch(2 * k + 2),
    },
  });
}
