/** Explicit paddings, which only graphs from other formats have: SAME or VALID where they are one, else a PAD of its own. */
import type { AnyNode, Graph, Node, Padding, TensorId } from "../../../graph.ts";
import { dimensions, GREATEST_FLOAT, type Tensor } from "../../../tensor.ts";
import { constant, whole } from "../../spelled.ts";

type Sides = Exclude<Padding, string>;
type Sized = readonly [number, number];

/** The graph with SAME and VALID alone, but for pools whose padding no operator of the file has. */
export function takePadding(graph: Graph): Graph {
  const tensors: Tensor[] = [...graph.tensors];
  const nodes: AnyNode[] = [];
  for (const node of graph.nodes) nodes.push(...whole(node, () => padded(node, tensors)));
  return { ...graph, tensors, nodes };
}

function padded(node: AnyNode, tensors: Tensor[]): readonly AnyNode[] {
  switch (node.kind) {
    case "conv2d":
    case "depthwiseConv2d": {
      const [, kH, kW] = dimensions((tensors[node.inputs[1] as number] as Tensor).shape, 4);
      return windowed(node, [kH, kW], node.attributes.dilation, undefined, tensors);
    }
    case "maxPool2d":
      return windowed(node, node.attributes.filter, [1, 1], "lowest", tensors);
    case "averagePool2d":
      return windowed(node, node.attributes.filter, [1, 1], "none", tensors);
    case "transposeConv":
      return transposed(node, tensors);
    default:
      return [node];
  }
}

type Windowed = Node<"conv2d" | "depthwiseConv2d" | "maxPool2d" | "averagePool2d">;

/** A node of windows with its padding as a word; with a PAD before it where there is none for it. */
function windowed(
  node: Windowed,
  kernel: Sized,
  dilation: Sized,
  value: "lowest" | "none" | undefined,
  tensors: Tensor[],
): readonly AnyNode[] {
  const { padding, stride } = node.attributes;
  if (typeof padding === "string") return [node as AnyNode];
  const x = tensors[node.inputs[0] as number] as Tensor;
  const [n, h, w, c] = dimensions(x.shape, 4);
  const word = wordOf(padding, [h, w], kernel, stride, dilation);
  if (word !== undefined) return [withPadding(node, word)];
  // Means leave out what is padded: no PAD does.
  if (value === "none") return [{ ...node, kind: "averagePool2d with its own padding" } as unknown as AnyNode];
  const { top, bottom, left, right } = padding;
  const amounts = constant(tensors, `${x.name}/paddings`, [4, 2], Int32Array.of(0, 0, top, bottom, left, right, 0, 0));
  const least = value === "lowest" ? [lowest(x, tensors)] : [];
  const { data: _data, ...type } = x;
  const output = (tensors.push({
    ...type,
    name: `${x.name}/padded`,
    shape: [n, h + top + bottom, w + left + right, c],
  }) - 1) as TensorId;
  const pad: AnyNode = {
    kind: "pad",
    where: node.where,
    attributes: {},
    outputs: [output],
    inputs: [node.inputs[0] as TensorId, amounts, ...least],
  };
  return [pad, withPadding({ ...node, inputs: [output, ...node.inputs.slice(1)] }, "valid")];
}

/** VALID, SAME, or neither. Source of SAME: TFLite's ComputePaddingHeightWidth. */
function wordOf(
  { top, bottom, left, right }: Sides,
  size: Sized,
  kernel: Sized,
  stride: Sized,
  dilation: Sized,
): "same" | "valid" | undefined {
  if (top + bottom + left + right === 0) return "valid";
  const same = ([before, after]: Sized, i: 0 | 1): boolean => {
    const reach = (kernel[i] - 1) * dilation[i] + 1;
    const total = Math.max((Math.ceil(size[i] / stride[i]) - 1) * stride[i] + reach - size[i], 0);
    return before === Math.floor(total / 2) && after === total - before;
  };
  return same([top, bottom], 0) && same([left, right], 1) ? "same" : undefined;
}

function withPadding(node: Node, padding: "same" | "valid"): AnyNode {
  return { ...node, attributes: { ...node.attributes, padding } } as AnyNode;
}

/** The value that no maximum takes, quantized as x is. */
function lowest(x: Tensor, tensors: Tensor[]): TensorId {
  const data =
    x.dtype === "float32"
      ? new Uint8Array(Float32Array.of(-GREATEST_FLOAT).buffer)
      : x.dtype === "int16"
        ? new Uint8Array(Int16Array.of(-32768).buffer)
        : Uint8Array.of(x.dtype === "int8" ? 0x80 : 0);
  const { dtype, quantization } = x;
  const value: Tensor = { name: `${x.name}/lowest`, dtype, shape: [1], data, ...(quantization && { quantization }) };
  return (tensors.push(value) - 1) as TensorId;
}

/** A transposed convolution: what explicit padding cuts off is cut off by a SLICE of the whole. */
function transposed(node: Node<"transposeConv">, tensors: Tensor[]): readonly AnyNode[] {
  const { padding, stride } = node.attributes;
  if (typeof padding === "string") return [node];
  const [, w, x] = node.inputs.map((id) => tensors[id]) as [Tensor, Tensor, Tensor];
  const y = tensors[node.outputs[0] as number] as Tensor;
  const [batch, height, width, channels] = dimensions(y.shape, 4);
  const [, kH, kW] = dimensions(w.shape, 4);
  const [, inH, inW] = dimensions(x.shape, 4);
  const { top, left } = padding;
  const before = (size: number, kernel: number, step: number) =>
    Math.floor(Math.max((Math.ceil(size / step) - 1) * step + kernel - size, 0) / 2);
  // The reference computes the input's size from the output's, and refuses others.
  const isWhole = inH === Math.floor((height - kH) / stride[0]) + 1 && inW === Math.floor((width - kW) / stride[1]) + 1;
  const isSame = inH === Math.ceil(height / stride[0]) && inW === Math.ceil(width / stride[1]);
  if (top === 0 && left === 0 && isWhole) return [withPadding(node, "valid")];
  if (isSame && top === before(height, kH, stride[0]) && left === before(width, kW, stride[1]))
    return [withPadding(node, "same")];
  const whole = [
    ...[batch, Math.max((inH - 1) * stride[0] + kH, top + height)],
    ...[Math.max((inW - 1) * stride[1] + kW, left + width), channels],
  ];
  const output = (tensors.push({ ...y, name: `${y.name}/whole`, shape: whole }) - 1) as TensorId;
  const shape = constant(tensors, `${y.name}/shape`, [4], Int32Array.from(whole));
  const begin = constant(tensors, `${y.name}/begin`, [4], Int32Array.of(0, top, left, 0));
  const size = constant(tensors, `${y.name}/size`, [4], Int32Array.from(y.shape));
  const inner = withPadding({ ...node, inputs: [shape, ...node.inputs.slice(1)], outputs: [output] }, "valid");
  const slice: AnyNode = {
    kind: "slice",
    where: node.where,
    attributes: {},
    inputs: [output, begin, size],
    outputs: node.outputs,
  };
  return [inner, slice];
}
