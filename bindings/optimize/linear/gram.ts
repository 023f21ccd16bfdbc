/** Sums of products of a layer's inputs with each other, and with what they should give. */

/** Rows that are turned into columns and multiplied together: 64 rows of 288 inputs are 147 KB. */
const ROWS = 64;

/**
 * Collects XᵀX of rows of X, each `size` inputs long and followed by a one where `ones` is set, and XᵀY where rows come with
 * `outputs` targets. Float64; the sums are the same whatever the lengths of the pieces that are added.
 */
export class Gram {
  /** Inputs, the one included. */
  readonly size: number;
  readonly outputs: number;
  /** XᵀX `[size][size]`, the lower triangle until `finish`. */
  readonly products: Float64Array;
  /** YᵀX `[outputs][size]`. */
  readonly targets: Float64Array;
  /** Rows that were added. */
  rows = 0;
  readonly #inputs: number;
  /** Rows that wait to be multiplied, as columns `[size + outputs][ROWS]`. */
  readonly #columns: Float64Array;
  #filled = 0;

  constructor(inputs: number, options: { readonly ones?: "ones"; readonly outputs?: number } = {}) {
    this.#inputs = inputs;
    this.size = inputs + (options.ones ? 1 : 0);
    this.outputs = options.outputs ?? 0;
    this.products = new Float64Array(this.size * this.size);
    this.targets = new Float64Array(this.outputs * this.size);
    this.#columns = new Float64Array((this.size + this.outputs) * ROWS);
    if (options.ones) this.#columns.fill(1, inputs * ROWS, this.size * ROWS);
  }

  /** Adds `count` rows of X from `at` on, and of Y, row-major; rows of X are `stride` elements apart. */
  add(x: Float32Array, count: number, at = 0, stride = this.#inputs, y?: Float32Array, yAt = 0): void {
    const columns = this.#columns;
    for (let row = 0; row < count; row++) {
      const from = at + row * stride;
      for (let k = 0; k < this.#inputs; k++) columns[k * ROWS + this.#filled] = x[from + k] as number;
      for (let o = 0; y && o < this.outputs; o++)
        columns[(this.size + o) * ROWS + this.#filled] = y[yAt + row * this.outputs + o] as number;
      this.#filled++;
      if (this.#filled === ROWS) this.#multiply();
    }
    this.rows += count;
  }

  /** Multiplies what waits and completes the upper triangle. */
  finish(): this {
    if (this.#filled > 0) {
      for (let k = 0; k < this.size + this.outputs; k++) this.#columns.fill(0, k * ROWS + this.#filled, (k + 1) * ROWS);
      this.#multiply();
      if (this.size > this.#inputs) this.#columns.fill(1, this.#inputs * ROWS, this.size * ROWS);
    }
    for (let i = 0; i < this.size; i++)
      for (let j = 0; j < i; j++) this.products[j * this.size + i] = this.products[i * this.size + j] as number;
    return this;
  }

  #multiply(): void {
    const { size, outputs } = this;
    for (let i = 0; i < size; i += 2)
      accumulate(this.#columns, i, Math.min(2, size - i), i + 2, this.products, i, size);
    for (let o = 0; o < outputs; o += 2)
      accumulate(this.#columns, size + o, Math.min(2, outputs - o), size, this.targets, o, size);
    this.#filled = 0;
  }
}

/**
 * Adds the products of columns `row` to `row + height` with columns 0 to `end` to rows `to` of a matrix: tiles of two by
 * four sums stay in registers.
 */
function accumulate(
  columns: Float64Array,
  row: number,
  height: number,
  end: number,
  into: Float64Array,
  to: number,
  size: number,
): void {
  const last = Math.min(end, size);
  const a = row * ROWS;
  const b = (row + height - 1) * ROWS;
  let j = 0;
  for (; j + 4 <= last; j += 4) {
    const p = j * ROWS;
    const q = p + ROWS;
    const r = q + ROWS;
    const s = r + ROWS;
    let a0 = 0;
    let a1 = 0;
    let a2 = 0;
    let a3 = 0;
    let b0 = 0;
    let b1 = 0;
    let b2 = 0;
    let b3 = 0;
    for (let k = 0; k < ROWS; k++) {
      const x = columns[a + k] as number;
      const y = columns[b + k] as number;
      const c0 = columns[p + k] as number;
      const c1 = columns[q + k] as number;
      const c2 = columns[r + k] as number;
      const c3 = columns[s + k] as number;
      a0 += x * c0;
      a1 += x * c1;
      a2 += x * c2;
      a3 += x * c3;
      b0 += y * c0;
      b1 += y * c1;
      b2 += y * c2;
      b3 += y * c3;
    }
    const at = to * size + j;
    addFour(into, at, a0, a1, a2, a3);
    if (height > 1) addFour(into, at + size, b0, b1, b2, b3);
  }
  for (; j < last; j++)
    for (let h = 0; h < height; h++) {
      let sum = 0;
      for (let k = 0; k < ROWS; k++) sum += (columns[a + h * ROWS + k] as number) * (columns[j * ROWS + k] as number);
      const at = (to + h) * size + j;
      into[at] = (into[at] as number) + sum;
    }
}

function addFour(into: Float64Array, at: number, a: number, b: number, c: number, d: number): void {
  into[at] = (into[at] as number) + a;
  into[at + 1] = (into[at + 1] as number) + b;
  into[at + 2] = (into[at + 2] as number) + c;
  into[at + 3] = (into[at + 3] as number) + d;
}
