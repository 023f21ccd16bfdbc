/**
 * Sums of two quantized operands by onnxruntime's rules, as `assembly/elementwise/nearest.ts` computes them, and forms in float32
 * that give the same bytes for all 65536 pairs of operands.
 */
import { type Affine, roundedToEven } from "../requantize/quantization.ts";

const { fround } = Math;

/** y = rint(f32(a·aScale + f32(b·bScale + offset))) of the operands as the file has them, fused or rounded after each step. */
export interface NearestSum {
  readonly aScale: number;
  readonly bScale: number;
  readonly offset: number;
}

/** A rule: what is rounded, and what is added after. */
interface Rule {
  value(a: number, b: number): number;
  readonly added: number;
}

/** Beyond, results are not looked at: they saturate. */
const MOST = 600;
/** What the kernel rounds is smaller. */
const LARGEST = 2 ** 20;
/** Forms are tried with the pairs this near to a tie; the others are looked at once one holds for these. */
const NEAR = 2 ** -12;
/** Units in the last place by which scales and offsets are moved. */
const SCALES = [0, 1, -1, 2, -2];
const OFFSETS = [0, 1, -1, 2, -2, 3, -3, 4, -4, 6, -6];
/** How many forms may hold near ties and fail elsewhere. */
const MOST_FAILURES = 4;

/** The sum of MLAS's QLinearAdd, two fused multiply–adds. Sign −1 subtracts. */
export function fusedSum(a: Affine, b: Affine, y: Affine, sign: 1 | -1): NearestSum {
  const aScale = fround(fround(a.scale) / fround(y.scale));
  const bScale = sign * fround(fround(b.scale) / fround(y.scale));
  return { aScale, bScale, offset: fround(y.zeroPoint - fround(aScale * a.zeroPoint + fround(bScale * b.zeroPoint))) };
}

/** The same without fusing, for operands that begin at `aLeast` and `bLeast`; `undefined` where no form was found. */
export function plainOfFused(sum: NearestSum, aLeast: number, bLeast: number): NearestSum | undefined {
  const { aScale, bScale, offset } = sum;
  const value = (a: number, b: number) => fround(a * aScale + fround(b * bScale + offset));
  return plainForm({ value, added: 0 }, sum, aLeast, bLeast);
}

/** The sum of the floats between DequantizeLinear and QuantizeLinear, which divides, without the division. */
export function plainOfFloats(
  [a, b, y]: readonly [Affine, Affine, Affine],
  sign: 1 | -1,
  aLeast: number,
  bLeast: number,
): NearestSum | undefined {
  const [aScale, bScale, yScale] = [fround(a.scale), sign * fround(b.scale), fround(y.scale)];
  const value = (u: number, v: number) =>
    fround(fround(fround((u - a.zeroPoint) * aScale) + fround((v - b.zeroPoint) * bScale)) / yScale);
  return plainForm({ value, added: y.zeroPoint }, fusedSum(a, b, y, sign), aLeast, bLeast);
}

/** A form near `sum` that follows the rule on all pairs. */
function plainForm(rule: Rule, sum: NearestSum, aLeast: number, bLeast: number): NearestSum | undefined {
  const [aMost, bMost] = [aLeast + 255, bLeast + 255].map((most) => Math.max(most, 255)) as [number, number];
  if (Math.abs(sum.aScale) * aMost + Math.abs(sum.bScale) * bMost + Math.abs(sum.offset) > LARGEST) return undefined;
  const near: number[] = [];
  const results = new Float64Array(65536);
  for (let i = 0; i < 65536; i++) {
    const value = rule.value(aLeast + (i >> 8), bLeast + (i & 255));
    results[i] = roundedToEven(value) + rule.added;
    if (Math.abs(Math.abs(value - Math.floor(value)) - 0.5) < NEAR) near.push(i);
  }
  const follows = (i: number, { aScale, bScale, offset }: NearestSum): boolean => {
    const result = results[i] as number;
    if (result > MOST || result < -MOST) return true;
    const b = fround(fround((bLeast + (i & 255)) * bScale) + offset);
    return roundedToEven(fround(fround((aLeast + (i >> 8)) * aScale) + b)) === result;
  };
  let failures = 0;
  for (const a of SCALES)
    for (const b of SCALES)
      for (const o of OFFSETS) {
        const form = { aScale: moved(sum.aScale, a), bScale: moved(sum.bScale, b), offset: moved(sum.offset, o) };
        if (!near.every((i) => follows(i, form))) continue;
        if (results.every((_, i) => follows(i, form))) return form;
        if (++failures === MOST_FAILURES) return undefined;
      }
  return undefined;
}

/** A float32 moved by units in its last place. */
const moved = (x: number, units: number): number =>
  fround(x + units * 2 ** (Math.floor(Math.log2(Math.abs(x) || 1)) - 23));
