/** Where a command writes: results to `out`, progress and messages to `err`; both take whole lines without their end. */
export interface Streams {
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
  /** Letters of a line, where `out` is a terminal: tables are no wider. */
  readonly width?: number;
  /** Shows a line that the next one takes the place of; an empty one clears it. Absent where nobody watches. */
  readonly status?: (line: string) => void;
}
