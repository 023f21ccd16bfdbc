/** Loops that run as such, since their end is known only then or they are long: one node with two graphs, as TFLite's WHILE. */
import type { Graph, Port, TensorId } from "../../../graph.ts";
import { type DType, listText } from "../../../tensor.ts";
import type { Builder } from "../builder.ts";
import { asValue, type OnnxNode, type Scope } from "../convert.ts";
import { plain, type Value } from "../layout.ts";
import type { GraphProto } from "../messages.ts";
import { BOOL, INT32, INT64, NONE } from "../types.ts";
import { reshapedTo, truth } from "./move.ts";
import { ENDLESS, graphIn, handsOn } from "./turns.ts";

/** A graph of its own within a node, and what it reads of the graphs around it. */
interface Inside {
  readonly b: Builder;
  readonly scope: Scope;
  /** Pairs of a tensor outside and the one that stands for it inside. */
  readonly captured: { readonly outer: TensorId; readonly inner: TensorId }[];
  /** What stands inside for a tensor of outside. */
  capture(outer: TensorId): TensorId;
}

function inside(n: OnnxNode, graph: GraphProto): Inside {
  const { createBuilder, createScope } = n.scope.shared.inner;
  const b = createBuilder(n.b.operators);
  const captured: Inside["captured"] = [];
  const capture = (outer: TensorId) => {
    const inner = b.declare({ ...n.b.tensor(outer), name: "" });
    if (!n.b.isConstant(outer)) captured.push({ outer, inner });
    return inner;
  };
  const known = new Map<string, Value>();
  const shared = { ...n.scope.shared, b };
  const lookup = (name: string): Value | undefined => {
    const own = known.get(name);
    const value = own ?? n.scope.lookup(name);
    if (own !== undefined || value === undefined) return value;
    const { plain: first, last } = value.twins;
    if (value.open !== undefined || value.items !== undefined || (first ?? last) === undefined)
      n.refuse("loops that read tensors of known lengths", name);
    const taken = asValue(b, name, capture(n.plain(value)), value.code);
    known.set(name, taken);
    return taken;
  };
  const scope = createScope(shared, graph, { ...n.scope, shared, lookup }, `${n.where}, body, `);
  return { b, scope, captured, capture };
}

/** The tensor of a type, given from outside. */
export const given = (b: Builder, { dtype, shape, quantization }: ReturnType<Builder["tensor"]>): TensorId =>
  b.declare({ name: "", dtype, shape, ...(quantization === undefined ? {} : { quantization }) });

const ports = (ids: readonly TensorId[]): readonly Port[] => ids.map((tensor, i) => ({ name: `${i}`, tensor }));

const bodyOf = (n: OnnxNode, b: Builder, inputs: readonly TensorId[], outputs: readonly TensorId[]): Graph =>
  n.scope.shared.inner.graphOf(b, "body", ports(inputs), ports(outputs), n.scope.shared.rare());

/** The count as int32, the largest where there is none. */
function limitOf(n: OnnxNode): TensorId {
  if (n.inputs[0] === undefined) return n.b.integers([ENDLESS], []);
  const id = reshapedTo(n, n.plain(n.input(0)), []);
  const { dtype } = n.b.tensor(id);
  const most = n.add("cast", [n.b.integers([ENDLESS], [])], {}, [{ dtype }])[0] as TensorId;
  const less = n.add("minimum", [id, most], {}, [{ dtype }])[0] as TensorId;
  return dtype === "int32" ? less : (n.add("cast", [less], {}, INT32)[0] as TensorId);
}

/** A loop as one node. */
export interface Turned {
  readonly graph: GraphProto;
  /** Turns, where they are known: outputs a turn have so many rows. */
  readonly turns?: number | undefined;
  /** The state before the first turn, which keeps its shapes. */
  readonly first: readonly TensorId[];
  /** Whether the graph begins with the number of the turn and whether there is one, and ends a loop itself. */
  readonly decides: boolean;
  /** What each turn takes a slice of, after the state. */
  readonly slices: readonly Strip[];
  /** Where outputs a turn are put together. */
  readonly joins: (i: number, rank: number) => Omit<Strip, "id">;
}

/** A tensor that turns go along, from its end where `backward` says so. */
interface Strip {
  readonly id: TensorId;
  readonly axis: number;
  readonly backward: boolean;
}

/** What a turn is given of the number of turns, and where it is put. */
interface Turn {
  readonly n: OnnxNode;
  readonly b: Builder;
  readonly turn: TensorId;
  readonly turns: number | undefined;
}

/** The turn's place along a strip, an int32. */
const placeOf = ({ n, b, turn, turns = 0 }: Turn, { backward }: Omit<Strip, "id">): TensorId =>
  backward ? (b.add("sub", n.where, [b.integers([turns - 1], []), turn], NONE, INT32)[0] as TensorId) : turn;

/** All that a turn is given of a strip and, with the turn's value in its place, hands on; from outside, zeros. */
function rowOf(at: Turn, id: TensorId, strip: Omit<Strip, "id">) {
  const { n, b, turns } = at;
  const { dtype, shape } = b.tensor(id);
  const along = (size: number) => [...shape.slice(0, strip.axis), size, ...shape.slice(strip.axis)];
  const all = zeros(n, dtype, along(turns as number));
  const before = given(b, n.b.tensor(all));
  const row = b.add("reshape", n.where, [id, b.integers(along(1))], {}, [{ dtype }])[0] as TensorId;
  const place = b.add("reshape", n.where, [placeOf(at, strip), b.integers([1])], {}, INT32)[0] as TensorId;
  const begins = along(1).map((_, axis) => (axis === strip.axis ? place : b.integers([0])));
  const start = b.add("concat", n.where, begins, { axis: 0, activation: "none" }, INT32)[0];
  const next = b.add("dynamicUpdateSlice", n.where, [before, row, start], {}, [{ dtype }])[0] as TensorId;
  return { outer: all, inner: before, next };
}

/** A part of the state: before the first turn, before a turn, after it; `next` is absent where it stays what it is. */
export interface Part {
  readonly outer: TensorId;
  readonly inner: TensorId;
  readonly next?: TensorId;
}

/** The state, then what each turn gave, one after the other. */
function turned(n: OnnxNode, { graph, turns, first, decides, slices, joins }: Turned): readonly TensorId[] {
  const { b, scope, captured, capture } = inside(n, graph);
  const part = (outer: TensorId): Part => ({ outer, inner: given(b, n.b.tensor(outer)) });
  const turn = part(n.b.integers([0], []));
  const limit = part(turns === undefined ? limitOf(n) : n.b.integers([turns], []));
  const isGiven = decides && n.inputs[1] !== undefined;
  const goes = part(isGiven ? reshapedTo(n, n.plain(n.input(1)), []) : truth(n, true));
  const at: Turn = { n, b, turn: turn.inner, turns };

  const [inputsBefore, outputsBefore] = decides ? [2, 1] : [0, 0];
  const stays = first.map((_, i) =>
    handsOn(graph, graph.inputs[i + inputsBefore]?.name, graph.outputs[i + outputsBefore]?.name),
  );
  const state = first.map((outer, i) => (stays[i] ? { outer, inner: capture(outer) } : part(outer)));
  const values = state.map(({ inner }) => inner);
  if (decides) values.unshift(b.add("cast", n.where, [turn.inner], {}, INT64)[0] as TensorId, goes.inner);
  for (const strip of slices) {
    const whole = capture(strip.id);
    const { dtype } = b.tensor(whole);
    values.push(
      b.add("gather", n.where, [whole, placeOf(at, strip)], { axis: strip.axis, batchDims: 0 }, [
        { dtype },
      ])[0] as TensorId,
    );
  }
  for (const [i, { name }] of graph.inputs.entries()) scope.define(name, asValue(b, name, values[i] as TensorId));
  n.scope.shared.inner.convertGraph(graph, scope);
  const outputs = graph.outputs.map(({ name }) => {
    const value = scope.lookup(name) ?? n.refuse("outputs that nodes give", name);
    if (value.open !== undefined || value.items !== undefined) n.refuse("a state of known lengths", name);
    return plain(b, n.where, value.shape, value.twins);
  });
  const again = decides ? b.add("reshape", n.where, [outputs.shift(), b.integers([], [0])], {}, BOOL)[0] : goes.inner;

  const after = b.add("add", n.where, [turn.inner, b.integers([1], [])], NONE, INT32)[0] as TensorId;
  const parts: Part[] = [
    { ...turn, next: after },
    { ...limit, next: limit.inner },
    { ...goes, next: again as TensorId },
  ];
  const found = new Map<number, number>();
  for (const [i, each] of state.entries()) {
    if (stays[i]) continue;
    const next = outputs[i] as TensorId;
    const [expected, shape] = [n.b.tensor(each.outer).shape, b.tensor(next).shape];
    if (`${shape}` !== `${expected}`) n.refuse(`a state that stays ${listText(expected)}`, listText(shape));
    found.set(i, parts.push({ ...each, next }) - 1);
  }
  if (turns !== undefined)
    for (const [i, id] of outputs.slice(first.length).entries())
      found.set(first.length + i, parts.push(rowOf(at, id, joins(i, b.tensor(id).shape.length + 1))) - 1);
  for (const each of captured) parts.push(each);
  const results = whileOf(n, b, parts);
  return outputs.map((_, i) => {
    const place = found.get(i);
    return (place === undefined ? first[i] : results[place]) as TensorId;
  });
}

/** The loop over this state, which ends where its first part reaches its second or its third is false. */
export function whileOf(n: OnnxNode, b: Builder, parts: readonly Part[]): readonly TensorId[] {
  const outside = parts.map(({ outer }) => outer);
  const inner = parts.map((each) => each.inner);
  const body = bodyOf(
    n,
    b,
    inner,
    parts.map(({ inner: own, next = own }) => next),
  );
  const test = n.scope.shared.inner.createBuilder(b.operators);
  const ids = outside.map((id) => given(test, n.b.tensor(id)));
  const isLeft = test.add("less", n.where, ids.slice(0, 2), {}, BOOL)[0] as TensorId;
  const both = test.add("logicalAnd", n.where, [isLeft, ids[2]], {}, BOOL)[0] as TensorId;
  const condition = bodyOf(n, test, ids, [both]);
  const types = outside.map((id) => ({ dtype: n.b.tensor(id).dtype }));
  return n.add("while", outside, { subgraphs: [], bodies: [condition, body] }, types);
}

/** Zeros that no plan keeps: they are made when a run begins. */
function zeros(n: OnnxNode, dtype: DType, shape: readonly number[]): TensorId {
  const none = n.b.constant(dtype, [0, ...shape.slice(1)], new Uint8Array(0));
  return n.add("scatterNd", [n.b.integers([], [0, 1]), none, n.b.integers(shape)], {}, [{ dtype }])[0] as TensorId;
}

/** Defines the node's outputs as a loop's. */
export function setTurned(n: OnnxNode, loop: Turned): void {
  const { graph, first, decides, slices } = loop;
  const inputs = first.length + slices.length + (decides ? 2 : 0);
  const isWhole = graph.inputs.length === inputs && graph.outputs.length >= first.length + (decides ? 1 : 0);
  if (!isWhole) n.refuse(`a body of ${inputs} inputs`, `${graph.inputs.length}`);
  const outputs = turned(n, loop);
  for (const [i, id] of outputs.entries()) if (n.outputs[i]) n.setPlain(i, id);
}

/** M, the first condition, the state; outputs a turn where the number of turns is known. */
export function whileLoop(n: OnnxNode, turns?: number): void {
  const graph = graphIn(n, "body");
  const first = n.inputs.slice(2).map((_, i) => n.plain(n.input(i + 2)));
  if (turns === undefined && n.outputs.length > first.length)
    n.refuse("outputs a turn of a loop whose count is known", "a computed count");
  setTurned(n, { graph, turns, first, decides: true, slices: [], joins: () => ({ axis: 0, backward: false }) });
}
