/** FlexMaxPool3D and FlexAvgPool3D, which converters leave to TensorFlow: a pooling of each image, and one over the images. */
import { ensure, Pint8Error } from "../../errors.ts";
import type { AnyNode, Node, TensorId } from "../../graph.ts";
import { listText, type Tensor } from "../../tensor.ts";
import type { CustomEntry } from "./custom.ts";
import { readNodeDef } from "./nodeDef.ts";
import { realsOf } from "./reals.ts";

const KINDS = { FlexMaxPool3D: "maxPool2d", FlexAvgPool3D: "averagePool2d" } as const;
type Name = keyof typeof KINDS;
const isPool = (name: string): name is Name => Object.hasOwn(KINDS, name);

/** Importers by name; the nodes that they make are replaced by `withoutFlexPools`. */
export const FLEX_POOLS: ReadonlyMap<string, CustomEntry> = new Map(
  Object.keys(KINDS).map((name) => [
    name,
    (parts, bytes) => ({ kind: "custom", ...parts, attributes: { name, options: bytes.slice(), infer: unresolved } }),
  ]),
);

function unresolved(): never {
  throw new Pint8Error("UNSUPPORTED", { where: "pooling", expected: "one that was replaced", received: "another" });
}

/** The nodes with volumes pooled as images; what is needed for that is appended to `tensors`. INVALID_MODEL, UNSUPPORTED. */
export function withoutFlexPools(nodes: readonly AnyNode[], tensors: Tensor[]): readonly AnyNode[] {
  return nodes.flatMap((node) =>
    node.kind === "custom" && isPool(node.attributes.name) ? pooled(node, node.attributes.name, tensors) : [node],
  );
}

function pooled({ where, inputs, outputs, attributes }: Node<"custom">, name: Name, tensors: Tensor[]) {
  const x = tensors[inputs[0] as TensorId];
  const [, depth = 0, height = 0, width = 0, channels = 0] = x?.shape ?? [];
  const { filter, stride, padding } = optionsOf(attributes.options, where);
  const isKnown = x?.dtype === "float32" && x.shape.length === 5 && x.shape.slice(1).every((n) => n > 0);
  ensure(isKnown && !!filter && !!stride && !!padding && outputs.length === 1, "UNSUPPORTED", () => ({
    where,
    expected: "float32 [n, depth, height, width, channels], windows over the middle three, padding SAME or VALID",
    received: `${x?.dtype} ${listText(x?.shape ?? [])}, ${filter} by ${stride}, padding ${padding}`,
  }));
  const m = realsOf(where, tensors);
  const pool = (from: TensorId, ...axes: readonly number[]) => {
    const [sizes, steps] = [filter, stride].map((list) => axes.map((axis) => list[axis] ?? 1));
    return m.append(KINDS[name], [from], { filter: sizes, stride: steps, padding, activation: "none" });
  };
  const [d, h, w] = [depth, height, width].map((size, axis) => {
    const places = size - (padding === "same" ? 1 : (filter[axis] as number));
    return Math.floor(places / (stride[axis] as number)) + 1;
  }) as [number, number, number];
  const images = pool(m.shaped(inputs[0] as TensorId, -1, height, width, channels), 1, 2);
  const volumes = pool(m.shaped(images, -1, depth, h * w, channels), 0, 3);
  m.shaped(volumes, -1, d, h, w, channels);
  const last = m.nodes.at(-1) as AnyNode;
  return [...m.nodes.slice(0, -1), { ...last, outputs } as AnyNode];
}

/** Windows by depth, height and width, undefined where they are others. INVALID_MODEL for options that cannot be read. */
function optionsOf(options: Uint8Array, where: string) {
  const attributes = readNodeDef(options, where);
  const middle = (name: string): readonly number[] | undefined => {
    const { ints = [] } = attributes.get(name) ?? {};
    const [first, last] = [ints[0], ints[4]];
    return ints.length === 5 && first === 1 && last === 1 && ints.every(isSize) ? ints.slice(1, 4) : undefined;
  };
  const text = (name: string) => attributes.get(name)?.text;
  const padding = PADDINGS.find((each) => each.toUpperCase() === text("padding"));
  const [filter, stride] = (text("data_format") ?? "NDHWC") === "NDHWC" ? ["ksize", "strides"].map(middle) : [];
  return { filter, stride, padding };
}

const PADDINGS = ["same", "valid"] as const;
const isSize = (n: number) => n > 0 && n < 2 ** 31;
