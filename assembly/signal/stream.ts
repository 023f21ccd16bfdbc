/** Sound in pieces: delays, frames, stacks and overlaps, bit for bit as TensorFlow Lite Micro's. Parts share the rows. @full */
import { copyBytes } from "../common/bytes";
import { share } from "../common/split";

/** `rows` rows of `depth` int16, each with a state of its own. */
@unmanaged
export class Stream {
  x: u32;
  y: u32;
  state: u32;
  /** Of frames and stacks: one byte that is 1 where y is whole. */
  whole: u32;
  rows: u32;
  depth: u32;
  /** Delay: its length. Frames: of one. Stacks: of all that is stacked. */
  size: u32;
  /** Frames and stacks: from one to the next. */
  step: u32;
  /** Int16 of a row's state, its last one a count where there is one. */
  room: u32;
  /** Frames: rows of x that come before the first is whole. Stacks: copies of the first row that come before it. */
  before: u32;
}

/** Moves n bytes down, which may overlap. */
// @ts-ignore: decorator
@inline function moveDown(to: usize, from: usize, n: usize): void {
  for (let i: usize = 0; i < n; i += 2) store<u16>(to + i, load<u16>(from + i));
}

/** y is x after `size` more; the state are the last `size` values. */
export function signalDelay(p: Stream, part: u32, parts: u32): void {
  const row = <usize>p.depth << 1;
  const late = <usize>p.size << 1;
  const last = share(p.rows, part + 1, parts);
  for (let r = share(p.rows, part, parts); r < last; r++) {
    const x = <usize>p.x + <usize>r * row;
    const y = <usize>p.y + <usize>r * row;
    const state = <usize>p.state + <usize>r * (<usize>p.room << 1);
    if (late <= row) {
      copyBytes(y, state, <u32>late);
      copyBytes(y + late, x, <u32>(row - late));
      copyBytes(state, x + row - late, <u32>late);
    } else {
      copyBytes(y, state, <u32>row);
      moveDown(state, state + row, late - row);
      copyBytes(state + late - row, x, <u32>row);
    }
  }
}

/** Frames of `size` every `step`. The state are the last values that whole frames begin in, and how many frames were not. */
export function signalFramer(p: Stream, part: u32, parts: u32): void {
  if (part) return;
  const step = <usize>p.step << 1;
  const size = <usize>p.size << 1;
  const frames = p.depth / p.step;
  let whole: u32 = 1;
  for (let r: u32 = 0; r < p.rows; r++) {
    const state = <usize>p.state + <usize>r * (<usize>p.room << 1);
    const held = (<usize>p.room - 1) << 1;
    for (let frame: u32 = 0; frame < frames; frame++) {
      const at = <usize>(r * frames + frame);
      moveDown(state, state + step, held - step);
      copyBytes(state + held - step, <usize>p.x + at * step, <u32>step);
      const seen = <u32>load<u16>(state + held);
      const y = <usize>p.y + at * size;
      if (seen < p.before) {
        store<u16>(state + held, <u16>(seen + 1));
        whole = 0;
        for (let i: usize = 0; i < size; i += 2) store<u16>(y + i, 0);
      } else copyBytes(y, state, <u32>size);
    }
  }
  store<u8>(p.whole, <u8>whole);
}

/** Rows on top of each other. The state are those that wait, and one more than their number. */
export function signalStacker(p: Stream, part: u32, parts: u32): void {
  if (part) return;
  const row = <usize>p.depth << 1;
  const counter = <usize>p.state + ((<usize>p.room - 1) << 1);
  let held = <u32>load<u16>(counter);
  let copies: u32 = 1;
  if (held) held--;
  else copies += p.before;
  for (; copies; copies--, held++) copyBytes(<usize>p.state + <usize>held * row, p.x, <u32>row);
  const stack = p.size / p.depth;
  const whole = held >= stack;
  if (whole) {
    copyBytes(p.y, p.state, p.size << 1);
    const gone = min(p.step, held);
    held -= gone;
    moveDown(p.state, <usize>p.state + <usize>gone * row, <usize>held * row);
  } else for (let i: usize = 0; i < <usize>p.size << 1; i += 2) store<u16>(<usize>p.y + i, 0);
  store<u16>(counter, <u16>(held + 1));
  store<u8>(p.whole, whole ? 1 : 0);
}

/** `rows` rows of `frames` frames of `size` numbers that are added `step` apart; what is not done stays in the state. */
@unmanaged
export class Overlap {
  x: u32;
  y: u32;
  state: u32;
  rows: u32;
  frames: u32;
  size: u32;
  step: u32;
  /** 1: float32, and not int16. */
  real: u32;
}

export function signalOverlapAdd(p: Overlap, part: u32, parts: u32): void {
  const log = 1 + p.real;
  const last = share(p.rows, part + 1, parts);
  for (let r = share(p.rows, part, parts); r < last; r++) {
    const state = <usize>p.state + (<usize>(r * p.size) << log);
    for (let frame: u32 = 0; frame < p.frames; frame++) {
      const at = r * p.frames + frame;
      const x = <usize>p.x + (<usize>(at * p.size) << log);
      for (let i: usize = 0, end = <usize>p.size << log; i < end; i += 1 << log) {
        if (p.real) store<f32>(state + i, load<f32>(state + i) + load<f32>(x + i));
        else store<i16>(state + i, min(max(<i32>load<i16>(state + i) + load<i16>(x + i), -32768), 32767));
      }
      const done = <usize>p.step << log;
      const rest = (<usize>p.size << log) - done;
      copyBytes(<usize>p.y + <usize>at * done, state, <u32>done);
      moveDown(state, state + done, rest);
      for (let i: usize = 0; i < done; i += 2) store<u16>(state + rest + i, 0);
    }
  }
}
