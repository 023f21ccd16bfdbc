/** Functions of one number that are written in several steps, as HARD_SWISH is by Keras and in ONNX and GELU by tanh, as the operator that says them. */
import { type Activation, type AnyNode, type Graph, type TensorId, tensorOf } from "../../graph.ts";
import { dropDead } from "../../passes/fold.ts";
import { runPasses } from "../../passes/index.ts";
import { REAL } from "../../primitives/table/functions.ts";
import { isFloatValue, numbersOf } from "../constants.ts";

/** A function of one number. */
type Curve = (x: number) => number;

/** Operators that functions are looked for of, each by its value for the values of its inputs. */
const STEPS: Readonly<Record<string, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  pow: (a, b) => a ** b,
  maximum: Math.max,
  minimum: Math.min,
  square: (a) => a * a,
  tanh: Math.tanh,
  relu: (a) => Math.max(a, 0),
  relu6: (a) => Math.min(Math.max(a, 0), 6),
  relu0To1: (a) => Math.min(Math.max(a, 0), 1),
  reluN1To1: (a) => Math.min(Math.max(a, -1), 1),
};

/** What is looked for, and the operator that says it. */
const NAMED = [
  { curve: REAL.hardSwish, kind: "hardSwish", attributes: {} },
  { curve: REAL.geluTanh, kind: "gelu", attributes: { approximate: true } },
] as const;

/** One of these is in every such function. */
const BENT = ["tanh", "relu6", "relu0To1", "reluN1To1", "maximum", "add"];

/** Steps of a function, one behind the other, at most. */
const DEPTH = 8;
/** Where functions are compared, on both sides of each bend, and how near they are, by their size above 1. */
const POINTS = [...Array.from({ length: 97 }, (_, i) => (i - 48) / 4 + 0.03), -1000, 1000];
const NEAR = 1e-5;

/** The graph with products, or quotients, that are such a function of an earlier tensor in one node. It computes the same within float32's rounding. */
export function nameCurves(given: Graph): Graph {
  const kinds = new Set<string>(given.nodes.map(({ kind }) => kind));
  if (!["mul", "div"].some((kind) => kinds.has(kind)) || !BENT.some((kind) => kinds.has(kind))) return given;
  const graph = runPasses(given, { only: "none" });
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((id) => [id, node] as const)));
  let found = false;
  const nodes = graph.nodes.map((node): AnyNode => {
    if (node.kind !== "mul" && node.kind !== "div") return node;
    const y = node.outputs[0] as TensorId;
    for (const x of sourcesOf(graph, makers, y)) {
      const curve = curveOf(graph, makers, y, x, DEPTH);
      const named = curve && NAMED.find((each) => POINTS.every((at) => isNear(curve(at), each.curve(at))));
      if (named === undefined) continue;
      found = true;
      const { kind, attributes } = named;
      return { kind, where: node.where, inputs: [x], outputs: [y], attributes } as AnyNode;
    }
    return node;
  });
  return found ? dropDead({ ...graph, nodes }) : given;
}

const isNear = (a: number, b: number): boolean => Math.abs(a - b) <= NEAR * Math.max(1, Math.abs(b));

type Makers = ReadonlyMap<TensorId, AnyNode>;

/** The tensors of the same shape that so many steps before made this one, nearest first. */
function sourcesOf(graph: Graph, makers: Makers, y: TensorId): readonly TensorId[] {
  const { shape } = tensorOf(graph, y);
  const found = new Set<TensorId>();
  let last: readonly TensorId[] = [y];
  for (let depth = 0; depth < DEPTH && last.length > 0; depth++) {
    const inputs = last.flatMap((id) => {
      const node = makers.get(id);
      return node !== undefined && node.kind in STEPS ? node.inputs : [];
    });
    last = [...new Set(inputs)].filter((id) => isFloatValue(graph.tensors[id]) && !found.has(id));
    for (const id of last) found.add(id);
  }
  return [...found].filter((id) => tensorOf(graph, id).shape.join() === shape.join());
}

/** What a tensor's values are as a function of those of `x`; undefined where they depend on more. */
function curveOf(graph: Graph, makers: Makers, y: TensorId, x: TensorId, depth: number): Curve | undefined {
  if (y === x) return (value) => value;
  const [constant, ...more] = numbersOf(graph.tensors[y]);
  if (constant !== undefined) return more.length === 0 ? () => constant : undefined;
  const node = makers.get(y);
  const step = STEPS[node?.kind ?? ""];
  if (node === undefined || step === undefined || depth === 0) return undefined;
  const [a, b = a] = node.inputs.map((id) => curveOf(graph, makers, id, x, depth - 1));
  if (a === undefined || b === undefined) return undefined;
  const { activation = "none" } = node.attributes as { readonly activation?: Activation };
  const clamp = activation === "none" ? undefined : STEPS[activation];
  return (value) => {
    const result = step(a(value), b(value));
    return clamp === undefined ? result : clamp(result, 0);
  };
}
