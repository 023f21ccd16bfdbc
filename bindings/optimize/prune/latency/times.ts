/** How long networks and single layers take as they will run: quantized to int8, on the engine's own choice of kernels. */
import { Pint8Error } from "../../../errors.ts";
import { type AnyNode, type Graph, tensorOf } from "../../../graph.ts";
import { byteLength, elementCount, type TypedArray, typedCopy } from "../../../tensor.ts";
import { single } from "../../calibrate/stream.ts";
import { datasetOf } from "../../data/batches.ts";
import { type Layer, layersOf, usersOf } from "../../linear/layers.ts";
import { quantize } from "../../quantize/quantize.ts";
import { openRunner, type Runner } from "../../run.ts";
import { withSolutions } from "../rewrite.ts";
import { type Inputs, solutionOf } from "../systems.ts";

/** Milliseconds of one turn: clocks of pages are no finer than a tenth of one. */
const TURN = 0.5;
/** Turns that each network gets, and milliseconds in which they should be over. */
const TURNS = 30;
const MOST = 400;

/** The graph with some weights `[outputs][inputs]` of these layers zero. */
export function masked(graph: Graph, masks: readonly (readonly [Layer, Uint8Array])[]): Graph {
  return withSolutions(
    graph,
    masks.map(([layer, kept]) => {
      const { weights, bias } = solutionOf(graph, layer);
      return [layer, { weights: weights.map((weight, i) => (kept[i] ? weight : 0)), bias }];
    }),
  );
}

/** The node without an activation of its own. */
const open = (node: AnyNode): AnyNode =>
  "activation" in node.attributes
    ? ({ ...node, attributes: { ...node.attributes, activation: "none" } } as AnyNode)
    : node;

/** One layer as a graph of its own, without its activation: noise could leave that at 0. The first step of a sequence may take constants: then it is another's. */
export function alone(graph: Graph, layer: Layer): Graph {
  const computed = usersOf(layer).find(({ x }) => tensorOf(graph, x).data === undefined);
  return single(graph, open((computed ?? layer).node as AnyNode)).part;
}

/**
 * The int8 forms of graphs that differ in their weights alone, timed in turns: milliseconds of the fastest turn of each. `examples` give the ranges; noise does
 * where there are none, since times do not depend on values.
 */
export async function int8Times(graphs: readonly Graph[], examples: Inputs = []): Promise<readonly number[]> {
  const runners: Runner[] = [];
  try {
    for (const graph of graphs) {
      runners.push(await openRunner(await int8Form(graph, examples.length > 0 ? examples.slice(0, 4) : noise(graph))));
    }
    return turns(runners);
  } finally {
    for (const runner of runners) runner.close();
  }
}

/** The int8 form. Where zeros leave a layer that never fires, of which there is none, that of the graph that fires. */
async function int8Form(graph: Graph, examples: Inputs): Promise<Graph> {
  const data = () => datasetOf(examples.map((inputs) => ({ inputs })));
  try {
    return (await quantize(graph, data(), { io: "int8" })).graph;
  } catch (cause) {
    if (!(cause instanceof Pint8Error) || cause.code !== "INVALID_INPUT") throw cause;
    return (await quantize(firing(graph), data(), { io: "int8" })).graph;
  }
}

/** The same layers without activations, with biases of 1: as many steps of the same kinds, none of them 0 throughout. */
function firing(graph: Graph): Graph {
  const lively = { ...graph, nodes: graph.nodes.map(open) };
  return withSolutions(
    lively,
    layersOf(lively).map((layer) => {
      const { weights } = solutionOf(lively, layer);
      return [layer, { weights, bias: new Float64Array(layer.outputs).fill(1) }];
    }),
  );
}

/** Four examples of numbers between −1 and 1; integer inputs get 0. */
function noise(graph: Graph): Inputs {
  return Array.from({ length: 4 }, (_, k) =>
    graph.inputs.map(({ tensor }) => {
      const { shape, dtype } = tensorOf(graph, tensor);
      const wave = (_value: number, i: number) => (dtype === "float32" ? Math.sin((i + 1) * 12.9898 + 78.233 * k) : 0);
      return new Float32Array(elementCount(shape)).map(wave);
    }),
  );
}

function turns(runners: readonly Runner[]): readonly number[] {
  const runs = runners.map((runner) => {
    const inputs = zerosOf(runner);
    return () => void runner.run(inputs);
  });
  const counts = runs.map((run) => Math.max(1, Math.ceil(TURN / Math.max(timeOf(run, 3), 1e-4))));
  const best = runs.map(() => Infinity);
  const start = performance.now();
  for (let turn = 0; turn < TURNS && (turn < 5 || performance.now() - start < MOST * runs.length); turn++)
    for (const [i, run] of runs.entries()) best[i] = Math.min(best[i] as number, timeOf(run, counts[i] as number));
  return best;
}

function timeOf(run: () => void, count: number): number {
  const start = performance.now();
  for (let i = 0; i < count; i++) run();
  return (performance.now() - start) / count;
}

/** Zeros for all inputs. */
const zerosOf = ({ inputs }: Runner): readonly TypedArray[] =>
  inputs.map((port) => typedCopy(port.dtype, new Uint8Array(byteLength(port))));
