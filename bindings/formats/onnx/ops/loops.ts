/** Loops whose end is known only when they run: one node with two graphs, as TFLite's WHILE. */
import type { Graph, Port, TensorId } from "../../../graph.ts";
import { listText } from "../../../tensor.ts";
import type { Builder } from "../builder.ts";
import { asValue, type OnnxNode, type Scope } from "../convert.ts";
import { plain, type Value } from "../layout.ts";
import type { GraphProto } from "../messages.ts";
import { BOOL, INT32, INT64, NONE } from "../types.ts";
import { reshapedTo } from "./move.ts";

const MOST = 2 ** 31 - 1;

/** A graph of its own within a node, and what it reads of the graphs around it. */
interface Inside {
  readonly b: Builder;
  readonly scope: Scope;
  /** Pairs of a tensor outside and the one that stands for it inside. */
  readonly captured: { readonly outer: TensorId; readonly inner: TensorId }[];
}

function inside(n: OnnxNode, graph: GraphProto): Inside {
  const { createBuilder, createScope } = n.scope.shared.inner;
  const b = createBuilder(n.b.operators);
  const captured: Inside["captured"] = [];
  const known = new Map<string, Value>();
  const shared = { ...n.scope.shared, b };
  const lookup = (name: string): Value | undefined => {
    const own = known.get(name);
    const value = own ?? n.scope.lookup(name);
    if (own !== undefined || value === undefined) return value;
    const { plain: first, last } = value.twins;
    if (value.open !== undefined || value.items !== undefined || (first ?? last) === undefined)
      n.refuse("loops that read tensors of known lengths", name);
    const outer = n.plain(value);
    const inner = b.declare({ ...n.b.tensor(outer), name: "" });
    if (!n.b.isConstant(outer)) captured.push({ outer, inner });
    const taken = asValue(b, name, inner, value.code);
    known.set(name, taken);
    return taken;
  };
  const scope = createScope(shared, graph, { ...n.scope, shared, lookup }, `${n.where}, body, `);
  return { b, scope, captured };
}

/** The tensor of a type, given from outside. */
const given = (b: Builder, { dtype, shape, quantization }: ReturnType<Builder["tensor"]>): TensorId =>
  b.declare({ name: "", dtype, shape, ...(quantization === undefined ? {} : { quantization }) });

const ports = (ids: readonly TensorId[]): readonly Port[] => ids.map((tensor, i) => ({ name: `${i}`, tensor }));

const bodyOf = (n: OnnxNode, b: Builder, inputs: readonly TensorId[], outputs: readonly TensorId[]): Graph =>
  n.scope.shared.inner.graphOf(b, "body", ports(inputs), ports(outputs), n.scope.shared.rare());

/** The count as int32, the largest where there is none. */
function limitOf(n: OnnxNode): TensorId {
  if (n.inputs[0] === undefined) return n.b.integers([MOST], []);
  const id = reshapedTo(n, n.plain(n.input(0)), []);
  const { dtype } = n.b.tensor(id);
  const most = n.add("cast", [n.b.integers([MOST], [])], {}, [{ dtype }])[0] as TensorId;
  const less = n.add("minimum", [id, most], {}, [{ dtype }])[0] as TensorId;
  return dtype === "int32" ? less : (n.add("cast", [less], {}, INT32)[0] as TensorId);
}

/** M, the first condition, the state, which keeps its shapes; no outputs a turn. */
export function whileLoop(n: OnnxNode): void {
  const graph = n.attribute("body")?.graph ?? n.refuse("a graph body", "none");
  const first = n.inputs.slice(2).map((_, i) => n.plain(n.input(i + 2)));
  if (n.outputs.length > first.length) n.refuse("outputs a turn of a loop whose count is known", "a computed count");
  if (graph.inputs.length !== first.length + 2 || graph.outputs.length !== first.length + 1)
    n.refuse(`a body of ${first.length + 2} inputs`, `${graph.inputs.length}`);
  const begin =
    n.inputs[1] === undefined ? n.b.constant("bool", [], Uint8Array.of(1)) : reshapedTo(n, n.plain(n.input(1)), []);
  const outside = [n.b.integers([0], []), limitOf(n), begin, ...first];

  const { b, scope, captured } = inside(n, graph);
  const state = outside.map((id) => given(b, n.b.tensor(id)));
  const [turn, limit] = state as [TensorId, TensorId];
  const long = b.add("cast", n.where, [turn], {}, INT64)[0] as TensorId;
  for (const [i, { name }] of graph.inputs.entries())
    scope.define(name, asValue(b, name, i === 0 ? long : (state[i + 1] as TensorId)));
  n.scope.shared.inner.convertGraph(graph, scope);
  const [again, ...next] = graph.outputs.map(({ name }, i) => {
    const value = scope.lookup(name) ?? n.refuse("outputs that nodes give", name);
    if (value.open !== undefined || value.items !== undefined) n.refuse("a state of known lengths", name);
    const id = plain(b, n.where, value.shape, value.twins);
    if (i === 0) return b.add("reshape", n.where, [id, b.integers([], [0])], {}, BOOL)[0] as TensorId;
    const expected = n.b.tensor(first[i - 1] as TensorId).shape;
    if (`${value.shape}` !== `${expected}`) n.refuse(`a state that stays ${listText(expected)}`, listText(value.shape));
    return id;
  });
  const after = b.add("add", n.where, [turn, b.integers([1], [])], NONE, INT32)[0] as TensorId;
  const taken = captured.map(({ inner }) => inner);
  const body = bodyOf(n, b, [...state, ...taken], [after, limit, again as TensorId, ...next, ...taken]);

  const test = n.scope.shared.inner.createBuilder(b.operators);
  const seen = [...outside, ...captured.map(({ outer }) => outer)];
  const ids = seen.map((id) => given(test, n.b.tensor(id)));
  const isLeft = test.add("less", n.where, ids.slice(0, 2), {}, BOOL)[0] as TensorId;
  const both = test.add("logicalAnd", n.where, [isLeft, ids[2]], {}, BOOL)[0] as TensorId;
  const condition = bodyOf(n, test, ids, [both]);
  const types = seen.map((id) => ({ dtype: n.b.tensor(id).dtype }));
  const outputs = n.add("while", seen, { subgraphs: [], bodies: [condition, body] }, types);
  for (const i of first.keys()) if (n.outputs[i]) n.setPlain(i, outputs[i + 3] as TensorId);
}
