/**
 * Recurrent layers that stand in a graph step by step, as they are read from .onnx files → layers again: one LSTM, GRU or RNN in place of
 * as many operators as there are steps. What reads something else of a step keeps the steps, beside the layer.
 */
import { type AnyNode, type Graph, NONE, type TensorId } from "../../../graph.ts";
import { elementCount } from "../../../tensor.ts";
import { runnableOrder } from "../../order.ts";
import type { Emitter } from "./emit.ts";
import { plainOf, type Seen, type Step, stepOf } from "./patterns.ts";
import { type Direction, type Numbers, numbersOf, startOf, writeLayer } from "./recurrent.ts";
import { reshaped, sliced } from "./steps.ts";

/** What is written in place of nodes. */
export interface Rolled {
  readonly kind: "layer";
  readonly where: string;
  readonly inputs: readonly TensorId[];
  readonly outputs: readonly TensorId[];
  write(to: Emitter): void;
}

/** The steps of one direction, in the order in which they run, and the product of all inputs `[time · batch, gates · hidden]`. */
interface Run {
  readonly steps: readonly Step[];
  readonly product: AnyNode;
  readonly isReverse: boolean;
}

/** The runs of a layer: one, or the one from the start and the one from the end. */
interface Found {
  readonly runs: readonly Run[];
  /** Tensors that hold the states of all steps and directions. */
  readonly stacks: readonly TensorId[];
}

/** A graph's nodes, with layers in place of steps. */
export function rolled(graph: Graph): readonly (AnyNode | Rolled)[] {
  const writers = new Map<TensorId, AnyNode>();
  for (const node of graph.nodes) for (const id of node.outputs) writers.set(id, node);
  const seen: Seen = { tensors: graph.tensors, writers };
  const layers = paired(seen, runsOf(seen, graph.nodes)).map((runs) => ({ runs, stacks: stacksOf(seen, graph, runs) }));
  return layers.length === 0 ? graph.nodes : inPlace(seen, graph, layers);
}

/** Whether layers are made of a graph's steps, whose activations are floats whatever they were. */
export const hasSteps = (graph: Graph): boolean => rolled(graph) !== graph.nodes;

/** Steps that follow each other, as far as they go, where all their inputs are one product's rows, in order. */
function runsOf(seen: Seen, nodes: readonly AnyNode[]): readonly Run[] {
  const after = new Map<TensorId, Step[]>();
  const ends = new Map<TensorId, Step>();
  for (const node of nodes) {
    const step = stepOf(seen, node);
    if (step === undefined) continue;
    after.set(step.h, [...(after.get(step.h) ?? []), step]);
    ends.set(step.y, step);
  }
  const follows = (step: Step, last: Step | undefined) =>
    last !== undefined && last.cell === step.cell && last.r === step.r && last.next === step.c;
  return [...ends.values()].flatMap((first): readonly Run[] => {
    if (follows(first, ends.get(first.h))) return [];
    const steps = [first];
    for (;;) {
      const last = steps.at(-1) as Step;
      const next = (after.get(last.y) ?? []).filter((step) => follows(step, last));
      if (next.length !== 1) break;
      steps.push(next[0] as Step);
    }
    const run = runOf(seen, steps);
    return run === undefined ? [] : [run];
  });
}

function runOf(seen: Seen, steps: readonly Step[]): Run | undefined {
  const { cell, y } = steps[0] as Step;
  const length = elementCount(seen.tensors[y]?.shape ?? []) * cell.gates;
  const rows = steps.map(({ x }) => rowOf(seen, x));
  const [{ product } = { product: undefined }] = rows;
  if (product?.kind !== "fullyConnected" || steps.length < cell.least || product.attributes.activation !== "none")
    return undefined;
  const isWhole = elementCount(seen.tensors[product.outputs[0] as TensorId]?.shape ?? []) === steps.length * length;
  const stands = (isReverse: boolean) =>
    rows.every(({ product: own, at }, i) => own === product && at === length * (isReverse ? steps.length - 1 - i : i));
  const isReverse = !stands(false);
  return isWhole && (!isReverse || stands(true)) ? { steps, product, isReverse } : undefined;
}

/** What made a tensor's elements, and where they begin in that: behind reshapes and slices of whole rows. */
function rowOf(seen: Seen, id: TensorId): { readonly product: AnyNode | undefined; readonly at: number } {
  let at = 0;
  for (let from = plainOf(seen, id); ; ) {
    const node = seen.writers.get(from);
    if (node?.kind !== "reshape" && node?.kind !== "slice") return { product: node, at };
    const [x = NONE, begins] = node.inputs;
    if (node.kind === "slice") {
      const [{ shape = [] } = {}, { data, dtype } = {}] = [seen.tensors[x], seen.tensors[begins as TensorId]];
      const [first = 0, ...rest] = data && dtype === "int32" ? new Int32Array(new Uint8Array(data).buffer) : [0, 1];
      const own = seen.tensors[node.outputs[0] as TensorId]?.shape ?? [];
      if (rest.some((begin) => begin !== 0) || `${own.slice(1)}` !== `${shape.slice(1)}`)
        return { product: undefined, at };
      at += first * elementCount(shape.slice(1));
    }
    from = plainOf(seen, x);
  }
}

/** Where elements come from behind reshapes. */
function rootOf(seen: Seen, id: TensorId | undefined): TensorId {
  let at = plainOf(seen, id ?? NONE);
  for (let node = seen.writers.get(at); node?.kind === "reshape"; node = seen.writers.get(at))
    at = plainOf(seen, node.inputs[0] as TensorId);
  return at;
}

/** Runs of both directions over the same input as one layer. */
function paired(seen: Seen, runs: readonly Run[]): readonly (readonly Run[])[] {
  const taken = new Set<Run>();
  const keyOf = ({ steps, product }: Run) => {
    const { cell, y } = steps[0] as Step;
    return [
      cell.type,
      cell.activation,
      JSON.stringify(cell.attributes),
      steps.length,
      `${seen.tensors[y]?.shape}`,
      rootOf(seen, product.inputs[0]),
    ].join();
  };
  return runs.flatMap((run) => {
    if (taken.has(run)) return [];
    taken.add(run);
    if (run.isReverse) return [[run]];
    const other = runs.find((each) => each.isReverse && !taken.has(each) && keyOf(each) === keyOf(run));
    if (other === undefined) return [[run]];
    taken.add(other);
    return [[run, other]];
  });
}

/** The step of a direction that stands at a time. */
const stepAt = ({ steps, isReverse }: Run, time: number) => steps[isReverse ? steps.length - 1 - time : time] as Step;

/** Concatenations of the states of all steps, those of both directions side by side. */
function stacksOf(seen: Seen, { nodes }: Graph, runs: readonly Run[]): readonly TensorId[] {
  const count = runs[0]?.steps.length ?? 0;
  const isRow = (id: TensorId, wanted: readonly TensorId[]): boolean => {
    const root = rootOf(seen, id);
    if (wanted.length === 1) return root === wanted[0];
    const node = seen.writers.get(root);
    return (
      node?.kind === "concat" &&
      isJoin(
        node,
        wanted.map((each) => [each]),
      )
    );
  };
  const isJoin = (node: AnyNode, wanted: readonly (readonly TensorId[])[]): boolean =>
    node.kind === "concat" &&
    node.attributes.axis === 0 &&
    node.attributes.activation === "none" &&
    node.inputs.length === wanted.length &&
    node.inputs.every((id, i) => isRow(id, wanted[i] as readonly TensorId[]));
  const rows = Array.from({ length: count }, (_, time) => runs.map((run) => stepAt(run, time).y));
  const whole = count > 1 ? rows : (rows[0] ?? []).map((id) => [id]);
  return nodes.flatMap((node) => (whole.length > 1 && isJoin(node, whole) ? [node.outputs[0] as TensorId] : []));
}

/** What is read, from the outputs back, of nodes and layers; in an order in which it can run. */
function inPlace(seen: Seen, graph: Graph, layers: readonly Found[]): readonly (AnyNode | Rolled)[] {
  const provided = new Map<TensorId, Found>();
  for (const layer of layers) {
    for (const id of layer.stacks) provided.set(id, layer);
    for (const { steps } of layer.runs) {
      for (const { y } of steps) provided.set(y, layer);
      const { next } = steps.at(-1) as Step;
      if (next !== undefined) provided.set(next, layer);
    }
  }
  const read = new Map<Found, Set<TensorId>>();
  const kept = new Set<AnyNode>();
  const queue: TensorId[] = graph.outputs.map(({ tensor }) => tensor);
  const keep = (node: AnyNode | undefined) => {
    if (node === undefined || kept.has(node)) return;
    kept.add(node);
    queue.push(...node.inputs);
  };
  for (const node of graph.nodes) if (node.outputs.length === 0) keep(node);
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    const layer = provided.get(id);
    if (layer === undefined) {
      keep(seen.writers.get(id));
      continue;
    }
    if (!read.has(layer)) queue.push(...inputsOf(layer));
    read.set(layer, (read.get(layer) ?? new Set()).add(id));
  }
  const made = [...read].map(([layer, ids]) => layerOf(graph, layer, [...ids]));
  const ids = (ports: Graph["inputs"]) => ports.map(({ tensor }) => tensor);
  const nodes: readonly (AnyNode | Rolled)[] = [...graph.nodes.filter((node) => kept.has(node)), ...made];
  return runnableOrder(nodes, graph.tensors, ids(graph.inputs), ids(graph.outputs));
}

const inputsOf = ({ runs }: Found): readonly TensorId[] =>
  runs.flatMap(({ steps, product }) => {
    const [{ h, c, r }] = steps as readonly [Step];
    const biases = steps.map(({ b }) => b);
    return [...product.inputs, h, c, r, ...biases].filter((id): id is TensorId => id !== undefined && id !== NONE);
  });

function layerOf(graph: Graph, layer: Found, outputs: readonly TensorId[]): Rolled {
  const { product } = layer.runs[0] as Run;
  return {
    kind: "layer",
    where: product.where,
    inputs: inputsOf(layer),
    outputs,
    write: (to) => writeFound(to, graph, layer, outputs),
  };
}

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
