import { ALIGNMENT, align } from "./types.ts";

/** A block of memory that is needed from step `first` to step `last`, both included. */
export interface Block {
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

interface Arena {
  /** Offset of each block, in the blocks' order, 16-byte aligned. */
  readonly offsets: readonly number[];
  readonly bytes: number;
}

/** Above this many blocks only the first order is tried: planning stays under a second. */
const MANY = 2000;

/**
 * Gives every block an offset such that blocks alive at the same time do not overlap. Greedy: block after block takes the
 * lowest gap that fits; of a few orders (by size, by size where most is alive, by time) the smallest arena wins.
 */
export function placeBlocks(blocks: readonly Block[]): Arena {
  const pressure = pressureOf(blocks);
  const orders: ((a: Block, b: Block) => number)[] = [
    (a, b) => b.bytes - a.bytes || a.first - b.first,
    (a, b) => pressure(b) - pressure(a) || b.bytes - a.bytes || a.first - b.first,
    (a, b) => b.last - b.first - (a.last - a.first) || b.bytes - a.bytes,
    (a, b) => a.first - b.first || b.bytes - a.bytes,
  ];
  const arenas = orders.slice(0, blocks.length > MANY ? 1 : orders.length).map((order) => greedy(blocks, order));
  return arenas.reduce((best, arena) => (arena.bytes < best.bytes ? arena : best));
}

function greedy(blocks: readonly Block[], order: (a: Block, b: Block) => number): Arena {
  const offsets = blocks.map(() => 0);
  const placed: { readonly offset: number; readonly end: number; readonly block: Block }[] = [];
  let bytes = 0;
  for (const [i, block] of [...blocks.entries()].sort(([, a], [, b]) => order(a, b))) {
    const size = align(block.bytes, ALIGNMENT);
    let offset = 0;
    if (size > 0) {
      for (const other of placed) {
        if (other.block.first > block.last || other.block.last < block.first) continue;
        if (other.offset - offset >= size) break;
        offset = Math.max(offset, other.end);
      }
      insertByOffset(placed, { offset, end: offset + size, block });
    }
    offsets[i] = offset;
    bytes = Math.max(bytes, offset + size);
  }
  return { offsets, bytes };
}

function insertByOffset<T extends { readonly offset: number }>(sorted: T[], item: T): void {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as T).offset <= item.offset) low = middle + 1;
    else high = middle;
  }
  sorted.splice(low, 0, item);
}

/** For each block the most bytes that are alive at once with it: the blocks at the peak should be placed first. */
function pressureOf(blocks: readonly Block[]): (block: Block) => number {
  if (blocks.length > MANY) return () => 0;
  const live = liveBytes(blocks);
  const most = new Map(blocks.map((block) => [block, mostOf(live, block.first + 1, block.last + 2)]));
  return (block) => most.get(block) as number;
}

function mostOf(live: readonly number[], from: number, to: number): number {
  let most = 0;
  for (let i = from; i < to; i++) most = Math.max(most, live[i] as number);
  return most;
}

/** Bytes alive before the first step (index 0) and at each step after. */
function liveBytes(blocks: readonly Block[]): number[] {
  const steps = blocks.reduce((end, { last }) => Math.max(end, last + 2), 0);
  const live = new Array<number>(steps).fill(0);
  for (const { bytes, first, last } of blocks)
    for (let step = first; step <= last; step++) live[step + 1] = (live[step + 1] as number) + align(bytes, ALIGNMENT);
  return live;
}
