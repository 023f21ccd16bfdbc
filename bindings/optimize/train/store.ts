/** Examples in memory, where training can reach them in any order. */

import { ensure } from "../../errors.ts";
import { dimensions, listText } from "../../tensor.ts";
import { requireNames } from "../data/classes.ts";
import { requireFinite, Variety } from "../data/finite.ts";
import type { Dataset } from "../data/types.ts";
import { type Augmentation, augment, type Picture } from "./augment.ts";
import { randomOf } from "./random.ts";

export interface Store {
  readonly size: number;
  /** One label each, −1 where there is none. */
  readonly labels: Int32Array;
  readonly labelled: boolean;
  /** Writes input `input` of a sample into `to`, as copy `copy` has it: copy 0 is as it was. */
  write(sample: number, copy: number, input: number, to: Float32Array): void;
}

/** What pictures are changed by. */
export interface Copies {
  readonly augment?: Augmentation;
  readonly seed: number;
}

/**
 * Reads all of a data set; inputs have `lengths` floats each. Pictures are inputs of the shapes `[height,width,channels]`.
 *
 * Errors: INVALID_INPUT where a sample does not fit the network or is not finite, names of classes are not as many as it has
 * scores, or the data set is empty.
 */
export async function storeOf(
  data: Dataset,
  shapes: readonly (readonly number[])[],
  classes: number,
  copies: Copies,
): Promise<Store> {
  const lengths = shapes.map((shape) => shape.reduce((product, size) => product * size, 1));
  const rows: (readonly Float32Array[])[] = [];
  const labels: number[] = [];
  let [lo, hi] = [Infinity, -Infinity];
  const variety = new Variety();
  requireNames(data, classes);
  for await (const { inputs, label = -1, name = `sample ${rows.length}` } of data) {
    for (const [i, length] of lengths.entries())
      ensure(inputs[i]?.length === length, "INVALID_INPUT", () => ({
        where: name,
        expected: `${length} values of ${listText(shapes[i] ?? [])}`,
        received: `${inputs[i]?.length ?? 0}`,
      }));
    ensure(Number.isInteger(label) && label >= -1 && label < classes, "INVALID_INPUT", () => ({
      where: name,
      expected: `a class from 0 to ${classes - 1}, as the network has outputs`,
      received: `${label}`,
    }));
    for (const each of inputs) requireFinite(each, name);
    rows.push(inputs.map((each) => each.slice()));
    labels.push(label);
    variety.add(inputs);
    for (const value of inputs[0] ?? []) {
      if (value < lo) lo = value;
      if (value > hi) hi = value;
    }
  }
  ensure(rows.length > 0, "INVALID_INPUT", () => ({ where: "data", expected: "samples", received: "none" }));
  variety.require();
  const picture = pictureOf(shapes[0] ?? []);
  return {
    size: rows.length,
    labels: Int32Array.from(labels),
    labelled: labels.every((label) => label >= 0),
    write(sample, copy, input, to) {
      const from = rows[sample]?.[input] as Float32Array;
      const kinds = copies.augment;
      if (copy === 0 || kinds === undefined || picture === undefined || input > 0) to.set(from);
      else augment(from, to, picture, [lo, hi], kinds, randomOf(copies.seed, copy, sample));
    },
  };
}

function pictureOf(shape: readonly number[]): Picture | undefined {
  if (shape.length !== 3) return undefined;
  const [height, width, channels] = dimensions(shape, 3);
  return { height, width, channels };
}
