/** PosenetDecoderOp of Coral's models, which runs on the host: people in heatmaps. Source: libcoral's posenet decoder. */
import { ensure } from "../../errors.ts";
import type { AnyNode, Node, TensorId } from "../../graph.ts";
import { listText, type Tensor, type TensorType } from "../../tensor.ts";
import { readFlexMap } from "./flexbuffer.ts";

const NAME = "PosenetDecoderOp";
/** Channels of heatmaps, short, middle and long offsets. */
const CHANNELS = [17, 34, 64, 34];
/** Height and width of the masks, and of the long offsets that they come from. */
const MASK = 33;
const [MOST_PLACES, MOST_POSES] = [2 ** 14, 1000];

type Parts = Omit<Node<"custom">, "kind" | "attributes">;

/** The importer by its name; the node that it makes is completed by `withPoses`. */
export const POSE_OPERATORS: ReadonlyMap<string, (parts: Parts, bytes: Uint8Array) => AnyNode> = new Map([
  [
    NAME,
    (parts: Parts, bytes: Uint8Array): AnyNode => ({
      kind: "custom",
      ...parts,
      attributes: { name: NAME, options: bytes.slice(), infer: typesOf },
    }),
  ],
]);

/** Types by the options as `withPoses` writes them; where it has not yet, by the file's own. */
function typesOf(inputs: readonly TensorType[], bytes: Uint8Array): readonly TensorType[] {
  const most = bytes.length === OPTIONS_BYTES ? (new Float32Array(bytes.slice().buffer)[0] as number) : mostOf(bytes);
  const shapes = [[1, most, 17, 2], [1, most, 17], [1, most], [1], [1, most, MASK, MASK]];
  return shapes.slice(0, inputs.length + 1).map((shape) => ({ dtype: "float32", shape }));
}

const OPTIONS_BYTES = 24;

function mostOf(bytes: Uint8Array): number {
  const most = readFlexMap(bytes, NAME).get("max_detections");
  return typeof most === "number" && Number.isInteger(most) && most >= 1 && most <= MOST_POSES ? most : 1;
}

/** The nodes with decoders of real numbers, whose options are those that the host reads. UNSUPPORTED, INVALID_MODEL. */
export function withPoses(nodes: readonly AnyNode[], tensors: Tensor[]): readonly AnyNode[] {
  return nodes.flatMap((node) =>
    node.kind === "custom" && node.attributes.infer === typesOf ? completed(node, tensors) : [node],
  );
}

function completed(node: Node<"custom">, tensors: Tensor[]): readonly AnyNode[] {
  const { where, inputs, outputs, attributes } = node;
  const given = inputs.map((id) => tensors[id]);
  const fields = given.filter((tensor) => tensor !== undefined);
  const counts = fields.length === inputs.length && outputs.length === inputs.length + 1;
  ensure(counts && (inputs.length === 3 || inputs.length === 4), "UNSUPPORTED", () => ({
    where,
    expected: "3 inputs and 4 outputs, or 4 and 5",
    received: `${inputs.length} and ${outputs.length}`,
  }));
  const [, h = 0, w = 0] = fields[0]?.shape ?? [];
  const size = (i: number) => (i === 3 ? [MASK, MASK] : [h, w]);
  for (const [i, { dtype, shape }] of fields.entries()) {
    const holds = `${shape}` === `${[1, ...size(i), CHANNELS[i]]}` && h * w >= 1 && h * w <= MOST_PLACES;
    ensure(holds && (dtype === "float32" || dtype === "uint8" || dtype === "int8"), "UNSUPPORTED", () => ({
      where: `${where}, input ${i}`,
      expected: `float32 or quantized [1, ${i === 3 ? "33, 33" : "h, w"}, ${CHANNELS[i]}] of at most ${MOST_PLACES} places`,
      received: `${dtype} ${listText(shape)}`,
    }));
  }
  const dequantized: AnyNode[] = [];
  const floats = inputs.map((id, i) => {
    const { dtype, shape, name } = fields[i] as Tensor;
    if (dtype === "float32") return id;
    const real = (tensors.push({ name: `${name}/real`, dtype: "float32", shape }) - 1) as TensorId;
    dequantized.push({ kind: "dequantize", where, inputs: [id], outputs: [real], attributes: {} });
    return real;
  });
  const options = optionsOf(attributes.options, where);
  const bytes = new Uint8Array(Float32Array.of(...options, h, w).buffer);
  return [...dequantized, { ...node, inputs: floats, attributes: { ...attributes, options: bytes } }];
}

/** Most detections, least score, stride and radius. */
function optionsOf(bytes: Uint8Array, where: string): readonly number[] {
  const values = readFlexMap(bytes, `${where}, options`);
  const bounds = {
    max_detections: [1, MOST_POSES],
    score_threshold: [0, 1],
    stride: [1, 1024],
    nms_radius: [0, 65536],
  } as const;
  return Object.entries(bounds).map(([key, [least, most]]) => {
    const value = values.get(key);
    const isWhole = key === "max_detections" || key === "stride";
    const fits = typeof value === "number" && value >= least && value <= most && (!isWhole || Number.isInteger(value));
    ensure(fits, "INVALID_MODEL", () => ({
      where: `${where}, options`,
      expected: `"${key}" from ${least} to ${most}`,
      received: String(value),
    }));
    return value;
  });
}
