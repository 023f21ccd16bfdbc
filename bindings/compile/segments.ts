/** A run of bytes and where in memory it begins. */
export interface Segment {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** A segment's own bytes in the file are 6 to 11; interpreters keep a record of each, so short runs do not pay. */
const SHORTEST_RUN = 16;
/** Engines take 100,000 segments at most. */
const MOST_SEGMENTS = 20_000;

/** The segments that hold everything but runs of zeros, which fresh memory has anyway. */
export function withoutZeros(segment: Segment): readonly Segment[] {
  for (let run = SHORTEST_RUN; ; run *= 2) {
    const segments = split(segment, run);
    if (segments.length <= MOST_SEGMENTS) return segments;
  }
}

function split({ address, bytes }: Segment, shortest: number): readonly Segment[] {
  const segments: Segment[] = [];
  let start = firstNonZero(bytes, 0);
  while (start < bytes.length) {
    let end = start;
    let next = start;
    do {
      end = firstZero(bytes, next);
      next = firstNonZero(bytes, end);
    } while (next < bytes.length && next - end < shortest);
    segments.push({ address: address + start, bytes: bytes.subarray(start, end) });
    start = next;
  }
  return segments;
}

function firstNonZero(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at] === 0) at++;
  return at;
}

function firstZero(bytes: Uint8Array, from: number): number {
  const at = bytes.indexOf(0, from);
  return at < 0 ? bytes.length : at;
}
