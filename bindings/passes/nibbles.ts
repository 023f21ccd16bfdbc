/** Constants of four bits as eight: kernels know no smaller ones. */
import type { Graph } from "../graph.ts";
import { elementCount, type Tensor } from "../tensor.ts";

/** int4 constants as int8 ones of the same values. */
export function unpackNibbles(graph: Graph): Graph {
  if (!graph.tensors.some(isPacked)) return graph;
  return { ...graph, tensors: graph.tensors.map((tensor) => (isPacked(tensor) ? unpack(tensor) : tensor)) };
}

const isPacked = ({ dtype, data }: Tensor): boolean => dtype === "int4" && data !== undefined;

/** Two elements to a byte, the first in the low half. */
function unpack(tensor: Tensor): Tensor {
  const { data = new Uint8Array(0), shape } = tensor;
  const bytes = Int8Array.from({ length: elementCount(shape) }, (_, i) => {
    const nibble = ((data[i >> 1] as number) >> (4 * (i & 1))) & 15;
    return nibble > 7 ? nibble - 16 : nibble;
  });
  return { ...tensor, dtype: "int8", storedBits: 4, data: new Uint8Array(bytes.buffer) };
}
