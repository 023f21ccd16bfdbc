/** What emitters have written as graphs of files. */
import type { TensorId } from "../../../graph.ts";
import type { Emitter } from "./emit.ts";
import type { OnnxGraph, OnnxOperator, OnnxPort } from "./model.ts";
import { requireOnnxType } from "./values.ts";

/** What was written, with these as its inputs and outputs. */
export function written(to: Emitter, inputs: readonly OnnxPort[], outputs: readonly OnnxPort[]): OnnxGraph {
  const { operators, constants } = to;
  const read = new Set([...namesRead(operators), ...inputs.map(({ name }) => name)]);
  return {
    name: to.graph.name || "graph",
    operators,
    constants: constants.filter(({ name }) => read.has(name)),
    inputs,
    outputs,
  };
}

/** A tensor as an input or output by that name. */
export function portOf(to: Emitter, name: string, id: TensorId): OnnxPort {
  const { dtype, shape, open } = to.tensor(id);
  requireOnnxType(name, dtype);
  return { name, dtype, shape, ...((open !== undefined || to.loose.has(id)) && { isOpen: true }) };
}

/** What operators read, and those of the graphs that they run. */
function namesRead(operators: readonly OnnxOperator[]): ReadonlySet<string> {
  const read = new Set<string>();
  for (const { inputs, attributes = {} } of operators) {
    for (const input of inputs) read.add(input);
    for (const value of Object.values(attributes)) {
      if (typeof value !== "object" || !("graph" in value)) continue;
      for (const name of namesRead(value.graph.operators)) read.add(name);
    }
  }
  return read;
}
