/** The kernels of linear algebra: a small module that the scripts have inside, or JavaScript that gives the same bits. */
import { LINEAR } from "./bytes.ts";
import { twins } from "./twins.ts";
import type { LinearKernels } from "./types.ts";

/** Columns of a tile, rows of a block; see `assembly/linear`. */
const TILE = 8;
const BLOCK = 48;
const PAGE = 65536;
/** Rows of sums that are made at a time. */
const STRIP = 64;
/** Bytes of memory that is kept for the next call. */
const MOST_KEPT = 2 ** 26;

/** What linear.wasm exports; see `assembly/linear.ts`. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  /** First free address. */
  readonly HEAP: WebAssembly.Global;
  addProducts(
    c: number,
    stride: number,
    p: number,
    q: number,
    depth: number,
    rows: number,
    columns: number,
    sign: number,
    triangle: boolean,
  ): void;
  pack(panel: number, from: number, stride: number, depth: number, columns: number): void;
  cholesky(a: number, n: number, stride: number, panel: number): number;
  invert(c: number, a: number, n: number, stride: number, panels: number): void;
}

let compiled: WebAssembly.Module | undefined;
let exports: Exports | undefined;
/** The module's memory, as long as it does not grow. */
let memory = new Float64Array();
let unable = false;

/** Where a call's arrays of so many numbers begin in the module's memory, of which nobody knows what they hold. */
function reserve(
  ...lengths: readonly number[]
): { module: Exports; memory: Float64Array; places: readonly number[] } | undefined {
  if (unable) return undefined;
  try {
    compiled ??= new WebAssembly.Module(Uint8Array.from(atob(LINEAR), (letter) => letter.charCodeAt(0)));
    exports ??= new WebAssembly.Instance(compiled).exports as unknown as Exports;
    const module = exports;
    let end = Math.ceil((module.HEAP.value as number) / 16) * 2;
    const places = lengths.map((length) => {
      const place = end;
      end += length + (length % 2);
      return place;
    });
    const missing = end * 8 - module.memory.buffer.byteLength;
    if (missing > 0) module.memory.grow(Math.ceil(missing / PAGE));
    if (memory.buffer !== module.memory.buffer) memory = new Float64Array(module.memory.buffer);
    return { module, memory, places };
  } catch {
    // No SIMD, nothing may be compiled here, or no memory for so large a matrix.
    unable = compiled === undefined;
    return undefined;
  }
}

/** Memory that a large matrix took is given back. */
function release(): void {
  if (memory.byteLength <= MOST_KEPT) return;
  exports = undefined;
  memory = new Float64Array();
}

const wholeTiles = (columns: number) => Math.ceil(columns / TILE) * TILE;

/** Copies a triangle, from a place where rows are `stride` numbers apart to another. */
function copyTriangle(
  n: number,
  from: Float64Array,
  place: number,
  stride: number,
  to: Float64Array,
  toPlace: number,
  toStride: number,
): void {
  for (let i = 0; i < n; i++) {
    const row = place + i * stride;
    to.set(from.subarray(row + i, row + n), toPlace + i * toStride + i);
  }
}

export const kernels: LinearKernels = {
  addProducts(p, q, depth, into, triangle) {
    const [height, width] = [p.length / depth, q.length / depth];
    const [rows, columns] = [wholeTiles(height), wholeTiles(width)];
    const room = (depth + 1) * Math.max(rows, columns);
    const found = reserve(STRIP * columns, columns * depth, triangle ? 0 : rows * depth, room);
    if (found === undefined) return twins.addProducts(p, q, depth, into, triangle);
    const { module, memory, places } = found;
    const [sums, right, other, given] = places as [number, number, number, number];
    // What a tile has behind a row's end is the next row's beginning, and gives sums that nobody looks at.
    memory.set(q, given);
    module.pack(right * 8, given * 8, width * 8, depth, columns);
    const left = triangle ? right : other;
    if (!triangle) {
      memory.set(p, given);
      module.pack(left * 8, given * 8, height * 8, depth, rows);
    }
    for (let first = 0; first < height; first += STRIP) {
      const skipped = triangle ? first : 0;
      const stride = columns - skipped;
      const count = Math.min(STRIP, rows - first);
      memory.fill(0, sums, sums + count * stride);
      const [from, to] = [left + first * depth, right + skipped * depth];
      module.addProducts(sums * 8, stride * 8, from * 8, to * 8, depth, count, stride, 1, triangle);
      for (let i = 0; i < Math.min(count, height - first); i++) {
        const [at, own] = [(first + i) * width + skipped, sums + i * stride];
        for (let j = triangle ? i : 0; j < width - skipped; j++)
          into[at + j] = (into[at + j] as number) + (memory[own + j] as number);
      }
    }
    release();
  },

  cholesky(a, n) {
    const stride = wholeTiles(n);
    const found = reserve(stride * stride, BLOCK * stride);
    if (found === undefined) return twins.cholesky(a, n);
    const { module, memory, places } = found;
    const [own, panel] = places as [number, number];
    memory.fill(0, own, own + stride * stride);
    copyTriangle(n, a, 0, n, memory, own, stride);
    const done = module.cholesky(own * 8, n, stride * 8, panel * 8) !== 0;
    copyTriangle(n, memory, own, stride, a, 0, n);
    release();
    return done;
  },

  invert(u, n) {
    const stride = wholeTiles(n);
    const found = reserve(stride * stride, stride * stride, 2 * BLOCK * stride);
    if (found === undefined) return twins.invert(u, n);
    const { module, memory, places } = found;
    const [own, sums, panels] = places as [number, number, number];
    memory.fill(0, own, sums + stride * stride);
    copyTriangle(n, u, 0, n, memory, own, stride);
    module.invert(sums * 8, own * 8, n, stride * 8, panels * 8);
    const inverse = new Float64Array(n * n);
    copyTriangle(n, memory, sums, stride, inverse, 0, n);
    for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) inverse[i * n + j] = inverse[j * n + i] as number;
    release();
    return inverse;
  },
};
