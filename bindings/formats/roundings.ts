/** What files cannot say of the rounding of quantized operators, and what they can say of its clamp otherwise. */
import { ensure } from "../errors.ts";
import { type Activation, type AnyNode, bodiesOf, type Graph, type Rounding, type TensorId } from "../graph.ts";
import type { Tensor } from "../tensor.ts";

const RANGES: { readonly [dtype: string]: readonly [number, number] } = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
};

const roundingOf = ({ attributes }: AnyNode): Rounding | undefined =>
  (attributes as { readonly rounding?: Rounding }).rounding;

/**
 * The graph where clamps that stand with the rounding are activations: a RELU that an importer made part of a convolution.
 *
 * Errors: UNSUPPORTED for clamps that no activation is.
 */
export function withActivations(graph: Graph): Graph {
  return { ...graph, nodes: graph.nodes.map((node) => withActivation(node, graph.tensors)) };
}

function withActivation(node: AnyNode, tensors: readonly Tensor[]): AnyNode {
  const rounding = roundingOf(node);
  const { dtype = "", quantization } = tensors[node.outputs[0] as TensorId] ?? {};
  const [least, most] = RANGES[dtype] ?? [];
  if (rounding === undefined || quantization === undefined || least === undefined || most === undefined) return node;
  const [scale = 1, zero = 0] = [quantization.scale[0], quantization.zeroPoint[0]];
  const { lo, hi } = rounding;
  const [below, above] = [lo > least - zero, hi < most - zero];
  if (!below && !above) return node;
  const six = Math.abs(hi - 6 / scale) <= 0.5 + 1e-3;
  const activation: Activation | undefined =
    lo !== 0 && below ? undefined : !above ? "relu" : six ? "relu6" : undefined;
  ensure(activation !== undefined && "activation" in node.attributes, "UNSUPPORTED", () => ({
    where: node.where,
    expected: "a clamp that is RELU or RELU6",
    received: `${node.kind} from ${lo} to ${hi} steps of ${scale}`,
  }));
  return { ...node, attributes: { ...node.attributes, activation } } as AnyNode;
}

/** Operators that only move integers. */
export const MOVED: readonly string[] = [
  ...["reshape", "squeeze", "expandDims", "transpose", "pad", "mirrorPad", "slice", "stridedSlice", "split", "splitV"],
  ...["pack", "unpack", "gather", "gatherNd", "tile", "broadcastTo", "reverse", "depthToSpace", "spaceToDepth"],
  ...["maxPool2d", "resizeNearestNeighbor", "batchToSpace", "spaceToBatch"],
];

/** Those, and others that compare integers: no rounding. */
const EXACT: readonly string[] = [
  ...MOVED,
  ...["concat", "reduceMax", "reduceMin", "maximum", "minimum", "argMax", "argMin", "dequantize", "relu", "topK"],
  ...["if", "while", "dynamicUpdateSlice"],
];

/** A warning where integers of the file will be rounded otherwise than in the graph; undefined where they are not. */
export function roundingWarning(graph: Graph, format: ".tflite" | ".onnx"): string | undefined {
  const counts = new Map<string, number>();
  const count = ({ nodes, tensors }: Graph): void => {
    for (const node of nodes) {
      for (const body of bodiesOf(node)) count(body);
      const isOnnx = roundingOf(node) !== undefined;
      if (format === ".tflite" ? !isOnnx : isOnnx || !roundsIntegers(node, tensors)) continue;
      counts.set(node.kind, (counts.get(node.kind) ?? 0) + 1);
    }
  };
  count(graph);
  if (counts.size === 0) return undefined;
  const kinds = [...counts].map(([kind, n]) => `${n} ${kind}`).join(", ");
  const [from, to] = ["TensorFlow Lite", "onnxruntime"];
  const [own, others] = format === ".tflite" ? [to, from] : [from, to];
  return `operators that round as ${own} does (${kinds}) will round as ${others} does when the ${format} file is read: results may differ by a step`;
}

function roundsIntegers({ kind, outputs }: AnyNode, tensors: readonly Tensor[]): boolean {
  if (EXACT.includes(kind)) return false;
  return outputs.some((id) => {
    const tensor = tensors[id];
    return tensor?.quantization !== undefined && RANGES[tensor.dtype] !== undefined;
  });
}
