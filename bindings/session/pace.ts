/**
 * Whether the next run shares its steps with other threads. On a machine that is busy sharing can be slower than working
 * alone: a thread is put aside in the middle of a chunk, or gets the caller's own core. Nothing tells so but time: now and
 * then the other way is tried for a while, and whichever took less for a run goes on.
 */
export interface Pace {
  shares(): boolean;
  /** Told the milliseconds of every run. */
  took(milliseconds: number): void;
}

/** Milliseconds of runs, and how many, after which two ways are compared; as many turns of a scheduler should be in them. */
const TRIAL = 12;
const TRIAL_RUNS = 3;
/** Milliseconds between trials: at first, and at most, where the same way has won again and again. */
const FIRST_STAY = 60;
const LONGEST_STAY = 1500;
/** Sharing must take less than this part of the time alone. */
const GAIN = 0.96;

interface Way {
  readonly shares: boolean;
  /** Milliseconds for which it goes on before the other is tried. */
  stay: number;
  /** Milliseconds of a run lately. */
  mean: number;
}

export function createPace(): Pace {
  let current: Way = { shares: true, stay: FIRST_STAY, mean: 0 };
  let other: Way = { shares: false, stay: FIRST_STAY, mean: 0 };
  let isTrial = false;
  let time = 0;
  let runs = 0;

  const restart = () => {
    time = 0;
    runs = 0;
  };
  const isBetter = () =>
    other.shares ? other.mean < GAIN * current.mean : other.mean < current.mean / GAIN && other.mean > 0;
  const compare = () => {
    isTrial = false;
    if (isBetter()) {
      current.stay = Math.max(current.stay / 2, TRIAL);
      [current, other] = [other, current];
    } else current.stay = Math.min(current.stay * 2, LONGEST_STAY);
  };
  return {
    shares: () => (isTrial ? other : current).shares,
    took(milliseconds) {
      time += milliseconds;
      runs++;
      const tried = isTrial ? other : current;
      if (runs < TRIAL_RUNS || time < (isTrial ? TRIAL : tried.stay)) return;
      tried.mean = time / runs;
      restart();
      if (isTrial) compare();
      else isTrial = true;
    },
  };
}
