/** LSTM of int8 and int16 with an int16 cell: its constraints, and the kernel call. */
import { type Multiplier, quantizeMultiplier } from "../../primitives/requantize/quantization.ts";
import { sigmoidTable } from "../../primitives/table/functions.ts";
import { dimensions, elementCount, scaleOf, type Tensor, type TensorType, typeText, zeroOf } from "../../tensor.ts";
import { constrain, requireAffine, requireRatio } from "../constraints.ts";
import type { Lowering, NodeView, Placed } from "../types.ts";
import { type CellSizes, rowsOf } from "./cells.ts";

/** The scale of what goes into logistic and tanh: Q3.12. */
const GATE_SCALE = 2 ** -12;
/** The scale of what comes out of them. */
const UNIT_SCALE = 2 ** -15;

/**
 * Checks and returns the sizes. C1: x, weights, biases and states are there. C2: x is int8 or int16, `[batch, inputs]` or a
 * sequence of these. C3: weights are constant int8 with one scale, biases constant int32 (int64 for int16). C4: states are
 * variables, the output's of x's type, the cell's int16 with a scale of a power of two. C5: see `checkNorm`. C6: scales whose ratios the multiplier holds.
 */
export function checkInteger(node: NodeView<"lstm">): CellSizes {
  const { sequence, timeMajor } = node.attributes;
  const [x, h, c] = [0, 18, 19].map((i) => node.inputs[i]);
  const rank = sequence ? 3 : 2;
  const known = x !== undefined && (x.dtype === "int8" || x.dtype === "int16");
  constrain(node, "C2", known && x.shape.length === rank && elementCount(x.shape) > 0, () => ({
    expected: `x as int8 or int16 of ${rank} dimensions, none of them 0`,
    received: typeText(x),
  }));
  const [first, second, inputs] = (sequence ? x.shape : [1, ...x.shape]) as [number, number, number];
  const [batch, time] = !sequence || timeMajor ? [second, first] : [first, second];
  const [cells = 0] = node.inputs[4]?.shape ?? [];
  const sized = (i: number, dtype: string, shape: readonly number[]) => {
    requireSized(node, i, dtype, shape, dtype === "int8");
  };
  for (let i = 0; i < 4; i++) {
    sized(1 + i, "int8", [cells, inputs]);
    sized(5 + i, "int8", [cells, cells]);
    sized(12 + i, x.dtype === "int8" ? "int32" : "int64", [cells]);
  }
  const power = Math.round(Math.log2(scaleOf(c)));
  const fits =
    h?.variable === true &&
    h.dtype === x.dtype &&
    elementCount(h.shape) === batch * cells &&
    c?.variable === true &&
    c.dtype === "int16" &&
    elementCount(c.shape) === batch * cells &&
    scaleOf(c) > 0 &&
    Math.abs(Math.log2(scaleOf(c)) - power) < 1e-3 &&
    power >= -24 &&
    power <= 0;
  constrain(node, "C4", fits, () => ({
    expected: `variables of ${batch * cells} ${x.dtype}, and int16 with a scale of a power of two from 2^−24 to 1`,
    received: [h, c].map((tensor) => `${typeText(tensor)} ${scaleOf(tensor)}`).join(" and "),
  }));
  for (const tensor of [x, h as Tensor]) {
    const { zeroPoint } = requireAffine(node, "C6", tensor);
    constrain(node, "C6", x.dtype === "int8" || zeroPoint === 0, () => ({
      expected: "int16 with zero point 0",
      received: `${zeroPoint}`,
    }));
  }
  for (const ratio of ratiosOf(node)) {
    requireRatio(node, "C6", ratio);
    // The factors of int64 are shifted by 15 − shift bits, at least one.
    constrain(node, "C6", ratio < 2 ** 13, () => ({ expected: "ratios of scales below 2^13", received: `${ratio}` }));
  }
  return { batch, time, inputs, auxInputs: 0, cells, outputs: cells, timeMajor };
}

export function inferInteger(node: NodeView<"lstm">): readonly TensorType[] {
  const { cells } = checkInteger(node);
  const x = node.inputs[0] as Tensor;
  return [{ dtype: x.dtype, shape: [...x.shape.slice(0, -1), cells] }];
}

/** Factors: of the four gates' inputs, of their states, then of the cell, of what is new, and of the output. */
function ratiosOf({ inputs }: NodeView<"lstm">): readonly number[] {
  const [x, h, c] = [0, 18, 19].map((i) => scaleOf(inputs[i])) as [number, number, number];
  return [
    ...[1, 2, 3, 4].map((i) => (x * scaleOf(inputs[i])) / GATE_SCALE),
    ...[5, 6, 7, 8].map((i) => (h * scaleOf(inputs[i])) / GATE_SCALE),
    (UNIT_SCALE * c) / c,
    (UNIT_SCALE * UNIT_SCALE) / c,
    (UNIT_SCALE * UNIT_SCALE) / h,
  ];
}

/** One call of `lstmS8` or `lstmS16`. */
export function lowerInteger(node: NodeView<"lstm">, to: Lowering): void {
  const sizes = checkInteger(node);
  const { batch, time, inputs, cells } = sizes;
  const [x, h, c, y] = [to.inputs[0], to.inputs[18], to.inputs[19], to.outputs[0]] as [Placed, Placed, Placed, Placed];
  const factors = ratiosOf(node).map(quantizeMultiplier);
  const int8 = x.dtype === "int8";
  const words = new DataView(new ArrayBuffer(4 * 32));
  for (let i = 0; i < 4; i++) {
    const [own, state, bias] = [to.inputs[1 + i], to.inputs[5 + i], to.inputs[12 + i]] as [Placed, Placed, Placed];
    const [a, b] = [factors[i], factors[4 + i]] as [Multiplier, Multiplier];
    const values = [
      own.address,
      state.address,
      int8 ? to.place(biasOf(bias.data, own, zeroOf(x))) : bias.address,
      int8 ? to.place(biasOf(undefined, state, zeroOf(h))) : 0,
      ...[a.multiplier, a.shift, b.multiplier, b.shift],
    ];
    for (const [j, value] of values.entries()) words.setInt32(i * 32 + j * 4, value, true);
  }
  const [forget, news, hidden] = factors.slice(8) as [Multiplier, Multiplier, Multiplier];
  const power = Math.round(Math.log2(scaleOf(c)));
  const left = 15 + power - 3;
  const clip = node.attributes.cellClip / scaleOf(c);
  const [xAt, yAt] = [rowsOf(sizes, inputs), rowsOf(sizes, cells)];
  to.call({
    kernel: int8 ? "lstmS8" : "lstmS16",
    params: {
      x: x.address,
      y: y.address,
      h: h.address,
      c: c.address,
      gates: to.place(new Uint8Array(words.buffer)),
      table: to.place(new Uint8Array(sigmoidTable().buffer)),
      ...to.scratch(cells * 2),
      batch,
      time,
      inputs,
      cells,
      xStep: xAt.step,
      xRow: xAt.row,
      yStep: yAt.step,
      yRow: yAt.row,
      forgetMultiplier: forget.multiplier,
      forgetShift: forget.shift,
      inputMultiplier: news.multiplier,
      inputShift: news.shift,
      hiddenMultiplier: hidden.multiplier,
      hiddenShift: hidden.shift,
      hiddenZeroPoint: zeroOf(h),
      ...(left < 0 ? { tanhMultiplier: 3, tanhShift: -left } : { tanhMultiplier: 3 * 2 ** left, tanhShift: 0 }),
      cellClip: clip > 0 ? Math.trunc(Math.min(clip, 32767)) : 0,
    },
  });
}

/** C3: input i is a constant of this type and shape, with elements; weights have the zero point 0. */
export function requireSized(
  node: NodeView<"lstm">,
  i: number,
  dtype: string,
  shape: readonly number[],
  isWeights: boolean,
): void {
  const tensor = node.inputs[i];
  const fits = tensor?.dtype === dtype && tensor.data !== undefined && `${tensor.shape}` === `${shape}`;
  constrain(node, "C3", fits && elementCount(shape) > 0, () => ({
    expected: `input ${i} as a constant ${typeText({ dtype, shape })}`,
    received: typeText(tensor),
  }));
  if (!isWeights) return;
  const { zeroPoint } = requireAffine(node, "C3", tensor);
  constrain(node, "C3", zeroPoint === 0, () => ({ expected: "weights of zero point 0", received: `${zeroPoint}` }));
}

/** Biases less the zero point's share, int32. */
export function biasOf(bias: Uint8Array | undefined, { data, shape }: Placed, zeroPoint: number): Uint8Array {
  const [rows, columns] = dimensions(shape, 2);
  const weights = new Int8Array(data as Uint8Array);
  const given = bias && new DataView(bias.buffer, bias.byteOffset, bias.byteLength);
  const sums = Int32Array.from({ length: rows }, (_, row) => {
    let sum = given?.getInt32(row * 4, true) ?? 0;
    for (const weight of weights.subarray(row * columns, (row + 1) * columns)) sum -= weight * zeroPoint;
    return sum;
  });
  return new Uint8Array(sums.buffer);
}
