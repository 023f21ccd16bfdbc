/**
 * Sums of two quantized operands by onnxruntime's rules, as `assembly/elementwise/nearest.ts` computes them, and forms in float32
 * that give the same bytes for all 65536 pairs of operands.
 */
import type { Affine } from "../requantize/quantization.ts";

const { fround } = Math;

/** y = rint(f32(a·aScale + f32(b·bScale + offset))) of the operands as the file has them, fused or rounded after each step. */
interface NearestSum {
  readonly aScale: number;
  readonly bScale: number;
  readonly offset: number;
}

/** A rule: f32(f32(a's share + b's share) / divisor) is rounded, and `added` added after. */
interface Rule {
  a(value: number): number;
  b(value: number): number;
  readonly divisor: number;
  readonly added: number;
}

/** Beyond, results are not looked at: they saturate. */
const MOST = 600;
/** What the kernel rounds is smaller. */
const LARGEST = 2 ** 20;
/**
 * How far a form and the rule may be apart, in parts of the largest sum: rounded factors and up to 6 units in the last place by
 * which they are moved, in all under 32 · 2^−24.
 */
const APART = 2 ** -19;
/** 1.5·2^52: sums with it have no fraction. */
const EVEN = 6755399441055744;
/** Units in the last place by which scales and offsets are moved. */
const SCALES = [0, 1, -1, 2, -2];
const OFFSETS = [0, 1, -1, 2, -2, 3, -3, 4, -4, 6, -6];

/** The sum of MLAS's QLinearAdd, two fused multiply–adds. Sign −1 subtracts. */
export function fusedSum(a: Affine, b: Affine, y: Affine, sign: 1 | -1): NearestSum {
  const aScale = fround(fround(a.scale) / fround(y.scale));
  const bScale = sign * fround(fround(b.scale) / fround(y.scale));
  return { aScale, bScale, offset: fround(y.zeroPoint - fround(aScale * a.zeroPoint + fround(bScale * b.zeroPoint))) };
}

/** The same without fusing, for operands that begin at `aLeast` and `bLeast`; `undefined` where no form was found. */
export function plainOfFused(sum: NearestSum, aLeast: number, bLeast: number): NearestSum | undefined {
  const { aScale, bScale, offset } = sum;
  const rule = { a: (u: number) => u * aScale, b: (v: number) => fround(v * bScale + offset), divisor: 1, added: 0 };
  return plainForm(rule, sum, aLeast, bLeast);
}

/** The sum of the floats between DequantizeLinear and QuantizeLinear, which divides, without the division. */
export function plainOfFloats(
  [a, b, y]: readonly [Affine, Affine, Affine],
  sign: 1 | -1,
  aLeast: number,
  bLeast: number,
): NearestSum | undefined {
  const [aScale, bScale, yScale] = [fround(a.scale), sign * fround(b.scale), fround(y.scale)];
  const rule = {
    a: (u: number) => fround((u - a.zeroPoint) * aScale),
    b: (v: number) => fround((v - b.zeroPoint) * bScale),
    divisor: yScale,
    added: y.zeroPoint,
  };
  return plainForm(rule, fusedSum(a, b, y, sign), aLeast, bLeast);
}

/** A form near `sum` that follows the rule on all pairs: tried on those that are so near to a tie that the two may differ. */
function plainForm(rule: Rule, sum: NearestSum, aLeast: number, bLeast: number): NearestSum | undefined {
  const [aMost, bMost] = [aLeast + 255, bLeast + 255].map((most) => Math.max(most, 255)) as [number, number];
  const most = Math.abs(sum.aScale) * aMost + Math.abs(sum.bScale) * bMost + Math.abs(sum.offset);
  if (!(most <= LARGEST)) return undefined;
  const near = nearTies(sharesOf(rule.a, aLeast), sharesOf(rule.b, bLeast), rule, 0.5 - most * APART);
  const ties = near.filter(({ result }) => result <= MOST && result >= -MOST);
  const aScales = SCALES.map((units) => moved(sum.aScale, units));
  const bScales = SCALES.map((units) => moved(sum.bScale, units));
  const offsets = OFFSETS.map((units) => moved(sum.offset, units));
  for (const aScale of aScales)
    for (const bScale of bScales)
      for (const offset of offsets) {
        const wrong = ties.findIndex(({ a, b, result }) => {
          const second = fround(fround((bLeast + b) * bScale) + offset);
          return toEven(fround(fround((aLeast + a) * aScale) + second)) !== result;
        });
        if (wrong < 0) return { aScale, bScale, offset };
        // what one form has wrong the next one mostly has, too
        const [tie] = ties.splice(wrong, 1);
        ties.unshift(tie as Tie);
      }
  return undefined;
}

/** Operands from their least, and what the rule makes of them. */
interface Tie {
  readonly a: number;
  readonly b: number;
  readonly result: number;
}

/**
 * The pairs whose values are farther than this from whole numbers, and what the rule makes of them. Of each a, only those b are
 * tried whose fractions fit, by a bound twice as wide.
 */
function nearTies(as: Float64Array, bs: Float64Array, { divisor, added }: Rule, farther: number): readonly Tie[] {
  const ties: Tie[] = [];
  const fractions = bs.map((b) => fraction(b / divisor));
  const order = Uint8Array.from({ length: 256 }, (_, i) => i).sort(
    (i, j) => (fractions[i] as number) - (fractions[j] as number),
  );
  const width = Math.min(2 * (0.5 - farther), 0.5);
  for (let a = 0; a < 256; a++) {
    const first = fraction(0.5 - width - fraction((as[a] as number) / divisor));
    let at = 0;
    for (let step = 128; step > 0; step >>= 1)
      if ((fractions[order[at + step - 1] as number] as number) < first) at += step;
    if ((fractions[order[at] as number] as number) < first) at++;
    for (let count = 0; count < 256; count++, at++) {
      const b = order[at & 255] as number;
      if (width < 0.5 && fraction((fractions[b] as number) - first) > 2 * width) break;
      const value = fround(fround((as[a] as number) + (bs[b] as number)) / divisor);
      const whole = value + EVEN - EVEN;
      if (value - whole < farther && whole - value < farther) continue;
      ties.push({ a, b, result: whole + added });
    }
  }
  return ties;
}

/** From a whole number below. */
const fraction = (x: number): number => x - Math.floor(x);

/** What each of 256 values from `least` adds to a sum. */
const sharesOf = (share: (value: number) => number, least: number): Float64Array =>
  Float64Array.from({ length: 256 }, (_, i) => share(least + i));

/** Rounded to a whole number, half to even: |x| < 2^51. */
const toEven = (x: number): number => x + EVEN - EVEN;

/** A float32 moved by units in its last place. */
const moved = (x: number, units: number): number =>
  fround(x + units * 2 ** (Math.floor(Math.log2(Math.abs(x) || 1)) - 23));
