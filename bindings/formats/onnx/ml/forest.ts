/** Trees of decisions as plain data: what the attributes of an ensemble say, checked. */
import type { OnnxNode } from "../convert.ts";
import { entries } from "../ops/move.ts";
import { fits, tensorNumbers } from "./kit.ts";

/** A node of a tree: a test with two ways on, or a leaf. */
export interface TreeNode extends Ways {
  /** Features are within the test from here on, up to there, and where they are NaN if that is `missing`. */
  readonly low: number;
  readonly high: number;
  /** What a leaf adds to targets, in the file's order; a test has none. */
  readonly weights?: Weights | undefined;
}

export type Weights = readonly (readonly [target: number, value: number])[];

/** What tests have in common. */
interface Ways {
  readonly feature: number;
  readonly missing: boolean;
  /** Nodes by number: where the test is true, and where it is false. */
  readonly yes: number;
  readonly no: number;
}

/** All trees of an ensemble: nodes, and which of them trees begin with. */
export interface Forest {
  readonly nodes: readonly TreeNode[];
  readonly roots: readonly number[];
}

/** Nothing is within the bounds of a leaf. */
const leaf = (weights: Weights): TreeNode => ({
  feature: 0,
  missing: false,
  yes: 0,
  no: 0,
  low: Number.NaN,
  high: Number.NaN,
  weights,
});

/** Numbers of an attribute that is a list of floats, or a tensor under another name. */
export function reals(n: OnnxNode, name: string): readonly number[] {
  const floats = n.floats(name) ?? [];
  return floats.length > 0 ? floats : tensorNumbers(n, `${name}_as_tensor`);
}

const bits = new DataView(new ArrayBuffer(8));

/** The next greater float of 32 or 64 bits, or with −1 the next less; NaN beyond the infinities. */
function beside(value: number, by: 1 | -1, isDouble: boolean): number {
  if (value === 0) return by * (isDouble ? Number.MIN_VALUE : 2 ** -149);
  const step = Math.sign(value) * by;
  if (isDouble) {
    bits.setFloat64(0, value);
    bits.setBigInt64(0, bits.getBigInt64(0) + BigInt(step));
    return bits.getFloat64(0);
  }
  bits.setFloat32(0, value);
  bits.setInt32(0, bits.getInt32(0) + step);
  return bits.getFloat32(0);
}

/** Tests in the order of TreeEnsemble's numbers, behind which is membership. */
const TESTS = ["LEQ", "LT", "GTE", "GT", "EQ", "NEQ"].map((name) => `BRANCH_${name}`);
const [LT, GT, EQ, NEQ, MEMBER] = [1, 3, 4, 5, 6];

/** A test against a value as a range. NaN is not the value that NEQ has, whether it is missing or not. */
function branch(test: number, value: number, isDouble: boolean, ways: Ways): TreeNode {
  const low = test <= LT ? Number.NEGATIVE_INFINITY : test === GT ? beside(value, 1, isDouble) : value;
  const high = test === LT ? beside(value, -1, isDouble) : test > LT && test <= GT ? Number.POSITIVE_INFINITY : value;
  const { feature, missing, yes, no } = ways;
  return test === NEQ
    ? { feature, missing: false, yes: no, no: yes, low, high, weights: undefined }
    : { feature, missing, yes, no, low, high, weights: undefined };
}

/** What reads the lists of a node, all of which have to be as long as the first that is read. */
function listsOf(n: OnnxNode) {
  let count: number | undefined;
  return <T>(
    name: string,
    list: readonly T[] = (n.ints(name) ?? []) as readonly unknown[] as readonly T[],
  ): readonly T[] => {
    count ??= list.length;
    fits(n, name, list.length, count);
    return list;
  };
}

function requireTarget(n: OnnxNode, target: number, targets: number): void {
  if (!(target >= 0 && target < targets)) n.refuse(`targets from 0 to ${targets - 1}`, `${target}`);
}

/** TreeEnsembleClassifier and -Regressor: lists of nodes, and of the targets that leaves add to, under this prefix. */
export function forestOf(n: OnnxNode, prefix: "class" | "target", targets: number, isDouble: boolean): Forest {
  const list = listsOf(n);
  const trees = list<number>("nodes_treeids");
  const ids = list<number>("nodes_nodeids");
  const features = list<number>("nodes_featureids");
  const yes = list<number>("nodes_truenodeids");
  const no = list<number>("nodes_falsenodeids");
  const modes = list("nodes_modes", n.attribute("nodes_modes")?.strings);
  const values = list("nodes_values", reals(n, "nodes_values"));
  const missing = n.ints("nodes_missing_value_tracks_true") ?? [];
  const keyOf = (tree = 0, id = 0): number => tree * 2 ** 32 + id;
  const places = new Map<number, number>();
  for (const [i, id] of ids.entries()) places.set(keyOf(trees[i], id), i);
  const at = (tree: number | undefined, id: number | undefined): number =>
    places.get(keyOf(tree, id)) ?? n.refuse("nodes that are there", `node ${id} of tree ${tree}`);

  const weights = new Map<number, [number, number][]>();
  const own = listsOf(n);
  const owners = own<number>(`${prefix}_ids`);
  const ends = own<number>(`${prefix}_nodeids`);
  const endTrees = own<number>(`${prefix}_treeids`);
  const amounts = own(`${prefix}_weights`, reals(n, `${prefix}_weights`));
  for (const [i, target] of owners.entries()) {
    requireTarget(n, target, targets);
    const place = at(endTrees[i], ends[i]);
    const all = weights.get(place);
    if (all === undefined) weights.set(place, [[target, amounts[i] as number]]);
    else all.push([target, amounts[i] as number]);
  }
  const nodes = modes.map((mode, i): TreeNode => {
    if (mode === "LEAF") return leaf(weights.get(i) ?? n.refuse("a weight for each leaf", "none"));
    const test = TESTS.indexOf(mode);
    if (test < 0) n.refuse("a known test", mode);
    const [whenTrue, whenFalse] = [at(trees[i], yes[i]), at(trees[i], no[i])];
    const ways = { feature: features[i] as number, missing: missing[i] === 1, yes: whenTrue, no: whenFalse };
    return branch(test, values[i] as number, isDouble, ways);
  });
  return { nodes, roots: trees.flatMap((tree, i) => (tree === trees[i - 1] ? [] : [i])) };
}

/** TreeEnsemble: nodes and leaves in lists of their own, tests by number; a test of membership becomes one for each member. */
export function newForestOf(n: OnnxNode, targets: number, isDouble: boolean): Forest {
  const list = listsOf(n);
  const features = list<number>("nodes_featureids");
  const splits = list("nodes_splits", tensorNumbers(n, "nodes_splits"));
  const modes = list("nodes_modes", tensorNumbers(n, "nodes_modes"));
  const sides = ["true", "false"].map((side) => [
    list<number>(`nodes_${side}nodeids`),
    list<number>(`nodes_${side}leafs`),
  ]);
  const missing = n.ints("nodes_missing_value_tracks_true") ?? [];
  const own = listsOf(n);
  const owners = own<number>("leaf_targetids");
  const amounts = own("leaf_weights", tensorNumbers(n, "leaf_weights"));
  const count = features.length;
  const place = (id = -1, isEnd = 0): number => {
    const most = isEnd ? owners.length : count;
    if (!(id >= 0 && id < most)) n.refuse(`nodes from 0 to ${most - 1}`, `${id}`);
    return isEnd ? count + id : id;
  };
  const nodes: TreeNode[] = new Array<TreeNode>(count);
  for (const [i, target] of owners.entries()) {
    requireTarget(n, target, targets);
    nodes.push(leaf([[target, amounts[i] as number]]));
  }
  const members = tensorNumbers(n, "membership_values");
  let next = 0;
  for (const [i, mode] of modes.entries()) {
    const [yes, no] = sides.map(([ids, ends]) => place(ids?.[i], ends?.[i])) as [number, number];
    const ways = { feature: features[i] as number, missing: missing[i] === 1, yes, no };
    if (mode > MEMBER) n.refuse("a known test", `${mode}`);
    if (mode < MEMBER) {
      nodes[i] = branch(mode, splits[i] as number, isDouble, ways);
      continue;
    }
    // members end with NaN; all but the first are tests behind the other nodes
    const [first = Number.NaN, ...others] = members.slice(
      next,
      members.findIndex((value, at) => at >= next && Number.isNaN(value)),
    );
    next += others.length + 2;
    for (const value of others) ways.no = nodes.push(branch(EQ, value, isDouble, ways)) - 1;
    nodes[i] = branch(EQ, first, isDouble, ways);
  }
  return { nodes, roots: (n.ints("tree_roots") ?? []).map((root) => place(root)) };
}

/** Levels that a tree may have. */
const MOST_LEVELS = 1000;

/** How many tests the longest way through a forest has; refused for long ones, and those without an end. */
export function depthOf(n: OnnxNode, { nodes, roots }: Forest): number {
  let level = new Set(roots);
  let visited = 0;
  for (let depth = 0; depth <= MOST_LEVELS; depth++) {
    const next = new Set<number>();
    for (const at of level) {
      const node = nodes[at] as TreeNode;
      if (node.weights === undefined) next.add(node.yes).add(node.no);
    }
    if (next.size === 0) return depth;
    visited = entries(n, visited + next.size);
    level = next;
  }
  return n.refuse(`trees of at most ${MOST_LEVELS} levels`, "more, or nodes in a circle");
}
