/** Milliseconds of a run before the engine has compiled what it runs often do not count, where there is time enough for others. */
const WARM = 100;

/** How long runs take. */
export class Clock {
  readonly #times: number[] = [];
  #total = 0;
  #again = (): unknown => undefined;

  /** What `run` gives; its time is counted. */
  timed<T>(run: () => T): T {
    const start = performance.now();
    const made = run();
    const time = performance.now() - start;
    this.#times.push(time);
    this.#total += time;
    this.#again = run;
    return made;
  }

  /** Milliseconds of the middle run of the later half. Few short runs are cold: the last one is done again, 0.1 s in all. */
  middle(): number {
    if (this.#times.length === 0) return 0;
    while (this.#total < WARM) this.timed(this.#again);
    const later = this.#times.slice(this.#times.length >> 1).sort((a, b) => a - b);
    return later[later.length >> 1] as number;
  }
}
