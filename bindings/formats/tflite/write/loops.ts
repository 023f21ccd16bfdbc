/** Recurrent layers of floats that stand in a graph step by step, as they are read from .onnx files → loops over their steps. */
import { type AnyNode, type Graph, NONE, type TensorId } from "../../../graph.ts";
import type { DType, Tensor } from "../../../tensor.ts";
import { type Found, foundIn, inPlaceOf, type Run, type Taken } from "../../steps/found.ts";
import type { Step } from "../../steps/patterns.ts";

/** Of fewer steps, the steps are as short. */
const LEAST = 4;
const PLAIN = { activation: "none" } as const;

/** Nodes in place of a layer's. */
interface Turned extends Taken {
  readonly kind: "loops";
  readonly nodes: readonly AnyNode[];
}

/** Nodes and tensors of a graph in the making. */
class Draft {
  readonly nodes: AnyNode[] = [];

  constructor(
    readonly tensors: Tensor[],
    readonly where: string,
  ) {}

  declare = (dtype: DType, shape: readonly number[]): TensorId => this.append({ name: "", dtype, shape });

  append(tensor: Tensor): TensorId {
    const name = tensor.name || `${this.where} ${this.tensors.length}`;
    return (this.tensors.push({ ...tensor, name }) - 1) as TensorId;
  }

  integers = (values: readonly number[], shape: readonly number[] = [values.length]): TensorId =>
    this.append({ name: "", dtype: "int32", shape, data: new Uint8Array(Int32Array.from(values).buffer) });

  /** One operator; its result is a new tensor of this type, or one that is there. */
  add(
    kind: AnyNode["kind"],
    inputs: readonly TensorId[],
    attributes: object,
    result: TensorId | readonly [DType, ...(readonly number[])],
  ): TensorId {
    const own = typeof result === "number" ? result : this.declare(result[0], result.slice(1) as readonly number[]);
    this.nodes.push({ kind, where: this.where, inputs, outputs: [own], attributes } as unknown as AnyNode);
    return own;
  }

  /** The same numbers as floats. */
  real(x: TensorId): TensorId {
    const { dtype, shape = [] } = this.tensors[x] as Tensor;
    return dtype === "float32" ? x : this.add("dequantize", [x], {}, ["float32", ...shape]);
  }

  reshape = (x: TensorId, shape: readonly number[], result?: TensorId): TensorId =>
    this.add("reshape", [x, this.integers(shape)], {}, result ?? [this.tensors[x]?.dtype ?? "float32", ...shape]);
}

/** The graph with loops in the place of such steps. */
export function withLoops(graph: Graph): Graph {
  const layers = foundIn(graph).filter((found) => found.runs.every((run) => insideOf(graph, run) !== undefined));
  if (layers.length === 0) return graph;
  const tensors = [...graph.tensors];
  const nodes = inPlaceOf<Turned>(graph, layers, {
    inputs: ({ runs }) => runs.flatMap((run) => outerOf(run, insideOf(graph, run) as Inside)),
    make(found, taken) {
      const to = new Draft(tensors, taken.where);
      turn(to, graph, found, taken.outputs);
      return { kind: "loops", ...taken, nodes: to.nodes };
    },
  });
  return { ...graph, tensors, nodes: nodes.flatMap((each) => (each.kind === "loops" ? each.nodes : [each])) };
}

/** The nodes of a step, in the order in which they run, and what else they read that is no constant. */
interface Inside {
  readonly step: Step;
  readonly nodes: readonly AnyNode[];
  readonly captured: readonly TensorId[];
}

/** A step of a run, whose state is none of the first, which may be a constant; undefined where it is not of floats. */
function insideOf({ tensors, nodes }: Graph, { steps }: Run): Inside | undefined {
  const step = steps[1];
  if (step === undefined || steps.length < LEAST) return undefined;
  const given = new Set([step.x, step.h, step.c]);
  const wanted = new Set([step.y, step.next ?? step.y]);
  const found: AnyNode[] = [];
  for (const node of [...nodes].reverse()) {
    if (!node.outputs.some((id) => wanted.has(id))) continue;
    found.unshift(node);
    for (const id of node.inputs) if (id !== NONE && !given.has(id)) wanted.add(id);
  }
  const made = new Set(found.flatMap(({ outputs }) => outputs));
  const captured = [...wanted].filter((id) => !made.has(id) && tensors[id]?.data === undefined);
  const isFloat = [...made, ...given].every((id) => id === undefined || tensors[id]?.dtype === "float32");
  const meets = found.every(({ inputs }) => inputs.every((id) => id === NONE || tensors[id] !== undefined));
  return isFloat && meets ? { step, nodes: found, captured } : undefined;
}

const outerOf = ({ steps, product }: Run, { captured }: Inside): readonly TensorId[] => {
  const [{ h, c }] = steps as readonly [Step];
  return [product.outputs[0] as TensorId, h, ...(c === undefined ? [] : [c]), ...captured];
};

/** Loops, and the outputs of a layer by them. */
function turn(to: Draft, graph: Graph, { runs, stacks }: Found, outputs: readonly TensorId[]): void {
  const count = runs[0]?.steps.length ?? 0;
  const isLast = ({ steps }: Run, id: TensorId) => steps.at(-1)?.y === id || steps.at(-1)?.next === id;
  const keepsAll = outputs.some((id) => !runs.some((run) => isLast(run, id)));
  const results = runs.map((run) => loop(to, run, insideOf(graph, run) as Inside, keepsAll));
  const [batch = 1, hidden = 1] = graph.tensors[runs[0]?.steps[0]?.y as TensorId]?.shape ?? [];
  for (const id of outputs) {
    const shape = graph.tensors[id]?.shape ?? [];
    if (stacks.includes(id)) {
      const sides = results.map(({ all }) => to.reshape(all as TensorId, [count, 1, batch, hidden]));
      const [first] = sides as [TensorId];
      const both = { axis: 1, activation: "none" };
      const joined =
        sides.length === 1 ? first : to.add("concat", sides, both, ["float32", count, sides.length, batch, hidden]);
      to.reshape(joined, shape, id);
      continue;
    }
    for (const [d, { steps, isReverse }] of runs.entries()) {
      const { h, c, all } = results[d] as Results;
      const at = steps.findIndex(({ y }) => y === id);
      if (at === count - 1) to.reshape(h, shape, id);
      else if (at >= 0) {
        const place = to.integers([isReverse ? count - 1 - at : at], []);
        to.add("gather", [all as TensorId, place], { axis: 0, batchDims: 0 }, id);
      } else if (c !== undefined && steps.at(-1)?.next === id) to.reshape(c, shape, id);
    }
  }
}

/** What a loop leaves: the last states, and perhaps the states of all steps `[time, batch, hidden]`. */
interface Results {
  readonly h: TensorId;
  readonly c?: TensorId | undefined;
  readonly all?: TensorId | undefined;
}

/** A part of a loop's state: before the first turn, within a turn, and after it where it changes. */
interface Part {
  readonly outer: TensorId;
  readonly inner: TensorId;
  next?: TensorId;
}

function loop(to: Draft, run: Run, { step, nodes, captured }: Inside, keepsAll: boolean): Results {
  const { steps, product, isReverse } = run;
  const count = steps.length;
  const [batch = 1, hidden = 1] = to.tensors[step.y]?.shape ?? [];
  const row = to.tensors[step.x]?.shape ?? [];
  const body = new Draft([], to.where);
  const part = (outer: TensorId): Part => {
    const { dtype = "float32", shape = [] } = to.tensors[outer] ?? {};
    return { outer, inner: body.declare(dtype, shape) };
  };
  const [first] = steps as readonly [Step];
  const turn = part(to.integers([0], []));
  const x = part(to.reshape(to.real(product.outputs[0] as TensorId), [count, ...row]));
  const h = part(to.real(first.h));
  const c = first.c === undefined ? undefined : part(to.real(first.c));
  const zeros = () => {
    const zero = to.append({ name: "", dtype: "float32", shape: [], data: new Uint8Array(4) });
    return to.add("fill", [to.integers([count, batch, hidden]), zero], {}, ["float32", count, batch, hidden]);
  };
  const all = keepsAll ? part(zeros()) : undefined;
  const others = captured.map(part);
  const last = body.integers([count - 1], []);
  const place = isReverse ? body.add("sub", [last, turn.inner], PLAIN, ["int32"]) : turn.inner;
  const own = new Map<TensorId, TensorId>([[step.h, h.inner]]);
  own.set(step.x, body.add("gather", [x.inner, place], { axis: 0, batchDims: 0 }, ["float32", ...row]));
  if (c !== undefined && step.c !== undefined) own.set(step.c, c.inner);
  for (const { outer, inner } of others) own.set(outer, inner);
  const inside = (id: TensorId): TensorId => {
    if (id === NONE) return id;
    const known = own.get(id) ?? body.append(to.tensors[id] as Tensor);
    own.set(id, known);
    return known;
  };
  for (const node of nodes)
    body.nodes.push({ ...node, inputs: node.inputs.map(inside), outputs: node.outputs.map(inside) } as AnyNode);
  h.next = inside(step.y);
  if (c !== undefined) c.next = inside(step.next as TensorId);
  if (all !== undefined) {
    const begins = [body.reshape(place, [1]), body.integers([0, 0])];
    const at = body.add("concat", begins, { axis: 0, activation: "none" }, ["int32", 3]);
    const wide = body.reshape(h.next, [1, batch, hidden]);
    all.next = body.add("dynamicUpdateSlice", [all.inner, wide, at], {}, ["float32", count, batch, hidden]);
  }
  turn.next = body.add("add", [turn.inner, body.integers([1], [])], PLAIN, ["int32"]);
  const parts = [turn, x, h, ...(c ? [c] : []), ...(all ? [all] : []), ...others];
  const test = new Draft([], to.where);
  const ids = parts.map(({ outer }) => {
    const { dtype = "float32", shape = [] } = to.tensors[outer] ?? {};
    return test.declare(dtype, shape);
  });
  const goes = test.add("less", [ids[0] as TensorId, test.integers([count], [])], {}, ["bool"]);
  const bodies = [
    graphOf("condition", test, ids, [goes]),
    graphOf(
      "body",
      body,
      parts.map(({ inner }) => inner),
      parts.map(({ inner, next = inner }) => next),
    ),
  ];
  const results = parts.map(({ outer }) =>
    to.declare(to.tensors[outer]?.dtype ?? "float32", to.tensors[outer]?.shape ?? []),
  );
  const inputs = parts.map(({ outer }) => outer);
  const attributes = { subgraphs: [], bodies };
  to.nodes.push({ kind: "while", where: to.where, inputs, outputs: results, attributes } as unknown as AnyNode);
  const resultOf = (each: Part | undefined) => (each === undefined ? undefined : results[parts.indexOf(each)]);
  return { h: resultOf(h) as TensorId, c: resultOf(c), all: resultOf(all) };
}

function graphOf(
  name: string,
  { tensors, nodes }: Draft,
  inputs: readonly TensorId[],
  outputs: readonly TensorId[],
): Graph {
  const ports = (ids: readonly TensorId[]) => ids.map((tensor, i) => ({ name: `${i}`, tensor }));
  return { name, tensors, nodes, inputs: ports(inputs), outputs: ports(outputs), subgraphs: [] };
}
