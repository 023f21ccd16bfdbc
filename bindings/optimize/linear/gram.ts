/** Sums of products of a layer's inputs with each other, and with what they should give. */

import { kernels } from "./kernels.ts";

/** Rows that are multiplied together: more for matrices that are long in being added to. */
const rowsOf = (size: number) => (size < 128 ? 64 : 256);

/**
 * Collects XᵀX of rows of X, each `size` inputs long and followed by a one where `ones` is set, and XᵀY where rows come with
 * `outputs` targets. Float64; the sums are the same whatever the lengths of the pieces that are added.
 */
export class Gram {
  readonly inputs: number;
  /** Inputs, the one included. */
  readonly size: number;
  readonly outputs: number;
  /** XᵀX `[size][size]`, the upper triangle until `finish`. */
  readonly products: Float64Array;
  /** YᵀX `[outputs][size]`. */
  readonly targets: Float64Array;
  /** Rows that were added. */
  rows = 0;
  readonly #depth: number;
  /** Rows that wait to be multiplied: X `[depth][size]` and Y `[depth][outputs]`. */
  readonly #x: Float64Array;
  readonly #y: Float64Array;
  #filled = 0;

  constructor(inputs: number, options: { readonly ones?: "ones"; readonly outputs?: number } = {}) {
    this.inputs = inputs;
    this.size = inputs + (options.ones ? 1 : 0);
    this.outputs = options.outputs ?? 0;
    this.products = new Float64Array(this.size * this.size);
    this.targets = new Float64Array(this.outputs * this.size);
    this.#depth = rowsOf(this.size);
    this.#x = new Float64Array(this.#depth * this.size);
    this.#y = new Float64Array(this.#depth * this.outputs);
  }

  /** Adds `count` rows of X from `at` on, and of Y, row-major; rows of X are `stride` elements apart. */
  add(x: Float32Array, count: number, at = 0, stride = this.inputs, y?: Float32Array, yAt = 0): void {
    for (let row = 0; row < count; row++) {
      copy(this.#x, this.#filled * this.size, x, at + row * stride, this.inputs);
      if (this.size > this.inputs) this.#x[this.#filled * this.size + this.inputs] = 1;
      if (y) copy(this.#y, this.#filled * this.outputs, y, yAt + row * this.outputs, this.outputs);
      this.#filled++;
      if (this.#filled === this.#depth) this.#multiply();
    }
    this.rows += count;
  }

  /** Multiplies what waits and completes the lower triangle. */
  finish(): this {
    if (this.#filled > 0) this.#multiply();
    for (let i = 0; i < this.size; i++)
      for (let j = 0; j < i; j++) this.products[i * this.size + j] = this.products[j * this.size + i] as number;
    return this;
  }

  #multiply(): void {
    const { size, outputs } = this;
    this.#x.fill(0, this.#filled * size);
    this.#y.fill(0, this.#filled * outputs);
    kernels.addProducts(this.#x, this.#x, this.#depth, this.products, true);
    if (outputs > 0) kernels.addProducts(this.#y, this.#x, this.#depth, this.targets, false);
    this.#filled = 0;
  }
}

function copy(to: Float64Array, at: number, from: Float32Array, start: number, length: number): void {
  for (let k = 0; k < length; k++) to[at + k] = from[start + k] as number;
}
