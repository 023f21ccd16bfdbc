/** How channels go through nodes that are no layers. */
import { type AnyNode, type Graph, NONE, type TensorId, tensorOf } from "../../../graph.ts";
import { elementCount, typedCopy } from "../../../tensor.ts";
import { throughShape, throughTranspose } from "./throughShapes.ts";
import { isConstant, type Walk } from "./walk.ts";

/** What gives each number what it makes of that number alone. */
const ALONE = new Set<string>(
  ["relu", "relu6", "relu0To1", "reluN1To1", "leakyRelu", "logistic", "tanh", "hardSwish", "elu", "gelu", "abs"].concat(
    ["neg", "square", "sqrt", "rsqrt", "exp"],
  ),
);
/** What gives each channel, which is the last dimension, what it makes of that channel alone. */
const WINDOWS = new Set<string>(["averagePool2d", "maxPool2d", "resizeBilinear", "resizeNearestNeighbor", "mirrorPad"]);
/** Element by element, of two. */
const PAIRS = new Set<string>(["add", "sub", "mul", "div", "maximum", "minimum", "squaredDifference", "prelu"]);

/** Whether channels can be followed through a node that is no layer. */
export function throughOther(walk: Walk, node: AnyNode): boolean {
  const { graph, axisOf } = walk;
  const [x = NONE, second = NONE] = node.inputs;
  const y = node.outputs[0] as TensorId;
  if (x === NONE || node.outputs.length !== 1) return false;
  const { kind } = node;
  if (PAIRS.has(kind)) return throughPair(walk, x, second, y);
  if (kind === "concat") return throughConcat(walk, node.inputs, y, node.attributes.axis);
  if (isConstant(graph, x)) return false;
  if (kind === "mean" || kind === "sum" || kind === "reduceMax" || kind === "reduceMin")
    return throughReduction(walk, x, integersOf(graph, second), y, node.attributes.keepDims);
  if (kind === "pad") return throughPad(walk, x, integersOf(graph, second), y);
  if (kind === "reshape" || kind === "squeeze" || kind === "expandDims") return throughShape(walk, x, y);
  if (kind === "transpose") return throughTranspose(walk, x, integersOf(graph, second), y);
  const rank = tensorOf(graph, x).shape.length;
  // Each channel by itself, where it is none of the dimensions that are brought to one size.
  if (kind === "layerNorm") return axisOf(x) < rank - node.attributes.dimensions && same(walk, x, y);
  return (ALONE.has(kind) || (WINDOWS.has(kind) && axisOf(x) === rank - 1)) && same(walk, x, y);
}

function integersOf(graph: Graph, id: TensorId): readonly number[] {
  const { data, dtype } = tensorOf(graph, id);
  return data === undefined ? [-1] : Array.from(typedCopy(dtype, data), Number);
}

function same({ graph, of, give, axisOf, widthOf }: Walk, x: TensorId, y: TensorId): boolean {
  const axis = axisOf(x);
  if (widthOf(x) !== tensorOf(graph, y).shape[axis]) return false;
  give(y, of(x), axis);
  return true;
}

function throughReduction(
  { graph, of, give, axisOf }: Walk,
  x: TensorId,
  axes: readonly number[],
  y: TensorId,
  keepDims: boolean,
): boolean {
  const rank = tensorOf(graph, x).shape.length;
  const gone = new Set(axes.map((each) => (each < 0 ? each + rank : each)));
  const axis = axisOf(x);
  if (gone.has(axis)) return false;
  give(y, of(x), keepDims ? axis : axis - [...gone].filter((each) => each < axis).length);
  return true;
}

/** Channels of zeros beside those that are padded stay. */
function throughPad(
  { graph, sets, of, give, axisOf, widthOf }: Walk,
  x: TensorId,
  paddings: readonly number[],
  y: TensorId,
) {
  const axis = axisOf(x);
  const [before = -1, after = -1] = paddings.slice(2 * axis, 2 * axis + 2);
  if (before < 0 || after < 0 || before + widthOf(x) + after !== tensorOf(graph, y).shape[axis]) return false;
  const [left, right] = [sets.fresh(before), sets.fresh(after)];
  for (const added of [left, right]) sets.freeze(added);
  give(y, [...left, ...of(x), ...right], axis);
  return true;
}

function throughPair(walk: Walk, a: TensorId, b: TensorId, y: TensorId): boolean {
  const { graph, sets, readers, of, give, axisOf, freeze } = walk;
  if (b === NONE || (isConstant(graph, a) && isConstant(graph, b))) return false;
  const shapeOf = (id: TensorId) => tensorOf(graph, id).shape;
  /** The channels' dimension from the end, by which shapes are brought together. */
  const fromEnd = (id: TensorId) => shapeOf(id).length - axisOf(id);
  const width = (id: TensorId, at: number) => shapeOf(id).at(-at) ?? 1;
  const computed = [a, b].filter((id) => !isConstant(graph, id));
  const at = Math.max(...computed.map((id) => (width(id, fromEnd(id)) > 1 ? fromEnd(id) : 1)));
  const count = width(y, at);
  const all = [a, b].filter((id) => width(id, at) === count);
  // One value for all channels tells nothing of them; one that is computed is no channel of theirs.
  for (const id of [a, b]) if (width(id, at) !== count) freeze(id);
  const misfits = (id: TensorId) =>
    isConstant(graph, id) ? readers[id] !== 1 || elementCount(shapeOf(id)) !== count : fromEnd(id) !== at;
  if (all.some(misfits)) return false;
  const [first, ...others] = all.filter((id) => !isConstant(graph, id));
  if (first === undefined) return false;
  for (const other of others) sets.join(of(first), of(other));
  for (const id of all) if (isConstant(graph, id)) give(id, of(first), shapeOf(id).length - at);
  give(y, of(first), shapeOf(y).length - at);
  return true;
}

function throughConcat(
  { graph, sets, of, give, axisOf }: Walk,
  inputs: readonly TensorId[],
  y: TensorId,
  along: number,
): boolean {
  if (inputs.some((id) => id === NONE || isConstant(graph, id))) return false;
  const rank = tensorOf(graph, y).shape.length;
  const [axis = 0, ...axes] = inputs.map(axisOf);
  if (axes.some((each) => each !== axis)) return false;
  if (axis === along || axis === along + rank) {
    give(y, inputs.flatMap(of), axis);
    return true;
  }
  const [first, ...others] = inputs.map(of);
  for (const other of others) sets.join(first as readonly number[], other);
  give(y, first as readonly number[], axis);
  return true;
}
