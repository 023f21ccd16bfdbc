/** Scores of classes: the largest, and their probabilities. */

/** The first of the largest of so many scores; of one whether it is above 0. */
export function largestAt(scores: Float32Array, at: number, width: number): number {
  if (width === 1) return Number((scores[at] as number) > 0);
  let best = 0;
  for (let c = 1; c < width; c++) if ((scores[at + c] as number) > (scores[at + best] as number)) best = c;
  return best;
}

/** Softmax at a temperature. */
export function softened(scores: ArrayLike<number>, temperature: number): readonly number[] {
  const all = Array.from(scores);
  const most = Math.max(...all);
  const powers = all.map((score) => Math.exp((score - most) / temperature));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}
