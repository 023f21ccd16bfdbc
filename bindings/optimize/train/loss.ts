/** What training makes small: the parts of the loss, what they are when absent, and their step in a plan. */
import { ensure } from "../../errors.ts";
import type { Graph } from "../../graph.ts";
import { elementCount } from "../../tensor.ts";
import type { LossWeights, Objective } from "./kinds.ts";
import type { Goal } from "./objective.ts";
import type { Program } from "./program.ts";

/** No part at all. */
export const NO_LOSS: LossWeights = { hard: 0, soft: 0, temperature: 1, squared: 0, cosine: 0 };

/** Of classes without labels, with a teacher. */
export const UNLABELLED: LossWeights = { ...NO_LOSS, soft: 4, temperature: 2, squared: 0.1 };

/**
 * The parts of the loss. Of classes the labels alone; with a teacher and labels 0.9 · T² · KL at T = 4 and 0.1 of the labels; with a teacher alone 4 · KL at T = 2 and 0.1 of the
 * squares. Of values the squared differences from targets, from the teacher, or half of each. Of embeddings 1 − the cosine with the teacher, or without one with the targets.
 *
 * Errors: INVALID_INPUT where the data lacks what they ask for; INVALID_OPTION where a teacher is missing.
 */
export function lossOf(
  { teacher, loss = {} }: { readonly teacher?: Graph; readonly loss?: Partial<LossWeights> },
  objective: Objective,
  labelled: boolean,
): LossWeights {
  const parts = { ...usual(objective, teacher !== undefined, labelled), ...loss };
  ensure(labelled || parts.hard === 0, "INVALID_INPUT", () => ({
    where: "data",
    expected: objective === "classes" ? "a label for every sample" : "targets for every sample",
    received: "some without",
    hint: "Give a teacher, whose outputs take the place of labels.",
  }));
  const learns = parts.soft !== 0 || parts.squared !== 0 || parts.cosine !== 0;
  const isTarget = objective === "embeddings" && labelled && parts.soft === 0 && parts.squared === 0;
  ensure(teacher !== undefined || !learns || isTarget, "INVALID_OPTION", () => ({
    where: "loss",
    expected: "a teacher",
    received: "none",
  }));
  return parts;
}

function usual(objective: Objective, taught: boolean, labelled: boolean): LossWeights {
  if (objective === "embeddings") return { ...NO_LOSS, cosine: 1 };
  if (!taught) return { ...NO_LOSS, hard: 1 };
  if (objective === "values") return labelled ? { ...NO_LOSS, hard: 0.5, squared: 0.5 } : { ...NO_LOSS, squared: 1 };
  return labelled ? { ...NO_LOSS, hard: 0.1, soft: 0.9 * 16, temperature: 4 } : UNLABELLED;
}

/**
 * The step that computes the loss and its gradient at an output of so many samples, and the ports `labels`, `teacher` and `targets`, as far as the loss reads them, `result`
 * and `logits`. Returns where the gradient is.
 */
export function placeLoss(
  program: Program,
  shape: readonly number[],
  { objective, width }: Goal,
  x: number,
  loss: LossWeights,
): number {
  const rows = elementCount(shape) / width;
  const floats = rows * width;
  const classes = objective === "classes";
  const input = (name: string, used: boolean, dtype: "int32" | "float32", sizes: readonly number[]) => {
    if (!used) return 0;
    const address = program.keep(elementCount(sizes));
    program.port("input", name, dtype, sizes, address);
    return address;
  };
  const taught = loss.soft !== 0 || loss.squared !== 0 || loss.cosine !== 0;
  const labels = input("labels", classes, "int32", [rows]);
  const teacher = input("teacher", taught, "float32", [rows, width]);
  const targets = input("targets", !classes && loss.hard !== 0, "float32", [rows, width]);
  const d = program.borrow(floats);
  const result = program.keep(rows * 2);
  const params = { ...loss, x, d, rows, classes: width, labels, teacher, targets, result };
  program.call({ kernel: "lossF32", params }, { where: "loss", elements: floats });
  program.port("output", "result", "float32", [rows, 2], result);
  program.port("output", "logits", "float32", [rows, width], x);
  return d;
}
