/** FlexMaxPool3D and FlexAvgPool3D, which converters leave to TensorFlow: a pooling of each image, and one over the images. */
import { ensure, Pint8Error } from "../../errors.ts";
import type { AnyNode, Node, Padding, TensorId } from "../../graph.ts";
import { listText, type Tensor } from "../../tensor.ts";
import type { CustomEntry } from "./custom.ts";
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
  const { filter, stride, padding } = optionsOf(attributes.options);
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

/** What is looked for in options: the NodeDef that they end with is hundreds of bytes. */
const MOST_BYTES = 4096;

/**
 * Windows by depth, height and width, undefined where they are others. An attribute of a NodeDef is its name, and behind some lengths five
 * numbers of one byte each or a text; numbers above 127 have more bytes, and are found no more than other layouts are.
 */
function optionsOf(options: Uint8Array) {
  const text = Array.from(options.subarray(0, MOST_BYTES), (byte) => String.fromCharCode(byte)).join("");
  const list = (name: string): readonly number[] | undefined => {
    const found = new RegExp(`${name}\\x12.\\n.\\x1a\\x05\\x01([\\x01-\\x7f]{3})\\x01`, "s").exec(text)?.[1];
    return found === undefined ? found : Array.from(found, (byte) => byte.charCodeAt(0));
  };
  const padding = /padding.{4}(SAME|VALID)/s.exec(text)?.[1]?.toLowerCase() as Padding | undefined;
  const [filter, stride] = text.includes("NCDHW") ? [] : ["ksize", "strides"].map(list);
  return { filter, stride, padding };
}
