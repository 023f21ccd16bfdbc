/** That samples of a batch do not meet: what the `batch` option promises. */
import { ensure } from "../errors.ts";
import { type AnyNode, type Attributes, type Graph, NONE, type TensorId } from "../graph.ts";
import { bind } from "../ops/bind.ts";
import type { NodeView, Operators } from "../ops/types.ts";
import { integersOf } from "../ops/values.ts";
import { type Tensor, typeText } from "../tensor.ts";
import { touchesState } from "./bodies.ts";

/** A node with batched inputs: its view, and for each input whether its bytes are the samples' one after the other. */
interface Batched {
  readonly view: NodeView<never>;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly isBatched: readonly boolean[];
  readonly size: number;
}

/** True where the outputs' bytes, too, are the samples' one after the other, each computed from its own sample alone. */
type Rule = (node: Batched) => boolean;

const first = ({ view }: Batched) => view.inputs[0] as Tensor;
const onlyFirst = ({ isBatched }: Batched) => isBatched.every((batched, i) => batched === (i === 0));

/** Every row of the leading dimension for itself. */
const rows: Rule = (node) => onlyFirst(node) && first(node).shape.length > 0;

/** Operands of one rank; those that are not batched are the same for all samples. */
const together: Rule = ({ view, isBatched }) => {
  const rank = (view.outputs[0] as Tensor).shape.length;
  return view.inputs.every((tensor, i) => {
    if (tensor === undefined) return true;
    if (isBatched[i]) return tensor.shape.length === rank;
    return tensor.shape.length < rank || (tensor.shape.length === rank && tensor.shape[0] === 1);
  });
};

const numbers = (tensor: Tensor | undefined) => (tensor?.data === undefined ? undefined : integersOf(tensor));
const inner = (axis: number, rank: number) => (axis < 0 ? axis + rank : axis) > 0;

/** An axis or axes among the constants at an input. */
const axesAt =
  (input: number, tensor = 0): Rule =>
  ({ view, isBatched }) => {
    const rank = view.inputs[tensor]?.shape.length ?? 0;
    const axes = numbers(view.inputs[input]);
    return (
      isBatched.every((batched, i) => batched === (i === tensor)) && axes?.every((axis) => inner(axis, rank)) === true
    );
  };

/** An axis among the attributes; all inputs batched. */
const axisAttribute =
  (more: 0 | 1): Rule =>
  (node) =>
    node.isBatched.every(Boolean) && inner(node.attributes.axis as number, first(node).shape.length + more);

/** The leading entries of a constant are these: what leaves the leading dimension alone. */
const leading =
  (input: number, ...values: readonly number[]): Rule =>
  (node) => {
    const list = numbers(node.view.inputs[input]);
    return onlyFirst(node) && list !== undefined && values.every((value, i) => list[i] === value);
  };

const wholeFirst: Rule = (node) => {
  const size = first(node).shape[0];
  return rows(node) && (node.view.outputs[0] as Tensor).shape[0] === size;
};

const stridedSlice: Rule = (node) => {
  const { ellipsisMask, newAxisMask, shrinkAxisMask } = node.attributes as unknown as Attributes["stridedSlice"];
  const plain = ((newAxisMask | shrinkAxisMask) & 1) === 0;
  const step = numbers(node.view.inputs[3])?.[0] ?? 1;
  return plain && ((ellipsisMask & 1) === 1 || step === 1) && wholeFirst(node);
};

const matrices: Rule = ({ view, isBatched }) => {
  const [a, b] = view.inputs as readonly Tensor[];
  if (a === undefined || b === undefined || a.shape.length < 3) return false;
  if (isBatched[1]) return isBatched[0] === true && a.shape.length === b.shape.length;
  return b.shape.length < a.shape.length || b.shape[0] === 1;
};

const gather: Rule = ({ view, isBatched, attributes }) => {
  const { axis, batchDims } = attributes as { readonly axis: number; readonly batchDims: number };
  const rank = view.inputs[0]?.shape.length ?? 0;
  if (isBatched[0] && isBatched[1]) return batchDims > 0;
  if (isBatched[0]) return batchDims === 0 && inner(axis, rank);
  return batchDims === 0 && !inner(axis, rank);
};

const always: Rule = () => true;
const second: Rule = ({ isBatched }) => isBatched[0] === true && isBatched[1] !== true;

const listed = (rule: Rule, kinds: string) => kinds.split(/\s+/).map((kind): readonly [string, Rule] => [kind, rule]);

let made: ReadonlyMap<string, Rule> | undefined;

/** How each kind treats the leading dimension, made when a batch is asked for; kinds that are not here are refused. */
const rules = () =>
  (made ??= new Map<string, Rule>([
    ...listed(
      rows,
      `conv2d depthwiseConv2d fullyConnected averagePool2d maxPool2d l2Pool2d resizeBilinear resizeNearestNeighbor
    spaceToDepth depthToSpace complexAbs real imag l2Normalization localResponseNormalization transposeConvBias conv3d zerosLike
    relu relu6 reluN1To1 relu0To1 leakyRelu hardSwish logistic tanh elu gelu quantize dequantize cast exp log sqrt rsqrt
    square sin cos erf trigonometric abs neg floor ceil round sign logicalNot fakeQuant`,
    ),
    ...listed(
      together,
      `add sub mul div maximum minimum squaredDifference pow floorDiv floorMod prelu equal notEqual less lessEqual greater
    greaterEqual logicalAnd logicalOr select selectV2 atan2 addN bitwiseXor rightShift`,
    ),
    ...listed((node) => rows(node) && first(node).shape.length > 1, "softmax logSoftmax topK"),
    ...listed(axesAt(1), "mean sum reduceProd reduceMax reduceMin reduceAny reduceAll argMax argMin cumsum reverse"),
    ...listed(axesAt(0, 1), "split"),
    ...listed(axesAt(2), "splitV"),
    ...listed(axisAttribute(0), "concat unpack"),
    ...listed(axisAttribute(1), "pack"),
    ...listed(leading(1, 0), "transpose"),
    ...listed(leading(1, 0, 0), "pad mirrorPad"),
    ...listed(leading(1, 1), "tile"),
    ...listed(wholeFirst, "slice"),
    ...listed(always, "reshape squeeze expandDims shape rank"),
    ...listed(second, "embeddingLookup"),
    ["layerNorm", (node) => rows(node) && (node.attributes.dimensions as number) < first(node).shape.length],
    ["stridedSlice", stridedSlice],
    ...listed(({ isBatched }) => isBatched.indexOf(true) === 2, "transposeConv conv3dTranspose"),
    ["rfft2d", (node) => rows(node) && first(node).shape.length > 2],
    ["broadcastTo", (node) => wholeFirst(node) && first(node).shape.length === node.view.outputs[0]?.shape.length],
    ["batchMatMul", matrices],
    ["gather", gather],
  ]));

/**
 * Follows the batch from the inputs that were multiplied, and refuses the graph at the first node where samples would
 * meet, or where nobody knows: a wrong number is worse.
 */
export function checkBatch(graph: Graph, operators: Operators): void {
  if (graph.batch === undefined) return;
  const { size, inputs } = graph.batch;
  const batched = new Set<TensorId>(inputs);
  for (const node of graph.nodes) {
    const isBatched = node.inputs.map((id) => id !== NONE && batched.has(id));
    if (!isBatched.some(Boolean)) continue;
    const view = bind(operators, node, graph.tensors).view as NodeView<never>;
    const attributes = node.attributes as Batched["attributes"];
    const keeps = rules().get(node.kind)?.({ view, attributes, isBatched, size }) ?? false;
    const whole = view.outputs.every(({ shape, data }) => data !== undefined || (shape[0] ?? 0) % size === 0);
    ensure(keeps && (whole || isShape(node)) && !touchesState(graph, node), "UNSUPPORTED", () => ({
      where: `${node.where}, option batch ${size}`,
      expected: "operators that leave the first dimension alone",
      received: `${view.inputs.map(typeText).join(", ")} to ${typeText(view.outputs[0])}`,
      hint: "Run samples one by one, or export the model with this batch.",
    }));
    if (!isShape(node)) for (const id of node.outputs) batched.add(id);
  }
}

const isShape = ({ kind }: AnyNode) => kind === "shape" || kind === "rank";
