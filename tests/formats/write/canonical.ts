/** Graphs as values to compare: tensors numbered by first use, what runs nothing left out. */
import { bodiesOf, type Graph, type TensorId } from "../../../bindings/graph.ts";
import type { Tensor } from "../../../bindings/tensor.ts";

/** The graph with its used tensors in the order in which ports and nodes name them, without places in the file. */
export function canonical(graph: Graph): object {
  const ids = new Map<TensorId, number>();
  const tensors: object[] = [];
  const idOf = (id: TensorId): number => {
    if (id < 0) return id;
    const known = ids.get(id);
    if (known !== undefined) return known;
    ids.set(id, ids.size);
    tensors.push(plainTensor(graph.tensors[id] as Tensor));
    return ids.size - 1;
  };
  const port = ({ name, tensor }: { name: string; tensor: TensorId }) => ({ name, tensor: idOf(tensor) });
  const inputs = graph.inputs.map(port);
  const outputs = graph.outputs.map(port);
  const nodes = graph.nodes.map((node) => {
    const { bodies: _bodies, subgraphs: _subgraphs, ...attributes } = node.attributes as Record<string, unknown>;
    return {
      kind: node.kind,
      attributes,
      inputs: node.inputs.map(idOf),
      outputs: node.outputs.map(idOf),
      bodies: bodiesOf(node).map(canonical),
    };
  });
  return { inputs, outputs, nodes, tensors };
}

function plainTensor({ data, ...tensor }: Tensor): object {
  return { ...tensor, ...(data && { data: Buffer.from(data).toString("base64") }) };
}
