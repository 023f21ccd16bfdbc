/** Transposed convolutions whose weights are computed. */
import type { TensorId } from "../../../graph.ts";
import type { OnnxNode } from "../convert.ts";
import { FLOAT } from "../types.ts";
import { channelled, optional, reshapedTo, typeOf } from "./move.ts";
import { convolvedAny, setConvolved } from "./volumes.ts";

/** Where the outputs stand, per spatial dimension. */
export interface Placement {
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly before: readonly number[];
  readonly output: readonly number[];
}

/** As the convolution that it is: of x with zeros between, as the stride says, by the weights turned round. */
export function transposedByComputed(n: OnnxNode, { stride, dilation, before, output }: Placement, groups: number) {
  const [x, w] = [n.input(0), n.input(1)];
  const [channels, perGroup, ...kernel] = channelled(n, w.shape);
  const steps = n.b.integers([1, ...stride, 1]);
  let [image] = n.add("dilate", [n.last(x), steps, n.b.float(0)], {}, FLOAT) as [TensorId];
  const pads = output.map((size, i) => {
    const reach = ((kernel[i] as number) - 1) * (dilation[i] as number);
    const first = reach - (before[i] as number);
    return [first, size + reach - (n.b.tensor(image).shape[i + 1] as number) - first] as const;
  });
  const more = pads.flatMap((ends) => ends.map((end) => Math.max(end, 0)));
  const sides = n.b.integers([0, 0, ...more, 0, 0], [pads.length + 2, 2]);
  if (more.some((end) => end > 0)) [image] = n.add("pad", [image, sides, n.b.float(0)], {}, FLOAT) as [TensorId];
  if (pads.some((ends) => ends.some((end) => end < 0))) {
    const { shape } = n.b.tensor(image);
    const cut = [0, ...pads.map(([first]) => Math.max(-first, 0)), 0];
    const left = shape.map((size, d) => size - (cut[d] as number) + Math.min(pads[d - 1]?.[1] ?? 0, 0));
    [image] = n.add("slice", [image, n.b.integers(cut), n.b.integers(left)], {}, FLOAT) as [TensorId];
  }
  const turned = n.add("reverse", [n.plain(w), n.b.integers(kernel.map((_, i) => i + 2))], {}, FLOAT)[0] as TensorId;
  const each = [groups, channels / groups, perGroup, ...kernel];
  const order = n.b.integers(each.map((_, d) => (d === 1 ? 2 : d === 2 ? 1 : d)));
  const apart = reshapedTo(n, turned, each);
  const swapped = n.add("transpose", [apart, order], {}, [typeOf(n, apart)])[0] as TensorId;
  const shape = [groups * perGroup, channels / groups, ...kernel];
  const sizes = n.b.tensor(image).shape.slice(1, -1);
  const like: OnnxNode = {
    ...n,
    ints: (name) => (name === "dilations" ? dilation : undefined),
    string: (_, otherwise) => otherwise,
  };
  const whole = { ...x, shape: [x.shape[0] as number, channels, ...sizes], twins: { last: image } };
  const weights = { ...w, shape, twins: { plain: reshapedTo(n, swapped, shape) } };
  const bias = optional(n, 2);
  setConvolved(n, convolvedAny(like, whole, weights, bias), x);
}
