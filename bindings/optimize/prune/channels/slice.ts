/** Networks without some of their channels. */
import { type AnyNode, type Graph, NONE, type TensorId, tensorOf } from "../../../graph.ts";
import { runPasses } from "../../../passes/index.ts";
import { elementCount, type Tensor } from "../../../tensor.ts";
import { floatsOf } from "../../linear/layers.ts";
import { compact } from "../../prepare/index.ts";
import type { Channels } from "./classes.ts";

/** The graph without the channels of these classes: smaller and dense. */
export function withoutChannels(graph: Graph, channels: Channels, gone: ReadonlySet<number>): Graph {
  const tensors: Tensor[] = [...graph.tensors];
  const stays = (classes: readonly number[] | undefined) => classes?.map((each) => !gone.has(each));
  for (const [i, tensor] of graph.tensors.entries()) {
    const kept = stays(channels.of(i as TensorId));
    if (kept === undefined || kept.every(Boolean)) continue;
    const axis = channels.axisOf(i as TensorId);
    const shape = tensor.shape.map((size, d) => (d === axis ? kept.filter(Boolean).length : size));
    tensors[i] = tensor.data === undefined ? { ...tensor, shape } : sliced(graph, i as TensorId, kept, axis);
  }
  for (const layer of channels.layers) {
    const { weights, kind, outputs, inputs } = layer;
    // The layer may have got a bias since its channels were followed.
    const bias = graph.nodes[layer.at]?.inputs[2] ?? NONE;
    const rows = stays(channels.of(layer.y)) ?? new Array<boolean>(outputs).fill(true);
    const columns = stays(channels.columns(layer)) ?? new Array<boolean>(inputs).fill(true);
    if (bias !== NONE && rows.includes(false)) tensors[bias] = sliced(graph, bias, rows);
    if (!rows.includes(false) && !columns.includes(false)) continue;
    const stored = floatsOf(graph, weights);
    const { shape } = tensorOf(graph, weights);
    const depthwise = kind === "depthwiseConv2d";
    const data: number[] = [];
    for (const [i, value] of stored.entries()) {
      const row = depthwise ? i % outputs : Math.floor(i / inputs);
      if (rows[row] && (depthwise || columns[i % inputs])) data.push(value);
    }
    const [count, last] = [rows.filter(Boolean).length, data.length];
    const sizes = depthwise
      ? [...shape.slice(0, -1), count]
      : [count, ...shape.slice(1, -1), last / (count * shape.slice(1, -1).reduce((a, b) => a * b, 1))];
    tensors[weights] = { ...tensorOf(graph, weights), shape: sizes, data: bytesOf(data) };
  }
  const nodes = graph.nodes.map((node): AnyNode => {
    if (node.kind !== "reshape") return node;
    const y = node.outputs[0] as TensorId;
    const { shape } = tensors[y] as Tensor;
    return { ...node, inputs: node.inputs.slice(0, 1), attributes: { shape } };
  });
  return compact(runPasses({ ...graph, tensors, nodes }, { only: "none" }));
}

/** A constant without some of a dimension, the last when absent. */
function sliced(graph: Graph, id: TensorId, kept: readonly boolean[], axis?: number): Tensor {
  const tensor = tensorOf(graph, id);
  const { shape } = tensor;
  const at = axis ?? shape.length - 1;
  const each = elementCount(shape.slice(at + 1));
  const data = [...floatsOf(graph, id)].filter((_, i) => kept[Math.floor(i / each) % kept.length]);
  const left = kept.filter(Boolean).length;
  return { ...tensor, shape: shape.map((size, d) => (d === at ? left : size)), data: bytesOf(data) };
}

const bytesOf = (values: readonly number[]) => new Uint8Array(Float32Array.from(values).buffer);
