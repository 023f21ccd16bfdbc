/** From sound to features, bit for bit as TensorFlow Lite Micro's signal operators. @full */
import { clamp } from "../common/fixedpoint";
import { share } from "../common/split";

/** Rows of `depth` int16 times a window, shifted right. */
@unmanaged
export class Window {
  x: u32;
  y: u32;
  window: u32;
  rows: u32;
  depth: u32;
  shift: u32;
}

/** `count` numbers with up to two more operands. */
@unmanaged
export class Channels {
  x: u32;
  y: u32;
  count: u32;
  /** Of scaling: where the int32 shift goes. Of roots: where it comes from. */
  scale: u32;
}

/** Energies of `[first, last)` of `count` complex int16; the others are 0. */
@unmanaged
export class Energy {
  x: u32;
  y: u32;
  count: u32;
  first: u32;
  last: u32;
}

/** Sums of uint32 by int16 weights, of one channel more than there are, the first of which goes nowhere. */
@unmanaged
export class Bank {
  x: u32;
  y: u32;
  weights: u32;
  unweights: u32;
  /** int16 of each channel: where in x, where in the weights, how many. */
  frequencies: u32;
  places: u32;
  widths: u32;
  channels: u32;
}

/** Spectral subtraction; the noise of earlier frames is in `state`. */
@unmanaged
export class Subtraction {
  x: u32;
  y: u32;
  noise: u32;
  state: u32;
  count: u32;
  smoothing: u32;
  rest: u32;
  /** Of odd channels. */
  oddSmoothing: u32;
  oddRest: u32;
  least: u32;
  clamping: u32;
  smoothingBits: u32;
  bits: u32;
}

/** Gain by the noise, from a table of 125 int16. */
@unmanaged
export class Gain {
  x: u32;
  y: u32;
  noise: u32;
  gainTable: u32;
  count: u32;
  shift: u32;
}

/** Logarithms by a table of 130 uint16. */
@unmanaged
export class Logarithm {
  x: u32;
  y: u32;
  logTable: u32;
  count: u32;
  scale: u32;
  correction: u32;
}

/** y = x · window >> shift, saturating. */
export function signalWindow(p: Window, part: u32, parts: u32): void {
  const total = p.rows * p.depth;
  const end = share(total, part + 1, parts);
  for (let i = share(total, part, parts); i < end; i++) {
    const factor = <i32>load<i16>(<usize>p.window + (<usize>(i % p.depth) << 1));
    const value = (<i32>load<i16>(<usize>p.x + (<usize>i << 1)) * factor) >> p.shift;
    store<i16>(<usize>p.y + (<usize>i << 1), <i16>clamp(value, -32768, 32767));
  }
}

/** Shifts all left as far as the largest allows, and tells how far. */
export function signalAutoScale(p: Channels, part: u32, parts: u32): void {
  if (part) return;
  let most: i32 = 0;
  for (let i: u32 = 0; i < p.count; i++) most = max(most, abs(<i32>load<i16>(<usize>p.x + (<usize>i << 1))));
  // the reference's largest is an int16, and its bit of 0 the 32nd
  most = <i32><i16>min(most, 32767);
  const shift = most ? max(<i32>clz(most) - 17, 0) : 0;
  for (let i: u32 = 0; i < p.count; i++)
    store<i16>(<usize>p.y + (<usize>i << 1), <i16>(<i32>load<i16>(<usize>p.x + (<usize>i << 1)) << shift));
  store<i32>(p.scale, shift);
}

/** Squares of complex int16, added. */
export function signalEnergy(p: Energy, part: u32, parts: u32): void {
  const end = share(p.count, part + 1, parts);
  for (let i = share(p.count, part, parts); i < end; i++) {
    const real = <i32>load<i16>(<usize>p.x + (<usize>i << 2));
    const imaginary = <i32>load<i16>(<usize>p.x + (<usize>i << 2), 2);
    const inside = i >= p.first && i < p.last;
    store<u32>(<usize>p.y + (<usize>i << 2), inside ? real * real + imaginary * imaginary : 0);
  }
}

/** Every frequency counts in two channels: by its weight, and by what is left of it. */
export function signalFilterBank(p: Bank, part: u32, parts: u32): void {
  if (part) return;
  let sum: i64 = 0;
  for (let c: u32 = 0; c <= p.channels; c++) {
    const at = <usize>c << 1;
    const x = <usize>p.x + (<usize>load<i16>(<usize>p.frequencies + at) << 2);
    const first = <usize>load<i16>(<usize>p.places + at) << 1;
    const width = <u32>max(<i32>load<i16>(<usize>p.widths + at), 0);
    let rest: i64 = 0;
    for (let i: usize = 0; i < <usize>width; i++) {
      const value = <i64>load<u32>(x + (i << 2));
      sum += <i64>load<i16>(<usize>p.weights + first + (i << 1)) * value;
      rest += <i64>load<i16>(<usize>p.unweights + first + (i << 1)) * value;
    }
    if (c) store<i64>(<usize>p.y + (<usize>(c - 1) << 3), sum);
    sum = rest;
  }
}

/** Roots of uint64, rounded, shifted right by the scale of the transform. */
export function signalRoot(p: Channels, part: u32, parts: u32): void {
  const shift = load<u32>(p.scale);
  const end = share(p.count, part + 1, parts);
  for (let i = share(p.count, part, parts); i < end; i++)
    store<u32>(<usize>p.y + (<usize>i << 2), rootOf(load<u64>(<usize>p.x + (<usize>i << 3))) >> shift);
}

function rootOf(rest: u64): u32 {
  if (rest == 0) return 0;
  const most: u64 = rest >> 32 ? 0xffffffff : 0xffff;
  let root: u64 = 0;
  for (let bit: u64 = <u64>1 << ((63 - clz(rest)) & ~1); bit; bit >>= 2) {
    if (rest >= root + bit) {
      rest -= root + bit;
      root = (root >> 1) + bit;
    } else root >>= 1;
  }
  return <u32>(rest > root && root != most ? root + 1 : root);
}

/** Takes the noise away that earlier frames have shown, but never all of the signal. */
export function signalSubtraction(p: Subtraction, part: u32, parts: u32): void {
  const end = share(p.count, part + 1, parts);
  for (let i = share(p.count, part, parts); i < end; i++) {
    const at = <usize>i << 2;
    const x = load<u32>(<usize>p.x + at);
    const signal = x << p.smoothingBits;
    const smoothing = i & 1 ? p.oddSmoothing : p.smoothing;
    const rest = i & 1 ? p.oddRest : p.rest;
    let noise = <u32>((<u64>signal * smoothing + <u64>load<u32>(<usize>p.state + at) * rest) >> p.bits);
    const taken = min(noise, signal);
    if (p.clamping) noise = taken;
    const least = <u32>((<u64>x * p.least) >> p.bits);
    store<u32>(<usize>p.state + at, noise);
    store<u32>(<usize>p.noise + at, noise);
    store<u32>(<usize>p.y + at, max((signal - taken) >> p.smoothingBits, least));
  }
}

/** Signal over noise, squeezed: a quarter of the square below 2, less 1 from there. */
export function signalGain(p: Gain, part: u32, parts: u32): void {
  const end = share(p.count, part + 1, parts);
  for (let i = share(p.count, part, parts); i < end; i++) {
    const at = <usize>i << 2;
    const gain = <u32>gainOf(load<u32>(<usize>p.noise + at), p.gainTable);
    const ratio = <u32>((<u64>load<u32>(<usize>p.x + at) * <u64>gain) >> p.shift);
    store<u32>(<usize>p.y + at, ratio < 2 << 12 ? (ratio * ratio) >> 20 : (ratio >> 6) - 64);
  }
}

/** Three coefficients to an octave. */
function gainOf(x: u32, table: u32): i32 {
  if (x <= 2) return load<i16>(<usize>table + (<usize>x << 1));
  const octave = 32 - <i32>clz(x);
  const at = <usize>table + (<usize>(4 * octave - 6) << 1);
  const fraction = <i32>((octave < 11 ? x << (11 - octave) : x >> (octave - 11)) & 0x3ff);
  let result = (<i32>load<i16>(at, 4) * fraction) >> 5;
  result += <i32>load<i16>(at, 2) << 5;
  result *= fraction;
  return <i32><i16>(((result + (1 << 14)) >> 15) + load<i16>(at));
}

/** Natural logarithms times a scale, int16. */
export function signalLog(p: Logarithm, part: u32, parts: u32): void {
  const end = share(p.count, part + 1, parts);
  for (let i = share(p.count, part, parts); i < end; i++) {
    const x = load<u32>(<usize>p.x + (<usize>i << 2)) << p.correction;
    const value = x > 1 ? min(logOf(x, p), 32767) : 0;
    store<i16>(<usize>p.y + (<usize>i << 1), <i16>value);
  }
}

function logOf(x: u32, p: Logarithm): u32 {
  const whole = 31 - <u32>clz(x);
  const above = x - (<u32>1 << whole);
  const fraction = whole < 16 ? above << (16 - whole) : above >> (whole - 16);
  const segment = fraction >> 9;
  const c0 = <i32>load<u16>(<usize>p.logTable + (<usize>segment << 1));
  const c1 = <i32>load<u16>(<usize>p.logTable + (<usize>segment << 1), 2);
  const between = ((c1 - c0) * <i32>(fraction - (segment << 9))) >> 16;
  const log2 = (whole << 16) + fraction + c0 + between;
  const log = <u32>((<u64>45426 * log2 + 32768) >> 16);
  return (p.scale * log + 32768) >> 16;
}
