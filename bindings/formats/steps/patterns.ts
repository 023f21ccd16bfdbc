/** One step of a recurrent layer, as importers write it out: patterns of operators, and what stands where in them. */
import type { AnyNode, TensorId } from "../../graph.ts";
import type { Tensor } from "../../tensor.ts";
import { realsOf } from "./numbers.ts";

/** A tensor by a name, of which all are the same one; a node, by its kind and the patterns of its inputs; a part of `of`; a tensor that is named, too. */
type Pattern =
  | string
  | Made
  | { readonly columns: readonly [first: number, count: number]; readonly of: Pattern }
  | { readonly named: string; readonly of: Pattern };

type Made = readonly Pattern[];

/** So many columns from one on, counted in sizes of the state. */
const columns = (of: Pattern, first: number, count = 1): Pattern => ({ columns: [first, count], of });

const known: Pattern = ["fullyConnected", "h", "r", "b"];

function lstmStep(): Made {
  const sum: Pattern = ["add", "x", known];
  const gate = (i: number) => columns(["logistic", columns(sum, 0, 3)], i);
  const news: Pattern = ["tanh", columns(sum, 3)];
  const cell: Pattern = { named: "next", of: ["add", ["mul", gate(2), "c"], ["mul", gate(0), news]] };
  return ["mul", gate(1), ["tanh", cell]];
}

function gruStep(isLinear: boolean): Made {
  const both: Pattern = ["logistic", ["add", columns("x", 0, 2), columns(known, 0, 2)]];
  const [update, reset] = [columns(both, 0), columns(both, 1)];
  const reduced: Pattern = ["fullyConnected", ["mul", reset, "h"], "r", "b"];
  const kept: Pattern = isLinear ? ["mul", reset, columns(known, 2)] : columns(reduced, 2);
  const news: Pattern = ["tanh", ["add", columns("x", 2), kept]];
  return ["add", ["mul", ["sub", "one", update], news], ["mul", update, "h"]];
}

/** What a layer is, and how its step looks. */
interface Cell {
  readonly type: "LSTM" | "GRU" | "RNN";
  readonly gates: number;
  readonly step: Made;
  readonly attributes: Readonly<Record<string, number>>;
  /** The function of an RNN by ONNX' name, where it is not the usual one. */
  readonly activation?: string;
  /** The fewest steps that are taken for a layer: one is no more than two layers that meet. */
  readonly least: number;
}

const rnn = (kind: string, activation?: string): Cell => ({
  type: "RNN",
  gates: 1,
  step: kind === "" ? ["add", "x", known] : [kind, ["add", "x", known]],
  attributes: {},
  ...(activation && { activation }),
  least: 2,
});

const CELLS: readonly Cell[] = [
  { type: "LSTM", gates: 4, step: lstmStep(), attributes: {}, least: 1 },
  { type: "GRU", gates: 3, step: gruStep(true), attributes: { linear_before_reset: 1 }, least: 1 },
  { type: "GRU", gates: 3, step: gruStep(false), attributes: {}, least: 1 },
  rnn("tanh"),
  rnn("relu", "Relu"),
  rnn("logistic", "Sigmoid"),
];

/** An RNN whose addition has the activation in it. */
const FUSED = rnn("", "Relu");

/** A graph as matching sees it. */
export interface Seen {
  readonly tensors: readonly Tensor[];
  /** What writes a tensor. */
  readonly writers: ReadonlyMap<TensorId, AnyNode>;
}

/** A step that was found. */
export interface Step {
  readonly cell: Cell;
  /** What the step gives, and takes: its input, its state, its weights, perhaps a bias. */
  readonly y: TensorId;
  readonly x: TensorId;
  readonly h: TensorId;
  readonly r: TensorId;
  readonly b?: TensorId | undefined;
  /** The cell before and after it, of LSTM. */
  readonly c?: TensorId | undefined;
  readonly next?: TensorId | undefined;
}

/** The tensor whose values those of this one are, in another type or scale; halves stay behind what makes floats of them. */
export function plainOf({ writers, tensors }: Seen, id: TensorId): TensorId {
  for (let at = id; ; ) {
    const node = writers.get(at);
    const [from] = node?.kind === "quantize" || node?.kind === "dequantize" ? node.inputs : [];
    if (from === undefined || tensors[from]?.dtype === "float16") return at;
    at = from;
  }
}

/** The step that ends with this node; undefined where it is none. */
export function stepOf(seen: Seen, node: AnyNode): Step | undefined {
  const [y] = node.outputs as readonly [TensorId?];
  const { shape = [], dtype } = seen.tensors[y as TensorId] ?? {};
  if (y === undefined || shape.length !== 2 || (dtype !== "float32" && dtype !== "int8")) return undefined;
  const hidden = shape[1] as number;
  const { activation = "none" } = node.attributes as { readonly activation?: string };
  for (const cell of activation === "relu" && node.kind === "add" ? [FUSED] : CELLS) {
    if (cell.step[0] !== node.kind) continue;
    const found = new Map<string, TensorId>();
    if (!matches(seen, cell.step, y, hidden, found, cell === FUSED ? "relu" : "none")) continue;
    const [x, h, r] = ["x", "h", "r"].map((name) => found.get(name)) as [TensorId, TensorId, TensorId];
    const weights = seen.tensors[r]?.shape ?? [];
    if (`${weights}` !== `${[cell.gates * hidden, hidden]}`) continue;
    return { cell, y, x, h, r, b: found.get("b"), c: found.get("c"), next: found.get("next") };
  }
  return undefined;
}

function matches(
  seen: Seen,
  pattern: Pattern,
  given: TensorId,
  hidden: number,
  found: Map<string, TensorId>,
  activation = "none",
): boolean {
  const id = plainOf(seen, given);
  if (typeof pattern === "string")
    return pattern === "one" ? isOne(seen.tensors[id]) : isNamed(seen, pattern, id, found);
  if ("named" in pattern)
    return isNamed(seen, pattern.named, id, found) && matches(seen, pattern.of, id, hidden, found);
  const node = seen.writers.get(id);
  if (node === undefined) return false;
  if ("columns" in pattern) {
    const [first, count] = pattern.columns;
    const [x, begins, sizes] = node.inputs as readonly [TensorId, TensorId?, TensorId?];
    if (node.kind !== "slice" || `${wholes(seen, begins)}` !== `0,${first * hidden}`) return false;
    return wholes(seen, sizes)[1] === count * hidden && matches(seen, pattern.of, x, hidden, found);
  }
  const [kind, ...inputs] = pattern;
  const own = (node.attributes as { readonly activation?: string }).activation ?? "none";
  if (node.kind !== kind || own !== activation) return false;
  // A bias may be missing.
  const least = kind === "fullyConnected" ? 2 : inputs.length;
  const has = node.inputs.filter((each) => each >= 0);
  return (
    has.length >= least &&
    has.length <= inputs.length &&
    has.every((each, i) => matches(seen, inputs[i] as Pattern, each, hidden, found))
  );
}

/** Whether a name stands for this tensor; from now on it does where it stood for none. Zeros may be two constants, of two types. */
function isNamed({ tensors }: Seen, name: string, id: TensorId, found: Map<string, TensorId>): boolean {
  const other = found.get(name);
  if (other === undefined) found.set(name, id);
  if (other === undefined || other === id) return true;
  const [a, b] = [other, id].map((each) => numbersOf(tensors[each])) as [Float32Array, Float32Array];
  return a.length > 0 && `${a}` === `${b}`;
}

/** The numbers of a constant; none of what is computed. */
const numbersOf = (tensor: Tensor | undefined): Float32Array =>
  tensor?.data === undefined ? new Float32Array(0) : realsOf(tensor, tensor.quantization?.scale ?? []);

const isOne = (tensor: Tensor | undefined): boolean => {
  const values = numbersOf(tensor);
  return values.length > 0 && values.every((value) => Math.abs(value - 1) < 1e-3);
};

const wholes = ({ tensors }: Seen, id: TensorId | undefined): readonly number[] => {
  const { dtype, data } = tensors[id as TensorId] ?? {};
  return dtype !== "int32" || data === undefined ? [] : [...new Int32Array(new Uint8Array(data).buffer)];
};
