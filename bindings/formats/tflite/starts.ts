/** Starts of states that a file gives by DEQUANTIZE of a constant. */
import type { AnyNode, TensorId } from "../../graph.ts";
import { halfToFloat, type Tensor, typedCopy } from "../../tensor.ts";

/**
 * Replaces a DEQUANTIZE of a float16 constant to a variable, which the reference runs once, by a start of the variable; puts it
 * into `tensors`.
 */
export function takeStarts(nodes: readonly AnyNode[], tensors: Tensor[]): readonly AnyNode[] {
  return nodes.filter(({ kind, inputs, outputs }) => {
    if (kind !== "dequantize") return true;
    const [x, y] = [tensors[inputs[0] as TensorId], tensors[outputs[0] as TensorId]];
    if (x?.dtype !== "float16" || x.data === undefined || y?.variable !== true) return true;
    if (`${x.shape}` !== `${y.shape}` || y.dtype !== "float32") return true;
    const values = Float32Array.from(typedCopy("float16", x.data) as Uint16Array, halfToFloat);
    tensors[outputs[0] as TensorId] = { ...y, data: new Uint8Array(values.buffer) };
    return false;
  });
}
