/** Strided slices of computed begins and ends. */
import type { AnyNode, TensorId } from "../../graph.ts";
import { elementCount, type Tensor } from "../../tensor.ts";
import { cutterOf } from "./cutting.ts";
import { type Element, elementsOf } from "./origins.ts";

type Writers = ReadonlyMap<TensorId, AnyNode>;

/** Ranges with steps, any of whose ends a run computes; undefined where they are constants, or entries stand for other dimensions. */
export function stridedParts(
  node: AnyNode,
  x: Tensor,
  tensors: Tensor[],
  writers: Writers,
): readonly AnyNode[] | undefined {
  if (node.kind !== "stridedSlice" || x.open !== undefined || x.shape.includes(0)) return undefined;
  const { beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask, offset = false } = node.attributes;
  const lists = node.inputs.slice(1).map((id) => elementsOf(id, tensors, writers));
  const [begins = [], ends = [], strides = []] = lists;
  const isIn = (mask: number, d: number) => ((mask >> d) & 1) === 1;
  const isOpen = begins.some(
    (begin, d) =>
      !isIn(shrinkAxisMask, d) &&
      ((typeof begin === "object" && !isIn(beginMask, d)) || (typeof ends[d] === "object" && !isIn(endMask, d))),
  );
  const isPlain = ellipsisMask === 0 && newAxisMask === 0 && !offset && isOpen;
  const fits = begins.length <= x.shape.length && strides.every((each) => typeof each === "number" && each !== 0);
  if (!isPlain || !fits || ends.length !== begins.length || strides.length !== begins.length) return undefined;
  const cutter = cutterOf(node.where, tensors);
  const { counts } = cutter;
  /** A place from the end where it is below 0, held between `least` and `most`. */
  const held = (element: Element, all: number, least: number, most: number) => {
    const place = cutter.scalar(element);
    const isBack = counts.append("less", [place, counts.int(0)], {}, "bool");
    const forward = counts.append("selectV2", [isBack, counts.two("add", place, counts.int(all)), place]);
    return counts.two("minimum", counts.two("maximum", forward, counts.int(least)), counts.int(most));
  };
  const axes = x.shape.map((all, d) => {
    const stride = elementCount(x.shape.slice(d + 1));
    if (d >= begins.length) return { size: counts.int(all), place: (at: TensorId) => at, stride };
    const step = strides[d] as number;
    const [least, most] = step > 0 ? [0, all] : [-1, all - 1];
    const isFirst = isIn(beginMask, d);
    const first = isFirst ? counts.int(step > 0 ? 0 : all - 1) : held(begins[d] as Element, all, least, most);
    const place = (at: TensorId) => counts.two("add", first, counts.times(at, step));
    if (isIn(shrinkAxisMask, d)) return { size: counts.int(1), place, stride };
    const last = isIn(endMask, d) ? counts.int(step > 0 ? all : -1) : held(ends[d] as Element, all, least, most);
    const distance = step > 0 ? counts.two("sub", last, first) : counts.two("sub", first, last);
    const rounded = counts.two("add", counts.two("maximum", distance, counts.int(0)), counts.int(Math.abs(step) - 1));
    return { size: counts.two("floorDiv", rounded, counts.int(Math.abs(step))), place, stride };
  });
  const all = elementCount(x.shape);
  return cutter.flat(node.inputs[0] as TensorId, all, axes, all, node.outputs[0] as TensorId);
}
