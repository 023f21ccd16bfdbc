/** What recurrent operators of float32 have in common: where their tensors stand, what these must be, and the kernel call. */
import { elementCount, listText, sizeOf, type Tensor, typeText } from "../../tensor.ts";
import { constrain } from "../constraints.ts";
import type { Lowering, Placed } from "../types.ts";

/** TensorFlow Lite's number of an activation; 4 is tanh. */
export type RecurrentActivation = 0 | 1 | 2 | 3 | 4;

/** Numbers of a gate's inputs; −1 where it has none. */
interface GateInputs {
  readonly x: number;
  readonly aux: number;
  readonly h: number;
  readonly bias: number;
  readonly peephole: number;
  readonly norm: number;
}

/** Numbers of the inputs of one direction. Four gates (input, forget, cell, output) of an LSTM, one of an RNN. */
export interface CellInputs {
  readonly x: number;
  readonly aux: number;
  readonly gates: readonly GateInputs[];
  readonly projection: number;
  readonly projectionBias: number;
  readonly h: number;
  /** −1: an RNN. */
  readonly c: number;
}

/** Sizes of one direction. */
export interface CellSizes {
  readonly batch: number;
  readonly time: number;
  readonly inputs: number;
  readonly auxInputs: number;
  readonly cells: number;
  readonly outputs: number;
  readonly timeMajor: boolean;
}

interface View {
  readonly where: string;
  readonly inputs: readonly (Tensor | undefined)[];
  readonly outputs: readonly Tensor[];
}

const at = (node: View, i: number): Tensor | undefined => (i < 0 ? undefined : node.inputs[i]);

/**
 * Checks one direction and returns its sizes. C1: the input, its weights, recurrent weights and states are there. C2: the input
 * is float32, `[batch, inputs]` or a sequence of these. C3: weights are all float32 or all int8 with one scale, and have the
 * sizes of the cell; so have biases, states and the rest. C4: states are variables. C5: gates are all there, but for the
 * input gate, whose parts are all there or none. C6: int8 weights of the cell's own state are constants.
 */
export function checkCell(node: View, cell: CellInputs, sequence: boolean, timeMajor: boolean): CellSizes {
  const need = (i: number): Tensor => {
    const tensor = at(node, i);
    constrain(node, "C1", tensor !== undefined, () => ({ expected: `input ${i}`, received: "none" }));
    return tensor;
  };
  const x = need(cell.x);
  const rank = sequence ? 3 : 2;
  constrain(node, "C2", x.dtype === "float32" && x.shape.length === rank && elementCount(x.shape) > 0, () => ({
    expected: `"${x.name}" as float32 of ${rank} dimensions, none of them 0`,
    received: typeText(x),
  }));
  const [first, second, last] = (sequence ? x.shape : [1, ...x.shape]) as [number, number, number];
  const [batch, time] = !sequence || timeMajor ? [second, first] : [first, second];
  const main = cell.gates.at(-1) as GateInputs;
  const weights = need(main.x);
  const [cells = 0] = weights.shape;
  const [, outputs = 0] = need(main.h).shape;
  const aux = at(node, cell.aux);
  const auxInputs = aux?.shape.at(-1) ?? 0;

  const sized = (i: number, shape: readonly number[], dtype: string) => {
    const tensor = at(node, i);
    if (tensor === undefined) return;
    const fits =
      tensor.dtype === dtype && `${tensor.shape}` === `${shape}` && (dtype !== "int8" || scaleOf(tensor) > 0);
    constrain(node, "C3", fits, () => ({
      expected: `"${tensor.name}" as ${typeText({ dtype, shape })}${dtype === "int8" ? " with one scale and zero point 0" : ""}`,
      received: typeText(tensor),
    }));
  };
  const { dtype } = weights;
  constrain(
    node,
    "C3",
    (dtype === "float32" || dtype === "int8") && cells > 0 && outputs > 0,
    () => ({ expected: "weights of float32 or int8", received: `${listText(weights.shape)} ${dtype}` }),
    "UNSUPPORTED",
  );
  for (const [i, gate] of cell.gates.entries()) {
    const present = [gate.x, gate.h].filter((id) => at(node, id) !== undefined).length;
    constrain(node, "C5", present === 2 || (present === 0 && i === 0 && cell.gates.length > 1), () => ({
      expected: "both weights of every gate",
      received: `${present} of gate ${i}`,
    }));
    sized(gate.x, [cells, sizeOf(x, -1)], dtype);
    sized(gate.aux, [cells, auxInputs], dtype);
    sized(gate.h, [cells, outputs], dtype);
    if (present === 2) need(gate.bias);
    sized(gate.bias, [cells], "float32");
    sized(gate.norm, [cells], "float32");
    const peephole = at(node, gate.peephole);
    sized(gate.peephole, [cells], dtype);
    constrain(node, "C6", peephole?.dtype !== "int8" || peephole.data !== undefined, () => ({
      expected: "constant weights of the state",
      received: `"${peephole?.name}"`,
    }));
  }
  sized(cell.projection, [outputs, cells], dtype);
  sized(cell.projectionBias, [outputs], "float32");
  constrain(node, "C3", at(node, cell.projection) !== undefined || cells === outputs, () => ({
    expected: `${cells} outputs without projection`,
    received: `${outputs}`,
  }));
  if (aux !== undefined)
    constrain(
      node,
      "C3",
      aux.dtype === "float32" && `${aux.shape.slice(0, -1)}` === `${x.shape.slice(0, -1)}` && auxInputs > 0,
      () => ({ expected: `"${aux.name}" as float32, as long as the input`, received: typeText(aux) }),
    );
  for (const [i, size] of [
    [cell.h, outputs],
    [cell.c, cells],
  ] as const) {
    if (i < 0) continue;
    const state = need(i);
    const fits = state.variable === true && state.dtype === "float32" && elementCount(state.shape) === batch * size;
    constrain(node, "C4", fits, () => ({
      expected: `"${state.name}" as a variable of ${batch * size} float32`,
      received: typeText(state),
    }));
  }
  return { batch, time, inputs: last, auxInputs, cells, outputs, timeMajor };
}

/** The one scale of symmetric int8 weights; 0 where they are others. */
function scaleOf({ quantization }: Tensor): number {
  const zero = quantization?.zeroPoint.every((point) => point === 0) ?? false;
  return quantization?.scale.length === 1 && zero ? (quantization.scale[0] as number) : 0;
}

/** How a direction runs. */
export interface Run {
  readonly activation: RecurrentActivation;
  readonly cellClip: number;
  readonly projectionClip: number;
  readonly asymmetric: boolean;
  readonly reverse: boolean;
  /** The output it writes, the size of that one's rows, and where in them this direction's begin. */
  readonly output: number;
  readonly width: number;
  readonly offset: number;
}

const aligned = (bytes: number) => Math.ceil(bytes / 16) * 16;

/** How far apart rows of a sequence stand: from one time to the next, and from one sample of the batch to the next. */
interface Rows {
  readonly step: number;
  readonly row: number;
}

/** Where rows of `size` elements stand. */
export function rowsOf({ batch, time, timeMajor }: CellSizes, size: number): Rows {
  return timeMajor ? { step: batch * size, row: size } : { step: size, row: time * size };
}

/** One call of `lstmF32` or `rnnF32`. */
export function callCell(to: Lowering, cell: CellInputs, sizes: CellSizes, run: Run): void {
  const { batch, time, inputs, auxInputs, cells, outputs } = sizes;
  const input = (i: number): Placed | undefined => (i < 0 ? undefined : to.inputs[i]);
  const address = (i: number) => to.input(i);
  const scale = (i: number) => {
    const tensor = input(i);
    return tensor?.dtype === "int8" ? scaleOf(tensor) : 0;
  };
  const quantized = input((cell.gates.at(-1) as GateInputs).x)?.dtype === "int8";
  const words = new DataView(new ArrayBuffer(cell.gates.length * 36));
  for (const [i, gate] of cell.gates.entries()) {
    const places = [gate.x, gate.aux, gate.h, gate.bias].map(address);
    const all = [...places, peepholeAddress(to, input(gate.peephole)), address(gate.norm)];
    for (const [j, value] of all.entries()) words.setUint32(i * 36 + j * 4, value, true);
    for (const [j, id] of [gate.x, gate.aux, gate.h].entries()) words.setFloat32(i * 36 + 24 + j * 4, scale(id), true);
  }
  const int8Bytes = 32 + aligned(inputs) + aligned(auxInputs) + aligned(outputs) + aligned(cells);
  const [xAt, auxAt, yAt] = [inputs, auxInputs, run.width].map((size) => rowsOf(sizes, size)) as [Rows, Rows, Rows];
  to.call({
    kernel: cell.c < 0 ? "rnnF32" : "lstmF32",
    params: {
      x: address(cell.x),
      aux: address(cell.aux),
      y: to.output(run.output) + run.offset * 4,
      h: address(cell.h),
      c: address(cell.c),
      gates: to.place(new Uint8Array(words.buffer)),
      ...to.scratch(int8Bytes + 4 * aligned(cells * 4)),
      batch,
      time,
      inputs,
      auxInputs,
      cells,
      outputs,
      xStep: xAt.step,
      xRow: xAt.row,
      auxStep: auxAt.step,
      auxRow: auxAt.row,
      yStep: yAt.step,
      yRow: yAt.row,
      reverse: run.reverse ? 1 : 0,
      quantized: quantized ? 1 : 0,
      asymmetric: run.asymmetric ? 1 : 0,
      activation: run.activation,
      projection: address(cell.projection),
      projectionBias: address(cell.projectionBias),
      projectionScale: scale(cell.projection),
      cellClip: run.cellClip,
      projectionClip: run.projectionClip,
    },
    note: quantized ? "int8 weights" : "",
  });
}

/** Weights of the cell's own state are float32 for the kernel. */
function peepholeAddress(to: Lowering, tensor: Placed | undefined): number {
  if (tensor === undefined) return 0;
  if (tensor.dtype !== "int8" || tensor.data === undefined) return tensor.address;
  const scale = scaleOf(tensor);
  const values = Float32Array.from(new Int8Array(tensor.data), (value) => value * scale);
  return to.place(new Uint8Array(values.buffer));
}

/** Multiply-accumulates of a direction. */
export function cellMacs(sizes: CellSizes, gates: number): number {
  const { batch, time, inputs, auxInputs, cells, outputs } = sizes;
  return batch * time * gates * cells * (inputs + auxInputs + outputs);
}
