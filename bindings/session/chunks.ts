/** Into how many chunks threads cut each step of a plan. */

import { fieldOf } from "../plan/blocks.ts";
import type { Plan, PlanStep } from "../plan/types.ts";

/** Nanoseconds of one thread below which a step is not worth the two messages between threads, and a run waking them. */
const WORTH_SHARING = 4000;
const WORTH_WAKING = 100_000;
/** Nanoseconds of a chunk: claiming one takes some 50. */
const CHUNK = 8000;
/** Chunks for each thread of a long step: enough for a thread that is put aside to hold the others up for little. */
const MOST = 8;
/** Blocks of a step that may be cut anywhere: a multiple of every number of chunks that is wanted, nearly. */
const FREE = 2 ** 20;
/** Chunks that fit a byte. */
const BYTE = 255;
/** What simd.wasm does, measured: products, and additions, lookups and pooling. */
const MACS_PER_NANOSECOND = 32;
const ELEMENTS_PER_NANOSECOND = 3;

export interface Chunks {
  /** The chunks of every step, 1 where the caller does it alone. */
  readonly counts: Uint8Array;
  /** Whether any step is shared. */
  readonly isShared: boolean;
  /** Nanoseconds that one thread is thought to take for the longest chunk. */
  readonly longest: number;
}

export function chunksOf(plan: Plan, threads: number): Chunks {
  const counts = Uint8Array.from(plan.steps, (step) => chunksOfStep(plan, step, threads));
  const shared = plan.steps.reduce((sum, step, i) => sum + (counts[i] === 1 ? 0 : nanosecondsOf(step)), 0);
  const isShared = shared >= WORTH_WAKING;
  if (!isShared) counts.fill(1);
  const longest = plan.steps.reduce((most, step, i) => Math.max(most, nanosecondsOf(step) / (counts[i] as number)), 0);
  return { counts, isShared, longest };
}

const nanosecondsOf = ({ macs, elements }: PlanStep): number =>
  macs / MACS_PER_NANOSECOND + elements / ELEMENTS_PER_NANOSECOND;

/** As many for each thread, so that threads that are equally fast end together, and each of whole blocks. */
function chunksOfStep(plan: Plan, step: PlanStep, threads: number): number {
  const nanoseconds = nanosecondsOf(step);
  const walksLists = fieldOf(plan, step.kernel, step.params, "steps0") !== undefined;
  if (nanoseconds < WORTH_SHARING || walksLists) return 1;
  const blocks = blocksOf(plan, step);
  const wanted = threads * Math.min(Math.max(Math.floor(nanoseconds / CHUNK / threads), 1), MOST);
  const count = Math.ceil(blocks / Math.ceil(blocks / wanted));
  return Math.min(Math.ceil(count / threads) * threads, threads * Math.floor(BYTE / threads));
}

/**
 * Chunks that cost a product nothing besides: whole blocks of rows, because it widens its weights, or packs the rows that
 * kernels reach over, once for each block.
 */
function blocksOf(plan: Plan, { kernel, params }: PlanStep): number {
  const field = (name: string) => fieldOf(plan, kernel, params, name);
  const block = field("mBlock");
  const rows = kernel === "directConv2d" ? (field("m") ?? 0) / (field("outW") || 1) : (field("m") ?? 0);
  return block ? Math.max(Math.ceil(rows / block), 1) : FREE;
}
