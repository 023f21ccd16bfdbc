/**
 * If, Loop and Scan. A branch whose condition is known is the graph; otherwise both are computed and one is chosen. Loops and
 * scans whose counts are known are unrolled, unless they are long; what a loop's own condition ends early keeps its state from there on.
 */
import { Pint8Error } from "../../../errors.ts";
import type { TensorId } from "../../../graph.ts";
import { byteLength, elementCount, listText } from "../../../tensor.ts";
import { shorten } from "../../text.ts";
import { asValue, type Conversions, type OnnxNode } from "../convert.ts";
import { plain, type Value } from "../layout.ts";
import type { GraphProto } from "../messages.ts";
import { BOOL, INT32 } from "../types.ts";
import { setTurned, whileLoop } from "./loops.ts";
import { axisOf, longs, reshapedTo, truth, typeOf } from "./move.ts";
import { graphIn, isLong, known, turnsOf } from "./turns.ts";

/** Turns that a loop may be unrolled to. */
const MOST_TURNS = 1024;

/** Converts a subgraph whose inputs have these values; its outputs' values. */
function body(n: OnnxNode, name: string, inputs: readonly Value[], isUncertain = false): readonly Value[] {
  const graph = graphIn(n, name);
  if (graph.inputs.length !== inputs.length) n.refuse(`a ${name} of ${inputs.length} inputs`, `${graph.inputs.length}`);
  const { createScope, convertGraph } = n.scope.shared.inner;
  const scope = createScope(
    n.scope.shared,
    graph,
    n.scope,
    `${n.where}, ${name}, `,
    n.scope.isUncertain || isUncertain,
  );
  for (const [i, input] of graph.inputs.entries()) scope.define(input.name, inputs[i] as Value);
  convertGraph(graph, scope);
  return graph.outputs.map((output) => scope.lookup(output.name) ?? n.refuse("outputs that nodes give", output.name));
}

const valueFor = (n: OnnxNode, id: TensorId): Value => asValue(n.b, "", id);

function setValue(n: OnnxNode, i: number, { shape, twins, dtype, items, open }: Value): void {
  if (n.outputs[i]) n.set(i, { shape, twins, dtype, ...(items && { items }), ...(open && { open }) });
}

/** a where the condition is true, else b, which must have its type. */
function choose(n: OnnxNode, condition: TensorId, a: Value, b: Value): TensorId {
  const [x, y] = [n.plain(a), n.plain(b)];
  if (`${a.shape}` !== `${b.shape}` || n.b.tensor(x).dtype !== n.b.tensor(y).dtype)
    n.refuse(
      "branches of one shape, or a condition that is known",
      `${listText(a.shape)} and ${listText(b.shape)}`,
      n.operator === "If"
        ? `Tell which it is: { constants: { ${shorten(n.inputs[0]?.name || "condition")}: [1] } }, or [0].`
        : undefined,
    );
  return n.add("selectV2", [condition, x, y], {}, [typeOf(n, x)])[0] as TensorId;
}

/** The same of values one of which is empty or has a computed length: what is chosen has one. */
function chooseOpen(n: OnnxNode, i: number, condition: TensorId, values: readonly [Value, Value]): boolean {
  const isEmpty = values.map(({ shape }) => elementCount(shape) === 0);
  if (isEmpty[0] === isEmpty[1] && values.every(({ open }) => open === undefined)) return false;
  const whole = values[isEmpty[0] ? 1 : 0];
  const { inner } = values.find(({ open }) => open !== undefined)?.open ?? {
    inner: elementCount(whole.shape.slice(1)),
  };
  const counts = values.map(({ open, shape }) => open?.count ?? n.b.integers([elementCount(shape) / inner], []));
  const [count] = n.add("selectV2", [condition, ...counts], {}, INT32) as [TensorId];
  const plain = isEmpty[0] || isEmpty[1] ? n.plain(whole) : choose(n, condition, ...values);
  n.set(i, { shape: whole.shape, twins: { plain }, open: { count, inner } });
  return true;
}

/** The condition as one bool without dimensions. */
const scalar = (n: OnnxNode, value: Value): TensorId => reshapedTo(n, n.plain(value), []);

const BRANCHES = ["then_branch", "else_branch"] as const;

/** A branch's outputs, or why these shapes leave nothing that could be computed. */
type Attempt = readonly Value[] | Pint8Error;

/** A branch of which data decides; where it is refused, and runs that have no use for it do not ask for more, the error. */
function attempt(n: OnnxNode, name: (typeof BRANCHES)[number]): Attempt {
  try {
    return body(n, name, [], true);
  } catch (cause) {
    const isShapes = cause instanceof Pint8Error && (cause.code === "UNSUPPORTED" || cause.code === "INVALID_GRAPH");
    if (!isShapes || n.scope.isUncertain) throw cause;
    return cause;
  }
}

/** The branch that these shapes allow: a run that takes the other ends in an error, as with onnxruntime. */
function only(n: OnnxNode, condition: TensorId, yes: Attempt, no: Attempt): void {
  const isYes = no instanceof Pint8Error;
  const [outputs, refused] = isYes ? [yes, no] : [no, yes as Pint8Error];
  if (outputs instanceof Pint8Error) throw outputs;
  const taken = isYes ? n.add("logicalNot", [condition], {}, BOOL)[0] : condition;
  const name = `${n.where}, ${BRANCHES[isYes ? 1 : 0]}`;
  const where = `${name}, taken though refused (${refused.message.replace(`${name}, `, "")})`;
  const [count] = n.b.add("cast", where, [taken], {}, INT32) as [TensorId];
  n.b.tensors[count] = { ...n.b.tensor(count), most: 0 };
  const [fits] = n.add("equal", [count, n.b.integers([0], [])], {}, BOOL);
  for (const [i, value] of outputs.entries()) {
    if (value.open !== undefined || value.items !== undefined) throw refused;
    const id = n.plain(value);
    const { dtype } = n.b.tensor(id);
    const nothing = n.b.constant(dtype, [], new Uint8Array(byteLength({ dtype, shape: [] })));
    n.setPlain(i, n.add("selectV2", [fits, id, nothing], {}, [typeOf(n, id)])[0] as TensorId);
  }
}

function branch(n: OnnxNode): void {
  const condition = known(n, n.input(0));
  if (condition !== undefined) {
    const outputs = body(n, condition !== 0 ? "then_branch" : "else_branch", []);
    for (const [i, value] of outputs.entries()) setValue(n, i, value);
    return;
  }
  const [yes, no] = BRANCHES.map((name) => attempt(n, name)) as [Attempt, Attempt];
  const id = scalar(n, n.input(0));
  if (yes instanceof Pint8Error || no instanceof Pint8Error) return only(n, id, yes, no);
  for (const [i, value] of yes.entries()) {
    const other = no[i] as Value;
    if (chooseOpen(n, i, id, [value, other])) continue;
    // shapes that nobody but the caller sees may differ where they hold as much
    const isSeen = n.scope.readers(n.outputs[i] ?? "").length > 0;
    const isAsLong = elementCount(value.shape) === elementCount(other.shape) && !isSeen;
    const turned = isAsLong ? valueFor(n, reshapedTo(n, n.plain(other), value.shape)) : other;
    n.setPlain(i, choose(n, id, value, turned));
  }
}

/** Values of every turn along a new first dimension. */
export function joined(n: OnnxNode, values: readonly Value[], axis = 0): TensorId {
  const ids = values.map((value) => {
    const shape = [...value.shape];
    shape.splice(axis, 0, 1);
    return reshapedTo(n, plain(n.b, n.where, value.shape, { plain: n.plain(value) }), shape);
  });
  if (ids.length === 1) return ids[0] as TensorId;
  return n.add("concat", ids, { axis, activation: "none" }, [typeOf(n, ids[0] as TensorId)])[0] as TensorId;
}

/** Whether it runs as a loop: long ones do, where they can. */
function asLoop(n: OnnxNode, turns: number, graph: GraphProto, run: () => void): boolean {
  if (turns <= MOST_TURNS && !isLong(n, graph, turns)) return false;
  try {
    run();
    return true;
  } catch (cause) {
    const mayUnroll = cause instanceof Pint8Error && turns <= MOST_TURNS;
    if (mayUnroll) return false;
    throw cause;
  }
}

/** M, the first condition, the state: turns are unrolled. */
function loop(n: OnnxNode): void {
  const given = n.inputs[0] === undefined ? MOST_TURNS + 1 : known(n, n.input(0));
  if (given === undefined) return whileLoop(n);
  const graph = graphIn(n, "body");
  const turns = turnsOf(n, graph);
  if (turns !== undefined && asLoop(n, turns, graph, () => whileLoop(n, turns))) return;
  let state = n.inputs.slice(2).map((_, i) => n.input(i + 2));
  const scans: Value[][] = [];
  let active: TensorId | undefined;
  let goes = n.inputs[1] === undefined ? 1 : known(n, n.input(1));
  if (goes === undefined) active = scalar(n, n.input(1));
  let turn = 0;
  for (; turn < given && goes !== 0; turn++) {
    if (turn >= MOST_TURNS) return whileLoop(n);
    const condition = active ?? truth(n, true);
    const inputs = [valueFor(n, longs(n, [turn], [])), valueFor(n, condition), ...state];
    const outputs = body(n, "body", inputs, active !== undefined);
    const [again, ...rest] = outputs;
    const next = rest.slice(0, state.length);
    const from = active;
    state = next.map((value, i) =>
      from === undefined ? value : valueFor(n, choose(n, from, value, state[i] as Value)),
    );
    const shown = rest.slice(state.length);
    if (shown.length > 0 && from !== undefined)
      n.refuse("outputs a turn of a loop whose end is known", "a computed end");
    for (const [i, value] of shown.entries()) {
      const list = scans[i] ?? [];
      scans[i] = list;
      list.push(value);
    }
    const own = again === undefined ? 1 : known(n, again);
    if (own !== undefined) goes = own;
    else {
      const id = scalar(n, again as Value);
      active = from === undefined ? id : (n.add("logicalAnd", [from, id], {}, BOOL)[0] as TensorId);
      if (given > MOST_TURNS) return whileLoop(n);
    }
  }
  for (const [i, value] of state.entries()) setValue(n, i, value);
  for (let i = state.length; i < n.outputs.length; i++) {
    const list = scans[i - state.length];
    if (list !== undefined) n.setPlain(i, joined(n, list));
    else if (n.outputs[i]) n.setPlain(i, nothing(n, state, i));
  }
}

/** Output i of a loop that takes no turn: as a turn from its first state would give it, none of these. */
function nothing(n: OnnxNode, state: readonly Value[], i: number): TensorId {
  const turn = [longs(n, [0], []), truth(n, true)].map((id) => valueFor(n, id));
  const { dtype, shape } = body(n, "body", [...turn, ...state])[i + 1] ?? n.refuse("an output a turn", "none");
  return n.b.constant(dtype, [0, ...shape], new Uint8Array(0));
}

/** One slice along an axis, which goes away. */
export function sliced(n: OnnxNode, value: Value, axis: number, at: number): Value {
  const id = n.plain(value);
  const inputs = [id, n.b.integers([at], [])];
  return valueFor(n, n.add("gather", inputs, { axis, batchDims: 0 }, [typeOf(n, id)])[0] as TensorId);
}

export function scan(n: OnnxNode): void {
  const scanned = n.int("num_scan_inputs", 0);
  if (scanned < 1 || scanned > n.inputs.length) n.refuse(`1 to ${n.inputs.length} scanned inputs`, `${scanned}`);
  const states = n.inputs.length - scanned;
  let state = Array.from({ length: states }, (_, i) => n.input(i));
  const inputs = Array.from({ length: scanned }, (_, i) => n.input(states + i));
  const axes = inputs.map(({ shape }, i) => axisOf(n, n.ints("scan_input_axes")?.[i] ?? 0, shape.length));
  const turns = inputs[0]?.shape[axes[0] as number] ?? 0;
  if (turns < 1) n.refuse("a turn or more", `${turns}`);
  const backward = (list: string, i: number) => n.ints(list)?.[i] === 1;
  const joins = (i: number, rank: number) => ({
    axis: axisOf(n, n.ints("scan_output_axes")?.[i] ?? 0, rank),
    backward: backward("scan_output_directions", i),
  });
  const graph = graphIn(n, "body");
  const asOne = () => {
    const first = state.map((value) => n.plain(value));
    const slices = inputs.map((value, i) => ({
      id: n.plain(value),
      axis: axes[i] as number,
      backward: backward("scan_input_directions", i),
    }));
    setTurned(n, { graph, turns, first, decides: false, slices, joins });
  };
  if (asLoop(n, turns, graph, asOne)) return;
  const scans: Value[][] = [];
  for (let t = 0; t < turns; t++) {
    const slices = inputs.map((value, i) =>
      sliced(n, value, axes[i] as number, backward("scan_input_directions", i) ? turns - 1 - t : t),
    );
    const outputs = body(n, "body", [...state, ...slices]);
    state = outputs.slice(0, states) as Value[];
    for (const [i, value] of outputs.slice(states).entries()) {
      const list = scans[i] ?? [];
      scans[i] = list;
      list.push(value);
    }
  }
  for (const [i, value] of state.entries()) setValue(n, i, value);
  for (const [i, list] of scans.entries()) {
    const to = joins(i, (list[0]?.shape.length ?? 0) + 1);
    n.setPlain(states + i, joined(n, to.backward ? list.reverse() : list, to.axis));
  }
}

export const CONTROL: Conversions = { If: branch, Loop: loop };
