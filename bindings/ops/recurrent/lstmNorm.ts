/** LSTM of int8 with weights of the cell's own state, normalization, a projection or no input gate, in TFLite's arithmetic. */
import { quantizeMultiplier } from "../../primitives/requantize/quantization.ts";
import { elementCount, scaleOf, type Tensor, type TensorType, typeText, zeroOf } from "../../tensor.ts";
import { constrain, requireAffine, requireRatio } from "../constraints.ts";
import type { Lowering, NodeView, Placed } from "../types.ts";
import { type CellSizes, rowsOf } from "./cells.ts";
import { biasOf, requireSized } from "./lstmInteger.ts";

type Lstm = NodeView<"lstm">;

/** Inputs of gate i: its weights, recurrent weights, weights of the cell, bias, normalization. */
const inputsOf = (i: number) => ({
  x: 1 + i,
  h: 5 + i,
  cell: i === 2 ? -1 : 9 + Math.min(i, 2),
  bias: 12 + i,
  norm: 20 + i,
});
const PROJECTION = 16;
const PROJECTION_BIAS = 17;
const STATE = 18;
const CELL = 19;

/** True of an LSTM of integers with more, or less, than four plain gates, and of one that follows TFLite. */
export const hasMore = ({ inputs, attributes }: Lstm): boolean =>
  attributes.arithmetic === "tflite" ||
  inputs[1] === undefined ||
  [9, 10, 11, 16, 17, 20, 21, 22, 23].some((i) => inputs[i] !== undefined);

const f = Math.fround;
/** Scales of gates without normalization: Q3.12. */
const GATE_SCALE = 2 ** -12;

/** The file's scale of gate i before its function, or of the output before the projection. */
const betweenOf = ({ attributes }: Lstm, i: number) => attributes.intermediates?.[i] ?? { scale: 0, zeroPoint: 0 };
const gateScale = (node: Lstm, i: number) => (node.inputs[21] === undefined ? GATE_SCALE : betweenOf(node, i).scale);

/**
 * Checks and returns the sizes. C1: x, weights and states are there. C2: x is int8, `[batch, inputs]` or a sequence of these.
 * C3: constants of the cell's sizes: int8 weights of one scale and zero point 0, int32 biases, int16 weights of the cell and of
 * the normalization. C4: states are variables, int8 and int16 with a scale of a power of two from 2^−15 to 2^−9. C5: the input
 * gate is there as a whole or not at all, and so are weights of the cell and normalizations. C6: scales whose ratios the multiplier holds.
 */
export function checkNorm(node: Lstm): CellSizes {
  const { sequence, timeMajor } = node.attributes;
  const [x, h, c] = [0, STATE, CELL].map((i) => node.inputs[i]);
  const rank = sequence ? 3 : 2;
  const known = x !== undefined && x.dtype === "int8" && x.shape.length === rank && elementCount(x.shape) > 0;
  constrain(
    node,
    "C2",
    known,
    () => ({ expected: `x as int8 of ${rank} dimensions, none of them 0`, received: typeText(x) }),
    "UNSUPPORTED",
  );
  const [first, second, inputs] = (sequence ? x.shape : [1, ...x.shape]) as [number, number, number];
  const [batch, time] = !sequence || timeMajor ? [second, first] : [first, second];
  const [cells = 0] = node.inputs[4]?.shape ?? [];
  const [, outputs = 0] = node.inputs[8]?.shape ?? [];
  const projected = node.inputs[PROJECTION] !== undefined;
  constrain(node, "C3", cells > 0 && outputs > 0 && (projected || cells === outputs), () => ({
    expected: "as many outputs as cells, or a projection",
    received: `${cells} cells, ${outputs} outputs`,
  }));
  const sized = (i: number, dtype: string, shape: readonly number[], optional = "") => {
    if (node.inputs[i] === undefined && optional !== "") return;
    requireSized(node, i, dtype, shape, dtype !== "int32");
  };
  const gates = gatesOf(node);
  const has = (i: number): number => (node.inputs[i] === undefined ? 0 : 1);
  const parts = [1, 5, 12].map(has).reduce((sum, one) => sum + one);
  const own = gates.flatMap((i) => (i === 2 ? [] : [has(inputsOf(i).cell)]));
  const norms = gates.map((i) => has(inputsOf(i).norm));
  const whole = [own, norms].every((list) => list.every((one) => one === list[0]));
  constrain(node, "C5", (parts === 0 || parts === 3) && whole, () => ({
    expected: "parts of gates that are all there or none",
    received: `inputs ${node.inputs.flatMap((tensor, i) => (tensor === undefined ? [] : [i]))}`,
  }));
  for (const i of gates) {
    const at = inputsOf(i);
    sized(at.x, "int8", [cells, inputs]);
    sized(at.h, "int8", [cells, outputs]);
    sized(at.bias, "int32", [cells]);
    if (at.cell >= 0) sized(at.cell, "int16", [cells], "optional");
    sized(at.norm, "int16", [cells], "optional");
  }
  sized(PROJECTION, "int8", [outputs, cells], "optional");
  sized(PROJECTION_BIAS, "int32", [outputs], "optional");
  const power = Math.log2(scaleOf(c));
  const fits =
    h?.variable === true &&
    h.dtype === "int8" &&
    elementCount(h.shape) === batch * outputs &&
    c?.variable === true &&
    c.dtype === "int16" &&
    elementCount(c.shape) === batch * cells &&
    Math.abs(power - Math.round(power)) < 1e-3 &&
    power > -15.5 &&
    power < -8.5;
  constrain(node, "C4", fits, () => ({
    expected: `variables of ${batch * outputs} int8 and ${batch * cells} int16 with a scale of a power of two from 2^−15 to 2^−9`,
    received: [h, c].map((tensor) => `${typeText(tensor)} ${scaleOf(tensor)}`).join(" and "),
  }));
  for (const tensor of [x, h as Tensor]) requireAffine(node, "C6", tensor);
  for (const real of [
    hiddenScale(node),
    projectionScale(node),
    ...gates.flatMap((i) => Object.values(scalesOf(node, i))),
  ]) {
    constrain(node, "C6", real >= 0 && Number.isFinite(real), () => ({
      expected: "scales of gates and of the output before the projection",
      received: `a ratio of ${real}`,
    }));
    requireRatio(node, "C6", real);
  }
  return { batch, time, inputs, auxInputs: 0, cells, outputs, timeMajor };
}

const gatesOf = ({ inputs }: Lstm): readonly number[] => (inputs[1] === undefined ? [1, 2, 3] : [0, 1, 2, 3]);

/** Factors of gate i's two products, of the cell's weights and of its normalization, in float32. */
function scalesOf(node: Lstm, i: number) {
  const at = inputsOf(i);
  const own = gateScale(node, i);
  const scale = (id: number) => scaleOf(node.inputs[id]);
  const power = 2 ** Math.round(Math.log2(scale(CELL)));
  return {
    x: f(f(scale(at.x) * scale(0)) / own),
    h: f(f(scale(at.h) * scale(STATE)) / own),
    cell: at.cell < 0 ? 0 : f((power * scale(at.cell)) / own),
    norm: scale(at.norm),
  };
}

const hiddenScale = (node: Lstm) => f((2 ** -15 / betweenOf(node, 4).scale) * 2 ** -15);
const projectionScale = (node: Lstm) =>
  f(f(scaleOf(node.inputs[PROJECTION]) * betweenOf(node, 4).scale) / scaleOf(node.inputs[STATE]));

export function inferNorm(node: Lstm): readonly TensorType[] {
  const { outputs } = checkNorm(node);
  const x = node.inputs[0] as Tensor;
  return [{ dtype: "int8", shape: [...x.shape.slice(0, -1), outputs] }];
}

const CLAMP = (value: number, most: number) => (value > 0 ? Math.trunc(Math.min(value, most)) : 0);

/** One call of `lstmNormS8`. */
export function lowerNorm(node: Lstm, to: Lowering): void {
  const sizes = checkNorm(node);
  const { batch, time, inputs, cells, outputs } = sizes;
  const { attributes } = node;
  const [x, h, c, y] = [to.inputs[0], to.inputs[STATE], to.inputs[CELL], to.outputs[0]] as [
    Placed,
    Placed,
    Placed,
    Placed,
  ];
  const address = (i: number) => to.input(i);
  const gates = [0, 1, 2, 3].flatMap((i) => {
    if (!gatesOf(node).includes(i)) return new Array<number>(GATE_WORDS).fill(0);
    const at = inputsOf(i);
    const [own, state] = [to.inputs[at.x], to.inputs[at.h]] as [Placed, Placed];
    const norm = to.inputs[at.norm];
    const scales = scalesOf(node, i);
    const factor = (real: number): readonly [number, number] => {
      const { multiplier, shift } = quantizeMultiplier(real);
      return [multiplier, shift];
    };
    const [normMultiplier, normShift] = factor(scales.norm);
    return [
      ...[own.address, state.address],
      to.place(biasOf(norm === undefined ? to.inputs[at.bias]?.data : undefined, own, zeroOf(x))),
      to.place(biasOf(undefined, state, zeroOf(h))),
      ...[address(at.cell), to.input(at.norm), norm === undefined ? 0 : address(at.bias), i === 2 ? 1 : 0],
      ...[...factor(scales.x), ...factor(scales.h), ...factor(scales.cell), normMultiplier, normShift + 12],
      Math.max(1, Math.trunc(f(10000 * scales.norm))),
    ];
  });
  const projection = to.inputs[PROJECTION];
  const hidden = quantizeMultiplier(hiddenScale(node));
  const projected = quantizeMultiplier(projection === undefined ? 0 : projectionScale(node));
  const power = Math.round(Math.log2(scaleOf(c)));
  // Before a projection the reference takes the zero point from the value, and adds it back times the weights.
  const zeroPoint = betweenOf(node, 4).zeroPoint * (projection === undefined ? 1 : -1);
  const [xAt, yAt] = [rowsOf(sizes, inputs), rowsOf(sizes, outputs)];
  to.call({
    kernel: "lstmNormS8",
    params: {
      x: x.address,
      y: y.address,
      h: h.address,
      c: c.address,
      gates: to.place(new Uint8Array(Int32Array.from(gates).buffer)),
      projection: to.input(PROJECTION),
      projectionBias:
        projection === undefined ? 0 : to.place(biasOf(to.inputs[PROJECTION_BIAS]?.data, projection, zeroPoint)),
      ...to.scratch(cells * 9),
      batch,
      time,
      inputs,
      cells,
      outputs,
      xStep: xAt.step,
      xRow: xAt.row,
      yStep: yAt.step,
      yRow: yAt.row,
      coupled: node.inputs[1] === undefined ? 1 : 0,
      together: !attributes.sequence || attributes.timeMajor ? 1 : 0,
      newsShift: 30 + power,
      cellBits: 15 + power,
      hiddenMultiplier: hidden.multiplier,
      hiddenShift: hidden.shift,
      hiddenZeroPoint: zeroPoint,
      projectionMultiplier: projected.multiplier,
      projectionShift: projected.shift,
      outputZeroPoint: zeroOf(h),
      cellClip: CLAMP(attributes.cellClip / scaleOf(c), 32767),
      projectionClip: CLAMP(attributes.projectionClip / scaleOf(h), 127),
    },
  });
}

/** Words of the kernel's `GateNorm`. */
const GATE_WORDS = 17;
