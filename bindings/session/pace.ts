/**
 * Whether the next run shares its steps with other threads. On a machine that is busy sharing can be slower than working
 * alone: a thread is put aside in the middle of a chunk, or gets the caller's own core. Nothing tells so but time: now and
 * then the other way is tried for a while, and whichever took less for a run goes on.
 */
interface Pace {
  shares(): boolean;
  /** Told the milliseconds of every run. */
  took(milliseconds: number): void;
}

/** Milliseconds of runs, and how many, after which two ways are compared; as many turns of a scheduler should be in them. */
const TRIAL = 12;
const TRIAL_RUNS = 3;
/** Runs between trials at least: trials of long runs are one run. */
const STAY_RUNS = 12;
/** Milliseconds of a trial before its runs count: a thread that was asleep wakes on the caller's own core, and moves. */
const SETTLING = 6;
/** Milliseconds of a run in which threads wake and are judged too. */
const LONG_RUN = 60;
/** Milliseconds between trials: at first. */
const FIRST_STAY = 60;
/** The same at most, where a way has won again and again: sharing is tried more often, because what was in its way passes. */
const LONGEST_SHARING = 1500;
const LONGEST_ALONE = 300;
/** Runs between trials where runs are so long that the milliseconds above are few of them. */
const LONGEST_RUNS = 40;
/** Sharing must take less than this part of the time alone. */
const GAIN = 0.96;
/** What takes so many times less needs no proof: no change of the machine's own pace is so great. */
const PLAIN = 2;
/** A trial ends at once when what it tries takes this many times as long. */
const HOPELESS = 1.25;

interface Way {
  readonly shares: boolean;
  /** Milliseconds for which it goes on before the other is tried. */
  stay: number;
  /** Milliseconds of a run lately. */
  mean: number;
}

/** What the runs of now are for: work as it goes, a trial of the other way, or that the way before shows its time again. */
type Phase = "work" | "trial" | "proof";

export function createPace(): Pace {
  let current: Way = { shares: true, stay: FIRST_STAY, mean: 0 };
  let other: Way = { shares: false, stay: FIRST_STAY, mean: 0 };
  let phase: Phase = "work";
  let settling = 0;
  let time = 0;
  let runs = 0;

  const tried = () => (phase === "trial" ? other : current);
  const enter = (next: Phase) => {
    phase = next;
    settling = next !== "work" && tried().shares ? SETTLING : 0;
  };
  const isBetter = () =>
    other.shares ? other.mean < GAIN * current.mean : other.mean < current.mean / GAIN && other.mean > 0;
  /** Long runs are not spent on it. */
  const needsProof = () => PLAIN * other.mean > current.mean && TRIAL_RUNS * current.mean < TRIAL;
  const change = () => {
    current.stay = Math.max(current.stay / 2, TRIAL);
    [current, other] = [other, current];
    enter("work");
  };
  const goOn = () => {
    const longest = Math.max(current.shares ? LONGEST_SHARING : LONGEST_ALONE, LONGEST_RUNS * current.mean);
    current.stay = Math.min(2 * Math.max(current.stay, STAY_RUNS * current.mean), longest);
    enter("work");
  };
  const isOver = (way: Way) => {
    if (phase === "work") return runs >= (way.mean === 0 ? TRIAL_RUNS : STAY_RUNS) && time >= way.stay;
    const isHopeless = phase === "trial" && time >= SETTLING && time / runs > HOPELESS * current.mean;
    return isHopeless || (runs >= TRIAL_RUNS && time >= TRIAL);
  };
  return {
    shares: () => tried().shares,
    took(milliseconds) {
      if (settling > 0) {
        settling -= milliseconds;
        if (milliseconds < LONG_RUN) return;
      }
      time += milliseconds;
      runs++;
      const way = tried();
      if (!isOver(way)) return;
      way.mean = time / runs;
      time = 0;
      runs = 0;
      if (phase === "work") enter("trial");
      else if (!isBetter()) goOn();
      else if (phase === "trial" && needsProof()) enter("proof");
      else change();
    },
  };
}
