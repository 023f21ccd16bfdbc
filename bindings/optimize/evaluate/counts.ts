/** What a model's outputs come to, sample by sample: classes, values and decisions counted. */
import { ensure } from "../../errors.ts";
import type { Graph } from "../../graph.ts";
import { elementCount } from "../../tensor.ts";
import type { TensorInfo } from "../../values/types.ts";
import type { Sample } from "../data/types.ts";
import { answersOf, type End, endOf, givesValues, readingOf } from "./answers.ts";
import type { ModelFigures } from "./figures.ts";
import { ClassCount, OutputSums } from "./scores.ts";

/** The ends of a network that runs `batch` samples at once. */
interface Ends {
  /** Undefined where the network is a session, which does not tell. */
  readonly graph: Graph | undefined;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  readonly batch: number;
  /** Where that output was which labels are of, and which now is the first; undefined where nothing says. */
  readonly labelled?: number | undefined;
}

export interface Counts {
  /** Which output has the scores of classes, −1 where none has; and how many. */
  readonly scores: number;
  readonly classes: number;
  /** What its numbers say of a sample, each place of a segmentation by itself; undefined of values and embeddings. */
  readonly answersOf: (sample: Sample, outputs: readonly Float32Array[]) => ReturnType<typeof answersOf>;
  readonly count: (sample: Sample, outputs: readonly Float32Array[]) => void;
  /** Whether numbers that read as decisions of some samples are values of others, and so of all. */
  readonly givesValues: () => boolean;
  readonly figures: () => Pick<ModelFigures, "classes" | "targets" | "targetsByOutput">;
}

/** Nothing counted yet. */
export function createCounts({ graph, inputs, outputs, batch, labelled }: Ends): Counts {
  const sizes = outputs.map(({ shape }) => elementCount(shape) / batch);
  const [shape = []] = outputs.map((output) => output.shape);
  const end: End = graph === undefined ? { moved: false } : endOf(graph);
  const isList = ({ shape }: TensorInfo, i: number) => (shape.at(-1) ?? 0) > 1 && sizes[i] === shape.at(-1);
  const hasScores = (info: TensorInfo, i: number) => isList(info, i) && !(end.kind === "l2Normalization" && i === 0);
  const scores = (labelled === undefined ? outputs : outputs.slice(0, 1)).findIndex(hasScores);
  /** A sample whose targets are in the order of the outputs. */
  const ordered = (sample: Sample): Sample => {
    const { targets = [] } = sample;
    if (!labelled || targets.length < 2) return sample;
    return {
      ...sample,
      targets: [...targets.slice(labelled, labelled + 1), ...targets.filter((_, i) => i !== labelled)],
    };
  };
  const classes = new ClassCount(scores < 0 ? 0 : (sizes[scores] as number));
  // As training has it: what gives as many numbers as it takes is an autoencoder, where nothing else is said.
  const same = inputs.length === 1 && outputs.length === 1 && sizes[0] === elementCount(inputs[0]?.shape ?? []) / batch;
  const ends = { end, shape, listed: scores >= 0, codes: same && givesValues(end) };
  const read = (sample: Sample, [first]: readonly Float32Array[]) => readingOf(sample, first?.length ?? 0, ends);
  let places: ClassCount | undefined;
  let [isDecided, isValued] = [false, false];
  const nearness = new OutputSums(outputs.map(({ name }) => name));
  return {
    scores,
    classes: classes.classes,
    answersOf(given, found) {
      const reading = read(ordered(given), found);
      const numbers = found[reading.kind === "scores" ? scores : 0];
      return numbers && answersOf(reading, numbers, end);
    },
    count(given, found) {
      const sample = ordered(given);
      const reading = read(sample, found);
      const first = found[0] ?? new Float32Array();
      const { label, targets = [], name } = sample;
      const addTargets = () => {
        for (const [i, target] of targets.entries()) nearness.add(i, requireTarget(found[i], target, i, name), target);
      };
      switch (reading.kind) {
        case "own":
          nearness.add(0, first, sample.inputs[0] as Float32Array);
          return;
        case "decisions":
          if (reading.labels === undefined) return;
          isDecided = true;
          nearness.add(0, first, reading.labels);
          places ??= new ClassCount(2);
          places.addPlaces(bothOf(first), reading.labels, [2, 1], name);
          return;
        case "places":
          if (reading.labels === undefined) return;
          places ??= new ClassCount(reading.layout.classes);
          places.addPlaces(first, reading.labels, reading.layout.steps, name);
          return;
        case "scores":
          if (reading.label !== undefined)
            classes.add(found[scores] as Float32Array, { ...sample, label: reading.label });
          if (label !== undefined) addTargets();
          return;
        case "values":
          isValued ||= targets.length > 0;
          if (label !== undefined && first.length === 1) nearness.add(0, first, Float32Array.of(label));
          addTargets();
      }
    },
    givesValues: () => isDecided && isValued,
    figures() {
      const found = isDecided && isValued ? undefined : (places ?? classes).result();
      if (isDecided && !isValued) return { ...(found && { classes: found }) };
      const [targets, targetsByOutput] = [nearness.result(), nearness.results()];
      return {
        ...(found && { classes: found }),
        ...(targets && { targets }),
        ...(targetsByOutput && { targetsByOutput }),
      };
    },
  };
}

/** Chances of no and yes, of chances of yes. */
const bothOf = (chances: Float32Array): Float32Array =>
  Float32Array.from({ length: 2 * chances.length }, (_, i) => Math.abs(1 - (i % 2) - (chances[i >> 1] as number)));

/** The output that has a target. Errors: INVALID_INPUT where it is of another size. */
function requireTarget(
  values: Float32Array | undefined,
  target: Float32Array,
  i: number,
  name = "a sample",
): Float32Array {
  ensure(values?.length === target.length, "INVALID_INPUT", () => ({
    where: name,
    expected: `a target of ${values?.length ?? 0} numbers for output ${i}`,
    received: `${target.length}`,
  }));
  return values;
}
