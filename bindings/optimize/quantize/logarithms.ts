/** Logarithms, which ask how large numbers are beside each other, of what one scale holds evenly: SOFTPLUS as converters write it. */
import { type AnyNode, type Graph, NONE, type TensorId, tensorOf } from "../../graph.ts";
import { writersOf } from "../../passes/view.ts";
import type { Range } from "../calibrate/ranges.ts";
import { isProduct } from "../layers.ts";
import type { NodeType } from "./build.ts";

/** Operators behind which such numbers come to be: of each number, of sums as those of powers are, or moved. */
export const BEFORE: readonly string[] = (
  "exp add sub mul div neg abs square sqrt relu pow maximum sum mean " +
  "reshape squeeze expandDims transpose slice stridedSlice split splitV broadcastTo"
).split(" ");
/** What a spectrum is made by besides: of sound, whose quiet parts logarithms tell from silence. */
const SPECTRAL: readonly string[] = "rfft2d complexAbs real imag minimum gather concat pack unpack pad".split(" ");
/** Steps of a scale, and the error of half a step that the least number may have. */
const STEPS = { int8: 255, int16: 32767 } as const;
const MOST_ERROR = 0.1;

/** Whether half a step of the scale that holds a range is too much for the least number, by its type or, on floats, by int8. */
export function isCoarse({ min, max }: Range, least: number, type: NodeType | undefined): boolean {
  return (max - min) / STEPS[type === "int16" ? "int16" : "int8"] / 2 > MOST_ERROR * least;
}

/** The same of positive numbers between two, or of any from 0 on where nothing is known of them. */
export const areCoarse = ({ min, max }: Range = { min: 0, max: 1 }, type: NodeType | undefined): boolean =>
  isCoarse({ min: 0, max }, min, type);

/** Types of nodes, and which of them have to be exact beside the size of what they give: eight bits of weights are too few for layers there. */
interface Found {
  readonly types: readonly NodeType[];
  readonly exact: ReadonlySet<number>;
}

/**
 * The types where logarithms stay float, if half a step would be more than a tenth of the least number that they were given, or if nothing is
 * known of these, with what their operand is computed by. Behind EXP, whose operand may be coarse: up to layers. Else, as of spectra of sound: to
 * a layer that has an activation, or back to the input; that is what has to be exact.
 */
export function withFloatLogarithms(
  graph: Graph,
  types: readonly NodeType[],
  ranges: ReadonlyMap<TensorId, Range>,
): Found {
  const writers = writersOf(graph);
  const found = [...types];
  const computedOf = (i: number) =>
    [...new Set((graph.nodes[i] as AnyNode).inputs)].filter(
      (id) => id !== NONE && tensorOf(graph, id).data === undefined,
    );
  const before = (i: number) => computedOf(i).flatMap((id) => writers.get(id) ?? []);
  const keep = (i: number): void => {
    found[i] = "float32";
    const [last, ...more] = before(i);
    if (last === undefined || more.length > 0 || computedOf(i).length > 1) return;
    if (BEFORE.includes((graph.nodes[last] as AnyNode).kind) && computedOf(last).length === 1) keep(last);
  };
  const exact = new Set<number>();
  /** The same of what has to be exact beside its own size. */
  const keepSizes = (i: number): void => {
    const node = graph.nodes[i] as AnyNode;
    if (exact.has(i)) return;
    if (node.kind === "exp") return keep(i);
    exact.add(i);
    found[i] = "float32";
    if (isProduct(node) && node.attributes.activation !== "none") return;
    for (const last of before(i)) {
      const next = graph.nodes[last] as AnyNode;
      if (isProduct(next) || BEFORE.includes(next.kind) || SPECTRAL.includes(next.kind)) keepSizes(last);
    }
  };
  for (const [i, { kind, inputs }] of graph.nodes.entries()) {
    if (kind !== "log") continue;
    if (areCoarse(ranges.get(inputs[0] as TensorId), types[i])) keepSizes(i);
  }
  return { types: found, exact };
}
