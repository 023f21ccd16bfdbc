/** What a model's first numbers are: which figures they get, and by what they agree with another's. */
import type { Graph } from "../../graph.ts";
import { elementCount } from "../../tensor.ts";
import type { Sample } from "../data/types.ts";
import { nameLengths } from "../prepare/lengths.ts";
import type { Compared } from "./figures.ts";
import { areDecisions, largest } from "./scores.ts";

/** The scores of a place are `step` apart, those of the next begin `next` later. */
interface Layout {
  readonly classes: number;
  readonly steps: readonly [next: number, step: number];
}

/** How a sample's first output is read. */
type Reading =
  | { readonly kind: "own" | "values" }
  /** Each number is yes or no; by labels where the sample has them. */
  | { readonly kind: "decisions"; readonly labels?: Float32Array }
  /** One score for each class. */
  | { readonly kind: "scores"; readonly label?: number }
  /** Scores of classes in each place; by labels where the sample has them. */
  | { readonly kind: "places"; readonly layout: Layout; readonly labels?: Float32Array };

/** What makes a graph's first output, also as integers; whether its last dimension is moved elsewhere after that. */
export interface End {
  readonly kind?: string;
  readonly moved: boolean;
}

interface Ends {
  readonly end: End;
  /** Of the first output, with the samples of a run. */
  readonly shape: readonly number[];
  /** Whether an output is one list of scores. */
  readonly listed: boolean;
  /** Whether the model gives as many values as it takes, and nothing else. */
  readonly codes: boolean;
}

/** What gives chances or embeddings, not values. */
const NO_VALUES: ReadonlySet<string> = new Set(["softmax", "logSoftmax", "logistic", "l2Normalization"]);

/** Whether what a graph ends with gives values. */
export const givesValues = ({ kind }: End): boolean => kind !== undefined && !NO_VALUES.has(kind);

/** What may come behind that. */
const SHAPED: readonly string[] = ["quantize", "dequantize", "transpose", "reshape"];
/** What gives numbers that say the same in any shape. */
const ALONE: readonly string[] = ["logistic", "l2Normalization"];

/** What makes the first output of a graph. */
export function endOf(graph: Graph): End {
  const { nodes, outputs } = nameLengths(graph);
  let id = outputs[0]?.tensor;
  let [moved, shaped] = [false, false];
  for (const { kind, inputs, outputs: made } of [...nodes].reverse()) {
    if (id === undefined || !made.includes(id)) continue;
    if (!SHAPED.includes(kind)) return { kind: shaped && !ALONE.includes(kind) ? "reshape" : kind, moved };
    shaped ||= kind === "reshape";
    moved ||= kind === "transpose";
    id = inputs[0];
  }
  return { moved };
}

/** How the first output of a sample is to be read. */
export function readingOf({ label, targets }: Sample, size: number, { end, shape, listed, codes }: Ends): Reading {
  if (codes && label === undefined && targets === undefined) return { kind: "own" };
  const map = targets?.[0];
  if (end.kind === "logistic") {
    const labels = map ?? (label !== undefined && size === 1 ? Float32Array.of(label) : undefined);
    if (labels?.length === size && areDecisions(labels)) return { kind: "decisions", labels };
    if (labels === undefined && label === undefined) return { kind: "decisions" };
  }
  // One class: where others of the file are none, it came as a target.
  if (listed && map?.length === 1) return { kind: "scores", label: map[0] as number };
  if (listed && (label !== undefined || map === undefined))
    return { kind: "scores", ...(label !== undefined && { label }) };
  const layout = map && !listed ? placesOf(shape, map.length) : undefined;
  if (map && layout) return { kind: "places", layout, labels: map };
  const isScored = map === undefined && (end.kind === "softmax" || end.kind === "logSoftmax");
  const own = isScored ? placesOf(shape, size / ((end.moved ? shape[1] : shape.at(-1)) ?? 1)) : undefined;
  return own === undefined ? { kind: "values" } : { kind: "places", layout: own };
}

/** Where a segmentation has its scores: classes last or first, so that as many places are left as there are labels. */
function placesOf([, ...sizes]: readonly number[], labels: number): Layout | undefined {
  const all = elementCount(sizes);
  if (labels === all || labels < 2) return undefined;
  const [last = 1, first = 1] = [sizes.at(-1), sizes[0]];
  if (last * labels === all) return { classes: last, steps: [last, 1] };
  return first * labels === all ? { classes: first, steps: [1, labels] } : undefined;
}

/** What the numbers say of each place, and what that is; undefined of values, which have no largest that means anything. */
export function answersOf(
  reading: Reading,
  numbers: Float32Array,
  { kind: end }: End,
): { readonly compared: Compared; readonly answers: ArrayLike<number> } | undefined {
  switch (reading.kind) {
    case "own":
    case "values":
      return undefined;
    case "decisions":
      return { compared: "decision", answers: numbers.map((value) => Number(value >= 0.5)) };
    case "scores": {
      const known = reading.label !== undefined || end === "softmax" || end === "logSoftmax" || end === "logistic";
      return { compared: known ? "class" : "largest number", answers: [largest(numbers)] };
    }
    case "places": {
      const { classes, steps } = reading.layout;
      const own = new Float32Array(classes);
      const places = Math.floor(numbers.length / classes);
      const answers = Int32Array.from({ length: places }, (_, place) => {
        for (let c = 0; c < classes; c++) own[c] = numbers[place * steps[0] + c * steps[1]] as number;
        return largest(own);
      });
      return { compared: "class of a place", answers };
    }
  }
}
