/**
 * Sparse constants, in the format of TensorFlow Lite's `SparsityParameters` (a variant of TACO): the n dimensions of the
 * tensor, of which some are split into blocks, become n + k levels in `traversalOrder`. A dense level stores every
 * index; a sparse one stores compressed rows: node i of the level before has the children
 * `indices[segments[i] … segments[i + 1])`. The values stand in the order of the leaves.
 */
import { ensure, Pint8Error } from "../../errors.ts";
import { BITS, byteLength, listText, type TensorType } from "../../tensor.ts";
import {
  type FlatTable,
  readInt8,
  readInt32,
  readInt32s,
  readTable,
  readTables,
  readUint8,
  readUint8s,
  readUint16s,
} from "./flatbuffer.ts";
import { LEVEL, SPARSITY } from "./schema.ts";

/** One level of a sparse tensor. */
type Level =
  | { readonly kind: "dense"; readonly size: number }
  | { readonly kind: "sparse"; readonly segments: readonly number[]; readonly indices: readonly number[] };

/** How the values of a sparse tensor are stored. */
interface Sparsity {
  /** Dimension of each level: first a permutation of 0…n−1, then one of the block dimensions n…n+k−1. */
  readonly traversalOrder: readonly number[];
  /** Dimension that block dimension n + i splits. */
  readonly blockMap: readonly number[];
  readonly levels: readonly Level[];
}

/** Reads a SparsityParameters table. */
export function readSparsity(table: FlatTable): Sparsity {
  return {
    traversalOrder: readInt32s(table, SPARSITY.traversalOrder) ?? [],
    blockMap: readInt32s(table, SPARSITY.blockMap) ?? [],
    levels: readTables(table, SPARSITY.levels, (index) => `${table.where}, level ${index}`).map(readLevel),
  };
}

function readLevel(table: FlatTable): Level {
  const format = readInt8(table, LEVEL.format, 0);
  if (format === 0) return { kind: "dense", size: readInt32(table, LEVEL.denseSize, 0) };
  ensure(format === 1, "INVALID_MODEL", () => broken(table.where, "format 0 (dense) or 1 (sparse)", `${format}`));
  return {
    kind: "sparse",
    segments: readIndexVector(table, LEVEL.segmentsType, LEVEL.segments),
    indices: readIndexVector(table, LEVEL.indicesType, LEVEL.indices),
  };
}

/** A union of Int32Vector, Uint16Vector and Uint8Vector. */
function readIndexVector(table: FlatTable, typeField: number, field: number): readonly number[] {
  const vector = readTable(table, field, `${table.where}, indices`);
  const type = readUint8(table, typeField);
  const read = [readInt32s, readUint16s, readUint8s][type - 1];
  if (vector === undefined || read === undefined)
    throw new Pint8Error("INVALID_MODEL", broken(table.where, "a vector of indices", `type ${type}`));
  return read(vector, 0) ?? [];
}

/** Bytes to which any sparse constant may unfold, and how many times what it stores. */
const UNFOLDED_BYTES = 1 << 24;
const UNFOLDED = 64;

/**
 * The dense row-major bytes of a sparse constant. The caller has checked that `byteLength(type)` may be taken.
 *
 * A leaf's place is Σ index·step over its levels, where the step of a level is the stride of its dimension, times the
 * block size where that dimension is split. So each level turns the list of its nodes' places into a longer one.
 */
export function densify(values: Uint8Array, type: TensorType, sparsity: Sparsity, where: string): Uint8Array {
  const bytes = BITS[type.dtype] / 8;
  ensure(Number.isInteger(bytes) && bytes > 0, "UNSUPPORTED", () =>
    broken(where, "a sparse tensor of whole bytes per element", type.dtype),
  );
  const extents = levelExtents(type.shape, sparsity, where);
  const leaves = values.length / bytes;
  // Every dense level ends in stored values or in a sparse level, which lists a segment for each node before it.
  const limit = sparsity.levels.reduce((sum, l) => sum + (l.kind === "sparse" ? l.segments.length : 0), values.length);
  let places: Uint32Array = Uint32Array.of(0);
  for (const [depth, level] of sparsity.levels.entries())
    places = descend(places, level, extents[depth] as Extent, limit, where);
  ensure(places.length === leaves, "INVALID_MODEL", () => broken(where, `${places.length} stored values`, `${leaves}`));
  const most = UNFOLDED_BYTES + UNFOLDED * limit;
  ensure(byteLength(type) <= most, "UNSUPPORTED", () =>
    broken(where, `a sparse tensor that unfolds to ${most} bytes at most, for what it stores`, `${byteLength(type)}`),
  );
  const dense = new Uint8Array(byteLength(type));
  for (const [leaf, place] of places.entries())
    for (let byte = 0; byte < bytes; byte++) dense[place * bytes + byte] = values[leaf * bytes + byte] as number;
  return dense;
}

/** Number of indices of a level, and the elements that one index steps over. */
interface Extent {
  readonly size: number;
  readonly step: number;
}

function levelExtents(shape: readonly number[], sparsity: Sparsity, where: string): readonly Extent[] {
  const { traversalOrder, blockMap, levels } = sparsity;
  const rank = shape.length;
  const count = rank + blockMap.length;
  ensure(levels.length === count && traversalOrder.length === count, "INVALID_MODEL", () =>
    broken(where, `${count} levels and an order of them`, `${levels.length} and ${traversalOrder.length}`),
  );
  ensure(isPermutation(traversalOrder, rank), "INVALID_MODEL", () =>
    broken(where, `a traversal order of ${rank} dimensions, then of blocks`, listText(traversalOrder)),
  );
  const increasing = blockMap.every((dimension, i) => dimension > (blockMap[i - 1] ?? -1) && dimension < rank);
  ensure(increasing, "INVALID_MODEL", () =>
    broken(where, `a block map of increasing dimensions below ${rank}`, listText(blockMap)),
  );

  const strides = shape.map((_, dimension) => shape.slice(dimension + 1).reduce((a, b) => a * b, 1));
  const extents: Extent[] = new Array(count);
  for (const [depth, dimension] of traversalOrder.entries()) {
    const original = dimension < rank ? dimension : (blockMap[dimension - rank] as number);
    const block = dimension < rank ? blockMap.indexOf(dimension) : -1;
    const blockLevel = block === -1 ? undefined : levels[traversalOrder.indexOf(rank + block)];
    const blockSize = blockLevel === undefined ? 1 : denseSize(blockLevel, where);
    const own = levels[depth] as Level;
    const size = dimension < rank ? (shape[original] as number) / blockSize : denseSize(own, where);
    ensure(Number.isInteger(size) && (own.kind === "sparse" || own.size === size), "INVALID_MODEL", () =>
      broken(where, `level ${depth} of size ${size}`, own.kind === "dense" ? `${own.size}` : "a sparse level"),
    );
    extents[depth] = { size, step: (strides[original] as number) * blockSize };
  }
  return extents;
}

function denseSize(level: Level, where: string): number {
  if (level.kind === "dense" && level.size > 0) return level.size;
  throw new Pint8Error("INVALID_MODEL", broken(where, "dense block dimensions of a size above 0", "another one"));
}

/** True for a permutation of 0…rank−1 followed by one of rank…length−1. */
function isPermutation(order: readonly number[], rank: number): boolean {
  const seen = new Set(order);
  return (
    seen.size === order.length &&
    order.every((value, i) => (i < rank ? value >= 0 && value < rank : value >= rank && value < order.length))
  );
}

/** Places of the nodes of the next level. */
function descend(places: Uint32Array, level: Level, { size, step }: Extent, limit: number, where: string): Uint32Array {
  if (level.kind === "dense") return spread(places, size, step, limit, where);
  const { segments, indices } = level;
  ensure(
    segments.length === places.length + 1 && segments[0] === 0 && segments[places.length] === indices.length,
    "INVALID_MODEL",
    () => broken(where, `${places.length + 1} segments from 0 to ${indices.length}`, `${segments.length} segments`),
  );
  const next = new Uint32Array(indices.length);
  for (const [node, place] of places.entries()) {
    const end = segments[node + 1] as number;
    let previous = -1;
    // An end beyond the list (or before the start) shows below: an index that is not there, or a segment out of order.
    for (let child = segments[node] as number; child < end; child++) {
      const index = indices[child] ?? size;
      ensure(index > previous && index < size, "INVALID_MODEL", () =>
        broken(where, `increasing indices below ${size}`, `${index} after ${previous}`),
      );
      next[child] = place + index * step;
      previous = index;
    }
    ensure(end >= (segments[node] as number), "INVALID_MODEL", () => broken(where, "segments in order", `${end}`));
  }
  return next;
}

function spread(places: Uint32Array, size: number, step: number, limit: number, where: string): Uint32Array {
  ensure(places.length * size <= limit, "INVALID_MODEL", () =>
    broken(where, `at most ${limit} values and segments`, `a level of ${places.length * size} nodes`),
  );
  const next = new Uint32Array(places.length * size);
  for (const [node, place] of places.entries())
    for (let index = 0; index < size; index++) next[node * size + index] = place + index * step;
  return next;
}

function broken(where: string, expected: string, received: string) {
  return { where: `${where}, sparsity`, expected, received };
}
