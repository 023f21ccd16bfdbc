/** What the mean and the maximum of windows share. */
import { activationRange, BOUNDS } from "../../primitives/requantize/quantization.ts";
import { sizeOf, type TensorType } from "../../tensor.ts";
import {
  constrain,
  inputOf,
  outputOf,
  requireAffine,
  requireDType,
  requireImage,
  requireInputs,
  requireSymmetric,
} from "../constraints.ts";
import { affineOf } from "../elementwise/elementwise.ts";
import type { Lowering, NodeView, Operator } from "../types.ts";
import { requireWindows, windowParams } from "./windows.ts";

type Pool = "averagePool2d" | "maxPool2d";

/** Kernels by element type. */
const KERNELS = {
  averagePool2d: { int8: "averagePool", int16: "averagePoolS16" },
  maxPool2d: { int8: "maxPool", int16: "maxPoolS16" },
} as const;
const FLOATS = { averagePool2d: "averagePoolF32", maxPool2d: "maxPoolF32" } as const;

/** Sums of this many elements fit in int32 with room for rounding. */
const MAX_WINDOW = { int8: 2 ** 23, int16: 2 ** 15 } as const;

/**
 * C1: one input, one output. C2: both int8, int16 or float32. C3: equal zero points, 0 of int16; the output's scale counts
 * for its activation only, as in TFLite; none of float32. C4: x is `[N,H,W,C]` without empty dimensions. C5: filter and
 * stride from 1 to 65535. C6: at least one output. C7: every window touches the input. C8: at most 2^23 elements in a
 * window, 2^15 of int16.
 */
export function poolOperator<K extends Pool>(kind: K): Operator<K> {
  return {
    infer: (node) => inferPool(node as NodeView<Pool>),
    lower: (node, to) => lowerPool(node as NodeView<Pool>, to, kind),
  };
}

function inferPool(node: NodeView<Pool>): readonly TensorType[] {
  requireInputs(node, 1);
  const x = inputOf(node, 0);
  const y = outputOf(node);
  const dtype = requireDType(node, "C2", x, "int8", "int16", "float32");
  requireDType(node, "C2", y, dtype);
  if (dtype !== "float32") requireEqualZero(node);
  requireImage(node, "C4", x);
  const { height, width, h, w } = requireWindows(node);
  const [kH, kW] = node.attributes.filter;
  const count = Math.min(kH, height) * Math.min(kW, width);
  const most = dtype === "float32" ? Number.POSITIVE_INFINITY : MAX_WINDOW[dtype];
  constrain(
    node,
    "C8",
    count <= most,
    () => ({ expected: `at most ${most} elements in a window`, received: String(count) }),
    "UNSUPPORTED",
  );
  return [{ dtype, shape: [x.shape[0] as number, h.out, w.out, x.shape[3] as number] }];
}

function lowerPool(node: NodeView<Pool>, to: Lowering, kind: Pool): void {
  const dtype = inputOf(node, 0).dtype as "int8" | "int16" | "float32";
  if (dtype === "float32") {
    const [least, most] = BOUNDS[node.attributes.activation];
    const unused = { scratch: 0, scratchStride: 0, lo: node.attributes.order === "columns" ? 1 : 0, hi: 0 };
    to.call({ kernel: FLOATS[kind], params: { ...windowParams(node, to), ...unused, least, most } });
    return;
  }
  const rounds = kind === "averagePool2d" && inputOf(node, 0).unsigned === true;
  const channels = sizeOf(inputOf(node, 0), 3);
  to.call({
    kernel: rounds ? "averagePoolU8" : KERNELS[kind][dtype],
    params: {
      ...windowParams(node, to),
      ...to.scratch(Math.ceil(channels / 16) * 64),
      ...activationRange(node.attributes.activation, dtype, affineOf(outputOf(node))),
    },
  });
}

/** C3. */
function requireEqualZero(node: NodeView<Pool>): void {
  const p = requireAffine(node, "C3", inputOf(node, 0));
  const q = requireAffine(node, "C3", outputOf(node));
  constrain(node, "C3", p.zeroPoint === q.zeroPoint, () => ({
    expected: `an output with zero point ${p.zeroPoint}, as the input has`,
    received: `${q.zeroPoint}`,
  }));
  requireSymmetric(node, "C3", inputOf(node, 0));
}
