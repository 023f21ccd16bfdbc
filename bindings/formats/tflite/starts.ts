/** Starts of states that a file gives by DEQUANTIZE of a constant. */
import type { AnyNode, TensorId } from "../../graph.ts";
import type { Tensor } from "../../tensor.ts";

/** The value of a float16 by its bits. */
function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

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
    const view = new DataView(x.data.buffer, x.data.byteOffset, x.data.byteLength);
    const values = Float32Array.from({ length: x.data.length >> 1 }, (_, i) => fromHalf(view.getUint16(i * 2, true)));
    tensors[outputs[0] as TensorId] = { ...y, data: new Uint8Array(values.buffer) };
    return false;
  });
}
