/** What TensorFlow Lite Micro's signal operators check alike. */
import { type DType, elementCount, listText, type Tensor, type TensorType } from "../../tensor.ts";
import { areWhole, constrain, inputOf, requireDType, requireKnown, requireTensors } from "../constraints.ts";
import type { Lowering, NodeView } from "../types.ts";

/** Attributes' kinds here. */
type Signal = Extract<keyof import("../../graph.ts").Attributes, `signal${string}`>;

/** C1: exactly these inputs and outputs. C2: of these types. */
export function requireTypes(node: NodeView<Signal>, inputs: readonly DType[], outputs: readonly DType[]): void {
  requireTensors(node, inputs.length, outputs.length);
  for (const [i, dtype] of inputs.entries()) requireDType(node, "C2", inputOf(node, i), dtype);
  for (const [i, dtype] of outputs.entries()) requireDType(node, "C2", node.outputs[i] as Tensor, dtype);
}

/** C3: numbers of the options inside their ranges. */
export function requireRange(node: NodeView<Signal>, name: string, value: number, least: number, most: number): void {
  constrain(node, "C3", areWhole([value], least, most), () => ({
    expected: `${name} from ${least} to ${most}`,
    received: String(value),
  }));
}

/** C4: as many elements as `count`. */
export function requireCount(node: NodeView<Signal>, tensor: Tensor, count: number): void {
  constrain(node, "C4", elementCount(tensor.shape) === count, () => ({
    expected: `${count} elements of "${tensor.name}"`,
    received: listText(tensor.shape),
  }));
}

/** The int16 values of a constant input. C5: it is one. */
export function constantShorts(node: NodeView<Signal>, i: number): readonly number[] {
  const data = requireKnown(node, "C5", inputOf(node, i));
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Array.from({ length: data.byteLength / 2 }, (_, at) => view.getInt16(at * 2, true));
}

/** x's shape in another type. */
export function like(node: NodeView<Signal>, dtype: DType): TensorType {
  return { dtype, shape: inputOf(node, 0).shape };
}

/** Addresses of the first input and output, and how many elements the input has. */
export function ends(node: NodeView<Signal>, to: Lowering) {
  const count = elementCount(inputOf(node, 0).shape);
  return { x: to.input(0), y: to.output(0), count };
}

/** C5: a variable of so many elements, the last input. */
export function requireState(node: NodeView<Signal>, dtype: DType, count: number): void {
  const state = inputOf(node, 1);
  requireDType(node, "C5", state, dtype);
  constrain(node, "C5", state.variable === true && elementCount(state.shape) === count, () => ({
    expected: `a variable of ${count} elements`,
    received: `${listText(state.shape)} "${state.name}"`,
  }));
}

/** Rows of the first input, and how long they are. C4: not empty. */
export function rowsOf(node: NodeView<Signal>): { readonly rows: number; readonly depth: number } {
  const { shape } = inputOf(node, 0);
  constrain(node, "C4", shape.length > 0 && elementCount(shape) > 0, () => ({
    expected: "rows that are not empty",
    received: listText(shape),
  }));
  const depth = shape.at(-1) as number;
  return { rows: elementCount(shape) / depth, depth };
}
