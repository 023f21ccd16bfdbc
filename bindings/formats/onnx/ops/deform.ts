/** Convolutions whose taps stand at computed places. */
import type { TensorId } from "../../../graph.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import { permuted } from "../layout.ts";
import { FLOAT } from "../types.ts";
import { outputSizes, windowsOf } from "../window.ts";
import { real } from "./cast.ts";
import { entries, reshapedTo, sized } from "./move.ts";
import { gathered, mathOf, type Real, tapInside } from "./sampled.ts";

/** What every tap of every output reads, `[N,taps,oH,oW,C]`; then a convolution of these, a column of taps each. */
function deformConv(n: OnnxNode): void {
  const [x, w] = [n.input(0), n.input(1)];
  const [batch, channels, height, width] = sized(n, x.shape, 4);
  const [outputs, perGroup, kH, kW] = sized(n, w.shape, 4);
  const windows = windowsOf(n, [height, width], [kH, kW]);
  const [oH = 0, oW = 0] = outputSizes([height, width], windows);
  const groups = n.int("offset_group", 1);
  const [taps, each] = [kH * kW, channels / groups];
  const m = mathOf(n);
  const cut = (id: TensorId, begin: readonly number[], size: readonly number[], shape: readonly number[]): Real => {
    const inputs = [id, n.b.integers(begin), n.b.integers(size)];
    return { id: reshapedTo(n, n.add("slice", inputs, {}, FLOAT)[0] as TensorId, shape) };
  };
  const places = [batch, taps, oH, oW];
  const offsets = reshapedTo(n, n.plain(n.input(2)), [batch, groups, taps, 2, oH * oW]);
  const masks = n.inputs[4] && reshapedTo(n, n.plain(n.input(4)), [batch, groups, taps, oH * oW]);
  /** Where taps would stand without offsets along a dimension, `[1,taps,oH,1]` or `[1,taps,1,oW]`. */
  const grid = (d: 0 | 1): Real => {
    const size = d === 0 ? oH : oW;
    const values = Float32Array.from({ length: entries(n, taps * size) }, (_, i) => {
      const tap = Math.floor(i / size);
      const k = d === 0 ? Math.floor(tap / kW) : tap % kW;
      const [stride, dilation, before] = [windows.stride[d], windows.dilation[d], windows.before[d]] as [
        number,
        number,
        number,
      ];
      return (i % size) * stride - before + k * dilation;
    });
    return { id: n.b.constant("float32", d === 0 ? [1, taps, size, 1] : [1, taps, 1, size], values) };
  };
  const parts = Array.from({ length: groups }, (_, g) => {
    const image = cut(n.last(x), [0, 0, 0, g * each], [batch, height, width, each], [batch, height, width, each]).id;
    const own = ([height, width] as const).map((size, d) => {
      const offset = cut(offsets, [0, g, 0, d, 0], [batch, 1, taps, 1, oH * oW], places);
      const at = m.add(offset, grid(d as 0 | 1));
      const first = m.floor(at);
      const t = m.sub(at, first);
      return [tapInside(m, first, size, m.sub(1, t)), tapInside(m, m.add(first, 1), size, t)];
    });
    const read = gathered(n, image, own);
    if (masks === undefined) return read;
    return real(n, "mul", read, cut(masks, [0, g, 0, 0], [batch, 1, taps, oH * oW], [...places, 1]).id);
  });
  const all = parts.length === 1 ? parts[0] : n.add("concat", parts, { axis: 4, activation: "none" }, FLOAT)[0];
  const columns = reshapedTo(n, all as TensorId, [batch, taps, oH * oW, channels]);
  const isDepthwise = perGroup === 1 && channels > 1;
  const shape = [outputs, perGroup, taps, 1];
  const weights = permuted(
    n.b,
    n.where,
    reshapedTo(n, n.plain(w), shape),
    shape,
    isDepthwise ? [1, 2, 3, 0] : [0, 2, 3, 1],
  );
  const inputs = [columns, weights, ...(n.inputs[3] === undefined ? [] : [n.plain(n.input(3))])];
  const attributes = { stride: [1, 1], dilation: [1, 1], padding: "valid", activation: "none" } as const;
  const [y] = n.add(isDepthwise ? "depthwiseConv2d" : "conv2d", inputs, attributes, FLOAT);
  n.setLast(0, reshapedTo(n, y as TensorId, [batch, oH, oW, outputs]), [batch, outputs, oH, oW]);
}

export const DEFORMED: Conversions = { DeformConv: deformConv };
