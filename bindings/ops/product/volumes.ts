/** What convolutions of volumes check alike. */
import { listText } from "../../tensor.ts";
import { areWhole, type Constrained, constrain, outputOf, requireBias, requireDType } from "../constraints.ts";
import type { NodeView } from "../types.ts";

/** C2: x, weights, bias and y float32. C3: bias `[channels]`. */
export function requireFloats(node: Constrained, bias: Constrained["inputs"][number], channels: number): void {
  for (const tensor of [...node.inputs.filter((each) => each?.dtype !== "int32"), outputOf(node)])
    if (tensor !== undefined) requireDType(node, "C2", tensor, "float32");
  requireBias(node, "C3", bias, channels);
}

/** C4: five dimensions each, none empty. C5: strides and dilations from 1 to 65535. */
export function requireVolumes(
  node: NodeView<"conv3d" | "conv3dTranspose">,
  ...shapes: readonly (readonly number[])[]
): void {
  for (const shape of shapes)
    constrain(node, "C4", shape.length === 5 && shape.every((size) => size > 0), () => ({
      expected: "five dimensions, none of them 0",
      received: listText(shape),
    }));
  const { stride, dilation } = node.attributes;
  const whole = areWhole([...stride, ...dilation], 1, 65535);
  constrain(node, "C5", whole, () => ({
    expected: "strides and dilations from 1 to 65535",
    received: `stride ${stride.join("x")}, dilation ${dilation.join("x")}`,
  }));
}
