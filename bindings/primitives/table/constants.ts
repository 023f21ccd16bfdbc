/** Constants to float32: quantized ones of 4, 8 and 16 bits, per tensor or per channel, and half precision. */
import { elementCount, halfToFloat, type Tensor } from "../../tensor.ts";

/** Element i as an integer; of int4 the low half of a byte comes first. */
function reader({ dtype, data }: Tensor): (i: number) => number {
  const bytes = data ?? new Uint8Array(0);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (dtype === "int4") return (i) => (view.getUint8(i >> 1) << (i & 1 ? 24 : 28)) >> 28;
  if (dtype === "int16") return (i) => view.getInt16(i * 2, true);
  if (dtype === "float16") return (i) => halfToFloat(view.getUint16(i * 2, true));
  return dtype === "int8" ? (i) => view.getInt8(i) : (i) => view.getUint8(i);
}

/** The little-endian float32 bytes of a constant: scale · (q − zero point) of its channel. */
export function dequantizeConstant(x: Tensor): Uint8Array {
  const count = elementCount(x.shape);
  const read = reader(x);
  const view = new DataView(new ArrayBuffer(count * 4));
  const { scale = [1], zeroPoint = [], axis = 0, block } = x.dtype === "float16" ? {} : (x.quantization ?? {});
  const step = block ?? elementCount(x.shape.slice(axis + 1));
  for (let i = 0; i < count; i++) {
    const channel = scale.length === 1 ? 0 : Math.floor(i / step) % scale.length;
    const real = Math.fround(scale[channel] as number) * (read(i) - (zeroPoint[channel] ?? 0));
    view.setFloat32(i * 4, real, true);
  }
  return new Uint8Array(view.buffer);
}
