/** Files that a model keeps tensors in. */
import type { GraphProto, TensorProto } from "./messages.ts";
import { readModel } from "./proto.ts";
import { climbs } from "./tensors.ts";

/** The names of the files, each once, without those that lead out of the model's folder, which importing refuses. */
export function externalNames(bytes: Uint8Array): readonly string[] {
  const { graph, functions } = readModel(bytes);
  const names = new Set<string>();
  const look = (tensor: TensorProto): void => {
    const location = tensor.external?.get("location") ?? "";
    if (tensor.isExternal && !climbs(location)) names.add(location);
  };
  const visit = (nodes: GraphProto["nodes"]): void => {
    for (const { attributes } of nodes)
      for (const { tensor, graph: inner } of attributes.values()) {
        if (tensor) look(tensor);
        if (inner) visitGraph(inner);
      }
  };
  const visitGraph = ({ initializers, nodes }: GraphProto): void => {
    initializers.forEach(look);
    visit(nodes);
  };
  if (graph) visitGraph(graph);
  for (const { nodes } of functions) visit(nodes);
  return [...names];
}
