/** Figures of a model's outputs over many examples, one at a time. */
import { ensure } from "../../errors.ts";
import type { Sample } from "../data/types.ts";
import type { Classes, Nearness, OutputNearness } from "./figures.ts";

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

/** Such sums for each of several outputs, and for all of them. */
export class OutputSums {
  readonly #all = new NearnessSum();
  readonly #own: readonly NearnessSum[];

  constructor(readonly names: readonly string[]) {
    this.#own = names.map(() => new NearnessSum());
  }

  /** Adds output `i` of a sample. */
  add(i: number, values: Float32Array, expected: Float32Array): void {
    this.#all.add(values, expected);
    this.#own[i]?.add(values, expected);
  }

  /** Of all outputs together; undefined where nothing was added. */
  result = (): Nearness | undefined => this.#all.result();

  /** Of each by itself, where that is more than one. */
  results(): readonly OutputNearness[] | undefined {
    const found = this.#own.flatMap((sum, i) => {
      const own = sum.result();
      return own === undefined ? [] : [{ name: this.names[i] as string, ...own }];
    });
    return found.length > 1 ? found : undefined;
  }
}

/** The first of the largest; NaN is never it. */
export function largest(scores: Float32Array): number {
  let best = 0;
  for (let i = 1; i < scores.length; i++)
    if (!((scores[i] as number) <= (scores[best] as number)) && !Number.isNaN(scores[i])) best = i;
  return best;
}

/** Classes up to which there is a table of them by each other. */
const MOST_CLASSES = 4096;

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
  /** By label · classes + the class that was found. */
  readonly #counts = new Map<number, number>();

  constructor(readonly classes: number) {}

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
    const key = label * this.classes + found;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
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
    return {
      top1: this.#first / this.#labelled,
      top5: this.#five / this.#labelled,
      confusion: this.#confusion(),
      ...(this.#placed && { iou: this.#meanIou() }),
    };
  }

  #confusion(): readonly (readonly number[])[] {
    const { classes } = this;
    if (classes > MOST_CLASSES) return [];
    const rows = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
    for (const [key, count] of this.#counts) (rows[Math.floor(key / classes)] as number[])[key % classes] = count;
    return rows;
  }

  /** Of each class the samples that have it and were given it, of those that have it or were given it; the mean. */
  #meanIou(): number {
    const { classes } = this;
    const [right, either] = [new Float64Array(classes), new Float64Array(classes)];
    const add = (to: Float64Array, c: number, count: number) => {
      to[c] = (to[c] as number) + count;
    };
    for (const [key, count] of this.#counts) {
      const [label, found] = [Math.floor(key / classes), key % classes];
      for (const c of new Set([label, found])) add(either, c, count);
      if (label === found) add(right, label, count);
    }
    const shares = Array.from(right, (count, c) => count / (either[c] as number)).filter(
      (share) => !Number.isNaN(share),
    );
    return shares.reduce((a, b) => a + b, 0) / shares.length;
  }
}
