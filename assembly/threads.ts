/**
 * The step loop on several threads, a module of its own over the memory and the `run` of an instance of the kernels. `lead` is the
 * calling thread, `follow` every other thread's whole life. A step that is
 * worth it is cut into chunks, and whoever has time claims the next one by one atomic addition. Nobody is given work and
 * nobody meets at a barrier: a thread that the system has put aside claims nothing, the caller does what nobody else does,
 * and waits at the end of a step for chunks alone that somebody is in the middle of.
 *
 * They share a control block of words in their memory, in cache lines by who writes them:
 *
 *     0  CLAIM    u64: index of the step in the plan's list, 28 bits | its chunks, 12 bits | how many followers claimed, 12 bits |
 *              how many the caller claimed, 12 bits
 *    64  DONE     chunks that followers have finished since the beginning
 *    68  WAITING  not 0: the caller sleeps until DONE changes
 *   128  WAKE     changes when parked followers shall look again
 *   132  PARKED   followers that sleep
 *   136  LOOKING  followers that look for work or do it
 *   140  STOP     not 0: followers return
 *   144  FAILED   not 0: a thread trapped, or never came back
 *   148  PATIENCE sleeps of a second that the caller grants to one step
 *
 * The word CLAIM says itself what was claimed, so a claim that comes late takes nothing of another step: as long as a chunk is
 * not done, its step and its run are not over. `bindings/session/threadsControl.ts` has the same numbers.
 */
/** `run` of the kernels: `count` entries of the step table at `steps`, share `part` of `parts`. */
@external("env", "run")
declare function run(steps: usize, count: u32, part: u32, parts: u32): void;

/**
 * Sleeps while the word at `address` is `expected`, until notified, a second at most; may return at any time. It is
 * JavaScript's Atomics.wait and not `memory.atomic.wait32`, across which V8 11.3 (Node 20) loses locals in code of its first
 * compiler. A page's main thread, which is not allowed to sleep, returns at once.
 */
@external("env", "sleep")
declare function sleep(address: usize, expected: u32): void;

const CLAIM: usize = 0;
const DONE: usize = 64;
const WAITING: usize = 68;
const WAKE: usize = 128;
const PARKED: usize = 132;
const LOOKING: usize = 136;
const STOP: usize = 140;
const FAILED: usize = 144;
const PATIENCE: usize = 148;

const BITS: u32 = 12;
const FIELD: u32 = 0xfff;
/** A claim of a follower. */
const FOLLOWERS: u64 = 1 << BITS;

/** Chunks from which a step is offered to followers that are still waking up. */
const MANY: u32 = 4;
/** Looks at a word before sleeping: some 20 µs for the end of a chunk, 60 µs for the next step. */
const CHUNK_LOOKS: u32 = 20000;
const STEP_LOOKS: u32 = 60000;

// The caller takes chunks from the first on and followers from the last back: each then finds most of what it wrote in the step
// before in the caches of its own core.

// @ts-ignore: decorator
@inline function chunksOf(claim: u64): u32 {
  return <u32>(claim >>> (2 * BITS)) & FIELD;
}

// @ts-ignore: decorator
@inline function byCaller(claim: u64): u32 {
  return <u32>claim & FIELD;
}

// @ts-ignore: decorator
@inline function byFollowers(claim: u64): u32 {
  return <u32>(claim >>> BITS) & FIELD;
}

/** Whether a chunk was left to claim. */
// @ts-ignore: decorator
@inline function isOpen(claim: u64): bool {
  return byCaller(claim) + byFollowers(claim) < chunksOf(claim);
}

/**
 * Runs steps `first` to `end` of the list at `steps`. `chunks` has a byte for each step of the list: what it is cut into, 1 =
 * this thread does it alone. Unless `share`, it does all of them alone.
 * Returns false when a thread has failed.
 */
export function lead(control: usize, steps: usize, first: u32, end: u32, chunks: usize, share: bool): bool {
  if (!share) {
    run(steps + (<usize>first << 3), end - first, 0, 1);
    return true;
  }
  wakeParked(control);
  for (let index = first; index < end; index++) {
    const at = steps + (<usize>index << 3);
    const count = <u32>load<u8>(chunks + index);
    if (count >= MANY) wakeParked(control);
    if (count >= MANY || (count > 1 && atomic.load<u32>(control, LOOKING))) {
      if (!shared(control, at, index, count)) return false;
    } else run(at, 1, 0, 1);
  }
  return true;
}

function wakeParked(control: usize): void {
  if (!atomic.load<u32>(control, PARKED)) return;
  atomic.add<u32>(control, 1, WAKE);
  atomic.notify(control + WAKE, -1);
}

/** One step in chunks, of which the first is the caller's. */
function shared(control: usize, at: usize, index: u32, count: u32): bool {
  let target = atomic.load<u32>(control, DONE) + count;
  let claim = ((<u64>index << BITS) | count) << (2 * BITS);
  atomic.store<u64>(control, claim + 1, CLAIM);
  do {
    run(at, 1, byCaller(claim), count);
    target--;
    claim = atomic.add<u64>(control, 1, CLAIM);
  } while (isOpen(claim));
  return allDone(control, target);
}

/** Returns once DONE is `target`; false when a thread has failed. */
// @ts-ignore: decorator
@inline function allDone(control: usize, target: u32): bool {
  for (let looks = CHUNK_LOOKS; looks; looks--) if (atomic.load<u32>(control, DONE) == target) return true;
  return sleepUntilDone(control, target);
}

function sleepUntilDone(control: usize, target: u32): bool {
  let patience = load<u32>(control, PATIENCE);
  atomic.store<u32>(control, 1, WAITING);
  let done = atomic.load<u32>(control, DONE);
  while (done != target && patience && !atomic.load<u32>(control, FAILED)) {
    sleep(control + DONE, done);
    const now = atomic.load<u32>(control, DONE);
    if (now == done) patience--;
    done = now;
  }
  atomic.store<u32>(control, 0, WAITING);
  return done == target;
}

/** Claims chunks of the steps of the list at `steps`, which is this thread's own, until the end or a failure. */
export function follow(control: usize, steps: usize): void {
  atomic.add<u32>(control, 1, LOOKING);
  let looks = STEP_LOOKS;
  while (!atomic.load<u32>(control, STOP)) {
    if (isOpen(atomic.load<u64>(control, CLAIM))) {
      const claim = atomic.add<u64>(control, FOLLOWERS, CLAIM);
      if (isOpen(claim)) {
        const at = steps + (<usize>(claim >>> (3 * BITS)) << 3);
        const count = chunksOf(claim);
        run(at, 1, count - 1 - byFollowers(claim), count);
        atomic.add<u32>(control, 1, DONE);
        if (atomic.load<u32>(control, WAITING)) atomic.notify(control + DONE, -1);
      }
      looks = STEP_LOOKS;
    } else if (--looks == 0) {
      park(control);
      looks = STEP_LOOKS;
    }
  }
}

/** Sleeps until there may be something to claim. */
function park(control: usize): void {
  atomic.sub<u32>(control, 1, LOOKING);
  atomic.add<u32>(control, 1, PARKED);
  const seen = atomic.load<u32>(control, WAKE);
  while (atomic.load<u32>(control, WAKE) == seen && !atomic.load<u32>(control, STOP)) sleep(control + WAKE, seen);
  atomic.sub<u32>(control, 1, PARKED);
  atomic.add<u32>(control, 1, LOOKING);
}
