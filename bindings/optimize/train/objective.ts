/** What a network is trained to give: classes, values or embeddings; where its loss reads it, and of what size. */
import { ensure } from "../../errors.ts";
import { type AnyNode, type Graph, type TensorId, tensorOf } from "../../graph.ts";
import { runPasses } from "../../passes/index.ts";
import { elementCount, listText } from "../../tensor.ts";
import { numbersOf } from "../constants.ts";
import type { Sample } from "../data/types.ts";
import { areDecisions } from "../evaluate/scores.ts";
import { nameLengths } from "../prepare/lengths.ts";
import type { Objective } from "./kinds.ts";

/** The tensor that a loss reads, of one sample: so many places of so many numbers. */
export interface Goal {
  readonly objective: Objective;
  readonly tensor: TensorId;
  /** Sizes of the places, as of a picture; of one place none. */
  readonly grid: readonly number[];
  readonly places: number;
  /** Numbers of a place; of `classes` one says 0 or 1, by its sign. */
  readonly width: number;
}

/** How many classes a place has. */
export const classesOf = ({ width }: Pick<Goal, "width">): number => Math.max(width, 2);

/**
 * What a network is trained for; numbers that LOGISTIC ends are each a decision. Unless it is said: embeddings where L2 normalization ends the network; values of one number that is no decision, and where no softmax ends it of as many as the
 * sample's targets are, or without labels as its input has; else classes.
 *
 * Errors: UNSUPPORTED for a network of several outputs, or without inputs.
 */
export function goalOf(graph: Graph, objective?: Objective, sample?: Sample): Goal {
  const typed = nameLengths(runPasses(graph, { only: "none" }));
  const [output] = graph.outputs;
  const { length } = graph.outputs;
  ensure(length === 1 && output !== undefined && graph.inputs.length > 0, "UNSUPPORTED", () => ({
    where: "model",
    expected: "a network with inputs and one output to train",
    received: `one with ${graph.inputs.length} and ${length}`,
  }));
  const end = endOf(typed, "classes");
  const decides = typed.nodes.some(
    ({ kind, inputs }) => kind === "logistic" && inputs[0] === end && end !== output.tensor,
  );
  const scores = sizesAt(typed, end, decides);
  const own = objective ?? guess(typed, output.tensor, scores, decides, sample);
  return { objective: own, ...(own === "classes" ? scores : sizesAt(typed, output.tensor, false)) };
}

function guess(
  typed: Graph,
  output: TensorId,
  { tensor, places, width }: Sized,
  decides: boolean,
  sample?: Sample,
): Objective {
  const maker = makerOf(typed, output);
  if (maker?.kind === "l2Normalization") return "embeddings";
  if (width === 1) return decides && isDecided(sample) ? "classes" : "values";
  const isFree = tensor === output || (maker?.kind === "transpose" && tensor === maker.inputs[0]);
  const [{ tensor: input }, ...more] = typed.inputs as readonly [Graph["inputs"][number]];
  const isCoder = more.length === 0 && elementCount(tensorOf(typed, input).shape) === places * width;
  if (isFree && isCoder && sample?.label === undefined && sample?.targets === undefined) return "values";
  return isFree && sample?.targets?.[0]?.length === places * width ? "values" : "classes";
}

/** Whether numbers are taken for scores that nothing ends and no label explains: they may as well be values. */
export const isUnexplained = (graph: Graph, { objective, tensor }: Goal, sample?: Sample): boolean =>
  objective === "classes" &&
  tensor === graph.outputs[0]?.tensor &&
  sample?.label === undefined &&
  sample?.targets === undefined;

/** Whether what a sample says are decisions, or it says nothing. */
function isDecided({ label = 0, targets: [target] = [] }: Partial<Sample> = {}): boolean {
  return target === undefined ? Number.isInteger(label) : areDecisions(target);
}

type Sized = Omit<Goal, "objective">;

/** The last dimension is a place's numbers, or the only one of more than 1; decisions are each a place. */
function sizesAt(typed: Graph, tensor: TensorId, decides: boolean): Sized {
  const sizes = sampleShape(tensorOf(typed, tensor).shape);
  if (decides) {
    const grid = sizes.at(-1) === 1 ? sizes.slice(0, -1) : sizes;
    return {
      tensor,
      width: 1,
      places: elementCount(sizes),
      grid: grid.filter((size) => size > 1).length > 1 ? grid : [],
    };
  }
  const large = sizes.filter((size) => size > 1);
  const width = (large.length === 1 ? large[0] : sizes.at(-1)) ?? 1;
  const places = elementCount(sizes) / width;
  return { tensor, width, places, grid: places === 1 ? [] : sizes.slice(0, -1) };
}

/** Sizes of one sample; without the first dimension, where there is one for samples. */
export const sampleShape = (shape: readonly number[]): readonly number[] =>
  shape.length > 1 && shape[0] === 1 ? shape.slice(1) : shape;

const makerOf = ({ nodes }: Graph, id: TensorId): AnyNode | undefined =>
  nodes.find(({ outputs }) => outputs.includes(id));

/** Where the loss of an objective reads: the output; of classes what its softmax or logistic takes, and what a transposition moves the classes to the front of. */
function endOf(typed: Graph, objective: Objective): TensorId {
  let end = (typed.outputs[0] as Graph["outputs"][number]).tensor;
  if (objective !== "classes") return end;
  const last = makerOf(typed, end);
  if (last?.kind === "transpose") {
    const order = numbersOf(typed.tensors[last.inputs[1] as TensorId]).join();
    const rank = tensorOf(typed, end).shape.length;
    const toFront = [0, rank - 1, ...Array.from({ length: rank - 2 }, (_, i) => i + 1)];
    if (rank > 2 && order === toFront.join()) end = last.inputs[0] as TensorId;
  }
  if (isChannelMoved(typed, last)) end = last?.inputs[0] as TensorId;
  const maker = makerOf(typed, end);
  const before = maker?.kind === "reshape" ? makerOf(typed, maker.inputs[0] as TensorId) : undefined;
  // decisions are the same in any shape
  if (before?.kind === "logistic") return before.inputs[0] as TensorId;
  return maker?.kind === "softmax" || maker?.kind === "logistic" ? (maker.inputs[0] as TensorId) : end;
}

/** Whether a reshape only moves the one channel of several places, so that each place is one number. */
function isChannelMoved(typed: Graph, node: AnyNode | undefined): boolean {
  if (node?.kind !== "reshape") return false;
  const [from, to] = [node.inputs[0], node.outputs[0]].map((id) => tensorOf(typed, id as TensorId).shape);
  const places = (sizes: readonly number[] = []) => sizes.filter((size) => size > 1);
  return from?.at(-1) === 1 && to?.at(-1) !== 1 && places(to).length > 1 && `${places(from)}` === `${places(to)}`;
}

/** The graph that ends where the loss of an objective reads. */
export function endAt(graph: Graph, objective?: Objective): Graph {
  const { tensor } = goalOf(graph, objective);
  return { ...graph, outputs: [{ name: graph.outputs[0]?.name ?? "logits", tensor }] };
}

/** `[32,32] places of 5 numbers`. */
export const goalText = ({ grid, width }: Goal): string =>
  `${grid.length === 0 ? "" : `${listText(grid)} places of `}${width} numbers`;
