/** Weights of recurrent operators, which are int8 with one scale each, and tables of embeddings, with one for each row. */
import { type AnyNode, type Graph, NONE, type OpKind, type TensorId, tensorOf } from "../../graph.ts";
import type { Tensor } from "../../tensor.ts";
import { bytesOf, floatsOf, isFloatConstant } from "../constants.ts";
import type { Scales } from "./options.ts";
import { roundNearest, scalesOf } from "./weights.ts";

const from = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

/** Inputs that are weights, matrices and those of the cell's own state: all of a node are int8, or none. */
const WEIGHTS: { readonly [K in OpKind]?: readonly number[] } = {
  lstm: [...from(1, 11), 16],
  bidirectionalLstm: [...from(1, 11), 16, ...from(18, 28), 33, ...from(40, 47)],
  rnn: [1, 2],
  bidirectionalRnn: [1, 2, 5, 6, 10, 11],
  svdf: [1, 2],
};

/** Which inputs of a recurrent operator of floats are its weights; none where they cannot be int8. */
export function cellWeights(graph: Graph, node: AnyNode): readonly number[] {
  const at = (WEIGHTS[node.kind] ?? []).filter((i) => (node.inputs[i] ?? NONE) !== NONE);
  // Of int8 weights and sequences by time TFLite goes over the whole sequence once for each of its steps.
  if (node.kind === "bidirectionalRnn" && node.attributes.timeMajor) return [];
  return at.every((i) => isFloatConstant(tensorOf(graph, node.inputs[i] as TensorId))) ? at : [];
}

/** Such weights as int8, rounded to the nearest. */
export const cellTensor = (tensor: Tensor): Tensor => roundedRows(tensor, 1, "tensor");

/** Such a table as int8: rows are looked up, so each has its scale. */
export const tableTensor = (tensor: Tensor): Tensor => roundedRows(tensor, tensor.shape[0] as number, "channel");

/** So many rows, each with a scale. */
function roundedRows(tensor: Tensor, rows: number, scales: Scales): Tensor {
  const values = floatsOf(tensor);
  const depth = values.length / rows;
  const scale = scalesOf(values, depth, 8, scales, { values: new Float32Array(rows), xScale: Infinity });
  const data = bytesOf(roundNearest(values, depth, scale, 8));
  const quantization = { scale: [...scale], zeroPoint: new Array<number>(rows).fill(0), axis: 0 };
  return { ...tensor, dtype: "int8", data, quantization };
}
