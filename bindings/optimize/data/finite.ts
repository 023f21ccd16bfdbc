/** Examples whose values are numbers, and that are not all the same one. */
import { ensure } from "../../errors.ts";

/** Refuses infinities and NaN, which would make all that is computed of them NaN. Errors: INVALID_INPUT. */
export function requireFinite(values: Float32Array, where: string): void {
  ensure(values.every(Number.isFinite), "INVALID_INPUT", () => ({
    where,
    expected: "finite numbers",
    received: String(values.find((value) => !Number.isFinite(value))),
    hint: "Check the data's preparation.",
  }));
}

/** Notices data whose every example has the same values: it tells no ranges, and nothing can be learned from it. */
export class Variety {
  #first: readonly Float32Array[] | undefined;
  #samples = 0;
  #differs = false;

  add(inputs: readonly Float32Array[]): void {
    this.#samples++;
    if (this.#differs) return;
    const first = this.#first;
    if (first === undefined) this.#first = inputs.map((values) => values.slice());
    else this.#differs = inputs.some((values, i) => values.some((value, k) => value !== first[i]?.[k]));
  }

  /** Errors: INVALID_INPUT where there were several examples and none differed. */
  require(): void {
    ensure(this.#differs || this.#samples < 2, "INVALID_INPUT", () => ({
      where: "data",
      expected: "examples that differ",
      received: `${this.#samples} with the same values`,
      hint: "Check the files, and what their preparation makes of them (mean, std).",
    }));
  }
}
