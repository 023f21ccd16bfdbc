/** Outputs that the network's input itself is part of: the sum of an image and what is missing in it, a forecast brought back to its series' level, a mask times what it hides. */
import { type AnyNode, type Graph, type TensorId, tensorOf } from "../../graph.ts";
import { writersOf } from "../../passes/view.ts";
import { isFloatConstant } from "../constants.ts";
import type { NodeType } from "./build.ts";
import { MOVES } from "./ends.ts";
import { ruleOf } from "./operators.ts";

const PAIRS: readonly string[] = ["add", "sub", "mul"];
/** What may come behind them. */
const BEHIND: readonly string[] = [...PAIRS, ...MOVES, "relu", "relu6", "relu0To1", "reluN1To1", "maximum", "minimum"];

/**
 * The types where sums and products that come last, of what layers give and of what comes from an input without any, stay float, with all on either way: the
 * input is there in full, and what layers give keeps the finer scale of its own.
 */
export function withFloatSkips(graph: Graph, types: readonly NodeType[]): readonly NodeType[] {
  const found = [...types];
  const { nodes } = graph;
  const writers = writersOf(graph);
  const floatsAmong = ({ inputs }: AnyNode) => inputs.filter((id) => graph.tensors[id]?.dtype === "float32");
  const plain = new Set<TensorId>(graph.inputs.map(({ tensor }) => tensor));
  for (const node of nodes) {
    const computed = floatsAmong(node).filter((id) => !isFloatConstant(tensorOf(graph, id)));
    if (ruleOf(node) === "product" || computed.length === 0 || !computed.every((id) => plain.has(id))) continue;
    for (const id of node.outputs) plain.add(id);
  }
  const keep = (id: TensorId): void => {
    const i = writers.get(id);
    if (i === undefined || found[i] === "float32") return;
    found[i] = "float32";
    for (const x of floatsAmong(nodes[i] as AnyNode)) keep(x);
  };
  const walk = (id: TensorId, behind: readonly number[]): void => {
    const i = writers.get(id);
    const node = nodes[i ?? -1];
    if (i === undefined || node === undefined || plain.has(id) || !BEHIND.includes(node.kind)) return;
    const chain = [...behind, i];
    const computed = floatsAmong(node);
    const own = computed.filter((x) => plain.has(x));
    if (PAIRS.includes(node.kind) && own.length > 0) {
      for (const each of chain) found[each] = "float32";
      own.forEach(keep);
    }
    for (const x of computed) walk(x, chain);
  };
  for (const { tensor } of graph.outputs) walk(tensor, []);
  return found;
}
