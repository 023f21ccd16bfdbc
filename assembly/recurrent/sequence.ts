/** LSTM and RNN over a sequence, float32, with float32 or int8 weights. Parts are shares of the batch. @full */
import { Gate, Sequence } from "./params";
import { activate, LOGISTIC, addProducts, addQuantizedProducts, clip, normalize, quantizeRow } from "./vectors";
import { copyBytes } from "../common/bytes";
import { share } from "../common/split";

/** An input as it enters a product: the vector, or its int8 values with the address of their scale and zero point. */
// @ts-ignore: decorator
@inline function enter(p: Sequence, x: usize, n: u32, q: usize, state: usize): void {
  if (p.quantized && x) quantizeRow(x, n, q, state, p.asymmetric);
}

function addAll(p: Sequence, y: usize, w: usize, x: usize, q: usize, rows: u32, n: u32, state: usize, scale: f32): void {
  if (!w || !x) return;
  if (p.quantized) addQuantizedProducts(y, w, q, rows, n, state, scale);
  else addProducts(y, w, x, rows, n);
}

// @ts-ignore: decorator
@inline function aligned(bytes: u32): u32 {
  return (bytes + 15) & ~15;
}

/** The sums of a gate, before anything is done to them. */
function sums(p: Sequence, gate: Gate, y: usize, x: usize, aux: usize, h: usize, room: usize): void {
  const n = p.cells;
  const qx = room + 32;
  const qa = qx + aligned(p.inputs);
  const qh = qa + aligned(p.auxInputs);
  if (gate.bias && !gate.norm) copyBytes(y, gate.bias, n << 2);
  else memory.fill(y, 0, n << 2);
  addAll(p, y, gate.x, x, qx, n, p.inputs, room, gate.xScale);
  addAll(p, y, gate.aux, aux, qa, n, p.auxInputs, room + 8, gate.auxScale);
  addAll(p, y, gate.h, h, qh, n, p.outputs, room + 16, gate.hScale);
}

/** Peephole, normalization, and the logistic function or another. */
function finish(p: Sequence, gate: Gate, y: usize, c: usize, logistic: bool): void {
  const end = <usize>p.cells << 2;
  if (gate.peephole)
    for (let i: usize = 0; i < end; i += 4)
      store<f32>(y + i, load<f32>(y + i) + load<f32>(gate.peephole + i) * load<f32>(c + i));
  if (gate.norm) {
    normalize(y, p.cells);
    for (let i: usize = 0; i < end; i += 4)
      store<f32>(y + i, load<f32>(y + i) * load<f32>(gate.norm + i) + load<f32>(gate.bias + i));
  }
  activate(y, y, end, logistic ? LOGISTIC : p.activation);
}

/** Bytes of `Gate`. */
const GATE: usize = 36;

export function lstmF32(p: Sequence, part: u32, parts: u32): void {
  const n = p.cells;
  const bytes = n << 2;
  const room = <usize>p.scratch + part * p.scratchStride;
  const qp = room + 32 + aligned(p.inputs) + aligned(p.auxInputs) + aligned(p.outputs);
  const input = qp + aligned(n);
  const forget = input + aligned(bytes);
  const cell = forget + aligned(bytes);
  const output = cell + aligned(bytes);
  const gates = <usize>p.gates;
  const hasInput = changetype<Gate>(gates).x != 0;
  const lastBatch = share(p.batch, part + 1, parts);
  for (let b = share(p.batch, part, parts); b < lastBatch; b++) {
    const h = <usize>p.h + ((<usize>b * p.outputs) << 2);
    const c = <usize>p.c + ((<usize>b * n) << 2);
    for (let turn: u32 = 0; turn < p.time; turn++) {
      const t = p.reverse ? p.time - 1 - turn : turn;
      const x = <usize>p.x + ((<usize>b * p.xRow + <usize>t * p.xStep) << 2);
      const aux = p.aux ? <usize>p.aux + ((<usize>b * p.auxRow + <usize>t * p.auxStep) << 2) : 0;
      const y = <usize>p.y + ((<usize>b * p.yRow + <usize>t * p.yStep) << 2);
      enter(p, x, p.inputs, room + 32, room);
      enter(p, aux, p.auxInputs, room + 32 + aligned(p.inputs), room + 8);
      enter(p, h, p.outputs, room + 32 + aligned(p.inputs) + aligned(p.auxInputs), room + 16);
      if (hasInput) sums(p, changetype<Gate>(gates), input, x, aux, h, room);
      sums(p, changetype<Gate>(gates + GATE), forget, x, aux, h, room);
      sums(p, changetype<Gate>(gates + 2 * GATE), cell, x, aux, h, room);
      sums(p, changetype<Gate>(gates + 3 * GATE), output, x, aux, h, room);
      if (hasInput) finish(p, changetype<Gate>(gates), input, c, true);
      finish(p, changetype<Gate>(gates + GATE), forget, c, true);
      finish(p, changetype<Gate>(gates + 2 * GATE), cell, c, false);
      for (let i: usize = 0; i < <usize>bytes; i += 4) {
        const f = load<f32>(forget + i);
        const g = hasInput ? load<f32>(input + i) : <f32>1 - f;
        store<f32>(c + i, f * load<f32>(c + i) + load<f32>(cell + i) * g);
      }
      if (p.cellClip > 0) clip(c, n, p.cellClip);
      finish(p, changetype<Gate>(gates + 3 * GATE), output, c, true);
      activate(cell, c, bytes, p.activation);
      for (let i: usize = 0; i < <usize>bytes; i += 4)
        store<f32>(output + i, load<f32>(output + i) * load<f32>(cell + i));
      if (p.projection) {
        if (p.projectionBias) copyBytes(h, p.projectionBias, p.outputs << 2);
        else memory.fill(h, 0, p.outputs << 2);
        enter(p, output, n, qp, room + 24);
        addAll(p, h, p.projection, output, qp, p.outputs, n, room + 24, p.projectionScale);
        if (p.projectionClip > 0) clip(h, p.outputs, p.projectionClip);
      } else copyBytes(h, output, bytes);
      copyBytes(y, h, p.outputs << 2);
    }
  }
}

export function rnnF32(p: Sequence, part: u32, parts: u32): void {
  const bytes = p.outputs << 2;
  const room = <usize>p.scratch + part * p.scratchStride;
  const next = room + 32 + aligned(p.inputs) + aligned(p.auxInputs) + aligned(p.outputs);
  const gate = changetype<Gate>(<usize>p.gates);
  const lastBatch = share(p.batch, part + 1, parts);
  for (let b = share(p.batch, part, parts); b < lastBatch; b++) {
    const h = <usize>p.h + <usize>b * bytes;
    for (let turn: u32 = 0; turn < p.time; turn++) {
      const t = p.reverse ? p.time - 1 - turn : turn;
      const x = <usize>p.x + ((<usize>b * p.xRow + <usize>t * p.xStep) << 2);
      const aux = p.aux ? <usize>p.aux + ((<usize>b * p.auxRow + <usize>t * p.auxStep) << 2) : 0;
      enter(p, x, p.inputs, room + 32, room);
      enter(p, aux, p.auxInputs, room + 32 + aligned(p.inputs), room + 8);
      enter(p, h, p.outputs, room + 32 + aligned(p.inputs) + aligned(p.auxInputs), room + 16);
      sums(p, gate, next, x, aux, h, room);
      activate(h, next, bytes, p.activation);
      copyBytes(<usize>p.y + ((<usize>b * p.yRow + <usize>t * p.yStep) << 2), h, bytes);
    }
  }
}
