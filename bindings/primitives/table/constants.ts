/** Constants to float32: quantized ones of 4, 8 and 16 bits, per tensor or per channel, and half precision. */
import { elementCount, type Tensor } from "../../tensor.ts";

/** Element i as an integer; of int4 the low half of a byte comes first. */
function reader({ dtype, data }: Tensor): (i: number) => number {
  const bytes = data ?? new Uint8Array(0);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (dtype === "int4") return (i) => (view.getUint8(i >> 1) << (i & 1 ? 24 : 28)) >> 28;
  if (dtype === "int16") return (i) => view.getInt16(i * 2, true);
  return dtype === "int8" ? (i) => view.getInt8(i) : (i) => view.getUint8(i);
}

/** How much greater a float32 is whose exponent is a float16's, and its mantissa's first bits are that one's. */
const HALF = 2 ** 112;

/**
 * The float32 bytes of a constant of float16: its bits are moved, and what exponents begin at is made up for by a product, which is
 * exact.
 */
export function widenHalves({ data = new Uint8Array(0) }: Pick<Tensor, "data">): Uint8Array {
  const even = data.byteOffset % 2 === 0 ? data : new Uint8Array(data);
  const halves = new Uint16Array(even.buffer, even.byteOffset, even.length / 2);
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < bits.length; i++) {
    const half = halves[i] as number;
    const size = half & 0x7fff;
    const moved = size === 0x7c00 ? 0x7f800000 : size << 13;
    bits[i] = size > 0x7c00 ? 0x7fc00000 : ((half & 0x8000) << 16) | moved;
  }
  const y = new Float32Array(bits.buffer);
  for (let i = 0; i < y.length; i++) y[i] = (y[i] as number) * HALF;
  return new Uint8Array(y.buffer);
}

/** The little-endian float32 bytes of a constant: scale · (q − zero point) of its channel. */
export function dequantizeConstant(x: Tensor): Uint8Array {
  if (x.dtype === "float16") return widenHalves(x);
  const count = elementCount(x.shape);
  const read = reader(x);
  const view = new DataView(new ArrayBuffer(count * 4));
  const { scale = [1], zeroPoint = [], axis = 0, block } = x.quantization ?? {};
  const step = block ?? elementCount(x.shape.slice(axis + 1));
  for (let i = 0; i < count; i++) {
    const channel = scale.length === 1 ? 0 : Math.floor(i / step) % scale.length;
    const real = Math.fround(scale[channel] as number) * (read(i) - (zeroPoint[channel] ?? 0));
    view.setFloat32(i * 4, real, true);
  }
  return new Uint8Array(view.buffer);
}
