/** Damaged copies of a file, the same ones for the same seed. */
interface Damage {
  readonly what: string;
  readonly bytes: Uint8Array;
}

/** `count` cuts, spread evenly from no byte to all but one. */
export function* cuts(bytes: Uint8Array, count: number): Generator<Damage> {
  for (let i = 0; i < count; i++) {
    const length = Math.floor((i * bytes.length) / count);
    yield { what: `cut to ${length} bytes`, bytes: bytes.slice(0, length) };
  }
}

/** `count` copies with one random byte changed. */
export function* flips(bytes: Uint8Array, count: number, seed: number): Generator<Damage> {
  const next = xorshift(seed);
  const copy = bytes.slice();
  for (let i = 0; i < count; i++) {
    const at = next() % bytes.length;
    const value = (bytes[at] as number) ^ (1 + (next() % 255));
    copy[at] = value;
    yield { what: `byte ${at} is ${value} in place of ${bytes[at]} (seed ${seed})`, bytes: copy };
    copy[at] = bytes[at] as number;
  }
}

/** Marsaglia's xorshift32, state after the step. */
export function xorshift(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
}
