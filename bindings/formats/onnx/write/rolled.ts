/** Recurrent layers that stand in a graph step by step → layers again: one LSTM, GRU or RNN in place of as many operators as there are steps. */
import { type AnyNode, type Graph, NONE, type TensorId } from "../../../graph.ts";
import { type Found, foundIn, inPlaceOf, inputsOf, type Run, type Taken } from "../../steps/found.ts";
import type { Step } from "../../steps/patterns.ts";
import type { Emitter } from "./emit.ts";
import { type Direction, type Numbers, numbersOf, startOf, writeLayer } from "./recurrent.ts";
import { reshaped, sliced } from "./steps.ts";

/** What is written in place of nodes. */
export interface Rolled extends Taken {
  readonly kind: "layer";
  write(to: Emitter): void;
}

/** A graph's nodes, with layers in place of steps. */
export const rolled = (graph: Graph): readonly (AnyNode | Rolled)[] =>
  inPlaceOf(graph, foundIn(graph), {
    inputs: inputsOf,
    make: (found, taken) => ({
      kind: "layer",
      ...taken,
      write: (to) => writeFound(to, graph, found, taken.outputs),
    }),
  });

function writeFound(to: Emitter, { tensors }: Graph, { runs, stacks }: Found, outputs: readonly TensorId[]): void {
  const [{ steps, product }] = runs as readonly [Run];
  const [{ cell, y: first }] = steps as readonly [Step];
  const [batch = 1, hidden = 1] = tensors[first]?.shape ?? [];
  const [x, w] = product.inputs as readonly [TensorId, TensorId];
  const inputs = to.tensor(w).shape[1] as number;
  const activations = cell.activation && { activations: { words: runs.map(() => cell.activation as string) } };
  const given = writeLayer(to, {
    type: cell.type,
    x: reshaped(to, to.real(x), [steps.length, batch, inputs]),
    batch,
    inputs,
    hidden,
    directions: runs.map((run) => directionOf(to, run, cell.gates * hidden)),
    attributes: { ...cell.attributes, ...activations },
  });
  const shaped = (value: string, id: TensorId) => to.set(id, reshaped(to, value, to.tensor(id).shape));
  const part = (value: string, places: readonly number[]) =>
    sliced(
      to,
      value,
      places,
      places.map((at) => at + 1),
    );
  for (const id of outputs) {
    if (stacks.includes(id)) shaped(given.y, id);
    for (const [d, run] of runs.entries()) {
      const last = run.steps.length - 1;
      const at = run.steps.findIndex(({ y }) => y === id);
      if (at >= 0) shaped(at === last ? part(given.h, [d]) : part(given.y, [run.isReverse ? last - at : at, d]), id);
      else if (run.steps[last]?.next === id) shaped(part(given.c, [d]), id);
    }
  }
  if (steps.some(({ y }) => to.tensor(y).dtype !== "float32"))
    to.say(`${cell.type} keeps integer weights, its steps are computed in floats`);
}

function directionOf(to: Emitter, { steps, product, isReverse }: Run, rows: number): Direction {
  const [x, w, b] = product.inputs as readonly [TensorId, TensorId, TensorId?];
  const [{ h, c, r }] = steps as readonly [Step];
  return {
    isReverse,
    w: [w],
    r: [r],
    biases: [[numbersOf(to, b, rows, x, w)], [biasOf(to, steps, rows)]],
    h: startOf(to, h),
    c: c === undefined ? undefined : startOf(to, c),
  };
}

/** The bias of the state's product: the mean of the steps', which differ by their corrections where they are integers. Of a constant state the scale tells little. */
function biasOf(to: Emitter, steps: readonly Step[], rows: number): Numbers {
  const later = steps.filter(({ h }) => to.tensor(h).data === undefined);
  const told = new Map((later.length > 0 ? later : steps).map((step) => [step.b ?? NONE, step]));
  const all = [...told.values()].map(({ b, h, r }) => numbersOf(to, b, rows, h, r));
  const [first = new Float32Array(rows)] = all;
  if (typeof first === "string" || all.length === 1) return first;
  return first.map((_, i) => all.reduce((sum, each) => sum + (each[i] as number), 0) / all.length);
}
