/**
 * Sines, cosines and tangents of one float32, by way of float64: x less the nearest multiple of π/2, exactly for the largest
 * numbers too, and two polynomials of what is left. One reduction for all three.
 */

/** 2/π in bits: what the first 256 of them leave matters to no float32. */
const TWO_OVER_PI = memory.data<u64>([0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041, 0xfe5163abdebbc561]);

/** Below this in bits, 2^-12, the sine and the tangent of x are x. */
const TINY: u32 = 0x39800000;
/** From here on in bits, π·2^28, products with π/2 are not exact. */
const LARGE: u32 = 0x4dc90fdb;
const INFINITE: u32 = 0x7f800000;

/** sin x, cos x for quarter 1. */
export function sineF32(x: f32, quarter: i32): f32 {
  const size = reinterpret<u32>(x) & 0x7fffffff;
  if (size < TINY && !quarter) return x;
  if (size >= INFINITE) return x - x;
  const q = turnsOf(x, size);
  return <f32>turned(rest, q + quarter);
}

export function tangentF32(x: f32): f32 {
  const size = reinterpret<u32>(x) & 0x7fffffff;
  if (size < TINY) return x;
  if (size >= INFINITE) return x - x;
  const q = turnsOf(x, size);
  return <f32>(turned(rest, q) / turned(rest, q + 1));
}

/** What `turnsOf` leaves. */
let rest: f64 = 0;

/** Which multiple of π/2 is nearest to x, of which the last two bits count. */
function turnsOf(x: f32, size: u32): i32 {
  if (size < LARGE) {
    const q = nearest(<f64>x * 0.6366197723675814);
    rest = <f64>x - q * reinterpret<f64>(0x3ff921fb50000000) - q * reinterpret<f64>(0x3e5110b4611a6263);
    return <i32>q;
  }
  // The mantissa by the 96 bits of 2/π that its exponent leaves: a fraction of 64 bits, of which two are whole.
  const bit = (size >>> 23) - 152;
  const at = TWO_OVER_PI + <usize>((bit >>> 6) << 3);
  const high = bitsAt(at, bit & 63);
  const low = bitsAt(at, (bit & 63) + 32) & 0xffffffff;
  const mantissa = <u64>((size & 0x7fffff) | 0x800000);
  const product = mantissa * high + ((mantissa * low) >>> 32);
  const fraction = <i64>(product << 2);
  rest = copysign<f64>(reinterpret<f64>(0x3bf921fb54442d18), <f64>x) * <f64>fraction;
  const q = <i32>(product >>> 62) + i32(fraction < 0);
  return x < 0 ? -q : q;
}

/** 64 bits from bit `bit` on, which is below 96. */
function bitsAt(at: usize, bit: u32): u64 {
  at += <usize>((bit >>> 6) << 3);
  bit &= 63;
  const first = load<u64>(at) << bit;
  return bit ? first | (load<u64>(at, 8) >>> (64 - bit)) : first;
}

/** The sine of y + q·π/2, of |y| up to π/4. */
function turned(y: f64, q: i32): f64 {
  const z = y * y;
  const w = z * z;
  let value: f64;
  if (q & 1) {
    const r = reinterpret<f64>(0xbf56c087e80f1e27) + z * reinterpret<f64>(0x3ef99342e0ee5069);
    value = 1 + z * reinterpret<f64>(0xbfdffffffd0c5e81) + w * reinterpret<f64>(0x3fa55553e1053a42) + w * z * r;
  } else {
    const r = reinterpret<f64>(0xbf2a00f9e2cae774) + z * reinterpret<f64>(0x3ec6cd878c3b46a7);
    const s = z * y;
    value = y + s * (reinterpret<f64>(0xbfc5555554cbac77) + z * reinterpret<f64>(0x3f811110896efbb2)) + s * w * r;
  }
  return q & 2 ? -value : value;
}
