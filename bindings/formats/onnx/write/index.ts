/** Graph → .onnx bytes: floats as they are, integers in ONNX's QDQ form. */
import { ensure, kindOf } from "../../../errors.ts";
import { requireGraph } from "../../../given.ts";
import type { Graph, TensorId } from "../../../graph.ts";
import { roundingWarning, withActivations } from "../../roundings.ts";
import { spelled } from "../../spelled.ts";
import { Emitter, requireOnnxType } from "./emit.ts";
import { writeModel } from "./model.ts";
import { writeNode } from "./operators.ts";

/** How a file is written. */
export interface WriteOnnxOptions {
  /** Hears of what the file cannot say: TensorFlow Lite's rounding. console.warn when absent. */
  readonly onWarning?: (message: string) => void;
}

/**
 * Writes a graph as `importModel` gives it. Every quantized tensor is integers behind QuantizeLinear, and DequantizeLinear before
 * who reads it: runtimes that know the form compute with integers, others with floats. Of 2022, opset 17, and where there is int4, int16 or scales of blocks of 2024, opset 21.
 * Readers round integers as onnxruntime does: a warning where the graph rounds as TensorFlow Lite.
 *
 * Errors: UNSUPPORTED with all kinds of nodes and types that have no form.
 */
export function writeOnnx(given: Graph, options: WriteOnnxOptions = {}): Uint8Array {
  requireGraph("writeOnnx", given);
  ensure(typeof options === "object" && options !== null, "INVALID_OPTION", () => ({
    where: "writeOnnx",
    expected: "an object of options",
    received: kindOf(options),
    hint: "Such as { onWarning: console.warn }.",
  }));
  const graph = spelled(withActivations(given), ["lookup"]);
  const to = new Emitter(graph);
  const missing = new Map<string, number>();
  for (const node of graph.nodes) {
    if (!writeNode(node, to)) missing.set(node.kind, (missing.get(node.kind) ?? 0) + 1);
  }
  ensure(missing.size === 0, "UNSUPPORTED", () => ({
    where: "graph",
    expected: "operators that pint8 writes as ONNX",
    received: [...missing].map(([kind, count]) => `${kind} (${count}×)`).join(", "),
    hint: "Write .tflite, or leave these parts out of the model.",
  }));
  const made = new Set(graph.nodes.flatMap(({ outputs }) => outputs));
  const outputs = graph.outputs.map((port) =>
    made.has(port.tensor) && to.name(port.tensor) === port.name ? port : { ...port, name: to.passed(port) },
  );
  const warning = roundingWarning(graph, ".onnx");
  if (warning !== undefined) (options.onWarning ?? console.warn)(`pint8: ${warning}`);
  const port = ({ name, tensor: id }: { readonly name: string; readonly tensor: TensorId }) => {
    const { dtype, shape } = to.tensor(id);
    requireOnnxType(name, dtype);
    return { name, dtype, shape };
  };
  const read = new Set(to.operators.flatMap(({ inputs }) => inputs));
  return writeModel({
    name: graph.name,
    opset: to.opset,
    operators: to.operators,
    constants: to.constants.filter(({ name }) => read.has(name)),
    inputs: graph.inputs.map(port),
    outputs: outputs.map(port),
  });
}
