import { ensure } from "../../../errors.ts";
import type { Node, TensorId } from "../../../graph.ts";
import { inputOf, outputOf } from "../../../ops/constraints.ts";
import type { NodeView } from "../../../ops/types.ts";
import { placeWindow } from "../../../primitives/window.ts";
import { dimensions, elementCount } from "../../../tensor.ts";
import { meanOfAxes } from "./mixed.ts";
import { PAIR, pair } from "./pair.ts";
import type { Gradient, Tape } from "./types.ts";

type Pool = "averagePool2d" | "maxPool2d";

interface Windows {
  readonly batch: number;
  readonly inH: number;
  readonly inW: number;
  readonly channels: number;
  readonly outH: number;
  readonly outW: number;
  readonly kH: number;
  readonly kW: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly padTop: number;
  readonly padLeft: number;
}

export const averagePool2d = poolGradient("averagePool2d");
export const maxPool2d = poolGradient("maxPool2d");

/** The mean or the maximum of windows: the gradient is spread over the window, or goes to its first largest element. */
function poolGradient<K extends Pool>(kind: K): Gradient<K> {
  return {
    forward: (node, view, tape) => forward(node, windowsOf(view as NodeView<Pool>), kind === "maxPool2d", tape),
    backward: (node, view, tape) => backward(node, windowsOf(view as NodeView<Pool>), kind === "maxPool2d", tape),
  };
}

/** The mean of whole images, or of other axes. */
export const mean: Gradient<"mean"> = {
  forward: (node, view, tape) =>
    isOfImages(view)
      ? forward(node, imageOf(inputOf(view, 0).shape), false, tape)
      : meanOfAxes.forward(node, view, tape),
  backward: (node, view, tape) =>
    isOfImages(view)
      ? backward(node, imageOf(inputOf(view, 0).shape), false, tape)
      : meanOfAxes.backward(node, view, tape),
};

/** The largest over neighbouring axes. */
export const reduceMax: Gradient<"reduceMax"> = {
  forward: (node, view, tape) => forward(node, columnsOf(view), true, tape),
  backward: (node, view, tape) => backward(node, columnsOf(view), true, tape),
};

/** Axes that are reduced as the heights of images of width 1. */
function columnsOf(view: NodeView<"reduceMax">): Windows {
  const { shape } = inputOf(view, 0);
  const axes = axesOf(view);
  const [first = 0] = axes;
  const last = axes.at(-1) ?? 0;
  ensure(first > 0 && axes.length === last - first + 1, "UNSUPPORTED", () => ({
    where: view.where,
    expected: "a reduction of neighbouring axes that keeps samples apart to train",
    received: `axes ${axes.join(", ")}`,
  }));
  return imageOf([
    elementCount(shape.slice(0, first)),
    elementCount(shape.slice(first, last + 1)),
    1,
    elementCount(shape.slice(last + 1)),
  ]);
}

function forward(node: Node, windows: Windows, largest: boolean, tape: Tape): void {
  const [x, y] = [tape.value(node.inputs[0] as TensorId), tape.value(node.outputs[0] as TensorId)];
  if (!largest) return averageOf(tape, windows, x, y);
  const unused = { scratch: 0, scratchStride: 0, lo: 0, hi: 0, least: -Infinity, most: Infinity };
  const elements = windows.batch * windows.inH * windows.inW * windows.channels;
  tape.call({ kernel: "maxPoolF32", params: { ...windows, ...unused, x, y } }, { elements });
}

function backward(node: Node, windows: Windows, largest: boolean, tape: Tape): void {
  const target = tape.give(node.inputs[0] as TensorId);
  if (target === undefined) return;
  const { address: d, accumulate } = target;
  const [x, y] = [tape.value(node.inputs[0] as TensorId), tape.value(node.outputs[0] as TensorId)];
  const dy = tape.gradient(node.outputs[0] as TensorId);
  const elements = windows.batch * windows.inH * windows.inW * windows.channels;
  const params = { ...windows, x, y, dy, d, accumulate, largest: largest ? 1 : 0 };
  tape.call({ kernel: "poolGradF32", params }, { elements });
}

/** Whole images `[N,H,W,C]`, whose mean is one number for each channel. */
export function imageOf(shape: readonly number[]): Windows {
  const [batch, height, width, channels] = dimensions(shape, 4);
  const own = { batch, inH: height, inW: width, channels, outH: 1, outW: 1, kH: height, kW: width };
  return { ...own, strideH: 1, strideW: 1, padTop: 0, padLeft: 0 };
}

/** The mean of each channel of images at x, to y. */
export function averageOf(tape: Tape, windows: Windows, x: number, y: number): void {
  const unused = { scratch: 0, scratchStride: 0, lo: 0, hi: 0, least: -Infinity, most: Infinity };
  const elements = windows.batch * windows.inH * windows.inW * windows.channels;
  tape.call({ kernel: "averagePoolF32", params: { ...windows, ...unused, x, y } }, { elements });
}

/** One number for each channel, at x, as whole images; the address is kept. */
export function spreadOf(tape: Tape, windows: Windows, x: number): number {
  const { batch, inH, inW, channels } = windows;
  const [count, elements] = [batch * channels, batch * inH * inW * channels];
  const times = tape.temporary(count);
  const pixels = tape.constant(new Float32Array(count).fill(inH * inW));
  pair(tape, { a: x, b: pixels, y: times, count, form: PAIR.product });
  // The gradient of a mean: each pixel gets its share of what was multiplied by their number.
  const d = tape.keep(elements);
  const params = { ...windows, x: d, y: d, dy: times, d, accumulate: 0 as const, largest: 0 };
  tape.call({ kernel: "poolGradF32", params }, { elements });
  return d;
}

function windowsOf(view: NodeView<Pool>): Windows {
  const [batch, inH, inW, channels] = dimensions(inputOf(view, 0).shape, 4);
  const [, outH, outW] = dimensions(outputOf(view).shape, 4);
  const { filter, stride, padding, activation } = view.attributes;
  ensure(activation === "none", "UNSUPPORTED", () => ({
    where: view.where,
    expected: "pooling without an activation to train",
    received: activation,
  }));
  const h = placeWindow(inH, filter[0], stride[0], 1, padding, "height");
  const w = placeWindow(inW, filter[1], stride[1], 1, padding, "width");
  return {
    batch,
    inH,
    inW,
    channels,
    outH,
    outW,
    kH: filter[0],
    kW: filter[1],
    strideH: stride[0],
    strideW: stride[1],
    padTop: h.before,
    padLeft: w.before,
  };
}

const isOfImages = (view: NodeView<"mean">): boolean =>
  inputOf(view, 0).shape.length === 4 && axesOf(view).join() === "1,2";

function axesOf(view: NodeView<"mean" | "reduceMax">): readonly number[] {
  const { data = new Uint8Array(0) } = inputOf(view, 1);
  const axes = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const rank = inputOf(view, 0).shape.length;
  return Array.from({ length: data.length / 4 }, (_, i) => (axes.getInt32(i * 4, true) + rank) % rank).sort(
    (a, b) => a - b,
  );
}
