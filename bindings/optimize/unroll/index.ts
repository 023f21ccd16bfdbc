/**
 * Recurrent networks for training and pruning: what runs step by step, loops and LSTM, becomes the layers of all steps, which share their weights; afterwards
 * the weights go back to where they were.
 */
import { Pint8Error } from "../../errors.ts";
import { type AnyNode, bodiesOf, type Graph, type TensorId } from "../../graph.ts";
import { runPasses } from "../../passes/index.ts";
import { byteLength, elementCount, typedCopy } from "../../tensor.ts";
import { openRunner, type Runner } from "../run.ts";
import { randomOf } from "../train/random.ts";
import { putBack } from "./back.ts";
import { draftOf } from "./draft.ts";
import { joinRows, unrollLoop } from "./loops.ts";
import { isPlainLstm, unrollLstm } from "./lstm.ts";

/** Differences of what computes the same, as a share of the largest number. */
const NEAR = 1e-3;
const TRIALS = 3;

interface Unrolled {
  readonly graph: Graph;
  /** The graph as it was, with the weights of what `graph` has become; that itself where it says something else. */
  rolled(changed: Graph): Promise<Graph>;
}

const recurrentOf = ({ nodes }: Graph) => nodes.filter(({ kind }) => kind === "while" || kind === "lstm");
const isRecurrent = (graph: Graph) => recurrentOf(graph).length > 0;

/** The graph of all steps, but of what does not run in a way that is known beforehand; the same graph where that is all, or nothing runs step by step. */
export async function unroll(graph: Graph): Promise<Unrolled> {
  const short = isRecurrent(graph) ? runPasses(graph) : graph;
  const long = isRecurrent(short) ? await allSteps(short) : undefined;
  if (long === undefined) return { graph, rolled: async (changed) => changed };
  return {
    graph: long,
    async rolled(changed) {
      const back = putBack(short, changed);
      return back !== undefined && (await agree(back, changed)) ? back : changed;
    },
  };
}

/** The graph of all steps that says what `graph` does; undefined where there is none, or where it is larger than what can be planned. */
async function allSteps(graph: Graph): Promise<Graph | undefined> {
  const short = await openRunner(graph);
  try {
    const long = stepsOf(graph);
    if (recurrentOf(long).length === recurrentOf(graph).length) return undefined;
    const runner = await openRunner(long);
    try {
      return alike(short, runner) ? long : undefined;
    } finally {
      runner.close();
    }
  } catch (error) {
    if (error instanceof Pint8Error) return undefined;
    throw error;
  } finally {
    short.close();
  }
}

function stepsOf(graph: Graph): Graph {
  const draft = draftOf(graph.tensors);
  const now = (id: TensorId) => draft.renamed.get(id) ?? id;
  for (const given of graph.nodes) {
    const node = { ...given, inputs: given.inputs.map(now) } as AnyNode;
    if (node.kind === "while" && !bodiesOf(node).some(isRecurrent) && unrollLoop(node, draft)) continue;
    const shape = graph.tensors[node.inputs[0] as TensorId]?.shape ?? [];
    if (isPlainLstm(node, shape, draft)) unrollLstm(node, shape, draft);
    else draft.nodes.push(node);
  }
  const { tensors, nodes } = draft;
  const outputs = graph.outputs.map((port) => ({ ...port, tensor: now(port.tensor) }));
  return joinRows(runPasses({ ...graph, tensors, nodes, outputs }));
}

async function agree(a: Graph, b: Graph): Promise<boolean> {
  const runners = [await openRunner(a), await openRunner(b)] as const;
  try {
    return alike(...runners);
  } finally {
    for (const runner of runners) runner.close();
  }
}

/** Whether two graphs give the same for a few inputs. */
function alike(...runners: readonly [Runner, Runner]): boolean {
  const random = randomOf(17);
  for (let trial = 0; trial < TRIALS; trial++) {
    const inputs = runners[0].inputs.map((port) =>
      port.dtype === "float32"
        ? Float32Array.from({ length: elementCount(port.shape) }, () => random.normal())
        : typedCopy(port.dtype, new Uint8Array(byteLength(port))),
    );
    const [found, wanted] = runners.map((runner) => {
      runner.reset();
      return runner.run(inputs).map((y) => Float64Array.from(y as Float32Array, Number));
    }) as [Float64Array[], Float64Array[]];
    for (const [i, y] of wanted.entries()) {
      const size = y.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
      if (!y.every((value, j) => Math.abs(value - (found[i]?.[j] ?? NaN)) <= NEAR * size)) return false;
    }
  }
  return true;
}
