/** The types of products of float32 activations. */
import type { Tensor } from "../../tensor.ts";
import {
  type Constrained,
  constrain,
  inputOf,
  outputOf,
  requireBias,
  requireChannelScales,
  requireDType,
  requireKnown,
} from "../constraints.ts";
import { roundingOf } from "./weights.ts";

/** Where a node's tensors stand among its inputs. */
export interface Places {
  readonly x: number;
  readonly w: number;
  readonly bias: number;
}
/** x, weights and bias. */
export const USUAL: Places = { x: 0, w: 1, bias: 2 };

/** True where the activations are float32. */
export function isFloat(node: Constrained, { x }: Places = USUAL): boolean {
  return node.inputs[x]?.dtype === "float32";
}

/**
 * C2: x and y float32. C3: weights float32, or constant int8 or int4 with zero points 0 and one scale or one per output
 * channel along `axis`; by onnxruntime's rules int8 with any zero points. C4: bias absent or float32 `[channels]`.
 */
export function requireFloatWeights(node: Constrained, channels: number, axis: number, places: Places = USUAL): void {
  const w = inputOf(node, places.w);
  requireDType(node, "C2", inputOf(node, places.x), "float32");
  requireDType(node, "C2", outputOf(node), "float32");
  const dtype = requireDType(node, "C3", w, "float32", "int8", "int4");
  if (dtype !== "float32") requireHybrid(node, w, channels, axis);
  const bias = node.inputs[places.bias];
  if (bias === undefined) return;
  requireDType(node, "C4", bias, "float32");
  requireBias(node, "C4", bias, channels);
}

function requireHybrid(node: Constrained, w: Tensor, channels: number, axis: number): void {
  requireKnown(node, "C3", w, "constant int8 weights of float32 activations");
  requireChannelScales(node, "C3", w, channels, axis);
  const { zeroPoint = [] } = w.quantization ?? {};
  const zero = zeroPoint.every((z) => z === 0) || roundingOf(node) !== undefined;
  constrain(
    node,
    "C3",
    zero,
    () => ({ expected: "weights with zero point 0", received: `zero point ${zeroPoint.find((z) => z !== 0)}` }),
    "UNSUPPORTED",
  );
}
