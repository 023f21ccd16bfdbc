/** Pools of bytes. */
import type { TensorId } from "../../../graph.ts";
import type { Conversion, OnnxNode } from "../convert.ts";
import { dequantized } from "../quantized.ts";
import { FLOAT } from "../types.ts";
import { captured, give, isByte, operand, stated, typeOf } from "./stated.ts";

/** The mean of each channel's whole picture. */
export function qlinearGlobalAveragePool(n: OnnxNode): boolean {
  const [x, y] = [operand(n, 0), stated(n, 3, 4)];
  const rank = n.input(0).shape.length;
  if (x === undefined || y === undefined || rank < 3) return false;
  const isLast = n.int("channels_last", 0) !== 0;
  const axes = Array.from({ length: rank - 2 }, (_, i) => i + 1);
  const id = isLast ? n.plain(x) : n.last(x);
  const mean = n.add("mean", [id, n.b.integers(axes)], { keepDims: true }, FLOAT)[0] as TensorId;
  const shape = x.shape.map((size, i) => (axes.includes(isLast ? i : i - 1) ? 1 : size));
  return give(
    n,
    { name: "", dtype: "float32", shape, twins: isLast ? { plain: mean } : { last: mean } },
    y,
    typeOf(n, 4),
  );
}

/** Maxima of bytes: of their meanings, which vanish again. Bytes without a scale mean themselves. */
export function byteMaxima(pool: Conversion) {
  return (n: OnnxNode): boolean => {
    const x = n.input(0);
    if (!isByte(x.dtype) || (n.outputs.length > 1 && n.outputs[1] !== "")) return false;
    const id = (x.twins.plain ?? x.twins.last) as TensorId;
    const y = n.b.tensor(id).quantization ?? { scale: [1], zeroPoint: [0], axis: 0 };
    const floats = dequantized(n, x, y);
    return floats !== undefined && give(n, captured(n, pool, floats), y, x.dtype);
  };
}
