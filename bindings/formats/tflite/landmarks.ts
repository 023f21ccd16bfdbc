/**
 * MediaPipe's operators on landmarks, float32, as the arithmetic that they are: a picture's part around some landmarks is cut
 * out, turned upright, by a matrix that they give, and what is found in it goes back by the same matrix. Version 1 works
 * with corners of a picture, version 2 with centres of its pixels. Source: MediaPipe's util/tflite/operations.
 */
import { ensure } from "../../errors.ts";
import type { AnyNode, Node, TensorId } from "../../graph.ts";
import { elementCount, listText, type Tensor, type TensorType } from "../../tensor.ts";
import { readFlexMap } from "./flexbuffer.ts";
import { centreMatrix, cornerMatrix } from "./landmarkMatrices.ts";
import { numberOf, outputSize, type Result, refuse, requireMatrix, type Site, twoRows } from "./landmarkOptions.ts";
import { sampled } from "./landmarkSampling.ts";
import { realsOf } from "./reals.ts";

type Custom = Node<"custom">;

const EXPANSIONS = {
  Landmarks2TransformMatrix: (site: Site, [landmarks]: readonly TensorId[]) =>
    site.options.has("subset") ? cornerMatrix(site, landmarks as TensorId) : centreMatrix(site, landmarks as TensorId),
  TransformLandmarks: moved,
  TransformTensor: sampled,
  TransformTensorBilinear: sampled,
} as const;
type Name = keyof typeof EXPANSIONS;
const COUNTS: { readonly [N in Name]: number } = {
  Landmarks2TransformMatrix: 1,
  TransformLandmarks: 2,
  TransformTensor: 2,
  TransformTensorBilinear: 2,
};

/** Importers by name; the nodes that they make are replaced by `withoutLandmarks`. */
export const LANDMARK_OPERATORS: ReadonlyMap<
  string,
  (parts: Omit<Custom, "kind" | "attributes">, bytes: Uint8Array) => AnyNode
> = new Map(
  Object.keys(EXPANSIONS).map((name) => [
    name,
    (parts, bytes) => ({
      kind: "custom",
      ...parts,
      attributes: { name, options: bytes.slice(), infer: ownTypes(name as Name) },
    }),
  ]),
);

const INFERS = new Map<Name, ReturnType<typeof makeInfer>>();

/** One function for a name, by which its nodes are known. */
function ownTypes(name: Name) {
  const known = INFERS.get(name) ?? makeInfer(name);
  INFERS.set(name, known);
  return known;
}

function makeInfer(name: Name) {
  return (inputs: readonly TensorType[], bytes: Uint8Array): readonly TensorType[] => {
    const { shape = [] } = inputs[0] ?? {};
    if (name === "Landmarks2TransformMatrix") return [{ dtype: "float32", shape: [1, 4, 4] }];
    if (name === "TransformLandmarks") return [{ dtype: "float32", shape }];
    const size = outputSize({ where: name, options: readFlexMap(bytes, name) });
    return [{ dtype: "float32", shape: [1, ...size, shape[3] ?? 0] }];
  };
}

/** The nodes with such operators taken apart; what they need is appended to `tensors`. INVALID_MODEL, UNSUPPORTED. */
export function withoutLandmarks(nodes: readonly AnyNode[], tensors: Tensor[]): readonly AnyNode[] {
  return nodes.flatMap((node) => {
    if (node.kind !== "custom") return [node];
    const name = node.attributes.name as Name;
    return node.attributes.infer === INFERS.get(name) ? expand(name, node, tensors) : [node];
  });
}

function expand(name: Name, { where, inputs, outputs, attributes }: Custom, tensors: Tensor[]): readonly AnyNode[] {
  const given = inputs.map((id) => tensors[id]).filter((tensor) => tensor !== undefined);
  const floats =
    given.every(({ dtype }) => dtype === "float32") && tensors[outputs[0] as TensorId]?.dtype === "float32";
  const fits = given.length === COUNTS[name] && inputs.length === given.length && outputs.length === 1;
  ensure(floats && fits, "UNSUPPORTED", () => ({
    where,
    expected: `${COUNTS[name]} inputs and one output of float32`,
    received: `${inputs.length} inputs and ${outputs.length} outputs of ${given.map(({ dtype }) => dtype).join(", ")}`,
  }));
  const options = readFlexMap(attributes.options, `${where}, options`);
  const m = realsOf(where, tensors);
  const { id, shape } = EXPANSIONS[name]({ where, options, inputs: given, m }, inputs);
  const size = m.constant("int32", [shape.length], shape);
  m.append("reshape", [id, size], { shape }, "float32", outputs[0]);
  return m.nodes;
}

/** Landmarks of two or three coordinates by a matrix; the third stays. */
function moved(site: Site, [landmarks, by]: readonly TensorId[]): Result {
  const { where, m, options } = site;
  const { shape } = site.inputs[0] as Tensor;
  requireMatrix(site);
  const dimensions = options.has("dimensions") ? numberOf(site, "dimensions") : shape.at(-1);
  const whole = (dimensions === 2 || dimensions === 3) && elementCount(shape) % dimensions === 0;
  if (!whole) return refuse(where, "landmarks of 2 or 3 coordinates", `${dimensions} of ${listText(shape)}`);
  const scale = options.has("scale") ? numberOf(site, "scale") : 1;
  const points = m.shaped(landmarks as TensorId, elementCount(shape) / dimensions, dimensions);
  const [x, y] = [m.column(points, 0), m.column(points, 1)];
  const columns = twoRows(m, by as TensorId).map(([a, b, shift]) =>
    m.add(m.dot(a, x, b, y), m.mul(shift, { value: scale })),
  );
  return { id: m.joined(dimensions === 3 ? [...columns, m.column(points, 2)] : columns, 1), shape };
}
