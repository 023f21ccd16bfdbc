/** Rows that are divided by their length in several steps, as PyTorch's exporters write it, as one L2_NORMALIZATION. */
import { type AnyNode, type Graph, NONE, type TensorId, tensorOf } from "../../graph.ts";
import { dropDead } from "../../passes/fold.ts";
import { runPasses } from "../../passes/index.ts";
import { numbersOf } from "../constants.ts";

/** Constants that keep a length from 0, and from infinity, where nothing else would be. */
const LEAST = 1e-4;
const MOST = 1e6;

/**
 * The graph with x / |x|, x · (1 / |x|) and x · rsqrt(Σ x²) over the last dimension in one node, whatever keeps |x| from 0. It gives what it gave within float32's rounding, but for rows whose length
 * is below what kept it from 0.
 */
export function nameLengths(given: Graph): Graph {
  const kinds = new Set(given.nodes.map(({ kind }) => kind));
  if (!kinds.has("sum") || !(kinds.has("sqrt") || kinds.has("rsqrt"))) return given;
  const graph = runPasses(given, { only: "none" });
  const { tensors } = graph;
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((id) => [id, node] as const)));
  const constant = (id: TensorId | undefined) => {
    const found = numbersOf(tensors[id ?? NONE]);
    return found.length === 1 ? found[0] : undefined;
  };
  /** What made a tensor, past what only repeats it or keeps it from 0 and from infinity. */
  const maker = (id: TensorId | undefined): AnyNode | undefined => {
    const node = makers.get(id ?? NONE);
    if (node === undefined) return undefined;
    const [a, b] = node.inputs;
    if (node.kind === "broadcastTo") return maker(a);
    if (node.kind !== "maximum" && node.kind !== "minimum" && node.kind !== "add") return node;
    const [value, x] = constant(b) === undefined ? [constant(a), b] : [constant(b), a];
    if (value === undefined || ("activation" in node.attributes && node.attributes.activation !== "none")) return node;
    const keeps = node.kind === "minimum" ? value >= MOST : value >= 0 && value <= LEAST;
    return keeps ? maker(x) : node;
  };
  /** x of Σ x² over the last dimension. */
  const squared = (node: AnyNode | undefined): TensorId | undefined => {
    if (node?.kind !== "sum" || !node.attributes.keepDims) return undefined;
    const [x = NONE, axes = NONE] = node.inputs;
    const { length } = tensorOf(graph, x).shape;
    const [axis, ...more] = numbersOf(tensors[axes]);
    if (axis === undefined || more.length > 0 || (axis + length) % length !== length - 1) return undefined;
    const square = makers.get(x);
    const [a, b] = square?.inputs ?? [];
    const isSquare =
      square?.kind === "square" ||
      (square?.kind === "mul" && a === b && square.attributes.activation === "none") ||
      (square?.kind === "pow" && constant(b) === 2);
    return isSquare ? a : undefined;
  };
  const root = (node: AnyNode | undefined) => (node?.kind === "sqrt" ? squared(maker(node.inputs[0])) : undefined);
  /** x of 1 / |x|. */
  const inverse = (node: AnyNode | undefined) => {
    if (node?.kind === "rsqrt") return squared(maker(node.inputs[0]));
    return node?.kind === "div" && constant(node.inputs[0]) === 1 ? root(maker(node.inputs[1])) : undefined;
  };
  let found = false;
  const nodes = graph.nodes.map((node): AnyNode => {
    if ((node.kind !== "div" && node.kind !== "mul") || node.attributes.activation !== "none") return node;
    const [a = NONE, b = NONE] = node.inputs;
    const x = node.kind === "div" ? root(maker(b)) : (inverse(maker(b)) ?? inverse(maker(a)));
    const fits = x !== undefined && (x === a || (x === b && node.kind === "mul"));
    const y = node.outputs[0] as TensorId;
    if (!fits || tensors[y]?.dtype !== "float32" || tensorOf(graph, y).shape.join() !== tensorOf(graph, x).shape.join())
      return node;
    found = true;
    const { where } = node;
    return { kind: "l2Normalization", where, inputs: [x], outputs: [y], attributes: { activation: "none" } };
  });
  return found ? dropDead({ ...graph, nodes }) : given;
}
