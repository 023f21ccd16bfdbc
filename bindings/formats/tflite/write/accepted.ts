/**
 * What TensorFlow Lite's kernels ask of operators beside their names, of graphs that pint8 runs as they are: a bias, weights without a
 * zero point, tensors of one scale, of one shape.
 */
import type { AnyNode, Graph, Node, Rounding, TensorId } from "../../../graph.ts";
import { elementCount, type Quantization, sameScales, type Tensor } from "../../../tensor.ts";
import { constant, whole } from "../../spelled.ts";

/** Products whose second input is weights. */
type Product = Node<"conv2d" | "depthwiseConv2d" | "fullyConnected" | "batchMatMul">;

/** The graph with what is asked. */
export function accepted(graph: Graph): Graph {
  const tensors: Tensor[] = [...graph.tensors];
  const nodes = graph.nodes.flatMap((node) => whole(node, () => acceptedNodes(node, tensors)));
  return { ...graph, tensors, nodes };
}

function acceptedNodes(node: AnyNode, tensors: Tensor[]): readonly AnyNode[] {
  switch (node.kind) {
    case "conv2d":
    case "depthwiseConv2d":
      return product(withBias(node, tensors), tensors);
    case "fullyConnected":
      return product(withSums(node, tensors), tensors);
    case "batchMatMul":
      return product(node, tensors);
    case "add":
    case "sub":
      return isRounded(node) && isFar(node, tensors) ? inReals(node, tensors) : [node];
    case "quantize":
    case "dequantize":
      return spelledShorts(node, tensors);
    case "concat":
      return concatenated(node, tensors);
    case "atan2":
      return broadcast(node, tensors);
    default:
      return [node];
  }
}

/** Whether a node rounds as onnxruntime does: it came from an .onnx file. */
const isRounded = ({ attributes }: AnyNode | Product) =>
  (attributes as { readonly rounding?: Rounding }).rounding !== undefined;

const typed = (tensors: readonly Tensor[], id: TensorId | undefined) => tensors[id as TensorId] as Tensor;
const add = (tensors: Tensor[], tensor: Tensor) => (tensors.push(tensor) - 1) as TensorId;

function step<K extends "quantize" | "dequantize">(kind: K, where: string, from: TensorId, to: TensorId): AnyNode {
  return { kind, where, inputs: [from], outputs: [to], attributes: {} } as AnyNode;
}

/** A bias of zeros where there is none. */
function withBias<N extends Node<"conv2d" | "depthwiseConv2d">>(node: N, tensors: Tensor[]): N {
  const [x, w, bias] = node.inputs.map((id) => tensors[id]) as [Tensor, Tensor, Tensor?];
  if (bias !== undefined) return withSums(node, tensors);
  const rows = w.shape[node.kind === "conv2d" ? 0 : 3] as number;
  const dtype = x.dtype === "float32" ? "float32" : x.dtype === "int16" ? "int64" : "int32";
  const data = new Uint8Array(rows * (dtype === "int64" ? 8 : 4));
  const quantization = dtype === "float32" ? undefined : sumsOf(x, w);
  return biased(node, tensors, {
    name: `${w.name}/bias`,
    dtype,
    shape: [rows],
    data,
    ...(quantization && { quantization }),
  });
}

/** The scale of sums for a bias that tells none: of graphs that came from ONNX. */
function withSums<N extends Product>(node: N, tensors: Tensor[]): N {
  const [x, w, bias] = node.inputs.map((id) => tensors[id]) as [Tensor, Tensor, Tensor?];
  const quantization = sumsOf(x, w);
  const isBare = bias?.dtype === "int32" && bias.quantization === undefined && isRounded(node);
  return isBare && quantization !== undefined ? biased(node, tensors, { ...bias, quantization }) : node;
}

const biased = <N extends Product>(node: N, tensors: Tensor[], bias: Tensor): N =>
  ({ ...node, inputs: [node.inputs[0], node.inputs[1], add(tensors, bias)] }) as unknown as N;

/** Scales of sums of products; undefined where one of the two has none. */
function sumsOf(x: Tensor, w: Tensor): Quantization | undefined {
  const [scaleX] = x.quantization?.scale ?? [];
  const scales = w.quantization?.scale;
  if (scaleX === undefined || scales === undefined) return undefined;
  const scale = scales.map((each) => Math.fround(each * scaleX));
  return { scale, zeroPoint: scale.map(() => 0), axis: 0 };
}

/** Whether weights that ONNX knows are none of TensorFlow Lite's: with a zero point, or −128 where activations are floats. */
function isForeign(node: Product, x: Tensor, w: Tensor): boolean {
  if (!isRounded(node) || w.dtype !== "int8" || w.data === undefined) return false;
  const hasZero = w.quantization?.zeroPoint.some((zero) => zero !== 0) === true;
  return hasZero || (x.dtype === "float32" && w.data.includes(0x80));
}

/** A product, or that of real values where its weights are foreign; of groups, with a scale for each output. */
function product(node: Product, tensors: Tensor[]): readonly AnyNode[] {
  const [x, w] = node.inputs.map((id) => tensors[id]) as [Tensor, Tensor];
  if (isForeign(node, x, w)) return inReals(node, tensors, sumsOf(x, w)?.scale);
  const { scale = [], zeroPoint = [] } = w.quantization ?? {};
  const isGrouped = node.kind === "conv2d" && x.dtype === "float32" && x.shape[3] !== w.shape[3];
  if (!isGrouped || !isRounded(node) || w.dtype !== "int8" || scale.length !== 1) return [node as AnyNode];
  const each = <T>(values: readonly T[]) => Array.from({ length: w.shape[0] as number }, () => values[0] as T);
  const quantization = { scale: each(scale), zeroPoint: each(zeroPoint), axis: 0 };
  const weights = add(tensors, { ...w, quantization });
  return [{ ...node, inputs: node.inputs.map((id, i) => (i === 1 ? weights : id)) } as AnyNode];
}

/** Larger scales are no multiples of smaller ones that the reference computes with. */
const FARTHEST = 2 ** 18;

function isFar(node: AnyNode, tensors: readonly Tensor[]): boolean {
  const scales = [...node.inputs, ...node.outputs].flatMap((id) => typed(tensors, id).quantization?.scale ?? []);
  return Math.max(...scales) / Math.min(...scales) > FARTHEST;
}

/** An operator on real values: behind DEQUANTIZE, before QUANTIZE where it gives integers. `sums`: the scales of a bias. */
function inReals(node: AnyNode | Product, tensors: Tensor[], sums: readonly number[] = [1]): readonly AnyNode[] {
  const { where } = node;
  const nodes: AnyNode[] = [];
  const real = (id: TensorId): TensorId => {
    const { data, quantization, ...tensor } = typed(tensors, id);
    if (tensor.dtype === "float32") return id;
    if (tensor.dtype === "int32" && data !== undefined) {
      const scales = quantization?.scale ?? sums;
      const values = Float32Array.from(
        new Int32Array(new Uint8Array(data).buffer),
        (sum, i) => sum * (scales[i] ?? (scales[0] as number)),
      );
      return constant(tensors, `${tensor.name}/real`, tensor.shape, values);
    }
    const output = add(tensors, { ...tensor, name: `${tensor.name}/real`, dtype: "float32" });
    nodes.push(step("dequantize", where, id, output));
    return output;
  };
  const inputs = node.inputs.map((id) => (id < 0 ? id : real(id)));
  const [y] = node.outputs as readonly [TensorId];
  const { rounding: _, ...attributes } = node.attributes as Product["attributes"];
  const isReal = typed(tensors, y).dtype === "float32";
  const { name, shape } = typed(tensors, y);
  const output = isReal ? y : add(tensors, { name: `${name}/real`, dtype: "float32", shape });
  const own = { ...node, inputs, outputs: [output], attributes } as AnyNode;
  return [...nodes, own, ...(isReal ? [] : [step("quantize", where, output, y)])];
}

/** int16 with a zero point, which QUANTIZE and DEQUANTIZE refuse: their arithmetic in floats. */
function spelledShorts(node: AnyNode, tensors: Tensor[]): readonly AnyNode[] {
  const [x, y] = [...node.inputs, ...node.outputs] as readonly TensorId[] as readonly [TensorId, TensorId];
  const isBack = node.kind === "dequantize";
  const { dtype, quantization } = typed(tensors, isBack ? x : y);
  const [scale = 1, zero = 0] = [quantization?.scale[0], quantization?.zeroPoint[0]];
  const isFloat = typed(tensors, isBack ? y : x).dtype === "float32";
  if (dtype !== "int16" || zero === 0 || !isFloat || quantization?.scale.length !== 1) return [node];
  const { name, shape } = typed(tensors, y);
  const nodes: AnyNode[] = [];
  const after = (
    kind: "cast" | "sub" | "mul" | "div" | "round" | "add" | "maximum" | "minimum",
    ...ids: TensorId[]
  ) => {
    const output = add(tensors, { name: `${name}/${kind}`, dtype: "float32", shape });
    const attributes = ["sub", "mul", "div", "add"].includes(kind) ? { activation: "none" } : {};
    nodes.push({ kind, where: node.where, inputs: ids, outputs: [output], attributes } as unknown as AnyNode);
    return output;
  };
  const number = (value: number) => constant(tensors, "number", [], Float32Array.of(value));
  if (isBack) after("mul", after("sub", after("cast", x), number(zero)), number(scale));
  else {
    const steps = after("add", after("round", after("div", x, number(scale))), number(zero));
    after("cast", after("minimum", after("maximum", steps, number(-32768)), number(32767)));
  }
  const last = nodes.pop() as AnyNode;
  return [...nodes, { ...last, outputs: [y] } as AnyNode];
}

/** Integers of one scale. */
function concatenated(node: Node<"concat">, tensors: Tensor[]): readonly AnyNode[] {
  const [y] = node.outputs as readonly [TensorId];
  const { dtype, quantization } = typed(tensors, y);
  if (quantization === undefined || (dtype !== "int8" && dtype !== "int16")) return [node];
  const nodes: AnyNode[] = [];
  const inputs = node.inputs.map((id) => {
    const { data, ...tensor } = typed(tensors, id);
    if (tensor.quantization === undefined || sameScales(tensor.quantization, quantization)) return id;
    const output = add(tensors, { ...tensor, name: `${tensor.name}/scaled`, quantization });
    nodes.push(step("quantize", node.where, id, output));
    return output;
  });
  return [...nodes, { ...node, inputs }];
}

/** Inputs of the output's shape. */
function broadcast(node: AnyNode, tensors: Tensor[]): readonly AnyNode[] {
  const { shape } = typed(tensors, node.outputs[0]);
  const nodes: AnyNode[] = [];
  const inputs = node.inputs.map((id) => {
    const { data: _, ...tensor } = typed(tensors, id);
    if (`${tensor.shape}` === `${shape}` || elementCount(shape) === 0) return id;
    const output = add(tensors, { ...tensor, name: `${tensor.name}/wide`, shape });
    const sizes = constant(tensors, "shape", [shape.length], Int32Array.from(shape));
    nodes.push({ kind: "broadcastTo", where: node.where, inputs: [id, sizes], outputs: [output], attributes: {} });
    return output;
  });
  return [...nodes, { ...node, inputs } as AnyNode];
}
