import { denseStrides, mergeLoops, six } from "../broadcast.ts";
import type { KernelCall } from "../registry.ts";
import type { View } from "./view.ts";

/** Loops that one call of the kernel has. */
const LOOPS = 8;
/** Calls that one operator's odd copy may become. */
const MOST_CALLS = 4096;

/** A copy between two views of equal sizes. Elements are `size` bytes: 1, 2, 4, 8 or 16. */
export interface Walk {
  readonly from: View;
  readonly to: View;
  readonly size: number;
}

interface Loops {
  readonly sizes: readonly number[];
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/** The fewest loops, strides in bytes. */
function loopsOf({ from, to, size }: Walk): Loops {
  const { sizes, strides } = mergeLoops(from.sizes, [
    from.strides.map((stride) => stride * size),
    to.strides.map((stride) => stride * size),
  ]);
  return { sizes, x: strides[0] as readonly number[], y: strides[1] as readonly number[] };
}

/** Kernel calls that a walk takes; undefined where they are too many. */
export function callCount(walk: Walk): number | undefined {
  const { sizes } = loopsOf(walk);
  const calls = sizes.slice(0, Math.max(0, sizes.length - LOOPS)).reduce((all, n) => all * n, 1);
  return calls > MOST_CALLS ? undefined : calls;
}

/** The calls of a walk between tensors at these addresses; none where there is nothing to copy. */
export function walkCalls(walk: Walk, xAddress: number, yAddress: number): readonly KernelCall[] {
  const { size } = walk;
  const { sizes, x, y } = loopsOf(walk);
  if (sizes.some((n) => n === 0)) return [];
  const over = sizes.length - LOOPS;
  const xStart = xAddress + walk.from.offset * size;
  const yStart = yAddress + walk.to.offset * size;
  if (over <= 0) return [walkCall({ sizes, x, y }, xStart, yStart, size)];
  const inner: Loops = { sizes: sizes.slice(over), x: x.slice(over), y: y.slice(over) };
  return indices(sizes.slice(0, over)).map((index) => {
    const at = (strides: readonly number[]) => index.reduce((sum, k, d) => sum + k * (strides[d] as number), 0);
    return walkCall(inner, xStart + at(x), yStart + at(y), size);
  });
}

/** Rows are copied, dense results of up to six loops are permuted, all else walks. */
function walkCall({ sizes, x, y }: Loops, xAddress: number, yAddress: number, size: number): KernelCall {
  const last = sizes.length - 1;
  const dense = last < 0 || (x[last] === size && y[last] === size);
  const bytes = size * (last < 0 ? 1 : (sizes[last] as number));
  const at = { x: xAddress, y: yAddress };
  const positive = x.every((stride) => stride >= 0) && y.every((stride) => stride >= 0);
  if (dense && last <= 1 && positive) {
    const [rows, xStride, yStride] =
      last === 1 ? [sizes[0] as number, x[0] as number, y[0] as number] : [1, bytes, bytes];
    return { kernel: "copy", params: { ...at, rows, bytes, xStride, yStride } };
  }
  const long = innermost({ sizes, x, y }, size);
  if (long === last && last < 6 && positive && `${denseStrides(sizes).map((n) => n * size)}` === `${y}`) {
    const [d0, d1, d2, d3, d4, d5] = six(sizes, 1);
    const [x0, x1, x2, x3, x4, x5] = six(x, size);
    return { kernel: "permute", params: { ...at, size, d0, d1, d2, d3, d4, d5, x0, x1, x2, x3, x4, x5 } };
  }
  const inside = <T>(list: readonly T[]): readonly T[] => [...list.filter((_, d) => d !== long), list[long] as T];
  const loops = { sizes: inside(sizes), x: inside(x), y: inside(y) };
  return { kernel: "strided", params: { ...at, ...stridedLoops(loops, size) } };
}

/** Turns that make up for beginning a loop. */
const LONG = 8;

/**
 * The loop that is best walked innermost: the last, or where that is a short one of scattered elements the longer one that steps
 * least in x. Threes, and fours of four bytes, are interleaved in registers.
 */
function innermost({ sizes, x }: Loops, size: number): number {
  const last = sizes.length - 1;
  const count = sizes[last] ?? LONG;
  const inRegisters = (count === 3 && (size === 1 || size === 4)) || (count >= 4 && size === 4);
  if (count >= LONG || x[last] === size || (inRegisters && x[last - 1] === size)) return last;
  const steps = sizes.map((n, d) => (n < LONG ? Number.POSITIVE_INFINITY : Math.abs(x[d] as number)));
  const least = Math.min(...steps);
  return Number.isFinite(least) ? steps.lastIndexOf(least) : last;
}

const eight = (values: readonly number[], fill: number) =>
  [...new Array<number>(LOOPS - values.length).fill(fill), ...values] as unknown as readonly [
    ...[number, number, number, number],
    ...[number, number, number, number],
  ];

function stridedLoops({ sizes, x, y }: Loops, size: number) {
  const [d0, d1, d2, d3, d4, d5, d6, d7] = eight(sizes, 1);
  const [x0, x1, x2, x3, x4, x5, x6, x7] = eight(x, size);
  const [y0, y1, y2, y3, y4, y5, y6, y7] = eight(y, size);
  return {
    size,
    d0,
    d1,
    d2,
    d3,
    d4,
    d5,
    d6,
    d7,
    x0,
    x1,
    x2,
    x3,
    x4,
    x5,
    x6,
    x7,
    y0,
    y1,
    y2,
    y3,
    y4,
    y5,
    y6,
    y7,
  };
}

/** Where one side of a walk begins is told at run time. */
interface Start {
  /** Address of as many integers as there are limits. */
  readonly begins: number;
  readonly beginBytes: number;
  /** Address of pairs of limit and stride in bytes, as `startTable` writes them. */
  readonly limitTable: number;
  readonly rank: number;
  /** Which side begins there; `fromEnd`: x, and negative begins count from limit + 1. */
  readonly onto: "x" | "y" | "fromEnd";
}

/** As `assembly/move/strided.ts` numbers them. */
const ONTO: { readonly [O in Start["onto"]]: number } = { x: 0, y: 1, fromEnd: 2 };

/** Limit and stride in bytes of each dimension. */
export function startTable(limits: readonly number[], strides: readonly number[], size: number): Uint8Array {
  return words(limits.flatMap((limit, d) => [limit, (strides[d] as number) * size]));
}

/** The one call of a walk of at most eight loops that begins where `start` says. */
export function walkFrom(walk: Walk, xAddress: number, yAddress: number, start: Start): readonly KernelCall[] {
  const loops = loopsOf(walk);
  if (loops.sizes.some((n) => n === 0)) return [];
  const { begins, beginBytes, limitTable, rank } = start;
  return [
    {
      kernel: "stridedFrom",
      params: {
        x: xAddress + walk.from.offset * walk.size,
        y: yAddress + walk.to.offset * walk.size,
        ...stridedLoops(loops, walk.size),
        begins,
        beginBytes,
        limitTable,
        rank,
        onto: ONTO[start.onto],
      },
    },
  ];
}

/** Little-endian words. */
export function words(values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  for (const [i, value] of values.entries()) view.setInt32(i * 4, value, true);
  return new Uint8Array(view.buffer);
}

/** Runs a walk on bytes, by words of two or four where elements and both sides are whole ones. */
export function walkBytes(walk: Walk, x: Uint8Array, y: Uint8Array): void {
  const loops = loopsOf(walk);
  if (loops.sizes.some((n) => n === 0)) return;
  const isWhole = (bytes: number) =>
    [walk.size, x.byteOffset, x.byteLength, y.byteOffset, y.byteLength].every((n) => n % bytes === 0);
  const Words = isWhole(4) ? Uint32Array : isWhole(2) ? Uint16Array : Uint8Array;
  const bytes = Words.BYTES_PER_ELEMENT;
  const source = new Words(x.buffer as ArrayBuffer, x.byteOffset, x.byteLength / bytes);
  const target = new Words(y.buffer as ArrayBuffer, y.byteOffset, y.byteLength / bytes);
  const size = walk.size / bytes;
  const last = loops.sizes.length - 1;
  const copyFrom = (level: number, xAt: number, yAt: number): void => {
    const count = loops.sizes[level] ?? 1;
    const [xStep, yStep] = [(loops.x[level] ?? walk.size) / bytes, (loops.y[level] ?? walk.size) / bytes];
    if (level < last) for (let i = 0; i < count; i++) copyFrom(level + 1, xAt + i * xStep, yAt + i * yStep);
    else if (xStep === size && yStep === size) target.set(source.subarray(xAt, xAt + count * size), yAt);
    else for (let k = 0; k < size; k++) copyWords(source, xAt + k, xStep, target, yAt + k, yStep, count);
  };
  copyFrom(0, walk.from.offset * size, walk.to.offset * size);
}

type Words = Uint32Array | Uint16Array | Uint8Array;

/** A loop that is compiled once for all walks. */
function copyWords(x: Words, from: number, xStep: number, y: Words, to: number, yStep: number, count: number): void {
  for (let i = 0, xAt = from, yAt = to; i < count; i++, xAt += xStep, yAt += yStep) y[yAt] = x[xAt] as number;
}

/** Every index of a shape, in order. */
export function indices(sizes: readonly number[]): readonly (readonly number[])[] {
  return sizes.reduce<readonly (readonly number[])[]>(
    (list, size) => list.flatMap((index) => Array.from({ length: size }, (_, k) => [...index, k])),
    [[]],
  );
}
