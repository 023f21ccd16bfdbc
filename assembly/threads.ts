/**
 * The step loop on several threads: `lead` is the calling thread, part 0; `follow` is every other thread's whole life.
 * They meet in a control block of 32-bit words in the memory that they share, in cache lines by who writes them:
 *
 *     0  START     what the followers wait for: 25 bits that differ from run to run | 7 bits of how many parts run; 127 = end
 *     4  PARKED    followers that sleep, so that no one notifies an empty room
 *     8  JOINED    followers that have come so far
 *    64  ARRIVED   arrivals at barriers since the beginning, never put back: a barrier is its next multiple of parts
 *    68  SLEEPERS  threads that sleep at a barrier
 *    72  FAILED    not 0: a thread trapped; whoever says so also moves ARRIVED far ahead, so that every barrier opens
 *   128  STEPS, COUNT, MARKS, BASE: the run; written while no follower reads
 *
 * `bindings/session/threads-control.ts` has the same numbers.
 */
import { step } from "./generated/step";

/**
 * Sleeps while the word at `address` is `expected`, until notified; may return at any time. It is JavaScript's
 * Atomics.wait and not `memory.atomic.wait32`, across which V8 11.3 (Node 20) loses locals in code of its first
 * compiler. A page's main thread, which is not allowed to sleep, returns at once.
 */
@external("env", "sleep")
declare function sleep(address: usize, expected: u32): void;

const START: usize = 0;
const PARKED: usize = 4;
const JOINED: usize = 8;
const ARRIVED: usize = 64;
const SLEEPERS: usize = 68;
const FAILED: usize = 72;
const STEPS: usize = 128;
const COUNT: usize = 132;
const MARKS: usize = 136;
const BASE: usize = 140;

const PARTS_BITS: u32 = 7;
const PARTS: u32 = 127;
const END: u32 = 127;

/** Looks at a word before sleeping: some 20 µs at a barrier, 80 µs between runs. A sleeper takes longer to wake. */
const BARRIER_LOOKS: u32 = 20000;
const RUN_LOOKS: u32 = 80000;

/**
 * Runs `count` steps of the list at `steps` on this thread and on those that have joined. A byte of `marks` for each
 * step: not 0 = this thread alone does it.
 */
export function lead(control: usize, steps: usize, count: u32, marks: usize): void {
  let parts = atomic.load<u32>(control, JOINED) + 1;
  if (parts == 1 || allAlone(marks, count)) {
    walk(control, steps, count, marks, 0, 1, 0);
    return;
  }
  const base = atomic.load<u32>(control, ARRIVED);
  store<u32>(control, <u32>steps, STEPS);
  store<u32>(control, count, COUNT);
  store<u32>(control, <u32>marks, MARKS);
  store<u32>(control, base, BASE);
  const start = atomic.load<u32>(control, START);
  atomic.store<u32>(control, (((start >>> PARTS_BITS) + 1) << PARTS_BITS) | parts, START);
  if (atomic.load<u32>(control, PARKED)) atomic.notify(control + START, -1);
  walk(control, steps, count, marks, 0, parts, base);
}

/** Joins, then does its share of every run until the end or a failure. */
export function follow(control: usize): void {
  let seen = atomic.load<u32>(control, START);
  if ((seen & PARTS) == END) return;
  const part = atomic.add<u32>(control, 1, JOINED) + 1;
  for (;;) {
    seen = nextRun(control, seen);
    const parts = seen & PARTS;
    if (parts == END) return;
    // A run that began before this thread joined does not count on it: it must not even look at what is run.
    if (part >= parts) continue;
    const steps = <usize>load<u32>(control, STEPS);
    const marks = <usize>load<u32>(control, MARKS);
    if (!walk(control, steps, load<u32>(control, COUNT), marks, part, parts, load<u32>(control, BASE))) return;
  }
}

/** The word START once it is another than `seen`. */
function nextRun(control: usize, seen: u32): u32 {
  for (let looks = RUN_LOOKS; looks; looks--) {
    const start = atomic.load<u32>(control, START);
    if (start != seen) return start;
  }
  atomic.add<u32>(control, 1, PARKED);
  let start = atomic.load<u32>(control, START);
  while (start == seen) {
    sleep(control + START, seen);
    start = atomic.load<u32>(control, START);
  }
  atomic.sub<u32>(control, 1, PARKED);
  return start;
}

function allAlone(marks: usize, count: u32): bool {
  for (const end = marks + count; marks < end; marks++) if (!load<u8>(marks)) return false;
  return true;
}

/** One thread's way through the steps; false once a thread has failed. Steps that one thread does follow without a barrier. */
function walk(control: usize, steps: usize, count: u32, marks: usize, part: u32, parts: u32, base: u32): bool {
  const last = steps + ((<usize>count - 1) << 3);
  for (let at = steps; at <= last; at += 8) {
    const alone = load<u8>(marks++);
    const kernel = load<u32>(at);
    const params = <usize>load<u32>(at, 4);
    if (!alone) step(kernel, params, part, parts);
    else if (part == 0) step(kernel, params, 0, 1);
    if (parts > 1 && (!alone || (at < last && !load<u8>(marks)))) {
      base += parts;
      if (!barrier(control, base)) return false;
    }
  }
  return true;
}

/** Returns once `target` arrivals are there; false when a thread has failed. */
function barrier(control: usize, target: u32): bool {
  let arrived = atomic.add<u32>(control, 1, ARRIVED) + 1;
  if (arrived == target) {
    if (atomic.load<u32>(control, SLEEPERS)) atomic.notify(control + ARRIVED, -1);
    return atomic.load<u32>(control, FAILED) == 0;
  }
  let looks = BARRIER_LOOKS;
  while (<i32>(arrived - target) < 0) {
    if (looks) looks--;
    else {
      // The count comes first: who arrives after it notifies.
      atomic.add<u32>(control, 1, SLEEPERS);
      sleep(control + ARRIVED, arrived);
      atomic.sub<u32>(control, 1, SLEEPERS);
    }
    arrived = atomic.load<u32>(control, ARRIVED);
  }
  return atomic.load<u32>(control, FAILED) == 0;
}
