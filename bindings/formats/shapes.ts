/** The `shapes` option: sizes that a model leaves open, or in place of its own. */
import { ensure, kindOf } from "../errors.ts";
import type { Graph, Port } from "../graph.ts";
import { checkShape, listText, type Tensor } from "../tensor.ts";
import { shorten } from "./text.ts";

/** Shapes of inputs by name. */
export type Shapes = Readonly<Record<string, readonly number[]>>;

/** More dimensions than any operator has a use for. */
const MAX_RANK = 8;

/** The input of this name, or the only one whose tensor has it: a signature names inputs anew. */
function inputNamed({ inputs, tensors }: Graph, name: string): Port | undefined {
  const own = inputs.find((input) => input.name === name);
  const [first, ...more] = inputs.filter(({ tensor }) => tensors[tensor]?.name === name);
  return own ?? (more.length === 0 ? first : undefined);
}

/** Gives inputs these shapes. All other shapes stay as they are: passes infer them again, and refuse what does not fit. */
export function setShapes(graph: Graph, shapes: Shapes | undefined): Graph {
  if (shapes === undefined) return graph;
  const tensors: Tensor[] = [...graph.tensors];
  const reshaped = [...(graph.reshaped ?? [])];
  for (const [name, shape] of Object.entries(shapes)) {
    const port = inputNamed(graph, name);
    const where = `option shapes, "${shorten(name)}"`;
    ensure(port !== undefined, "INVALID_OPTION", () => ({
      where,
      expected: `a name of an input: ${graph.inputs.map((input) => `"${shorten(input.name)}"`).join(", ")}`,
      received: "another name",
    }));
    const valid = Array.isArray(shape) && shape.length <= MAX_RANK && shape.every((n) => Number.isInteger(n) && n >= 0);
    ensure(valid, "INVALID_OPTION", () => ({
      where,
      expected: `at most ${MAX_RANK} whole numbers from 0`,
      received: Array.isArray(shape) ? listText(shape) : kindOf(shape),
    }));
    const tensor = tensors[port.tensor] as Tensor;
    checkShape(shape, tensor.dtype, where);
    if (listText(shape) !== listText(tensor.shape))
      reshaped.push({ name: shorten(port.name), tensor: port.tensor, from: tensor.shape });
    tensors[port.tensor] = { ...tensor, shape: [...shape] };
  }
  return { ...graph, tensors, ...(reshaped.length > 0 && { reshaped }) };
}
