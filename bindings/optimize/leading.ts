/**
 * Networks of one sample whose sequences stand before it, as ONNX' recurrent layers have them, with the sample in front: its dimension is 1, so every
 * tensor's bytes stay as they are.
 */
import { type AnyNode, type Graph, NONE, type TensorId } from "../graph.ts";
import { elementCount, type Tensor } from "../tensor.ts";
import { bytesOf, numbersOf } from "./constants.ts";

/** What a rule reads and writes. */
interface Work {
  readonly typed: readonly Tensor[];
  /** Dimensions of those tensors, after the sample's, that did not begin with it. */
  readonly moved: Map<TensorId, readonly number[]>;
  /** The shape that a tensor has now. */
  shape(id: TensorId): readonly number[];
  integers(values: readonly number[]): TensorId;
  /** A tensor in another shape. */
  as(id: TensorId, shape: readonly number[]): TensorId;
  push(node: AnyNode): void;
}

/** Pushes the node anew and says true, or false where it cannot tell. */
type Rule = (node: AnyNode, work: Work) => boolean;

const sizesOf = ({ typed }: Work, id: TensorId | undefined) => typed[id ?? NONE]?.shape ?? [];

/** The axes that stay when the sample's goes: the second one, as sequences have it, or the first that is 1; all where it has none. */
function restOf(shape: readonly number[]): readonly number[] {
  const sample = shape[1] === 1 ? 1 : shape.indexOf(1);
  return shape.flatMap((_, axis) => (axis === sample ? [] : [axis]));
}

/** Notes how an output stands, which begins with its sequence where it does not begin with 1. */
function place(id: TensorId, work: Work): readonly number[] {
  const shape = sizesOf(work, id);
  if (shape.length === 0 || shape[0] === 1) return shape;
  const rest = restOf(shape);
  work.moved.set(id, rest);
  return [1, ...rest.map((axis) => shape[axis] as number)];
}

/** The place of an axis of a tensor now; −1 for the sample's that went to the front. */
function axisNow(id: TensorId, axis: number, work: Work): number {
  const rest = work.moved.get(id);
  const own = axis < 0 ? axis + sizesOf(work, id).length : axis;
  return rest === undefined ? own : rest.indexOf(own) + (rest.includes(own) ? 1 : 0);
}

/** The node with results of these shapes, each in its tensor's own. */
function giving(node: AnyNode, shapes: readonly (readonly number[])[], work: Work): boolean {
  const after: (() => void)[] = [];
  const outputs = node.outputs.map((id, i) => {
    const [given, wanted] = [shapes[i] ?? [], place(id, work)];
    if (`${given}` === `${wanted}`) return id;
    const before = work.as(id, given);
    after.push(() => work.push(reshape(node.where, before, id, wanted)));
    return before;
  });
  work.push({ ...node, outputs });
  for (const then of after) then();
  return true;
}

const reshape = (where: string, x: TensorId, y: TensorId, shape: readonly number[]): AnyNode =>
  ({ kind: "reshape", where, inputs: [x], outputs: [y], attributes: { shape } }) as AnyNode;

const reshaping: Rule = ({ where, inputs, outputs: [y = NONE] }, work) => {
  work.push(reshape(where, inputs[0] as TensorId, y, place(y, work)));
  return true;
};

/** Rows of the last dimension, by weights. */
const dense: Rule = (node, work) => {
  const [x = NONE, weights = NONE] = node.inputs;
  if (work.typed[weights]?.data === undefined) return false;
  const shape = [...work.shape(x).slice(0, -1), sizesOf(work, node.outputs[0]).at(-1) as number];
  return giving({ ...node, attributes: { ...node.attributes, keepDims: true } } as AnyNode, [shape], work);
};

/** Number by number; constants reach no further than the dimensions behind the one that went to the front. */
const each: Rule = (node, work) => {
  const [y = NONE] = node.outputs;
  const wanted = place(y, work);
  const sizes = sizesOf(work, y);
  const gone = sizes.findIndex((_, axis) => work.moved.get(y)?.includes(axis) === false);
  const behind = gone < 0 ? sizes.length : sizes.length - 1 - gone;
  const fits = (id: TensorId) =>
    work.typed[id]?.data === undefined ? `${work.shape(id)}` === `${wanted}` : sizesOf(work, id).length <= behind;
  if (!node.inputs.every(fits)) return false;
  work.push(node);
  return true;
};

const slice: Rule = (node, work) => {
  const [x = NONE, ...ends] = node.inputs;
  const [begins = [], sizes = []] = ends.map((id) => numbersOf(work.typed[id]));
  const rest = work.moved.get(x);
  const [shape, whole] = [work.shape(x), sizesOf(work, x)];
  if (rest === undefined || begins.length !== whole.length || sizes.length !== whole.length) return false;
  const from = [0, ...rest.map((axis) => begins[axis] as number)];
  const many = [1, ...rest.map((axis) => sizes[axis] as number)].map((size, i) =>
    size < 0 ? (shape[i] as number) - (from[i] as number) : size,
  );
  return giving({ ...node, inputs: [x, work.integers(from), work.integers(many)] }, [many], work);
};

const gather: Rule = (node, work) => {
  if (node.kind !== "gather" || node.attributes.batchDims !== 0) return false;
  const [x = NONE, indices = NONE] = node.inputs;
  const axis = axisNow(x, node.attributes.axis, work);
  if (axis < 1 || work.typed[indices]?.data === undefined) return false;
  const shape = work.shape(x);
  const found = [...shape.slice(0, axis), ...sizesOf(work, indices), ...shape.slice(axis + 1)];
  return giving({ ...node, attributes: { ...node.attributes, axis } }, [found], work);
};

/** Along an axis of the result: side by side, or one behind the other. */
const joining: Rule = (node, work) => {
  if (node.kind !== "concat" && node.kind !== "pack") return false;
  const [y = NONE] = node.outputs;
  const wanted = place(y, work);
  const axis = axisNow(y, node.attributes.axis, work);
  if (axis < 1) return false;
  const own = node.attributes.axis < 0 ? node.attributes.axis + sizesOf(work, y).length : node.attributes.axis;
  const inputs = node.inputs.map((id) => {
    const part = node.kind === "pack" ? [] : [sizesOf(work, id)[own] as number];
    const shape = [...wanted.slice(0, axis), ...part, ...wanted.slice(axis + 1)];
    if (`${work.shape(id)}` === `${shape}`) return id;
    const other = work.as(id, shape);
    work.push(reshape(node.where, id, other, shape));
    return other;
  });
  work.push({ ...node, inputs, attributes: { ...node.attributes, axis } } as AnyNode);
  return true;
};

const reducing: Rule = (node, work) => {
  const [x = NONE, list = NONE] = node.inputs;
  const axes = new Set(numbersOf(work.typed[list]).map((axis) => axisNow(x, axis, work)));
  for (const own of [0, -1]) axes.delete(own); // the sample's, which is one
  const shape = work.shape(x);
  if (work.typed[list]?.data === undefined || axes.size === 0) return false;
  const found = shape.map((size, axis) => (axes.has(axis) ? 1 : size));
  const attributes = { ...node.attributes, keepDims: true };
  return giving({ ...node, inputs: [x, work.integers([...axes])], attributes } as AnyNode, [found], work);
};

const listed = (rule: Rule, kinds: string) => kinds.split(/\s+/).map((kind): readonly [string, Rule] => [kind, rule]);
const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...listed(
    each,
    `add sub mul div maximum minimum squaredDifference logistic tanh relu relu6 leakyRelu elu gelu hardSwish
    neg abs exp log sqrt rsqrt square`,
  ),
  ...listed(reshaping, "reshape squeeze expandDims"),
  ...listed(joining, "concat pack"),
  ...listed(reducing, "mean sum reduceMax"),
  ["fullyConnected", dense],
  ["slice", slice],
  ["gather", gather],
]);

/** The graph with the sample in front of its sequences; undefined where there are none, or where an operator is not known to allow it. `typed` are its tensors with their shapes. */
export function samplesInFront(graph: Graph, typed: readonly Tensor[]): Graph | undefined {
  const tensors = [...graph.tensors];
  const shapes = new Map<TensorId, readonly number[]>();
  const nodes: AnyNode[] = [];
  const append = (tensor: Tensor) => (tensors.push(tensor) - 1) as TensorId;
  const name = () => `sample_${tensors.length}`;
  const work: Work = {
    typed,
    moved: new Map(),
    shape(id) {
      const whole = shapes.get(id) ?? typed[id]?.shape ?? [];
      const rest = work.moved.get(id);
      return rest === undefined ? whole : [1, ...rest.map((axis) => whole[axis] as number)];
    },
    integers: (values) =>
      append({ name: name(), dtype: "int32", shape: [values.length], data: bytesOf(Int32Array.from(values)) }),
    as(id, shape) {
      const own = append({ name: name(), dtype: (typed[id] as Tensor).dtype, shape });
      shapes.set(own, shape);
      return own;
    },
    push: (node) => nodes.push(node),
  };
  const runs = new Set<TensorId>(graph.inputs.map(({ tensor }) => tensor));
  for (const node of graph.nodes) {
    const computed = node.inputs.some((id) => runs.has(id));
    if (computed) for (const id of node.outputs) runs.add(id);
    const turns = [...node.inputs, ...node.outputs].some((id) => work.moved.has(id) || (runs.has(id) && leads(id)));
    if (!computed || !turns) nodes.push(node);
    else if (!RULES.get(node.kind)?.(node, work)) return undefined;
  }
  function leads(id: TensorId): boolean {
    const { shape } = typed[id] as Tensor;
    return shape.length > 0 && shape[0] !== 1 && elementCount(shape) > 1;
  }
  if (work.moved.size === 0 || graph.outputs.some(({ tensor }) => work.moved.has(tensor))) return undefined;
  const own = tensors.map((tensor, id) =>
    work.moved.has(id as TensorId) ? { ...tensor, shape: work.shape(id as TensorId) } : tensor,
  );
  return { ...graph, tensors: own, nodes };
}
