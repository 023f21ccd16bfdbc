/** x·½·(1 + erf(x/√2)), as PyTorch writes GELU in opsets that lack it, as one node. */
import type { AnyNode, OpKind, TensorId } from "../../graph.ts";
import { elementCount, type Tensor } from "../../tensor.ts";
import { numbersOf } from "./convert.ts";

/** The nodes with what is a GELU as one. `ends` are the graph's outputs. */
export function fuseGelu(
  tensors: readonly Tensor[],
  nodes: readonly AnyNode[],
  ends: readonly TensorId[],
): readonly AnyNode[] {
  if (!nodes.some(({ kind }) => kind === "erf")) return nodes;
  const producers = new Map<TensorId, AnyNode>();
  const readers = new Map<TensorId, AnyNode[]>();
  for (const node of nodes) {
    for (const id of node.outputs) producers.set(id, node);
    for (const id of node.inputs) readers.set(id, [...(readers.get(id) ?? []), node]);
  }
  const isNumber = (id: TensorId | undefined, value: number): boolean => {
    const tensor = id === undefined ? undefined : tensors[id];
    if (tensor?.data === undefined || tensor.dtype !== "float32" || elementCount(tensor.shape) !== 1) return false;
    return Math.abs((numbersOf(tensor)[0] as number) / value - 1) < 1e-6;
  };
  /** What a node of this kind has beside one of its operands. */
  const beside = (node: AnyNode | undefined, kind: OpKind, id: TensorId | undefined): TensorId | undefined => {
    if (node?.kind !== kind || !("activation" in node.attributes) || node.attributes.activation !== "none")
      return undefined;
    if (node.inputs[0] === id) return node.inputs[1];
    return node.inputs[1] === id && kind !== "div" ? node.inputs[0] : undefined;
  };
  const halved = (node: AnyNode | undefined): TensorId | undefined =>
    node?.inputs.find((id) => isNumber(beside(node, "mul", id), 0.5));
  /** The only reader of a node's output. */
  const next = (node: AnyNode | undefined): AnyNode | undefined => {
    const id = node?.outputs[0] as TensorId;
    const all = readers.get(id) ?? [];
    return all.length === 1 && !ends.includes(id) ? all[0] : undefined;
  };
  const gelus = new Map<AnyNode, TensorId>();
  const gone = new Set<AnyNode | undefined>();
  for (const erf of nodes) {
    if (erf.kind !== "erf") continue;
    const scaled = producers.get(erf.inputs[0] as TensorId);
    const x = scaled?.inputs.find(
      (id) => isNumber(beside(scaled, "div", id), Math.SQRT2) || isNumber(beside(scaled, "mul", id), Math.SQRT1_2),
    );
    const sum = next(erf);
    const product = next(sum);
    const other = beside(product, "mul", sum?.outputs[0]);
    if (x === undefined || next(scaled) !== erf || !isNumber(beside(sum, "add", erf.outputs[0]), 1)) continue;
    const last = next(product);
    let end: AnyNode | undefined;
    if (other === x && halved(last) === product?.outputs[0]) end = last;
    else if (isNumber(other, 0.5) && beside(last, "mul", product?.outputs[0]) === x) end = last;
    else if (other !== undefined && halved(producers.get(other)) === x) end = product;
    if (end === undefined) continue;
    for (const node of [scaled, erf, sum, ...(end === last ? [product] : [])]) gone.add(node);
    gelus.set(end, x);
  }
  return nodes.flatMap((node): readonly AnyNode[] => {
    const x = gelus.get(node);
    if (x === undefined) return gone.has(node) ? [] : [node];
    return [{ ...node, kind: "gelu", inputs: [x], attributes: { approximate: false } } as AnyNode];
  });
}
