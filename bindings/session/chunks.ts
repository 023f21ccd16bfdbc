/** Into how many chunks threads cut each step of a plan. */

import type { Plan, PlanStep } from "../plan/types.ts";

/** Nanoseconds of one thread below which a step is not worth the two messages between threads, and a run waking them. */
const WORTH_SHARING = 2000;
const WORTH_WAKING = 100_000;
/**
 * Nanoseconds of a chunk: claiming one takes some 50, widening the weights of a product again more. With few chunks a step
 * lasts as long as the slower core's half, and cores of a shared machine are slowed down by a third for a while, each by itself.
 */
const CHUNK = 1500;
/** Chunks for each thread of a long step: enough for a thread that is put aside to hold the others up for little. */
const MOST = 8;
/** Chunks that fit a byte. */
const BYTE = 255;
/** What simd.wasm does, measured: products, depthwise products, and additions, lookups and pooling. */
const MACS_PER_NANOSECOND = 32;
const DEPTHWISE_MACS_PER_NANOSECOND = 7;
const ELEMENTS_PER_NANOSECOND = 3;

interface Chunks {
  /** The chunks of every step, 1 where the caller does it alone. */
  readonly counts: Uint8Array;
  /** Whether any step is shared. */
  readonly isShared: boolean;
  /** Nanoseconds that one thread is thought to take for the longest chunk. */
  readonly longest: number;
}

export function chunksOf(plan: Plan, threads: number): Chunks {
  const counts = Uint8Array.from(plan.steps, (step) => chunksOfStep(step, threads));
  const shared = plan.steps.reduce((sum, step, i) => sum + (counts[i] === 1 ? 0 : nanosecondsOf(step)), 0);
  const isShared = shared >= WORTH_WAKING;
  if (!isShared) counts.fill(1);
  const longest = plan.steps.reduce((most, step, i) => Math.max(most, nanosecondsOf(step) / (counts[i] as number)), 0);
  return { counts, isShared, longest };
}

function nanosecondsOf({ kernel, macs, elements }: PlanStep): number {
  const pace = kernel.startsWith("dwconv") ? DEPTHWISE_MACS_PER_NANOSECOND : MACS_PER_NANOSECOND;
  return macs / pace + elements / ELEMENTS_PER_NANOSECOND;
}

/** As many for each thread, so that threads that are equally fast end together, and each of whole parts of the step. */
function chunksOfStep(step: PlanStep, threads: number): number {
  const nanoseconds = nanosecondsOf(step);
  const blocks = step.parts;
  if (nanoseconds < WORTH_SHARING || blocks === 0) return 1;
  const wanted = threads * Math.min(Math.max(Math.floor(nanoseconds / CHUNK / threads), 1), MOST);
  const count = Math.ceil(blocks / Math.ceil(blocks / wanted));
  return Math.min(Math.ceil(count / threads) * threads, threads * Math.floor(BYTE / threads));
}
