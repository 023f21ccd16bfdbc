/** Convolutions of three spatial dimensions, and those of any number of them. */
import type { TensorId } from "../../../graph.ts";
import { listText } from "../../../tensor.ts";
import type { OnnxNode } from "../convert.ts";
import { permuted, reorder, toPlain, type Value } from "../layout.ts";
import { FLOAT } from "../types.ts";
import { windowsOf } from "../window.ts";
import { convolved, setImage } from "./conv.ts";
import { channelled, optional } from "./move.ts";

/** The convolution of volumes with their channels last, by the kernel of windows without padding. */
function volume(n: OnnxNode, x: Value, w: Value, bias: TensorId | undefined): TensorId {
  const { stride, dilation, before, after } = windowsOf(n, x.shape.slice(2), w.shape.slice(2));
  const groups = n.int("group", 1);
  const [outputs, perGroup] = channelled(n, w.shape);
  if (groups < 1 || perGroup * groups !== x.shape[1] || outputs % groups !== 0)
    n.refuse(
      `weights of ${(x.shape[1] as number) / groups} channels a group`,
      `${listText(w.shape)} with ${groups} groups`,
    );
  const id = n.last(x);
  const pads = [0, 0, ...before.flatMap((size, i) => [size, after[i] as number]), 0, 0];
  const inputs = [id, n.b.integers(pads, [5, 2]), n.b.float(0)];
  const isPadded = pads.some((size) => size > 0);
  const from = isPadded ? n.add("pad", inputs, {}, FLOAT)[0] : id;
  const weights = permuted(n.b, n.where, n.plain(w), w.shape, [2, 3, 4, 1, 0]);
  const size = (list: readonly number[]) => list as unknown as readonly [number, number, number];
  const attributes = {
    stride: size(stride),
    dilation: size(dilation),
    padding: "valid" as const,
    activation: "none" as const,
  };
  const operands = [from as TensorId, weights, ...(bias === undefined ? [] : [bias])];
  if (groups === 1) return n.add("conv3d", operands, attributes, FLOAT, n.outputs[0])[0] as TensorId;
  const part = (id: TensorId, g: number, each: number): TensorId => {
    const { shape } = n.b.tensor(id);
    const begin = shape.map((_, d) => (d === shape.length - 1 ? g * each : 0));
    const sizes = [...shape.slice(0, -1), each];
    return n.add("slice", [id, n.b.integers(begin), n.b.integers(sizes)], {}, FLOAT)[0] as TensorId;
  };
  const parts = Array.from({ length: groups }, (_, g) => {
    const own = operands.map((id, i) => part(id, g, i === 0 ? perGroup : outputs / groups));
    return n.add("conv3d", own, attributes, FLOAT)[0] as TensorId;
  });
  const joint = { axis: 4, activation: "none" as const };
  return n.add("concat", parts, joint, FLOAT, n.outputs[0])[0] as TensorId;
}

/** The convolution of float32 values, as an image or a volume. */
export const convolvedAny = (n: OnnxNode, x: Value, w: Value, bias: TensorId | undefined): TensorId =>
  x.shape.length === 5 ? volume(n, x, w, bias) : convolved(n, x, w, bias);

/** Sets output 0 to what a convolution of x gives: an image, or a volume. */
export function setConvolved(n: OnnxNode, id: TensorId, x: Value): void {
  if (x.shape.length < 5) return setImage(n, id, x);
  n.setLast(0, id, reorder(n.b.tensor(id).shape, toPlain(5)));
}

/** A convolution of volumes. */
export function convVolume(n: OnnxNode): void {
  const x = n.input(0);
  const bias = optional(n, 2);
  setConvolved(n, volume(n, x, n.input(1), bias), x);
}
