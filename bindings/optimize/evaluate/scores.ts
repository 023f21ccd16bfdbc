/** Figures of a model's outputs over many examples, one at a time. */
import { ensure } from "../../errors.ts";
import type { Sample } from "../data/types.ts";
import type { Classes, Nearness } from "./figures.ts";

/** Sums for `Nearness`. */
export class NearnessSum {
  #samples = 0;
  #numbers = 0;
  #error = 0;
  #cosine = 0;

  add(values: Float32Array, expected: Float32Array): void {
    let [dot, own, other] = [0, 0, 0];
    for (let i = 0; i < values.length; i++) {
      const [a, b] = [values[i] as number, expected[i] as number];
      this.#error += Math.abs(a - b);
      dot += a * b;
      own += a * a;
      other += b * b;
    }
    this.#numbers += values.length;
    this.#samples++;
    this.#cosine += own === 0 && other === 0 ? 1 : dot / Math.max(Math.sqrt(own * other), Number.MIN_VALUE);
  }

  /** Undefined where nothing was added. */
  result(): Nearness | undefined {
    if (this.#samples === 0) return undefined;
    return { meanError: this.#error / Math.max(1, this.#numbers), cosine: this.#cosine / this.#samples };
  }
}

/** The first of the largest; NaN is never it. */
export function largest(scores: Float32Array): number {
  let best = 0;
  for (let i = 1; i < scores.length; i++)
    if (!((scores[i] as number) <= (scores[best] as number)) && !Number.isNaN(scores[i])) best = i;
  return best;
}

/** Of each class the samples that have it and were given it, of those that have it or were given it; the mean. */
function meanIou(confusion: readonly (readonly number[])[]): number {
  const shares = confusion.flatMap((row, c) => {
    const right = row[c] as number;
    const either = row.reduce((sum, count, k) => sum + count + (confusion[k]?.[c] as number), -right);
    return either === 0 ? [] : [right / either];
  });
  return shares.reduce((a, b) => a + b, 0) / shares.length;
}

/** Whether numbers say yes, no or nothing each. */
export const areDecisions = (values: Float32Array): boolean =>
  values.every((value) => value === 0 || value === 1 || value === -1 || value === VOID);

/** The class of places that do not count, as maps of bytes have it. */
export const VOID = 255;

/** Counts for `Classes`. */
export class ClassCount {
  #labelled = 0;
  #placed = false;
  #first = 0;
  #five = 0;
  readonly #confusion: number[][] = [];

  constructor(readonly classes: number) {
    for (let i = 0; i < classes; i++) this.#confusion.push(new Array<number>(classes).fill(0));
  }

  /** Errors: INVALID_INPUT for a label that the model has no score for. */
  add(scores: Float32Array, { label, name = "a sample" }: Sample): void {
    if (label === undefined) return;
    ensure(Number.isInteger(label) && label >= 0 && label < this.classes, "INVALID_INPUT", () => ({
      where: name,
      expected: `labels below ${this.classes}, as many as the model has scores`,
      received: `${label}`,
      hint: "Check that labels, data and model belong together.",
    }));
    const found = largest(scores);
    this.#labelled++;
    if (found === label) this.#first++;
    const own = scores[label] as number;
    let before = 0;
    for (let i = 0; i < scores.length; i++) {
      const score = scores[i] as number;
      if (score > own || (score === own && i < label)) before++;
    }
    if (before < 5) this.#five++;
    const row = this.#confusion[label] as number[];
    row[found] = (row[found] as number) + 1;
  }

  /**
   * Counts each place of an output by itself: `labels` has a class for each, −1 or 255 where it does not count; the scores of a place are
   * `step` apart, those of the next begin `next` later.
   *
   * Errors: INVALID_INPUT.
   */
  addPlaces(scores: Float32Array, labels: Float32Array, [next, step]: readonly [number, number], name?: string): void {
    this.#placed ||= labels.length > 1;
    const own = new Float32Array(this.classes);
    for (const [place, label] of labels.entries()) {
      if (label === -1 || (label === VOID && this.classes <= VOID)) continue;
      for (let c = 0; c < own.length; c++) own[c] = scores[place * next + c * step] as number;
      this.add(own, { inputs: [], label, ...(name !== undefined && { name }) });
    }
  }

  /** Undefined where no sample had a label. */
  result(): Classes | undefined {
    if (this.#labelled === 0) return undefined;
    const confusion = this.#confusion;
    return {
      top1: this.#first / this.#labelled,
      top5: this.#five / this.#labelled,
      confusion,
      ...(this.#placed && { iou: meanIou(confusion) }),
    };
  }
}
