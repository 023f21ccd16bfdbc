/** Of each layer one of several choices, so that enough time is saved at the least cost. */

/** What a layer may become. */
export interface Choice {
  /** Time that it saves against the dense layer; below 0 where it takes longer. */
  readonly saves: number;
  /** Relative squared error that it brings. */
  readonly cost: number;
}

/** Steps in which time is counted. */
const STEPS = 1000;

/**
 * The choice of each layer whose savings come to `wanted` at the least sum of costs: dynamic programming over the layers and the time saved so far, counted
 * in thousandths of it. Where all together cannot save so much, the choices that save most.
 */
export function cheapest(layers: readonly (readonly Choice[])[], wanted: number): readonly number[] {
  const most = layers.map((choices) => indexOfMost(choices));
  const possible = layers.reduce(
    (sum, choices, i) => sum + Math.max((choices[most[i] as number] as Choice).saves, 0),
    0,
  );
  if (wanted > possible) return most;
  if (wanted <= 0) return layers.map((choices) => indexOfLeastCost(choices));
  const step = wanted / STEPS;
  // least[b]: the least cost at which the layers so far save b steps, or more where b is the last.
  let least = new Float64Array(STEPS + 1).fill(Infinity);
  least[0] = 0;
  const taken: Int32Array[] = [];
  const from: Int32Array[] = [];
  for (const choices of layers) {
    const next = new Float64Array(STEPS + 1).fill(Infinity);
    const [choice, before] = [new Int32Array(STEPS + 1).fill(-1), new Int32Array(STEPS + 1)];
    for (const [c, { saves, cost }] of choices.entries()) {
      const moved = Math.floor(saves / step);
      for (let b = 0; b <= STEPS; b++) {
        const to = Math.min(Math.max(b + moved, 0), STEPS);
        const sum = (least[b] as number) + cost;
        if (sum >= (next[to] as number)) continue;
        next[to] = sum;
        choice[to] = c;
        before[to] = b;
      }
    }
    least = next;
    taken.push(choice);
    from.push(before);
  }
  // Rounding down may leave the last step out of reach: the nearest that was reached.
  let at = STEPS;
  while (at > 0 && least[at] === Infinity) at--;
  const found = layers.map(() => 0);
  for (let i = layers.length - 1; i >= 0; i--) {
    found[i] = taken[i]?.[at] as number;
    at = from[i]?.[at] as number;
  }
  return found;
}

function indexOfMost(choices: readonly Choice[]): number {
  return choices.reduce((best, { saves }, i) => (saves > (choices[best] as Choice).saves ? i : best), 0);
}

function indexOfLeastCost(choices: readonly Choice[]): number {
  return choices.reduce((best, { cost }, i) => (cost < (choices[best] as Choice).cost ? i : best), 0);
}
