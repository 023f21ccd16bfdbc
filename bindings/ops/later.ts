/** The operators that a network needs: the rarer ones are loaded when it has one. */
import { type AnyNode, bodiesOf, type Graph, NONE, type TensorId } from "../graph.ts";
import { loadLater } from "../later.ts";
import { ordinary } from "./ordinary.ts";
import type { Operators, Products } from "./types.ts";

let provided: Operators | undefined;

/** Says that all operators are here already: none are loaded later. */
export function provide(operators: Operators): void {
  provided = operators;
}

/** The operators of this graph and of those that its nodes run, and perhaps others. Errors: IO where they cannot be loaded. */
export function operatorsFor(graph: Graph): Operators | Promise<Operators> {
  // Passes and lowering ask for the kinds that the graph has, and for ordinary ones.
  if (provided !== undefined) return provided;
  if (isServed(graph, isPlain, ORDINARY)) return ordinary as unknown as Operators;
  return isServed(graph, () => true, new Set([...ORDINARY, ...OFTEN.split(" ")])) ? oftenLater() : operatorsLater();
}

/** Kinds of `often.ts`. */
export const OFTEN = "batchMatMul cast div gather maximum minimum pow prelu sqrt transposeConv";

const ORDINARY: ReadonlySet<string> = new Set(Object.keys(ordinary));

/** Operators whose inputs after the first say sizes or places: where a run computes these, sizes are open. */
const SIZED: ReadonlySet<string> = new Set<keyof typeof ordinary>([
  ...(["pad", "reshape", "resizeBilinear", "resizeNearestNeighbor", "slice", "stridedSlice"] as const),
]);

/** Operators of weights. */
const PRODUCTS: ReadonlySet<string> = new Set<keyof Products>(["conv2d", "depthwiseConv2d", "fullyConnected"]);

/**
 * Whether a product is one of int8 by constant int8 around 0, all of which are known: `productType` says the same of it, and of uint8
 * whose rule of rounding is ONNX's, which passes make int8.
 */
function isPlain({ inputs, attributes }: AnyNode, tensors: Graph["tensors"]): boolean {
  const [x, w, bias] = inputs.map((id) => (id === NONE ? undefined : tensors[id]));
  const { zeroPoint = [], block } = w?.quantization ?? {};
  const isByte = x?.dtype === "int8" || (x?.dtype === "uint8" && "rounding" in attributes);
  const isInt8 = isByte && w?.dtype === "int8" && w.storedBits === undefined && w.unsigned !== true;
  const isKnown = w?.data !== undefined && (bias === undefined || bias.data !== undefined);
  return isInt8 && isKnown && block === undefined && zeroPoint.every((each) => each === 0);
}

/** Whether operators of these kinds and products that are so are all that the graph has, and all of its sizes follow from shapes and constants. */
function isServed({ nodes, tensors }: Graph, isSo: typeof isPlain, kinds: ReadonlySet<string>): boolean {
  const known = new Set<TensorId>();
  const isKnown = (id: TensorId) => id === NONE || tensors[id]?.data !== undefined || known.has(id);
  return nodes.every((node) => {
    const { kind, inputs, outputs } = node;
    if (!kinds.has(kind) || bodiesOf(node).length > 0) return false;
    if (PRODUCTS.has(kind) && !isSo(node, tensors)) return false;
    if (SIZED.has(kind) && !inputs.slice(1).every(isKnown)) return false;
    if (kind === "transposeConv" && !isKnown(inputs[0] as TensorId)) return false;
    if (kind === "shape" || inputs.every(isKnown)) for (const id of outputs) known.add(id);
    return true;
  });
}

/** A table of the operators that are at hand, to which others can be added. */
export const atHand = (): Operators => ({ ...(provided ?? (ordinary as unknown as Operators)) });

/** The ordinary operators and those of `often.ts`. Errors: IO where they cannot be loaded. */
export async function oftenLater(): Promise<Operators> {
  if (provided !== undefined) return provided;
  const { often: more } = await loadLater("operators of floats", () => import("./often.ts"));
  return { ...ordinary, ...more } as unknown as Operators;
}

/** All operators. Errors: IO where they cannot be loaded. */
export async function operatorsLater(): Promise<Operators> {
  if (provided !== undefined) return provided;
  const { rare } = await loadLater("the rarer operators", () => import("./rare.ts"));
  return { ...ordinary, ...rare };
}
