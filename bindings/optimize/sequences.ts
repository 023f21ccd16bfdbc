/** Sequences whose steps stand before the one sample where they are taken apart or put together, as converters write unrolled recurrent networks. */
import { type AnyNode, type Graph, NONE, type TensorId } from "../graph.ts";
import type { Tensor } from "../tensor.ts";

/** The nodes with the sample before its steps; `typed` are the graph's tensors with their shapes. */
export function samplesFirst({ nodes, outputs }: Graph, typed: readonly Tensor[]): readonly AnyNode[] {
  const sizes = (id: TensorId | undefined) => typed[id ?? NONE]?.shape ?? [];
  const changed = new Map<AnyNode, AnyNode>();
  for (const node of nodes) {
    const y = node.outputs[0] as TensorId;
    const [steps = 0, samples, ...rest] = sizes(y);
    if (samples !== 1 || steps === 1 || outputs.some(({ tensor }) => tensor === y)) continue;
    const readers = nodes.filter(({ inputs }) => inputs.includes(y));
    if (node.kind === "reshape" && sizes(node.inputs[0])[0] === 1) {
      const apart = readers.flatMap((each) => (each.kind === "unpack" && each.attributes.axis === 0 ? [each] : []));
      if (apart.length < readers.length) continue;
      const inputs = node.inputs.slice(0, 1);
      changed.set(node, { ...node, inputs, attributes: { shape: [1, steps, ...rest] } });
      for (const each of apart) changed.set(each, { ...each, attributes: { ...each.attributes, axis: 1 } });
    }
    const isPack = node.kind === "pack" && node.attributes.axis === 0;
    if (isPack && readers.every(({ kind, outputs: [to] }) => kind === "reshape" && sizes(to)[0] === 1))
      changed.set(node, { ...node, attributes: { ...node.attributes, axis: 1 } });
  }
  return nodes.map((node) => changed.get(node) ?? node);
}
