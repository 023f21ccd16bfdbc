/**
 * Loops whose state grows, and branches whose results differ in shape: the nodes of their graphs stand in place of them, once
 * for each turn that there may be, and what they give is chosen by a run. Where conditions are constants nothing is chosen.
 */
import { ensure, Pint8Error } from "../../errors.ts";
import { type AnyNode, bodiesOf, type Graph, NONE, type TensorId } from "../../graph.ts";
import { elementCount, type Tensor, typeText } from "../../tensor.ts";
import { GUARDS, guardOf, limit, under } from "./bounded.ts";
import { chooserOf } from "./choosing.ts";
import { countsOf } from "./counts.ts";

/** The most turns of a loop, the most elements of all that one may give, and the most nodes of all turns in a graph. */
const TURNS = 128;
const ELEMENTS = 2 ** 20;
const NODES = 4096;

/** What is known of a loop after some turns, or of branches that stand in place of their node. */
interface Progress {
  /** The state before each turn; what each branch gives, that of the second first. */
  readonly states: readonly (readonly TensorId[])[];
  /** Whether each turn is taken; the only condition of branches. */
  readonly conditions: readonly TensorId[];
  /** Why the node does not stay. */
  readonly refusal: Pint8Error | undefined;
  /** Whether the last turn so far is taken, a bool scalar, where a run decides that. */
  readonly guard: TensorId | undefined;
}

const PROGRESS = new WeakMap<AnyNode, Progress>();
/** Nodes put into a graph so far, by its list of tensors. */
const PLACED = new WeakMap<readonly Tensor[], number>();

/**
 * The node with its graphs' types as `specialise` gives it; in place of loops whose state changes its shape, and of branches that differ, nodes.
 *
 * Errors: UNSUPPORTED where a loop has more turns than there is room for, or changes variables.
 */
export function flattened<T extends { readonly node: AnyNode }>(
  node: AnyNode,
  tensors: Tensor[],
  specialise: () => T,
): T | readonly AnyNode[] {
  if (node.kind !== "while" && node.kind !== "if") return specialise();
  const progress = PROGRESS.get(node);
  if (progress !== undefined)
    return node.kind === "if" ? joined(node, progress, tensors) : next(node, progress, tensors);
  let refusal: Pint8Error | undefined;
  try {
    const special = specialise();
    if (!differs(special.node)) return special;
  } catch (error) {
    if (!(error instanceof Pint8Error) || error.code !== "UNSUPPORTED") throw error;
    refusal = error;
  }
  const [first, second] = bodiesOf(node) as readonly [Graph, Graph];
  const guard = GUARDS.get(node);
  if (node.kind === "while") return turn(node, { states: [node.inputs], conditions: [], refusal, guard }, tensors);
  const [condition, ...inputs] = node.inputs as readonly [TensorId, ...TensorId[]];
  const known = tensors[condition]?.data?.[0];
  if (known === undefined) requirePure(node, refusal);
  const counts = countsOf(node.where, tensors);
  const [yes, no] = [known === 0 ? second : first, known === undefined || known === 0 ? second : first].map(
    (body, i) => {
      const own =
        known === undefined ? guardOf(tensors, counts, condition, guard, i === 1 ? "logicalNot" : undefined) : guard;
      return inlined(body, inputs, tensors, node.where, own);
    },
  ) as [Inlined, Inlined];
  const marker = markerOf(node, { states: [no.outputs, yes.outputs], conditions: [condition], refusal, guard });
  return [...counts.taken(), ...no.nodes, ...yes.nodes, marker];
}

/** Whether results have the types, but not the shapes, of what they have to fit to. */
function differs(node: AnyNode): boolean {
  const [first, second] = bodiesOf(node) as readonly [Graph, Graph];
  if (second === undefined) return false;
  const typesOf = (graph: Graph, side: "inputs" | "outputs") => graph[side].map(({ tensor }) => graph.tensors[tensor]);
  const [a, b] = [
    node.kind === "while" ? typesOf(second, "inputs") : typesOf(first, "outputs"),
    typesOf(second, "outputs"),
  ];
  const isSame = a.length === b.length && a.every((type, i) => type?.dtype === b[i]?.dtype);
  return isSame && a.some((type, i) => `${type?.shape}` !== `${b[i]?.shape}`);
}

/** The node as it stands behind what is there of it so far. */
function markerOf(node: AnyNode, progress: Progress): AnyNode {
  const marker = { ...node };
  PROGRESS.set(marker, progress);
  under(GUARDS.get(node), [marker]);
  return marker;
}

/** One more turn, or what all of them give. */
function next(node: AnyNode, progress: Progress, tensors: Tensor[]): readonly AnyNode[] {
  const { states, conditions, refusal, guard } = progress;
  const state = states.at(-1) as readonly TensorId[];
  const condition = tensors[conditions.at(-1) as TensorId] as Tensor;
  ensure(condition.dtype === "bool" && elementCount(condition.shape) === 1, "INVALID_GRAPH", () => ({
    where: `${node.where}, C2`,
    expected: "a condition of one bool",
    received: typeText(condition),
  }));
  const known = condition.data?.[0];
  const isEnd = known === 0;
  const all = states.flat().reduce((sum, id) => sum + elementCount((tensors[id] as Tensor).shape), 0);
  const isFull = states.length > TURNS || all > ELEMENTS || (PLACED.get(tensors) ?? 0) > NODES;
  const computed = conditions.filter((id) => (tensors[id] as Tensor).data === undefined);
  if (computed.length > 0) requirePure(node, refusal);
  if (!isEnd && isFull && computed.length === 0) refuse(node, refusal);
  requireClosed(node, state, tensors, refusal);
  if (!isEnd && !isFull) {
    const counts = countsOf(node.where, tensors);
    const own = known === undefined ? guardOf(tensors, counts, conditions.at(-1) as TensorId, guard) : guard;
    const more = turn(node, { ...progress, guard: own }, tensors);
    return [...counts.taken(), ...more];
  }
  const chooser = chooserOf(node.where, tensors);
  const taken = computed.length === 0 ? undefined : chooser.firstFalse(isEnd ? conditions.slice(0, -1) : conditions);
  if (taken !== undefined && !isEnd) limit(taken, states.length - 1, tensors);
  for (const [k, id] of node.outputs.entries()) {
    const candidates = taken === undefined ? [state[k]] : states.map((each) => each[k]);
    if (id !== NONE) chooser.choose(taken, candidates as TensorId[], id);
  }
  return under(GUARDS.get(node), chooser.taken());
}

/** The body after the last condition, and the condition before the next turn; the condition alone before the first one. */
function turn(node: AnyNode, progress: Progress, tensors: Tensor[]): readonly AnyNode[] {
  const { states, conditions, guard } = progress;
  const [condition, body] = bodiesOf(node) as readonly [Graph, Graph];
  const state = states.at(-1) as readonly TensorId[];
  const done = conditions.length === 0 ? undefined : inlined(body, state, tensors, node.where, guard);
  const now = done?.outputs ?? state;
  const asked = inlined(condition, now, tensors, node.where, guard);
  const marker = markerOf(node, {
    ...progress,
    states: done === undefined ? states : [...states, now],
    conditions: [...conditions, asked.outputs[0] as TensorId],
  });
  return [...(done?.nodes ?? []), ...asked.nodes, marker];
}

/** What one of two branches gives. */
function joined(node: AnyNode, { states, conditions, refusal }: Progress, tensors: Tensor[]): readonly AnyNode[] {
  const [condition] = conditions as readonly [TensorId];
  const chooser = chooserOf(node.where, tensors);
  const known = (tensors[condition] as Tensor).data !== undefined;
  const taken = known ? undefined : chooser.asIndex(condition);
  for (const state of states) requireClosed(node, state, tensors, refusal);
  for (const [k, id] of node.outputs.entries())
    if (id !== NONE) chooser.choose(taken, states.slice(known ? 1 : 0).map((each) => each[k]) as TensorId[], id);
  return chooser.taken();
}

interface Inlined {
  readonly nodes: readonly AnyNode[];
  readonly outputs: readonly TensorId[];
}

/** The graph's nodes, as nodes of the graph whose tensors these are; a run may not take them where there is a guard. */
function inlined(
  body: Graph,
  inputs: readonly TensorId[],
  tensors: Tensor[],
  where: string,
  guard: TensorId | undefined,
): Inlined {
  const ids = new Map<TensorId, TensorId>([[NONE, NONE]]);
  for (const [i, { tensor }] of body.inputs.entries()) ids.set(tensor, inputs[i] ?? NONE);
  const idOf = (id: TensorId): TensorId => {
    const own = ids.get(id) ?? ((tensors.push(body.tensors[id] as Tensor) - 1) as TensorId);
    ids.set(id, own);
    return own;
  };
  const nodes = body.nodes.map(
    (node) =>
      ({
        ...node,
        where: `${where}, ${node.where}`,
        inputs: node.inputs.map(idOf),
        outputs: node.outputs.map(idOf),
      }) as AnyNode,
  );
  under(guard, nodes);
  PLACED.set(tensors, (PLACED.get(tensors) ?? 0) + nodes.length + 1);
  return { nodes, outputs: body.outputs.map(({ tensor }) => idOf(tensor)) };
}

/** Turns that may not be taken change no variable. */
function requirePure(node: AnyNode, refusal: Pint8Error | undefined): void {
  const isPure = (graph: Graph): boolean =>
    graph.tensors.every(({ variable, resource }) => !variable && resource === undefined) &&
    graph.nodes.every((each) => bodiesOf(each).every(isPure));
  if (!bodiesOf(node).every(isPure)) refuse(node, refusal);
}

function requireClosed(
  node: AnyNode,
  ids: readonly TensorId[],
  tensors: readonly Tensor[],
  refusal: Pint8Error | undefined,
): void {
  if (ids.some((id) => tensors[id]?.open !== undefined)) refuse(node, refusal);
}

function refuse({ where, kind }: AnyNode, refusal: Pint8Error | undefined): never {
  if (refusal !== undefined) throw refusal;
  throw new Pint8Error("UNSUPPORTED", {
    where,
    expected: `${kind === "if" ? "branches that give tensors of known shapes" : `at most ${TURNS} turns of a state that grows, of known shapes`} and change no variable`,
    received: "others",
  });
}
