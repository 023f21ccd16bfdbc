/** Where the elements of computed vectors of sizes come from. */
import type { AnyNode, OpKind, TensorId } from "../../graph.ts";
import { elementCount, type Tensor } from "../../tensor.ts";
import { bytesOfNumbers, integersOf } from "../values.ts";

/** A number that is known, or an element of a computed tensor. */
export type Element = number | { readonly id: TensorId; readonly at: number };

type Writers = ReadonlyMap<TensorId, AnyNode>;

/** Steps back from a vector to what it is made of, at most. */
const STEPS = 64;

/** The elements of a tensor of integers, each as far back as moving alone brought it here; none of one that the node lacks. */
export function elementsOf(id: TensorId, tensors: readonly Tensor[], writers: Writers): readonly Element[] {
  const tensor = tensors[id];
  if (tensor === undefined) return [];
  if (tensor.data !== undefined) return integersOf(tensor);
  const count = tensor.shape.length > 2 || tensor.open !== undefined ? 0 : elementCount(tensor.shape);
  if (count > 16) return [];
  return Array.from({ length: count }, (_, i) => originOf({ id, at: i }, tensors, writers));
}

function originOf(from: Element, tensors: readonly Tensor[], writers: Writers): Element {
  let element = from;
  for (let i = 0; i < STEPS && typeof element === "object"; i++) {
    const next = before(element, tensors, writers);
    if (next === undefined) break;
    element = next;
  }
  return element;
}

/** One step back; undefined where the element is computed. */
function before({ id, at }: Element & object, tensors: readonly Tensor[], writers: Writers): Element | undefined {
  const { data, open } = tensors[id] as Tensor;
  if (data !== undefined) return integersOf(tensors[id] as Tensor)[at];
  const writer = writers.get(id);
  if (writer === undefined || open !== undefined) return undefined;
  const inputs = writer.inputs.map((each) => tensors[each]);
  const [source] = writer.inputs as readonly [TensorId];
  const [x = tensors[source] as Tensor, list] = inputs;
  if (x.open !== undefined || x.dtype === "float32" || x.dtype === "bool") return undefined;
  const { kind } = writer;
  if (kind === "cast" || kind === "reshape" || kind === "squeeze" || kind === "expandDims") return { id: source, at };
  if (kind === "pack") {
    const part = elementCount(x.shape);
    const isFirst = writer.attributes.axis === 0 && part > 0;
    return isFirst ? { id: writer.inputs[Math.floor(at / part)] as TensorId, at: at % part } : undefined;
  }
  if (x.shape.length !== 1) return undefined;
  if (kind === "concat") {
    let rest = at;
    for (const [i, part] of inputs.entries()) {
      const count = part?.shape[0] ?? 0;
      if (rest < count) return { id: writer.inputs[i] as TensorId, at: rest };
      rest -= count;
    }
    return undefined;
  }
  if (list?.data === undefined) return undefined;
  const [first = 0] = integersOf(list);
  const size = x.shape[0] as number;
  if (kind === "gather") return { id: source, at: integersOf(list)[at] as number };
  if (kind === "slice") return { id: source, at: first + at };
  if (kind !== "stridedSlice") return undefined;
  const { beginMask, ellipsisMask, newAxisMask } = writer.attributes;
  const [step] = inputs[3]?.data === undefined ? [] : integersOf(inputs[3]);
  if (ellipsisMask !== 0 || newAxisMask !== 0 || step === undefined || step < 1) return undefined;
  const begin = (beginMask & 1) === 1 ? 0 : first < 0 ? Math.max(first + size, 0) : first;
  return { id: source, at: begin + at * step };
}

const MOVES: ReadonlySet<OpKind> = new Set<OpKind>(["slice", "stridedSlice", "gather"]);

/** Puts what moves known elements out of partly known vectors of sizes into `tensors`; false where the node has to run. */
export function foldMoved(node: AnyNode, tensors: Tensor[], writers: Map<TensorId, AnyNode>): boolean {
  const [id] = node.outputs as readonly [TensorId];
  const y = tensors[id] as Tensor;
  if (!MOVES.has(node.kind) || (y.dtype !== "int32" && y.dtype !== "int64") || y.shape.length > 1) return false;
  if (y.open !== undefined || (tensors[node.inputs[0] as TensorId] as Tensor).shape.length !== 1) return false;
  writers.set(id, node);
  const elements = elementsOf(id, tensors, writers);
  const known = elements.filter((each) => typeof each === "number");
  if (known.length === 0 || known.length < elements.length) return false;
  tensors[id] = { ...y, data: bytesOfNumbers(y.dtype, known) };
  return true;
}
