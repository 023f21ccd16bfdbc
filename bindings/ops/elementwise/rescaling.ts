/** Calls of the kernel that rescales integers of any type, and RELU and its kin by it. */
import type { Activation, OpKind } from "../../graph.ts";
import { ELEMENT, type Element } from "../../primitives/elementwise/element.ts";
import {
  activationRange,
  type Multiplier,
  type Quantized,
  quantizeMultiplier,
  type Range,
} from "../../primitives/requantize/quantization.ts";
import { rescaleTable } from "../../primitives/table/tables.ts";
import { elementCount } from "../../tensor.ts";
import { inputOf, outputOf } from "../constraints.ts";
import type { Lowering, NodeView, Operator } from "../types.ts";
import { affineOf } from "./elementwise.ts";
import { clampOf, ends, unary } from "./unary.ts";

/** Factors from 0 up and below, and whether magnitudes are scaled. */
interface Rescaling {
  readonly up: Multiplier;
  readonly down?: Multiplier;
  readonly magnitude?: boolean;
}

/** One call of `rescale`: x of its type to y of its type. */
export function callRescale<K extends OpKind>(
  node: NodeView<K>,
  to: Lowering,
  { up, down = up, magnitude = false }: Rescaling,
  range: Range = activationRange("none", outputOf(node).dtype as Quantized, affineOf(outputOf(node))),
): void {
  const [x, y] = ends(to);
  to.call({
    kernel: "rescale",
    params: {
      x: x.address,
      y: y.address,
      count: elementCount(y.shape),
      from: ELEMENT[x.dtype as Element],
      to: ELEMENT[y.dtype as Element],
      xZeroPoint: affineOf(inputOf(node, 0)).zeroPoint,
      yZeroPoint: affineOf(outputOf(node)).zeroPoint,
      multiplier: up.multiplier,
      shift: up.shift,
      downMultiplier: down.multiplier,
      downShift: down.shift,
      magnitude: magnitude ? 1 : 0,
      ...range,
    },
    note: `rescale ${x.dtype} to ${y.dtype}`,
  });
}

/** RELU and its kin: rescaling with a clamp. C1–C4: see `unary`. */
export function rectifier<K extends OpKind>(activation: Activation): Operator<K> {
  return unary<K>({
    int8: (node) => rescaleTable("int8", affineOf(inputOf(node, 0)), "int8", affineOf(outputOf(node)), activation),
    int16(node, to) {
      const y = affineOf(outputOf(node));
      const { factor = affineOf(inputOf(node, 0)).scale / y.scale } = node.attributes as { readonly factor?: number };
      const up = quantizeMultiplier(factor);
      callRescale(node, to, { up }, activationRange(activation, "int16", y));
    },
    real: () => clampOf(activation),
  });
}
