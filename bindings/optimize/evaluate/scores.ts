/** Figures of a model's outputs over many examples, one at a time. */
import { ensure } from "../../errors.ts";
import type { Sample } from "../data/types.ts";

/** How often the right class was found. */
export interface Classes {
  /** Share of the samples whose label has the largest score; the first of equal ones counts. */
  readonly top1: number;
  /** Share of those whose label is among the five largest. */
  readonly top5: number;
  /** `[label][class that was found]`. */
  readonly confusion: readonly (readonly number[])[];
}

/** How near numbers are to others. */
export interface Nearness {
  /** Mean of |difference|. */
  readonly meanError: number;
  /** Mean of the samples' cosines. */
  readonly cosine: number;
}

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

/** Counts for `Classes`. */
export class ClassCount {
  #labelled = 0;
  #first = 0;
  #five = 0;
  readonly #confusion: number[][] = [];

  constructor(readonly classes: number) {
    for (let i = 0; i < classes; i++) this.#confusion.push(new Array<number>(classes).fill(0));
  }

  /** Errors: INVALID_INPUT for a label that the model has no score for. */
  add(scores: Float32Array, { label, name = "a sample" }: Sample): void {
    if (label === undefined) return;
    ensure(label >= 0 && label < this.classes, "INVALID_INPUT", () => ({
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

  /** Undefined where no sample had a label. */
  result(): Classes | undefined {
    if (this.#labelled === 0) return undefined;
    return {
      top1: this.#first / this.#labelled,
      top5: this.#five / this.#labelled,
      confusion: this.#confusion,
    };
  }
}
