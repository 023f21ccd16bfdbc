/** The way of rows through trees: a level of all trees at once, from record to record. */
import type { TensorId } from "../../../graph.ts";
import type { OnnxNode } from "../convert.ts";
import { entries, longs } from "../ops/move.ts";
import { NONE } from "../types.ts";
import { depthOf, type Forest, type TreeNode, type Weights } from "./forest.ts";
import { kitOf } from "./kit.ts";

/**
 * Trees as a table. Records of trees' roots come first; the two that follow a test stand side by side, the one for false first,
 * at `next`. A leaf is followed by itself.
 */
interface Records {
  /** The forest's node of each record. */
  readonly nodes: readonly number[];
  readonly next: readonly number[];
}

function recordsOf({ nodes, roots }: Forest): Records {
  const order = [...roots];
  const next: number[] = [];
  const pairs = new Map<number, number>();
  for (let i = 0; i < order.length; i++) {
    const at = order[i] as number;
    const node = nodes[at] as TreeNode;
    if (node.weights !== undefined) next.push(i);
    else {
      let pair = pairs.get(at);
      if (pair === undefined) {
        pair = order.push(node.no, node.yes) - 2;
        pairs.set(at, pair);
      }
      next.push(pair);
    }
  }
  return { nodes: order, next };
}

/** Where rows end. */
export interface Ways {
  /** The record that each row ends at in each tree, int32 `[N,T]`. */
  readonly ends: TensorId;
  /** The node of each record. */
  readonly nodes: readonly TreeNode[];
}

/** Numbers that features are compared with, and how. */
interface Order {
  /** Features, `[N,F]`. */
  readonly x: TensorId;
  /** Whether a feature is NaN. */
  readonly isMissing: () => TensorId;
  /** Bounds; NaN is one that nothing is within. */
  readonly bounds: (values: readonly number[], side: "low" | "high") => TensorId;
  readonly dtype: "float32" | "int64";
}

function floats(n: OnnxNode, x: TensorId): Order {
  const { compared, list } = kitOf(n);
  return { x, isMissing: () => compared("notEqual")(x, x), bounds: (values) => list(values), dtype: "float32" };
}

const SIGN = 0x7fffffffffffffffn;
const INFINITE = 0x7ff0000000000000n;

/** float64 by its bits, as int64 in the order of numbers: below 0 all bits but the sign turned over, NaN the greatest. */
function doubles(n: OnnxNode, x: TensorId): Order {
  const { add, choose, compared, more } = kitOf(n);
  const long = (value: bigint) => longs(n, [value], []);
  const bits = add("bitcast", [x], {}, "int64");
  const size = add("bitwise", [bits, long(SIGN)], { form: "and" }, "int64");
  const isMissing = more(size, long(INFINITE));
  const turned = add("bitwiseXor", [bits, long(SIGN)], {}, "int64");
  const signed = choose(compared("less")(bits, long(0n)), turned, bits, "int64");
  const bound = (value: number, side: "low" | "high"): bigint => {
    if (Number.isNaN(value)) return side === "low" ? SIGN : -SIGN - 1n;
    // both zeros are within bounds of either
    if (value === 0) return side === "low" ? -1n : 0n;
    const [own] = new BigInt64Array(Float64Array.of(value).buffer) as unknown as [bigint];
    return own < 0n ? own ^ SIGN : own;
  };
  return {
    x: choose(isMissing, long(SIGN), signed, "int64"),
    isMissing: () => isMissing,
    bounds: (values, side) =>
      longs(
        n,
        values.map((value) => bound(value, side)),
      ),
    dtype: "int64",
  };
}

/**
 * Where rows x `[N,F]`, float32 or float64, end in each of T trees: each level gathers the bounds of T records a row, compares, and goes on to
 * one of two. Work and memory are N·T for each level.
 */
export function walked(n: OnnxNode, forest: Forest, id: TensorId): Ways {
  const { nodes, next } = recordsOf(forest);
  const depth = depthOf(n, forest);
  const { shape, dtype } = n.b.tensor(id);
  const [rows, width] = shape as readonly [number, number];
  const { add, at: taken, cast, compared } = kitOf(n);
  const trees = forest.roots.length;
  const own = nodes.map((place) => forest.nodes[place] as TreeNode);
  const tests = own.filter(({ weights }) => weights === undefined);
  const beyond = tests.find(({ feature }) => !(feature >= 0 && feature < width));
  if (beyond !== undefined) n.refuse(`features from 0 to ${width - 1}`, `${beyond.feature}`);
  const order = dtype === "float64" ? doubles(n, id) : floats(n, id);
  const bound = (side: "low" | "high") =>
    order.bounds(
      own.map((node) => node[side]),
      side,
    );
  const high = bound("high");
  const low = tests.some((node) => node.low !== Number.NEGATIVE_INFINITY) ? bound("low") : undefined;
  const isMissing = tests.some(({ missing }) => missing) ? order.isMissing() : undefined;
  const missing = n.b.constant(
    "bool",
    [own.length],
    Uint8Array.from(own, (node) => Number(node.missing)),
  );
  const feature = n.b.integers(own.map((node) => node.feature));
  const following = n.b.integers(next);
  let at = n.b.integers(
    Array.from({ length: entries(n, rows * trees) }, (_, i) => i % trees),
    [rows, trees],
  );
  const here = (table: TensorId, type: "bool" | "float32" | "int32" | "int64") => taken(table, at, type);
  for (let level = 0; level < depth; level++) {
    const columns = here(feature, "int32");
    const chosen = (x: TensorId, type: "bool" | "float32" | "int64") =>
      add("gather", [x, columns], { axis: 1, batchDims: 1 }, type);
    const value = chosen(order.x, order.dtype);
    let isTrue = compared("lessEqual")(value, here(high, order.dtype));
    if (low !== undefined) {
      const isAbove = compared("greaterEqual")(value, here(low, order.dtype));
      isTrue = add("logicalAnd", [isTrue, isAbove], {}, "bool");
    }
    if (isMissing !== undefined) {
      const goes = add("logicalAnd", [chosen(isMissing, "bool"), here(missing, "bool")], {}, "bool");
      isTrue = add("logicalOr", [isTrue, goes], {}, "bool");
    }
    at = add("add", [here(following, "int32"), cast(isTrue, "int32")], NONE, "int32");
  }
  return { ends: at, nodes: own };
}

/** Numbers that stand for leaves, a row of them for each, where rows of trees end: `[N,T,K]`. */
export function numbersAt(
  n: OnnxNode,
  { ends, nodes }: Ways,
  width: number,
  rowOf: (weights: Weights) => readonly number[],
): TensorId {
  const { at, list } = kitOf(n);
  const rows: number[] = [];
  const places = nodes.map(({ weights }) => {
    if (weights !== undefined) for (const value of rowOf(weights)) rows.push(value);
    return Math.max(rows.length / width - 1, 0);
  });
  return at(list(rows, [rows.length / width, width]), at(n.b.integers(places), ends, "int32"));
}
