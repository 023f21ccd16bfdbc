/** LSTM of int8 or int16 with int16 gates and cell. Parts are shares of the batch. Source: TFLM's lstm_eval_common. @full */
import { GateInteger, LstmInteger } from "./params";
import { dotS8 } from "./vectors";
import { copyBytes } from "../common/bytes";
import { clamp, rescale } from "../common/fixedpoint";
import { share } from "../common/split";

// @ts-ignore: decorator
@inline function saturate(x: i32): i32 {
  return clamp(x, -32768, 32767);
}

/** An int64 by a factor of 16 bits, rounded half up; for factors below 2^14. */
// @ts-ignore: decorator
@inline function rescaleWide(x: i64, multiplier: i32, shift: i32): i32 {
  const reduced: i64 = multiplier < 0x7fff0000 ? (multiplier + (1 << 15)) >> 16 : 0x7fff;
  const total: i64 = 15 - shift;
  return <i32>((x * reduced + (<i64>1 << (total - 1))) >> total);
}

/** The sum of products of n int8 and n int16. */
function dotS16(w: usize, x: usize, n: u32): i64 {
  let sum: i64 = 0;
  for (let i: usize = 0; i < <usize>n; i++) sum += <i64>(<i32>load<i8>(w + i) * <i32>load<i16>(x + (i << 1)));
  return sum;
}

/** One product of a gate with activations of `size` bytes, rescaled. */
function product(size: u32, w: usize, bias: usize, j: u32, x: usize, n: u32, multiplier: i32, shift: i32): i32 {
  w += <usize>j * n;
  if (size == 1) {
    const sum = dotS8(w, x, n, 0) + (bias ? load<i32>(bias + (<usize>j << 2)) : 0);
    return saturate(rescale(sum, multiplier, shift));
  } else {
    const sum = dotS16(w, x, n) + (bias ? load<i64>(bias + (<usize>j << 3)) : 0);
    return saturate(rescaleWide(sum, multiplier, shift));
  }
}

/** The logistic function of Q3.12, as Q0.15. */
function logistic(value: i32, table: usize): i32 {
  const x = value * 3;
  const a = <u32>abs<i32>(x);
  const entry = a >>> 9;
  let result: i32 = 0x7fff << 10;
  if (entry < 255) {
    const from = <i32>load<u16>(table + (entry << 1));
    const to = <i32>load<u16>(table + (entry << 1), 2);
    result = (from << 9) + <i32>(a & 0x1ff) * (to - from);
  }
  return <i32>(<u32>(x >= 0 ? result + (1 << 9) : (1 << 25) - result + (1 << 9) - 1) >>> 10);
}

/** tanh of an int16 that multiplier and shift bring to three times Q3.12, as Q0.15. */
function tangent(value: i32, table: usize, multiplier: i32, shift: i32): i32 {
  const round = shift > 0 ? 1 << (shift - 1) : 0;
  const x = (value * multiplier + round) >> shift;
  const a = <u32>abs<i32>(x);
  const entry = a >>> 8;
  let result: i32 = 0xffff << 8;
  if (entry < 255) {
    const from = <i32>load<u16>(table + (entry << 1));
    const to = <i32>load<u16>(table + (entry << 1), 2);
    result = (from << 8) + <i32>(a & 0xff) * (to - from);
  }
  return (x >= 0 ? result - (1 << 23) + (1 << 7) : (1 << 23) - result + (1 << 7) - 1) >> 8;
}

/** The sum of a gate for unit j. */
function gateOf(size: u32, p: LstmInteger, gate: GateInteger, j: u32, x: usize, h: usize): i32 {
  const own = product(size, gate.x, gate.xBias, j, x, p.inputs, gate.xMultiplier, gate.xShift);
  return saturate(own + product(size, gate.h, gate.hBias, j, h, p.cells, gate.hMultiplier, gate.hShift));
}

/** int8 activations. */
export function lstmS8(p: LstmInteger, part: u32, parts: u32): void {
  lstm(p, part, parts, 1);
}

/** int16 activations. */
export function lstmS16(p: LstmInteger, part: u32, parts: u32): void {
  lstm(p, part, parts, 2);
}

/** Bytes of `GateInteger`. */
const GATE: usize = 32;

function lstm(p: LstmInteger, part: u32, parts: u32, size: u32): void {
  const n = p.cells;
  const bytes = n * size;
  const next = <usize>p.scratch + part * p.scratchStride;
  const table = <usize>p.table;
  const gates = <usize>p.gates;
  const lo: i32 = size == 1 ? -128 : -32768;
  const lastBatch = share(p.batch, part + 1, parts);
  for (let b = share(p.batch, part, parts); b < lastBatch; b++) {
    const h = <usize>p.h + <usize>b * bytes;
    const c = <usize>p.c + ((<usize>b * n) << 1);
    for (let t: u32 = 0; t < p.time; t++) {
      const x = <usize>p.x + (<usize>b * p.xRow + <usize>t * p.xStep) * size;
      for (let j: u32 = 0; j < n; j++) {
        const input = logistic(gateOf(size, p, changetype<GateInteger>(gates), j, x, h), table);
        const forget = logistic(gateOf(size, p, changetype<GateInteger>(gates + GATE), j, x, h), table);
        const news = tangent(gateOf(size, p, changetype<GateInteger>(gates + 2 * GATE), j, x, h), table, 3, 0);
        const output = logistic(gateOf(size, p, changetype<GateInteger>(gates + 3 * GATE), j, x, h), table);
        const place = c + (<usize>j << 1);
        const kept = saturate(rescale(<i32>load<i16>(place) * forget, p.forgetMultiplier, p.forgetShift));
        let cell = saturate(kept + saturate(rescale(input * news, p.inputMultiplier, p.inputShift)));
        if (p.cellClip > 0) cell = clamp(cell, -p.cellClip, p.cellClip);
        store<i16>(place, cell);
        const hidden = tangent(cell, table, p.tanhMultiplier, p.tanhShift) * output;
        const y = rescale(hidden, p.hiddenMultiplier, p.hiddenShift) + p.hiddenZeroPoint;
        if (size == 1) store<i8>(next + j, clamp(y, lo, -1 - lo));
        else store<i16>(next + (<usize>j << 1), clamp(y, lo, -1 - lo));
      }
      copyBytes(h, next, bytes);
      copyBytes(<usize>p.y + (<usize>b * p.yRow + <usize>t * p.yStep) * size, next, bytes);
    }
  }
}
