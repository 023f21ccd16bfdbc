/** Numbers that look random and are the same wherever they are made again from the same words. */
export interface Random {
  /** From 0 to 1, without 1. */
  uniform(): number;
  /** Of mean 0 and variance 1. */
  normal(): number;
}

/** A generator of its own for these words: a seed, an epoch, a sample. Source: mulberry32. */
export function randomOf(...words: readonly number[]): Random {
  let state = 0x9e3779b9;
  for (const word of words) state = mix(state ^ Math.imul(word | 0, 0x85ebca6b)) + 0x6d2b79f5;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    return (mix(state) >>> 0) / 4294967296;
  };
  return {
    uniform,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  };
}

function mix(word: number): number {
  let t = Math.imul(word ^ (word >>> 15), word | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return t ^ (t >>> 14);
}

/** 0 to count − 1 in an order of its own. */
export function shuffled(count: number, random: Random): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random.uniform() * (i + 1));
    const kept = order[i] as number;
    order[i] = order[j] as number;
    order[j] = kept;
  }
  return order;
}
