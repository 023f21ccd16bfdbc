/**
 * Learned rounding (AdaRound, Nagel et al. 2020): whether each weight goes up or down is trained, so that the layer's outputs, not its
 * weights, come near the float ones. The squared error of the outputs is a quadratic form of the rounding errors in the inputs' products with
 * each other, so a step sees all examples and costs the same however many they are.
 */
import { dot } from "../linear/cholesky.ts";
import { gptq, type Rows } from "./gptq.ts";
import { LARGEST } from "./weights.ts";

/** Steps of Adam for each output, the last of which every weight has decided; its rate. */
const STEPS = 2000;
const RATE = 0.01;
/** Share of the steps without a pull towards 0 and 1, its weight, and its power at the start and at the end. Source: the paper's. */
const WARM = 0.2;
const PULL = 0.01;
const POWERS = [20, 2] as const;
/** The sigmoid is stretched to −0.1…1.1 and clipped. Source: the paper's ζ and γ. */
const [LOW, STRETCH] = [-0.1, 1.2];

/**
 * The integers `[outputs][depth]`: of each row what training found, of GPTQ's where that gives less error, either bettered by single steps up and
 * down as long as one helps.
 */
export function adaround(rows: Rows, scale: ArrayLike<number>, bits: 8 | 4): Int8Array {
  const { weights, depth, products } = rows;
  const best = gptq(rows, scale, bits);
  const unit = unitMean(products, depth);
  for (let o = 0; o < weights.length / depth; o++) {
    const s = scale[scale.length === 1 ? 0 : o] as number;
    const row = Float64Array.from(weights.subarray(o * depth, (o + 1) * depth), (w) => w / s);
    const own = best.subarray(o * depth, (o + 1) * depth);
    const learned = learnRow(row, unit, LARGEST[bits]);
    descend(row, learned, unit, LARGEST[bits]);
    descend(row, own, unit, LARGEST[bits]);
    if (errorOf(row, learned, unit) < errorOf(row, own, unit)) own.set(learned);
  }
  return best;
}

/** The matrix divided by the mean of its diagonal, so that the pull's weight means the same in every layer. */
function unitMean(products: Float64Array, depth: number): Float64Array {
  let mean = 0;
  for (let i = 0; i < depth; i++) mean += (products[i * depth + i] as number) / depth;
  return products.map((value) => value / (mean || 1));
}

/** One row in units of its scale, rounded up where its share has grown to a half. */
function learnRow(row: Float64Array, unit: Float64Array, most: number): Int8Array {
  const n = row.length;
  const floor = row.map((w) => Math.min(Math.max(Math.floor(w), -most), most - 1));
  // The logit at which the clipped sigmoid is what rounding takes away.
  const logits = row.map((w, i) => {
    const share = (Math.min(Math.max(w - (floor[i] as number), 0.01), 0.99) - LOW) / STRETCH;
    return -Math.log(1 / share - 1);
  });
  const [first, second] = [new Float64Array(n), new Float64Array(n)];
  const errors = new Float64Array(n);
  for (let step = 1; step <= STEPS; step++) {
    for (let i = 0; i < n; i++) errors[i] = (floor[i] as number) + shareOf(logits[i] as number) - (row[i] as number);
    const time = (step / STEPS - WARM) / (1 - WARM);
    const power = POWERS[1] + ((POWERS[0] - POWERS[1]) * (1 + Math.cos(Math.max(time, 0) * Math.PI))) / 2;
    const [fix1, fix2] = [1 - 0.9 ** step, 1 - 0.999 ** step];
    for (let i = 0; i < n; i++) {
      const logit = logits[i] as number;
      const sigmoid = 1 / (1 + Math.exp(-logit));
      const share = shareOf(logit);
      let gradient = 0;
      if (share > 0 && share < 1) {
        const off = 2 * share - 1;
        const pull = time > 0 ? -PULL * power * 2 * Math.sign(off) * Math.abs(off) ** (power - 1) : 0;
        gradient = (2 * dot(unit, i * n, errors, 0, n) + pull) * STRETCH * sigmoid * (1 - sigmoid);
      }
      const mean = 0.9 * (first[i] as number) + 0.1 * gradient;
      const square = 0.999 * (second[i] as number) + 0.001 * gradient * gradient;
      first[i] = mean;
      second[i] = square;
      logits[i] = logit - (RATE * mean) / fix1 / (Math.sqrt(square / fix2) + 1e-8);
    }
  }
  return Int8Array.from(floor, (low, i) => low + ((logits[i] as number) > 0 ? 1 : 0));
}

const shareOf = (logit: number) => Math.min(Math.max(STRETCH / (1 + Math.exp(-logit)) + LOW, 0), 1);

/** Errors' quadratic form. */
function errorOf(row: Float64Array, integers: Int8Array, unit: Float64Array): number {
  const n = row.length;
  const errors = row.map((w, i) => (integers[i] as number) - w);
  let sum = 0;
  for (let i = 0; i < n; i++) sum += (errors[i] as number) * dot(unit, i * n, errors, 0, n);
  return sum;
}

/** Takes single steps that lessen the error, in place, until none does. */
function descend(row: Float64Array, integers: Int8Array, unit: Float64Array, most: number): void {
  const n = row.length;
  const errors = row.map((w, i) => (integers[i] as number) - w);
  const slopes = Float64Array.from({ length: n }, (_, i) => 2 * dot(unit, i * n, errors, 0, n));
  for (let turn = 0, moved = true; moved && turn < 100; turn++) {
    moved = false;
    for (let i = 0; i < n; i++) {
      const slope = slopes[i] as number;
      const by = slope > 0 ? -1 : 1;
      const next = (integers[i] as number) + by;
      // A step changes the error by slope · by + curvature; rounding noise is no gain.
      if (Math.abs(next) > most || -Math.abs(slope) + (unit[i * n + i] as number) >= -1e-9) continue;
      integers[i] = next;
      for (let j = 0; j < n; j++) slopes[j] = (slopes[j] as number) + 2 * by * (unit[i * n + j] as number);
      moved = true;
    }
  }
}
