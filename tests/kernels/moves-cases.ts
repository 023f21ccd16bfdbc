/** Random cases of operators that move whole elements: which element of x each of y is. */
import type { Attributes, OpKind } from "../../bindings/graph.ts";
import { type DType, elementCount } from "../../bindings/tensor.ts";
import { broadcastIndex, indices } from "../reference/binary.ts";
import type { Random } from "../support/kernels.ts";

export const DTYPES: readonly DType[] = ["int8", "int16", "float32", "int64", "complex128", "bool"];

export type Index = readonly number[];
type Source = (index: Index) => Index | undefined;

/** Elements of x in another order; where there is no source, zero. */
export function moved(
  x: Uint8Array,
  shape: readonly number[],
  y: readonly number[],
  size: number,
  source: Source,
): Uint8Array {
  const out = new Uint8Array(elementCount(y) * size);
  let i = 0;
  for (const index of indices(y)) {
    const from = source(index);
    if (from !== undefined) {
      const at = broadcastIndex(shape, from) * size;
      out.set(x.subarray(at, at + size), i * size);
    }
    i++;
  }
  return out;
}

interface Case<K extends OpKind = OpKind> {
  readonly kind: K;
  readonly attributes?: Attributes[K];
  readonly shape: readonly number[];
  readonly y: readonly number[];
  readonly constants: readonly (readonly number[])[];
  readonly source: Source;
}

const of = <K extends OpKind>(made: Case<K>): Case => made as unknown as Case;
export const range = (count: number) => Array.from({ length: count }, (_, d) => d);
export const shapeOf = (draw: Random, least: number, most: number) =>
  range(draw.int(least, most)).map(() => draw.pick([1, 2, 3, 5]));

/** One random case of each operator. */
export const CASES: { readonly [name: string]: (draw: Random) => Case } = {
  SLICE(draw) {
    const shape = shapeOf(draw, 1, 8);
    const begin = shape.map((n) => draw.int(0, n - 1));
    const y = shape.map((n, d) => draw.int(1, n - (begin[d] as number)));
    const size = y.map((n, d) => (n + (begin[d] as number) === shape[d] && draw.int(0, 1) ? -1 : n));
    const source = (index: Index) => index.map((k, d) => k + (begin[d] as number));
    return of({ kind: "slice", attributes: {}, shape, y, constants: [begin, size], source });
  },
  "STRIDED_SLICE, steps to both sides"(draw) {
    const shape = shapeOf(draw, 1, 6).map((n) => n * 2);
    const step = shape.map(() => draw.pick([1, 2, 3, -1, -2]));
    const begin = shape.map((n, d) => ((step[d] as number) > 0 ? draw.int(0, n - 1) : n - 1));
    const end = shape.map((n, d) => ((step[d] as number) > 0 ? n : -n - 1));
    const y = shape.map((n, d) => {
      const s = step[d] as number;
      return Math.ceil((s > 0 ? n - (begin[d] as number) : (begin[d] as number) + 1) / Math.abs(s));
    });
    const masks = { beginMask: 0, endMask: 0, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 0 };
    const source = (index: Index) => index.map((k, d) => (begin[d] as number) + k * (step[d] as number));
    return of({ kind: "stridedSlice", attributes: masks, shape, y, constants: [begin, end, step], source });
  },
  "STRIDED_SLICE, x[1, ..., new, :2]"() {
    const masks = { beginMask: 8, endMask: 0, ellipsisMask: 2, newAxisMask: 4, shrinkAxisMask: 1 };
    const source = ([i = 0, j = 0, , k = 0]: Index) => [1, i, j, k];
    const constants = [
      [1, 0, 0, 1],
      [2, 0, 0, 2],
      [1, 1, 1, 1],
    ];
    return of({ kind: "stridedSlice", attributes: masks, shape: [3, 4, 5, 6], y: [4, 5, 1, 2], constants, source });
  },
  "STRIDED_SLICE, x[1, first of those left out, :2]"() {
    // both of TFLite's kernels take the first where the mask leaves out the begin of a single index
    const masks = { beginMask: 2, endMask: 0, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 3 };
    const constants = [
      [1, 2, 0],
      [2, 3, 2],
      [1, 1, 1],
    ];
    const source = ([k = 0]: Index) => [1, 0, k];
    return of({ kind: "stridedSlice", attributes: masks, shape: [3, 4, 5], y: [2], constants, source });
  },
  TILE(draw) {
    const shape = shapeOf(draw, 1, 4);
    const multiples = shape.map(() => draw.pick([1, 2, 3]));
    const y = shape.map((n, d) => n * (multiples[d] as number));
    const source = (index: Index) => index.map((k, d) => k % (shape[d] as number));
    return of({ kind: "tile", attributes: {}, shape, y, constants: [multiples], source });
  },
  REVERSE_V2(draw) {
    const shape = shapeOf(draw, 1, 6);
    const axes = range(shape.length).filter(() => draw.int(0, 1));
    const source = (index: Index) => index.map((k, d) => (axes.includes(d) ? (shape[d] as number) - 1 - k : k));
    return of({ kind: "reverse", attributes: {}, shape, y: shape, constants: [axes], source });
  },
  BROADCAST_TO(draw) {
    const y = shapeOf(draw, 2, 8);
    const shape = y.slice(draw.int(0, 1)).map((n) => (draw.int(0, 1) ? n : 1));
    return of({ kind: "broadcastTo", attributes: {}, shape, y, constants: [y], source: (index) => index });
  },
  SPACE_TO_DEPTH(draw) {
    const block = draw.pick([1, 2, 3]);
    const [n, h, w, c] = [draw.int(1, 2), draw.int(1, 3), draw.int(1, 3), draw.int(1, 5)];
    const source = ([i = 0, y = 0, x = 0, k = 0]: Index) => {
      const cell = Math.floor(k / c);
      return [i, y * block + Math.floor(cell / block), x * block + (cell % block), k % c];
    };
    const shape = [n, h * block, w * block, c];
    return of({
      kind: "spaceToDepth",
      attributes: { block },
      shape,
      y: [n, h, w, c * block * block],
      constants: [],
      source,
    });
  },
  DEPTH_TO_SPACE(draw) {
    const block = draw.pick([1, 2, 3]);
    const [n, h, w, c] = [draw.int(1, 2), draw.int(1, 3), draw.int(1, 3), draw.int(1, 5)];
    const source = ([i = 0, y = 0, x = 0, k = 0]: Index) => {
      const cell = (y % block) * block + (x % block);
      return [i, Math.floor(y / block), Math.floor(x / block), cell * c + k];
    };
    const y = [n, h * block, w * block, c];
    return of({
      kind: "depthToSpace",
      attributes: { block },
      shape: [n, h, w, c * block * block],
      y,
      constants: [],
      source,
    });
  },
  SPACE_TO_BATCH_ND(draw) {
    const block = [draw.pick([1, 2, 3]), draw.pick([1, 2])];
    const [n, c] = [draw.int(1, 2), draw.int(1, 3)];
    const size = [draw.int(1, 5), draw.int(1, 5)];
    const before = [draw.int(0, 2), draw.int(0, 3)];
    const after = range(2).map((d) => {
      const b = block[d] as number;
      return (b - (((size[d] as number) + (before[d] as number)) % b)) % b;
    });
    const grid = range(2).map(
      (d) => ((size[d] as number) + (before[d] as number) + (after[d] as number)) / (block[d] as number),
    );
    const source = ([i = 0, y = 0, x = 0, k = 0]: Index) => {
      const cell = Math.floor(i / n);
      const [bh = 1, bw = 1] = block;
      const at = [y * bh + Math.floor(cell / bw) - (before[0] as number), x * bw + (cell % bw) - (before[1] as number)];
      return at.every((p, d) => p >= 0 && p < (size[d] as number)) ? [i % n, ...at, k] : undefined;
    };
    const pads = range(2).flatMap((d) => [before[d] as number, after[d] as number]);
    const y = [n * (block[0] as number) * (block[1] as number), ...grid, c];
    return of({ kind: "spaceToBatch", attributes: {}, shape: [n, ...size, c], y, constants: [block, pads], source });
  },
  BATCH_TO_SPACE_ND(draw) {
    const block = [draw.pick([1, 2, 3]), draw.pick([1, 2])];
    const [bh = 1, bw = 1] = block;
    const [n, c] = [draw.int(1, 2), draw.int(1, 3)];
    const grid = [draw.int(2, 3), draw.int(2, 3)];
    const crops = [draw.int(0, 1), draw.int(0, 1), draw.int(0, 1), draw.int(0, 1)];
    const y = range(2).map(
      (d) => (grid[d] as number) * (block[d] as number) - (crops[2 * d] as number) - (crops[2 * d + 1] as number),
    );
    const source = ([i = 0, r = 0, q = 0, k = 0]: Index) => {
      const [p, s] = [r + (crops[0] as number), q + (crops[2] as number)];
      return [((p % bh) * bw + (s % bw)) * n + i, Math.floor(p / bh), Math.floor(s / bw), k];
    };
    if (y.some((size) => size === 0)) return (CASES.BATCH_TO_SPACE_ND as (draw: Random) => Case)(draw);
    return of({
      kind: "batchToSpace",
      attributes: {},
      shape: [n * bh * bw, ...grid, c],
      y: [n, ...y, c],
      constants: [block, crops],
      source,
    });
  },
  MIRROR_PAD(draw) {
    const mode = draw.pick(["reflect", "symmetric"] as const);
    const edge = mode === "reflect" ? 1 : 0;
    const shape = shapeOf(draw, 1, 5);
    const pads = shape.map((n) => [draw.int(0, n - edge), draw.int(0, n - edge)] as const);
    const y = shape.map((n, d) => n + (pads[d]?.[0] ?? 0) + (pads[d]?.[1] ?? 0));
    const source = (index: Index) =>
      index.map((k, d) => {
        const n = shape[d] as number;
        const at = k - (pads[d]?.[0] ?? 0);
        if (at < 0) return -at - 1 + edge;
        return at < n ? at : 2 * n - 1 - at - edge;
      });
    return of({ kind: "mirrorPad", attributes: { mode }, shape, y, constants: [pads.flat()], source });
  },
  MATRIX_DIAG(draw) {
    const shape = shapeOf(draw, 1, 4);
    const source = (index: Index) => (index.at(-1) === index.at(-2) ? index.slice(0, -1) : undefined);
    return of({
      kind: "matrixDiag",
      attributes: {},
      shape,
      y: [...shape, shape.at(-1) as number],
      constants: [],
      source,
    });
  },
  "GATHER by constant indices"(draw) {
    const shape = shapeOf(draw, 1, 5);
    const axis = draw.int(0, shape.length - 1);
    const indices = range(draw.int(1, 4)).map(() => draw.int(0, (shape[axis] as number) - 1));
    const y = shape.map((n, d) => (d === axis ? indices.length : n));
    const source = (index: Index) => index.map((k, d) => (d === axis ? (indices[k] as number) : k));
    return of({ kind: "gather", attributes: { axis, batchDims: 0 }, shape, y, constants: [indices], source });
  },
};
