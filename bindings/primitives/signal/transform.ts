/** Tables of the Fourier transform of real int16 and int32: KISS FFT's factors, order and twiddles. */

/** One stage of butterflies: how many numbers come together, and how far apart they are. */
interface Stage {
  readonly radix: number;
  readonly span: number;
}

/** Fours as long as they divide, then twos; the outermost first. `half` is a power of two. */
function stagesOf(half: number): readonly Stage[] {
  const stages: Stage[] = [];
  for (let rest = half; rest > 1; ) {
    const radix = rest % 4 === 0 ? 4 : 2;
    rest /= radix;
    stages.push({ radix, span: rest });
  }
  return stages;
}

/** The tables of a transform of `length` real numbers, a power of two; `turn` is −1, of the inverse 1. */
export function transformTables(
  length: number,
  numbers: typeof Int16Array | typeof Int32Array,
  turn: 1 | -1,
): {
  readonly stages: readonly Stage[];
  readonly order: Uint16Array;
  readonly twiddles: Int16Array | Int32Array;
  readonly splits: Int16Array | Int32Array;
} {
  const peak = 2 ** (8 * numbers.BYTES_PER_ELEMENT - 1) - 1;
  const half = length / 2;
  const stages = stagesOf(half);
  const order = Uint16Array.from({ length: half }, (_, i) => {
    let from = 0;
    let stride = 1;
    for (const { radix, span } of stages) {
      from += Math.floor(i / span) * stride;
      i %= span;
      stride *= radix;
    }
    return from;
  });
  const circle = (phase: number) => [Math.cos(phase), Math.sin(phase)].map((part) => Math.floor(0.5 + peak * part));
  const twiddles = Array.from({ length: half }, (_, i) => circle((turn * 2 * Math.PI * i) / half));
  const splits = Array.from({ length: half / 2 }, (_, i) => circle(turn * Math.PI * ((i + 1) / half + 0.5)));
  return {
    stages: [...stages].reverse(),
    order,
    twiddles: numbers.from(twiddles.flat()),
    splits: numbers.from(splits.flat()),
  };
}

/** (log2(1 + k/128) − k/128) · 2^16 for k from 0 to 127, and two zeros. */
export function logTable(): Uint16Array {
  return Uint16Array.from({ length: 130 }, (_, k) =>
    k < 128 ? Math.round((Math.log2(1 + k / 128) - k / 128) * 65536) : 0,
  );
}

/** Cosine and sine of one turn in `steps`, as float64. */
export function turnTable(steps: number): Uint8Array {
  const values = Array.from({ length: steps }, (_, i) => (2 * Math.PI * i) / steps);
  return new Uint8Array(Float64Array.from(values.flatMap((angle) => [Math.cos(angle), Math.sin(angle)])).buffer);
}
