/** How channels go through nodes that are no layers. */
import { type AnyNode, type Graph, NONE, type TensorId, tensorOf } from "../../../graph.ts";
import { elementCount, typedCopy } from "../../../tensor.ts";
import { isConstant, type Walk, widthOf } from "./walk.ts";

/** What gives each channel what it makes of that channel alone. */
const ALONE = new Set<string>(
  ["relu", "relu6", "relu0To1", "reluN1To1", "leakyRelu", "logistic", "tanh", "hardSwish", "elu", "gelu", "abs"].concat(
    ["neg", "square", "averagePool2d", "maxPool2d", "resizeBilinear", "resizeNearestNeighbor", "mirrorPad"],
  ),
);
/** Element by element, of two. */
const PAIRS = new Set<string>(["add", "sub", "mul", "div", "maximum", "minimum", "squaredDifference", "prelu"]);

/** Whether channels can be followed through a node that is no layer. */
export function throughOther(walk: Walk, node: AnyNode): boolean {
  const { graph } = walk;
  const [x = NONE, second = NONE] = node.inputs;
  const y = node.outputs[0] as TensorId;
  if (x === NONE || node.outputs.length !== 1) return false;
  const { kind } = node;
  if (PAIRS.has(kind)) return throughPair(walk, x, second, y);
  if (kind === "concat") return throughConcat(walk, node.inputs, y, node.attributes.axis);
  if (isConstant(graph, x)) return false;
  if (["mean", "sum", "reduceMax", "reduceMin"].includes(kind)) {
    const axes = integersOf(graph, second);
    const rank = tensorOf(graph, x).shape.length;
    return !axes.some((axis) => axis === -1 || axis === rank - 1) && same(walk, x, y);
  }
  if (kind === "pad") return throughPad(walk, x, second, y);
  if (kind === "reshape" || kind === "squeeze" || kind === "expandDims") return throughShape(walk, x, y);
  return ALONE.has(kind) && same(walk, x, y);
}

function integersOf(graph: Graph, id: TensorId): readonly number[] {
  const { data, dtype } = tensorOf(graph, id);
  return data === undefined ? [-1] : Array.from(typedCopy(dtype, data), Number);
}

function same({ graph, of, give }: Walk, x: TensorId, y: TensorId): boolean {
  if (widthOf(graph, x) !== widthOf(graph, y)) return false;
  give(y, of(x));
  return true;
}

/** Channels of zeros beside those that are padded stay. */
function throughPad({ graph, sets, of, give }: Walk, x: TensorId, paddings: TensorId, y: TensorId): boolean {
  const [before = -1, after = -1] = integersOf(graph, paddings).slice(-2);
  if (before < 0 || after < 0 || before + widthOf(graph, x) + after !== widthOf(graph, y)) return false;
  const [left, right] = [sets.fresh(before), sets.fresh(after)];
  for (const added of [left, right]) sets.freeze(added);
  give(y, [...left, ...of(x), ...right]);
  return true;
}

/** Trailing dimensions joined into one repeat the channels. */
function throughShape({ graph, of, give }: Walk, x: TensorId, y: TensorId): boolean {
  const sizes = tensorOf(graph, x).shape;
  const from = of(x);
  let joined = 1;
  for (let d = sizes.length - 1; d >= 0 && joined <= widthOf(graph, y); d--) {
    joined *= sizes[d] as number;
    if (joined !== widthOf(graph, y)) continue;
    give(
      y,
      Array.from({ length: joined }, (_, i) => from[i % from.length] as number),
    );
    return true;
  }
  return false;
}

function throughPair({ graph, sets, readers, of, give, freeze }: Walk, a: TensorId, b: TensorId, y: TensorId): boolean {
  if (b === NONE || (isConstant(graph, a) && isConstant(graph, b))) return false;
  const all = [a, b].filter((id) => widthOf(graph, id) === widthOf(graph, y));
  // One value for all channels tells nothing of them; one that is computed is no channel of theirs.
  for (const id of [a, b]) if (widthOf(graph, id) !== widthOf(graph, y)) freeze(id);
  if (
    all.some(
      (id) =>
        isConstant(graph, id) && (readers[id] !== 1 || elementCount(tensorOf(graph, id).shape) !== widthOf(graph, id)),
    )
  )
    return false;
  const [first, ...others] = all.filter((id) => !isConstant(graph, id));
  if (first === undefined) return false;
  for (const other of others) sets.join(of(first), of(other));
  for (const id of all) if (isConstant(graph, id)) give(id, of(first));
  give(y, of(first));
  return true;
}

function throughConcat(
  { graph, sets, of, give }: Walk,
  inputs: readonly TensorId[],
  y: TensorId,
  axis: number,
): boolean {
  if (inputs.some((id) => id === NONE || isConstant(graph, id))) return false;
  const rank = tensorOf(graph, y).shape.length;
  if (axis === rank - 1 || axis === -1) {
    give(y, inputs.flatMap(of));
    return true;
  }
  const [first, ...others] = inputs.map(of);
  for (const other of others) sets.join(first as readonly number[], other);
  give(y, first as readonly number[]);
  return true;
}
