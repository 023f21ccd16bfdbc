/** Sums of two quantized operands by onnxruntime's rule, as `assembly/elementwise/nearest.ts` computes them. */
import { type Affine, roundedToEven } from "../requantize/quantization.ts";

const { fround } = Math;

/** y = rint(f32(a·aScale + f32(b·bScale + offset))), a fused multiply–add twice, of the operands as the file has them. */
export interface NearestSum {
  readonly aScale: number;
  readonly bScale: number;
  readonly offset: number;
  /** The same in float32 without fusing. */
  readonly plain: boolean;
}

/** Units in the last place by which the offset is moved to find a plain sum that agrees. */
const NUDGES = [0, 1, -1, 2, -2];
/** Beyond, values are not looked at: they saturate. */
const MOST = 600;

/** The sum of operands whose values begin at `aLeast` and `bLeast`; sign −1 subtracts. Source: MLAS's QLinearAdd. */
export function nearestSum(a: Affine, b: Affine, y: Affine, aLeast: number, bLeast: number, sign: 1 | -1): NearestSum {
  const aScale = fround(fround(a.scale) / fround(y.scale));
  const bScale = sign * fround(fround(b.scale) / fround(y.scale));
  const offset = fround(y.zeroPoint - fround(aScale * a.zeroPoint + fround(bScale * b.zeroPoint)));
  const products = Float64Array.from({ length: 256 }, (_, i) => (aLeast + i) * aScale);
  for (const nudge of NUDGES) {
    const moved = fround(offset + nudge * 2 ** (Math.floor(Math.log2(Math.abs(offset) || 1)) - 23));
    if (agrees(products, bScale, bLeast, offset, moved)) return { aScale, bScale, offset: moved, plain: true };
  }
  return { aScale, bScale, offset, plain: false };
}

/** True where both forms are the same on all 65536 pairs. */
function agrees(products: Float64Array, bScale: number, bLeast: number, offset: number, moved: number): boolean {
  for (let j = 0; j < 256; j++) {
    const product = (bLeast + j) * bScale;
    const exact = fround(product + offset);
    const plain = fround(fround(product) + moved);
    for (let i = 0; i < 256; i++) {
      const value = products[i] as number;
      const [u, v] = [fround(value + exact), fround(fround(value) + plain)];
      if (u === v || u > MOST || u < -MOST) continue;
      if (roundedToEven(u) !== roundedToEven(v)) return false;
    }
  }
  return true;
}
