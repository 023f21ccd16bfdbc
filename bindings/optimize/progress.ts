/** How far a long piece of work is. */
export interface Step {
  /** What is being done: `calibrate`, `round`, `judge`. */
  readonly phase: string;
  /** What is done of it, in the phase's own units. */
  readonly done: number;
  /** Of how much, where that is known. */
  readonly total?: number;
  /** More for the reader: a layer's name. */
  readonly note?: string;
}

/** Told after each step. An error that it throws ends the work. */
export type Progress = (step: Step) => void;
