import type { Graph } from "../../graph.ts";
import { BITS, elementCount } from "../../tensor.ts";

/** Zeros among the constants of two dimensions or more that products read. */
export function sparsityOf(graph: Graph): number {
  let [zeros, count] = [0, 0];
  const seen = new Set<number>();
  for (const { kind, inputs } of graph.nodes) {
    if (!["conv2d", "depthwiseConv2d", "fullyConnected", "batchMatMul", "densify", "dequantize"].includes(kind))
      continue;
    for (const id of inputs) {
      const tensor = graph.tensors[id];
      if (tensor?.data === undefined || tensor.shape.length < 2 || seen.has(id)) continue;
      seen.add(id);
      const width = BITS[tensor.dtype] / 8;
      const { data } = tensor;
      count += elementCount(tensor.shape);
      if (width < 1) for (const byte of data) zeros += (byte & 15 ? 0 : 1) + (byte >> 4 ? 0 : 1);
      else
        for (let at = 0; at < data.length; at += width) {
          let isZero = true;
          for (let b = 0; b < width; b++)
            isZero &&= ((data[at + b] as number) & (b === width - 1 && width > 1 ? 127 : 255)) === 0;
          if (isZero) zeros++;
        }
    }
  }
  return count === 0 ? 0 : zeros / count;
}
