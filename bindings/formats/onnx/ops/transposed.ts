/** Transposed convolutions of one to three spatial dimensions. */

import type { TensorId } from "../../../graph.ts";
import { elementCount, listText } from "../../../tensor.ts";
import { type Conversions, numbersOf, type OnnxNode } from "../convert.ts";
import { permuted } from "../layout.ts";
import { FLOAT } from "../types.ts";
import { pair, requireSizes } from "../window.ts";
import { imageOf, setImage } from "./conv.ts";
import { channelled } from "./move.ts";
import { type Placement, transposedByComputed } from "./transposedComputed.ts";

/** Of volumes, group by group. */
function volumes(n: OnnxNode, { stride, dilation, before, output }: Placement, groups: number): void {
  const [x, w] = [n.input(0), n.input(1)];
  const perGroup = w.shape[1] as number;
  const outputs = perGroup * groups;
  const three = (list: readonly number[]) => list as readonly [number, number, number];
  // the kernel cuts what lies before: with padding the whole is computed, and cut
  const full = output.map((size, i) => {
    const reach = ((w.shape[i + 2] as number) - 1) * (dilation[i] as number) + 1;
    return Math.max(size + (before[i] as number), (stride[i] as number) * ((x.shape[i + 2] as number) - 1) + reach);
  });
  const shape = n.b.integers([x.shape[0] as number, ...full, perGroup]);
  const part = (id: TensorId, axis: number, g: number): TensorId => {
    const { shape: all } = n.b.tensor(id);
    if (groups === 1) return id;
    const each = (all[axis] as number) / groups;
    const from = n.b.integers(all.map((_, d) => (d === axis ? g * each : 0)));
    const sizes = n.b.integers(all.map((size, d) => (d === axis ? each : size)));
    return n.add("slice", [id, from, sizes], {}, FLOAT)[0] as TensorId;
  };
  const bias = n.inputs[2] === undefined ? [] : [n.plain(n.input(2))];
  const attributes = {
    stride: three(stride),
    dilation: [1, 1, 1] as const,
    padding: "valid" as const,
    activation: "none" as const,
  };
  const wholes = Array.from({ length: groups }, (_, g) => {
    const own = part(n.plain(w), 0, g);
    const turned = permuted(n.b, n.where, own, n.b.tensor(own).shape, [2, 3, 4, 1, 0]);
    const weights = spreadOut(n, turned, dilation);
    const inputs = [shape, weights, part(n.last(x), 4, g), ...bias.map((id) => part(id, 0, g))];
    return n.add("conv3dTranspose", inputs, attributes, FLOAT)[0] as TensorId;
  });
  const joint = { axis: 4, activation: "none" } as const;
  const [whole] = groups === 1 ? wholes : n.add("concat", wholes, joint, FLOAT);
  const cut = [whole, n.b.integers([0, ...before, 0]), n.b.integers([x.shape[0] as number, ...output, outputs])];
  const [y] = n.add("slice", cut, {}, FLOAT, n.outputs[0]);
  n.setLast(0, y as TensorId, [x.shape[0] as number, outputs, ...output]);
}

/** Constant weights `[kD,kH,kW,O,C]` with zeros between, in place of dilation. */
function spreadOut(n: OnnxNode, id: TensorId, dilation: readonly number[]): TensorId {
  if (dilation.every((size) => size === 1)) return id;
  const weights = n.b.tensor(id);
  const each = elementCount(weights.shape.slice(3));
  const kernel = weights.shape.slice(0, 3);
  const to = kernel.map((size, d) => (size - 1) * (dilation[d] as number) + 1);
  if (elementCount(to) * each > MOST_WEIGHTS) n.refuse("smaller weights", listText(weights.shape));
  const from = numbersOf(weights);
  const spread = new Float32Array(elementCount(to) * each);
  for (let i = 0; i < elementCount(kernel); i++) {
    const place = kernel.reduce((at, _, d) => {
      const k = Math.floor(i / elementCount(kernel.slice(d + 1))) % (kernel[d] as number);
      return at * (to[d] as number) + k * (dilation[d] as number);
    }, 0);
    for (let c = 0; c < each; c++) spread[place * each + c] = from[i * each + c] as number;
  }
  return n.b.constant("float32", [...to, ...weights.shape.slice(3)], spread);
}

/** Values that dense weights may have, which groups are spread to. */
const MOST_WEIGHTS = 1 << 26;

/** Padding goes off what windows reach; `output_shape` and SAME say the output instead, and the padding follows. */
function placementOf(n: OnnxNode, sizes: readonly number[], kernel: readonly number[]): Placement {
  const rank = sizes.length;
  const stride = n.ints("strides") ?? sizes.map(() => 1);
  const dilation = n.ints("dilations") ?? sizes.map(() => 1);
  const more = n.ints("output_padding") ?? sizes.map(() => 0);
  const pads = n.ints("pads") ?? sizes.flatMap(() => [0, 0]);
  const fits = [stride, dilation, more].every((list) => list.length === rank) && pads.length === 2 * rank;
  if (!fits) n.refuse(`attributes for ${rank} spatial dimensions`, "others");
  requireSizes(n, { kernel, stride, dilation });
  const auto = n.string("auto_pad", "NOTSET");
  const wanted = n.ints("output_shape")?.slice(-rank);
  const all = sizes.map((size, i) => {
    const step = stride[i] as number;
    const reach = ((kernel[i] as number) - 1) * (dilation[i] as number) + 1;
    const full = step * (size - 1) + reach + (more[i] as number);
    const isSame = auto.startsWith("SAME");
    const output = wanted?.[i] ?? (isSame ? size * step : undefined);
    if (output === undefined && auto === "VALID") return { before: 0, output: full };
    if (output === undefined) {
      const [before, after] = [pads[i] as number, pads[i + rank] as number];
      return { before, output: full - before - after };
    }
    const total = Math.max(0, full - output);
    const less = Math.floor(total / 2);
    const before = auto === "SAME_UPPER" ? less : total - less;
    return { before, output: wanted?.[i] ?? full - total };
  });
  const wrong = all.find(({ before, output }) => before < 0 || output < 1);
  if (wrong) n.refuse("paddings from 0 and outputs from 1", `padding ${wrong.before}, output ${wrong.output}`);
  return { stride, dilation, before: all.map(({ before }) => before), output: all.map(({ output }) => output) };
}

/** Weights `[C,O/groups,kH,kW]` as `[O,kH,kW,C]` without groups and dilation: zeros stand between. They remember their integers. */
function denseWeights(n: OnnxNode, groups: number, [dH, dW]: readonly [number, number]): TensorId {
  const w = n.input(1);
  const [channels, perGroup] = channelled(n, w.shape);
  const [kH, kW] = pair(w.shape.slice(2));
  const [height, width] = [(kH - 1) * dH + 1, (kW - 1) * dW + 1];
  const outputs = perGroup * groups;
  const inGroup = channels / groups;
  if (outputs * height * width * channels > MOST_WEIGHTS)
    n.refuse("smaller weights", `${listText(w.shape)} in ${groups} groups`);
  const spread = <T extends Float32Array | Int16Array>(from: ArrayLike<number>, dense: T): T => {
    for (let c = 0; c < channels; c++) {
      const first = Math.floor(c / inGroup) * perGroup;
      for (let o = 0; o < perGroup; o++)
        for (let y = 0; y < kH; y++)
          for (let x = 0; x < kW; x++) {
            const at = (((first + o) * height + y * dH) * width + x * dW) * channels + c;
            dense[at] = from[((c * perGroup + o) * kH + y) * kW + x] as number;
          }
    }
    return dense;
  };
  const shape = [outputs, height, width, channels];
  const length = elementCount(shape);
  const floats = n.b.constant("float32", shape, spread(n.numbers(1) ?? [], new Float32Array(length)));
  const origin = n.b.origins.get(n.plain(w));
  const integers = origin === undefined ? undefined : n.b.tensor(origin);
  const own = integers?.quantization;
  if (integers === undefined || own === undefined || (integers.dtype !== "int8" && integers.dtype !== "uint8"))
    return floats;
  if (own.scale.length > 1 && (own.axis !== 1 || own.scale.length !== perGroup)) return floats;
  const each = (list: readonly number[]) =>
    list.length === 1 ? list : Array.from({ length: outputs }, (_, o) => list[o % perGroup] as number);
  const zeroPoint = each(own.zeroPoint);
  const run = length / outputs;
  const zeros = new Int16Array(length);
  for (let o = 0; o < outputs; o++) zeros.fill(zeroPoint[o % zeroPoint.length] as number, o * run, (o + 1) * run);
  const values = spread(numbersOf(integers), zeros);
  const bytes = integers.dtype === "int8" ? Int8Array.from(values) : Uint8Array.from(values);
  const quantization = { scale: each(own.scale), zeroPoint, axis: 0 };
  n.b.origins.set(floats, n.b.constant(integers.dtype, shape, bytes, quantization));
  return floats;
}

function convTranspose(n: OnnxNode): void {
  const [x, w] = [n.input(0), n.input(1)];
  const spatial = x.shape.length - 2;
  if (spatial < 1 || spatial > 3 || w.shape.length !== x.shape.length)
    n.refuse("one to three spatial dimensions", `${listText(x.shape)} and ${listText(w.shape)}`);
  const groups = n.int("group", 1);
  const [channels, perGroup, ...kernel] = channelled(n, w.shape);
  if (groups < 1 || channels % groups !== 0 || channels !== x.shape[1])
    n.refuse(`weights of ${x.shape[1]} channels`, `${listText(w.shape)} with ${groups} groups`);
  const placement = placementOf(n, x.shape.slice(2), kernel);
  if (!n.b.isConstant(n.plain(w))) return transposedByComputed(n, placement, groups);
  if (spatial === 3) return volumes(n, placement, groups);
  const { stride, dilation, before, output } = placement;
  const [height, width] = pair(output);
  const [top, left] = spatial === 1 ? [0, before[0] as number] : pair(before);
  const shape = n.b.integers([x.shape[0] as number, height, width, perGroup * groups]);
  const bias = n.inputs[2] === undefined ? [] : [n.plain(n.input(2))];
  const inputs = [shape, denseWeights(n, groups, pair(dilation)), imageOf(n, x), ...bias];
  const attributes = {
    stride: pair(stride),
    padding: { top, left, bottom: 0, right: 0 },
    activation: "none" as const,
  };
  const [y] = n.add("transposeConv", inputs, attributes, FLOAT, n.outputs[0]);
  setImage(n, y as TensorId, x);
}

export const TRANSPOSED: Conversions = { ConvTranspose: convTranspose };
