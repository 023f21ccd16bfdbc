/** Tables of the Fourier transform of real int16: KISS FFT's factors, order and twiddles. */

const PEAK = 32767;

/** One stage of butterflies: how many numbers come together, and how far apart they are. */
export interface Stage {
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

/** The tables of a transform of `length` real numbers, a power of two. */
export function transformTables(length: number): {
  readonly stages: readonly Stage[];
  readonly order: Uint16Array;
  readonly twiddles: Int16Array;
  readonly splits: Int16Array;
} {
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
  const circle = (phase: number) => [Math.cos(phase), Math.sin(phase)].map((part) => Math.floor(0.5 + PEAK * part));
  const twiddles = Array.from({ length: half }, (_, i) => circle((-2 * Math.PI * i) / half));
  const splits = Array.from({ length: half / 2 }, (_, i) => circle(-Math.PI * ((i + 1) / half + 0.5)));
  return {
    stages: [...stages].reverse(),
    order,
    twiddles: Int16Array.from(twiddles.flat()),
    splits: Int16Array.from(splits.flat()),
  };
}

/** (log2(1 + k/128) − k/128) · 2^16 for k from 0 to 127, and two zeros. */
export function logTable(): Uint16Array {
  return Uint16Array.from({ length: 130 }, (_, k) =>
    k < 128 ? Math.round((Math.log2(1 + k / 128) - k / 128) * 65536) : 0,
  );
}
