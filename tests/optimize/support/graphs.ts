/** Graphs by hand, tensor by tensor: loops among them, whose bodies are graphs of several inputs and outputs. */
import type { AnyNode, Graph, TensorId } from "../../../bindings/graph.ts";
import type { DType, Tensor } from "../../../bindings/tensor.ts";

/** Tensors and nodes of a graph. */
export function startGraph() {
  const tensors: Tensor[] = [];
  const nodes: AnyNode[] = [];
  return {
    /** A tensor; a constant where there is data. */
    tensor: (dtype: DType, shape: readonly number[], data?: Uint8Array | Float32Array | Int32Array) =>
      (tensors.push({
        ...{ name: `t${tensors.length}`, dtype, shape },
        ...(data && { data: new Uint8Array(data.buffer) }),
      }) - 1) as TensorId,
    /** A node; returns its first output. */
    node(kind: AnyNode["kind"], inputs: readonly TensorId[], outputs: readonly TensorId[], attributes: object = {}) {
      nodes.push({ kind, where: `node ${nodes.length} (${kind})`, inputs, outputs, attributes } as unknown as AnyNode);
      return outputs[0] as TensorId;
    },
    graph(inputs: readonly TensorId[], outputs: readonly TensorId[]): Graph {
      const port = (id: TensorId, i: number) => ({ name: `port ${i}`, tensor: id });
      return { name: "test", tensors, nodes, subgraphs: [], inputs: inputs.map(port), outputs: outputs.map(port) };
    },
  };
}
