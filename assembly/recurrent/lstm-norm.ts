/**
 * LSTM of int8 with int16 gates and cell and all that TensorFlow Lite's operator may have beside the gates: weights of the cell's own
 * state, normalization, a projection, an input gate that is one less the forget gate. Parts are shares of the batch.
 * Source: TFLite's lstm_eval, 8x8_16. @full
 */
import { GateNorm, LstmNorm } from "./params";
import { dotS8 } from "./vectors";
import { copyBytes } from "../common/bytes";
import { clamp, inverseRoot, rescale, roundingShift } from "../common/fixedpoint";
import { logisticS16, tanhS16 } from "../common/fixedpoint-s16";
import { share } from "../common/split";

/** Bytes of `GateNorm`. */
const GATE: usize = 68;

// @ts-ignore: decorator
@inline function saturate(x: i32): i32 {
  return clamp(x, -32768, 32767);
}

export function lstmNormS8(p: LstmNorm, part: u32, parts: u32): void {
  const n = p.cells;
  const input = <usize>p.scratch + part * p.scratchStride;
  const forget = input + (n << 1);
  const news = forget + (n << 1);
  const output = news + (n << 1);
  const hidden = output + (n << 1);
  const gates = <usize>p.gates;
  const lastBatch = share(p.batch, part + 1, parts);
  for (let b = share(p.batch, part, parts); b < lastBatch; b++) {
    const h = <usize>p.h + <usize>b * p.outputs;
    const c = <usize>p.c + ((<usize>b * n) << 1);
    for (let t: u32 = 0; t < p.time; t++) {
      const x = <usize>p.x + <usize>b * p.xRow + <usize>t * p.xStep;
      if (!p.coupled) gateOf(p, changetype<GateNorm>(gates), input, x, h, c, b);
      gateOf(p, changetype<GateNorm>(gates + GATE), forget, x, h, c, b);
      gateOf(p, changetype<GateNorm>(gates + 2 * GATE), news, x, h, c, b);
      for (let j: usize = 0; j < <usize>(n << 1); j += 2) {
        const f = <i32>load<i16>(forget + j);
        const i = p.coupled ? 32767 - f : <i32>load<i16>(input + j);
        const kept = roundingShift(f * <i32>load<i16>(c + j), 15);
        let cell = saturate(kept + <i32>(<i16>roundingShift(i * <i32>load<i16>(news + j), p.newsShift)));
        if (p.cellClip > 0) cell = clamp(cell, -p.cellClip, p.cellClip);
        store<i16>(c + j, cell);
      }
      gateOf(p, changetype<GateNorm>(gates + 3 * GATE), output, x, h, c, b);
      for (let j: usize = 0; j < <usize>n; j++) {
        const cell = tanhS16(<i32>load<i16>(c + (j << 1)), p.cellBits);
        const value = rescale(<i32>load<i16>(output + (j << 1)) * cell, p.hiddenMultiplier, p.hiddenShift) + p.hiddenZeroPoint;
        store<i8>(hidden + j, clamp(value, -128, 127));
      }
      if (p.projection) project(p, h, hidden);
      else copyBytes(h, hidden, n);
      copyBytes(<usize>p.y + <usize>b * p.yRow + <usize>t * p.yStep, h, p.outputs);
    }
  }
}

/** The gate's n values: two products, the cell's own weights, normalization and the function. */
function gateOf(p: LstmNorm, gate: GateNorm, to: usize, x: usize, h: usize, c: usize, b: u32): void {
  const n = p.cells;
  for (let j: u32 = 0; j < n; j++) {
    const own = dotS8(<usize>gate.x + <usize>j * p.inputs, x, p.inputs, 0) + load<i32>(<usize>gate.xBias + (<usize>j << 2));
    const state = dotS8(<usize>gate.h + <usize>j * p.outputs, h, p.outputs, 0) + load<i32>(<usize>gate.hBias + (<usize>j << 2));
    let value = saturate(rescale(own, gate.xMultiplier, gate.xShift));
    value = saturate(value + rescale(state, gate.hMultiplier, gate.hShift));
    if (gate.cell) {
      // The reference walks all samples' cells as one list of rows as long as the output.
      const flat = p.together ? b * n + j : j;
      if (flat < p.outputs * (p.together ? p.batch : 1)) {
        const weight = <i32>load<i16>(<usize>gate.cell + ((flat % p.outputs) << 1));
        value = saturate(value + rescale(weight * <i32>load<i16>(c + (<usize>j << 1)), gate.cellMultiplier, gate.cellShift));
      }
    }
    store<i16>(to + (<usize>j << 1), value);
  }
  if (gate.norm) normalize(gate, to, n);
  for (let at = to, end = to + (n << 1); at < end; at += 2) {
    const value = <i32>load<i16>(at);
    store<i16>(at, gate.isTanh ? tanhS16(value, 3) : logisticS16(value));
  }
}

/** n int16 to mean 0 and deviation 1 in 1024ths, times weights, plus biases. */
function normalize(gate: GateNorm, to: usize, n: u32): void {
  let sum: i64 = 0;
  let squares: i64 = 0;
  for (let at = to, end = to + (n << 1); at < end; at += 2) {
    const value = <i64>load<i16>(at);
    sum += value;
    squares += value * value;
  }
  const mean = <i32>((sum * 1024) / <i64>n);
  const share = (1 << 20) / <i32>n;
  let variance = <i32>((squares * <i64>share - <i64>mean * <i64>mean) / (1 << 20));
  if (variance < 1) variance = gate.varianceGuard;
  let multiplier = i32.MAX_VALUE;
  let shift: i32 = 0;
  if (variance > 1) {
    shift = 11;
    while (variance >= 1 << 29) {
      variance /= 4;
      shift++;
    }
    const pairs = (<i32>clz(variance) - 1) / 2 - 1;
    shift -= pairs;
    multiplier = inverseRoot(variance << (2 * pairs));
    if (shift < 0) {
      multiplier <<= -shift;
      shift = 0;
    }
  }
  for (let j: usize = 0; j < <usize>n; j++) {
    const scaled = rescale(1024 * <i32>load<i16>(to + (j << 1)) - mean, multiplier, -shift);
    const weighed = <i64>scaled * <i64>load<i16>(<usize>gate.norm + (j << 1)) + <i64>load<i32>(<usize>gate.normBias + (j << 2));
    const rounded = <i32>((weighed > 0 ? weighed + 512 : weighed - 512) / 1024);
    store<i16>(to + (j << 1), saturate(rescale(rounded, gate.normMultiplier, gate.normShift)));
  }
}

/** h = projection · hidden + bias. */
function project(p: LstmNorm, h: usize, hidden: usize): void {
  for (let j: u32 = 0; j < p.outputs; j++) {
    const sum = dotS8(<usize>p.projection + <usize>j * p.cells, hidden, p.cells, 0) + load<i32>(<usize>p.projectionBias + (<usize>j << 2));
    let value = clamp(rescale(sum, p.projectionMultiplier, p.projectionShift) + p.outputZeroPoint, -128, 127);
    if (p.projectionClip > 0) value = clamp(value, -p.projectionClip, p.projectionClip);
    store<i8>(h + j, value);
  }
}
