/**
 * Recurrent layers that stand in a graph step by step, as they are read from .onnx files: runs of steps, and what may stand in their place. What reads something
 * else of a step keeps the steps, beside the layer.
 */
import { type AnyNode, type Graph, NONE, type TensorId } from "../../graph.ts";
import { elementCount } from "../../tensor.ts";
import { runnableOrder } from "../order.ts";
import { plainOf, type Seen, type Step, stepOf } from "./patterns.ts";

/** The steps of one direction, in the order in which they run, and the product of all inputs `[time · batch, gates · hidden]`. */
export interface Run {
  readonly steps: readonly Step[];
  readonly product: AnyNode;
  readonly isReverse: boolean;
}

/** The runs of a layer: one, or the one from the start and the one from the end. */
export interface Found {
  readonly runs: readonly Run[];
  /** Tensors that hold the states of all steps and directions. */
  readonly stacks: readonly TensorId[];
}

/** What is in place of a layer's nodes: what it reads, and gives. */
export type Taken = Pick<AnyNode, "where" | "inputs" | "outputs">;

function seenOf({ nodes, tensors }: Graph): Seen {
  const writers = new Map<TensorId, AnyNode>();
  for (const node of nodes) for (const id of node.outputs) writers.set(id, node);
  return { tensors, writers };
}

/** The layers of a graph that stand there step by step. */
export function foundIn(graph: Graph): readonly Found[] {
  const seen = seenOf(graph);
  return paired(seen, runsOf(seen, graph.nodes)).map((runs) => ({ runs, stacks: stacksOf(seen, graph, runs) }));
}

/** What stands for a layer. */
interface Making<T extends Taken> {
  /** What of the graph it reads. */
  readonly inputs: (found: Found) => readonly TensorId[];
  readonly make: (found: Found, taken: Taken) => T;
}

/** A graph's nodes, with what is made of layers in place of their steps; the graph's own list where there are none. */
export function inPlaceOf<T extends Taken>(
  graph: Graph,
  layers: readonly Found[],
  making: Making<T>,
): readonly (AnyNode | T)[] {
  return layers.length === 0 ? graph.nodes : inPlace(seenOf(graph), graph, layers, making);
}

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
export const stepAt = ({ steps, isReverse }: Run, time: number) =>
  steps[isReverse ? steps.length - 1 - time : time] as Step;

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
function inPlace<T extends Taken>(
  seen: Seen,
  graph: Graph,
  layers: readonly Found[],
  { inputs, make }: Making<T>,
): readonly (AnyNode | T)[] {
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
    if (!read.has(layer)) queue.push(...inputs(layer));
    read.set(layer, (read.get(layer) ?? new Set()).add(id));
  }
  const made = [...read].map(([layer, ids]) => {
    const { where } = (layer.runs[0] as Run).product;
    return make(layer, { where, inputs: inputs(layer), outputs: [...ids] });
  });
  const ids = (ports: Graph["inputs"]) => ports.map(({ tensor }) => tensor);
  const nodes: readonly (AnyNode | T)[] = [...graph.nodes.filter((node) => kept.has(node)), ...made];
  return runnableOrder(nodes, graph.tensors, ids(graph.inputs), ids(graph.outputs));
}

/** What a layer as a whole reads: its input, its states and all its weights. */
export const inputsOf = ({ runs }: Found): readonly TensorId[] =>
  runs.flatMap(({ steps, product }) => {
    const [{ h, c, r }] = steps as readonly [Step];
    const biases = steps.map(({ b }) => b);
    return [...product.inputs, h, c, r, ...biases].filter((id): id is TensorId => id !== undefined && id !== NONE);
  });
