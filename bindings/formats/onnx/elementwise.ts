/** Operators that compute each element by itself: in whichever order of dimensions their operands stand. */
import type { Attributes, OpKind, TensorId } from "../../graph.ts";
import { type DType, elementCount } from "../../tensor.ts";
import type { OutputType } from "./builder.ts";
import type { OnnxNode } from "./convert.ts";
import { permuted, reorder, toLast, toPlain, type Value } from "./layout.ts";

/** Tensors of operands, all in one order. */
interface Operands {
  readonly ids: readonly TensorId[];
  readonly isLast: boolean;
}

/** True where a value stands with channels last only. */
function isLastOnly({ twins: { plain, last } }: Value): boolean {
  return plain === undefined && last !== undefined;
}

/** The operands in the order that needs the fewest transposes. */
export function operands(n: OnnxNode, values: readonly Value[]): Operands {
  const rank = Math.max(...values.map(({ shape }) => shape.length));
  const isLast = rank >= 3 && values.some((value) => value.shape.length === rank && isLastOnly(value));
  if (!isLast) return { ids: values.map((value) => n.plain(value)), isLast };
  return { ids: values.map((value) => lastOf(n, value, rank)), isLast };
}

function lastOf(n: OnnxNode, value: Value, rank: number): TensorId {
  const { shape } = value;
  if (shape.length === rank) return n.last(value);
  const x = n.plain(value);
  if (elementCount(shape) === 1) return x;
  const full = [...Array.from({ length: rank - shape.length }, () => 1), ...shape];
  const { dtype } = n.b.tensor(x);
  const [wide] = n.add("reshape", [x, n.b.integers(full)], {}, [{ dtype }]);
  return permuted(n.b, n.where, wide as TensorId, full, toLast(rank));
}

/** Sets output 0 to a tensor in the operands' order. */
export function setIn(n: OnnxNode, isLast: boolean, id: TensorId, i = 0): void {
  const { shape } = n.b.tensor(id);
  if (isLast) n.setLast(i, id, reorder(shape, toPlain(shape.length)));
  else n.setPlain(i, id);
}

/** One node of the graph over all of these values. */
export function elementwise<K extends OpKind>(
  n: OnnxNode,
  kind: K,
  attributes: Attributes[K],
  values: readonly Value[],
  type: OutputType,
): void {
  const { ids, isLast } = operands(n, values);
  const [id] = n.add(kind, ids, attributes, [type], n.outputs[0]);
  setIn(n, isLast, id as TensorId);
}

/** A chain of nodes on one order: `step` adds a node to the last one's output. */
export function chain(
  n: OnnxNode,
  values: readonly Value[],
  build: (ids: readonly TensorId[], add: Adder) => TensorId,
): void {
  const { ids, isLast } = operands(n, values);
  setIn(n, isLast, build(ids, adderOf(n)));
}

/** Adds one node of one output. */
export type Adder = <K extends OpKind>(
  kind: K,
  inputs: readonly TensorId[],
  attributes: Attributes[K],
  dtype?: DType,
) => TensorId;

/** Adds nodes in place of n, of `usual` type where none is asked for. */
export function adderOf(n: OnnxNode, usual: DType = "float32"): Adder {
  return (kind, inputs, attributes, dtype = usual) => n.add(kind, inputs, attributes, [{ dtype }])[0] as TensorId;
}
