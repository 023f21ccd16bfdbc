/** Graph → .onnx bytes: floats as they are, integers in ONNX's QDQ form. */
import { ensure, kindOf } from "../../../errors.ts";
import { requireGraph } from "../../../given.ts";
import { type AnyNode, bodiesOf, type Graph, type Port, withBodies } from "../../../graph.ts";
import { roundingWarning, withActivations } from "../../roundings.ts";
import { spelled } from "../../spelled.ts";
import { withTypes, writeControl } from "./control.ts";
import { Emitter } from "./emit.ts";
import { writeModel } from "./model.ts";
import { writeNode } from "./operators.ts";
import { type Rolled, rolled } from "./rolled.ts";
import { typed } from "./typed.ts";
import { portOf, written } from "./written.ts";

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
  const graph = prepared(given);
  const to = new Emitter(graph);
  const nodes = rolled(graph);
  writeAll(to, nodes);
  ensure(to.missing.size === 0, "UNSUPPORTED", () => ({
    where: "graph",
    expected: "operators that pint8 writes as ONNX",
    received: [...to.missing].map(([kind, count]) => `${kind} (${count}×)`).join(", "),
    hint: "Write .tflite, or leave these parts out of the model.",
  }));
  const made = new Set(graph.nodes.flatMap(({ outputs }) => outputs));
  for (const [i, name] of to.outputNames.entries()) {
    const { tensor } = graph.outputs[i] as Port;
    if (!made.has(tensor) || to.name(tensor) !== name) to.add("Identity", [to.name(tensor)], name);
  }
  const states = to.states.ports(to);
  if (states.length > 0)
    to.say(
      `${states.length} variables are inputs that may be left out, and outputs "…/next" to give them in the next run`,
    );
  const warning = roundingWarning({ ...graph, nodes: nodes.filter(isNode) }, ".onnx");
  const said = [...to.said].map(([what, count]) => (count === 1 ? what : `${what} (${count} times)`));
  for (const text of warning === undefined ? said : [warning, ...said])
    (options.onWarning ?? console.warn)(`pint8: ${text}`);
  const ports = (names: readonly string[], list: readonly Port[]) =>
    list.map(({ tensor }, i) => portOf(to, names[i] as string, tensor));
  const nexts = states.flatMap(({ next, id }) => (next === undefined ? [] : [portOf(to, next, id)]));
  const inputs = [...ports(to.inputNames, graph.inputs), ...states.map(({ name, id }) => portOf(to, name, id))];
  return writeModel({
    opset: to.opset,
    graph: written(to, inputs, [...ports(to.outputNames, graph.outputs), ...nexts]),
  });
}

/** The graph, and those that its nodes run, in operators that there are writers of. */
function prepared(graph: Graph): Graph {
  const own = spelled(withActivations(typed(withTypes(graph))), ["lookup"]);
  const nodes = own.nodes.map((node) => {
    const bodies = bodiesOf(node);
    return bodies.length === 0 ? node : withBodies(node, bodies.map(prepared));
  });
  return { ...own, nodes };
}

const isNode = (node: AnyNode | Rolled): node is AnyNode => node.kind !== "layer";

/** Writes nodes, and layers in place of some; those that have no form are counted. */
function writeAll(to: Emitter, nodes: readonly (AnyNode | Rolled)[]): void {
  for (const node of nodes) {
    if (!isNode(node)) {
      to.where = node.where;
      to.isRaw = false;
      node.write(to);
    } else if (!(writeControl(node, to, (inner) => writeAll(inner, inner.graph.nodes)) ?? writeNode(node, to)))
      to.missing.set(node.kind, (to.missing.get(node.kind) ?? 0) + 1);
  }
}
