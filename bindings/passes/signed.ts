/**
 * Legacy uint8 networks as int8 ones: the same values with the top bit flipped and zero points 128 lower, exactly. Inputs and
 * outputs of the graph keep their type; a QUANTIZE that only flips stands beside them.
 */
import { type AnyNode, type Graph, NONE, type OpKind, type TensorId, tensorOf } from "../graph.ts";
import type { Quantization, Tensor } from "../tensor.ts";

/** Operators that look at bytes and not at what they mean, or whose graphs have ends of their own; they keep uint8. */
const RAW: ReadonlySet<string> = new Set<string>([
  "cast",
  "bitcast",
  "bitwiseXor",
  "rightShift",
  "bucketize",
  "where",
  "if",
  "while",
]);
/** Whether the node's tensor keeps uint8: all of an operator's, or bytes that are true or false. */
function isRaw({ kind, outputs }: AnyNode, id: TensorId): boolean {
  return RAW.has(kind) || (kind === "hashtableLookup" && outputs[1] === id);
}

/** Operators that take both types as they are. */
const EITHER: ReadonlySet<string> = new Set<OpKind>(["quantize", "dequantize"]);

/** True for 8 bits without sign that stand for real numbers. */
function isLegacy({ dtype, quantization }: Tensor): boolean {
  return dtype === "uint8" && quantization !== undefined && quantization.scale.length > 0;
}

/** The same numbers as int8; constants are copied. `unsigned` tells operators whose reference rounds uint8 otherwise. */
function signed({ quantization, data, ...rest }: Tensor): Tensor {
  return {
    ...rest,
    dtype: "int8",
    unsigned: true,
    ...(quantization === undefined
      ? {}
      : {
          quantization: { ...quantization, zeroPoint: quantization.scale.map((_, i) => zeroPointOf(quantization, i)) },
        }),
    ...(data === undefined ? {} : { data: flipped(data) }),
  };
}

/** The bytes with their top bits flipped, four at a time. */
function flipped(data: Uint8Array): Uint8Array {
  const words = new Uint32Array(Math.ceil(data.length / 4));
  const bytes = new Uint8Array(words.buffer, 0, data.length);
  bytes.set(data);
  for (let i = 0; i < words.length; i++) words[i] = (words[i] as number) ^ 0x80808080;
  return bytes;
}

/** Weights that older converters wrote beside floats: bytes of int8 that are called uint8. The references ignore their zero points. */
function isMiscalled(graph: Graph, { kind, inputs: [x = NONE] }: AnyNode): boolean {
  return kind === "embeddingLookup" || (x !== NONE && tensorOf(graph, x).dtype === "float32");
}

/** One zero point for all scales, or one each. */
function zeroPointOf({ zeroPoint }: NonNullable<Tensor["quantization"]>, i: number): number {
  return (zeroPoint[zeroPoint.length === 1 ? 0 : i] as number) - 128;
}

/** The graph without quantized uint8 tensors but at its ends. */
export function makeSigned(graph: Graph): Graph {
  return graph.tensors.some(isLegacy) ? makeAllSigned(graph) : graph;
}

function makeAllSigned(graph: Graph): Graph {
  const tensors: Tensor[] = [...graph.tensors];
  const nodes: AnyNode[] = [];
  /** The int8 twin of each uint8 tensor that keeps its type. */
  const twins = new Map<TensorId, TensorId>();
  const kept = keptTensors(graph);

  const twinOf = (id: TensorId): TensorId => {
    const known = twins.get(id);
    if (known !== undefined) return known;
    const { data: _, ...twin } = signed(tensorOf(graph, id));
    tensors.push(twin);
    twins.set(id, (tensors.length - 1) as TensorId);
    return (tensors.length - 1) as TensorId;
  };
  const flip = (from: TensorId, to: TensorId, where: string) =>
    nodes.push({ kind: "quantize", where, inputs: [from], outputs: [to], attributes: {} } as unknown as AnyNode);

  for (const node of graph.nodes) {
    if (!isMiscalled(graph, node)) continue;
    for (const id of node.inputs) {
      const tensor = tensors[id] as Tensor;
      if (id === NONE || tensor.data === undefined || !isLegacy(tensor)) continue;
      const quantization = tensor.quantization as Quantization;
      tensors[id] = {
        ...tensor,
        dtype: "int8",
        quantization: { ...quantization, zeroPoint: quantization.scale.map(() => 0) },
      };
    }
  }
  const flipped = new Set<TensorId>();
  for (const [id, tensor] of [...tensors].entries())
    if (isLegacy(tensor) && !kept.has(id as TensorId)) tensors[id] = signed(tensor);
  for (const node of graph.nodes) {
    if ([...node.inputs, ...node.outputs].every((id) => isRaw(node, id)) || EITHER.has(node.kind)) {
      nodes.push(node);
      continue;
    }
    const inputs = node.inputs.map((id) => {
      if (id === NONE || !kept.has(id)) return id;
      const twin = twinOf(id);
      if (!flipped.has(id)) flip(id, twin, `${node.where}, input as int8`);
      flipped.add(id);
      return twin;
    });
    const isTwin = (id: TensorId) => kept.has(id) && !isRaw(node, id);
    const outputs = node.outputs.map((id) => (isTwin(id) ? twinOf(id) : id));
    nodes.push({ ...node, inputs, outputs } as AnyNode);
    for (const id of node.outputs) {
      if (!isTwin(id)) continue;
      flip(twinOf(id), id, `${node.where}, output as uint8`);
      flipped.add(id);
    }
  }
  return { ...graph, tensors, nodes };
}

/** Tensors that stay uint8: the graph's ends, and what operators look at byte by byte. */
function keptTensors(graph: Graph): ReadonlySet<TensorId> {
  const kept = new Set<TensorId>();
  const keep = (id: TensorId) => {
    if (id !== NONE && isLegacy(tensorOf(graph, id))) kept.add(id);
  };
  for (const { tensor } of [...graph.inputs, ...graph.outputs]) keep(tensor);
  for (const node of graph.nodes) for (const id of [...node.inputs, ...node.outputs]) if (isRaw(node, id)) keep(id);
  return kept;
}
