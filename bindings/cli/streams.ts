/** Where a command writes: results to `out`, progress and messages to `err`; both take whole lines without their end. */
export interface Streams {
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
}
