/** Further nodes → ONNX operators: resizing, transposed convolution, cutting, gathering, comparing, reducing. */
import type { AnyNode, OpKind, TensorId } from "../../../graph.ts";
import { dimensions, elementCount } from "../../../tensor.ts";
import { listed } from "../../spelled.ts";
import type { Emitter } from "./emit.ts";
import type { OnnxAttribute } from "./model.ts";
import {
  axisOf,
  BEFORE_START,
  cast,
  chain,
  FIRST,
  finish,
  given,
  input,
  LAST,
  longs,
  output,
  pairs,
  real,
  reduced,
  reshaped,
  sizesOf,
  sliced,
  unary,
  type Writer,
} from "./steps.ts";

/** Between two transposes, since ONNX has channels first. */
function onChannelsFirst(node: AnyNode, to: Emitter, step: (x: string) => string): true {
  const y = step(to.step("Transpose", [given(node, to)], { perm: FIRST }));
  return finish(node, to, y, "none", LAST);
}

/** Nearest elements by a rule that ONNX has no word for: round((i + 0.5) · (from − 1) / (to − 1)). */
function picked(node: AnyNode, to: Emitter, made: readonly number[]): true {
  const { shape } = to.tensor(input(node, 0));
  const y = made.reduce(
    (image, size, i) => {
      const from = shape[i + 1] as number;
      const step = Math.fround((size > 1 ? from - 1 : from) / (size > 1 ? size - 1 : size));
      const places = Array.from({ length: listed(to.where, size) }, (_, at) =>
        Math.min(from - 1, Math.floor(Math.fround(Math.fround(at + 0.5) * step) + 0.5)),
      );
      return to.step("Gather", [image, to.integers("places", places)], { axis: i + 1 });
    },
    given(node, to),
  );
  return finish(node, to, y);
}

const resize =
  (mode: "linear" | "nearest"): Writer<"resizeBilinear" | "resizeNearestNeighbor"> =>
  (node, to) => {
    const { alignCorners, halfPixelCenters } = node.attributes;
    const [x, size] = [input(node as AnyNode, 0), input(node as AnyNode, 1)];
    const [batch, , , channels] = dimensions(to.tensor(x).shape, 4);
    const made = to.numbers(size);
    if (alignCorners && halfPixelCenters) return made !== undefined && picked(node as AnyNode, to, made);
    const sizes = () =>
      made === undefined
        ? to.step("Concat", [to.integers("images", [batch, channels]), longs(to, size)], { axis: 0 })
        : to.integers("sizes", [batch, channels, ...made]);
    if (made === undefined) to.loose.add(output(node as AnyNode));
    const way = alignCorners ? "align_corners" : halfPixelCenters ? "half_pixel" : "asymmetric";
    return onChannelsFirst(node as AnyNode, to, (x) =>
      to.step("Resize", [x, "", "", sizes()], {
        mode,
        coordinate_transformation_mode: way,
        nearest_mode: way === "asymmetric" ? "floor" : "round_prefer_ceil",
      }),
    );
  };

/** A part of each dimension, then the shape that the node's output has. */
function cut(
  to: Emitter,
  x: string,
  shape: readonly number[],
  part: Readonly<Record<"starts" | "ends" | "steps", readonly number[]>>,
): string {
  const axes = part.starts.map((_, i) => i);
  const y = sliced(to, x, part.starts, part.ends, axes, part.steps);
  return reshaped(to, y, shape);
}

/** A slice of computed begins or sizes; a size of −1 goes to the end. */
function sliceFrom(node: AnyNode, to: Emitter, sizes: readonly number[] | undefined): string {
  const starts = longs(to, input(node, 1));
  const length = sizes === undefined ? longs(to, input(node, 2)) : to.integers("sizes", sizes);
  const end = to.integers("end", [2 ** 31 - 1]);
  const ends = sizes?.every((size) => size < 0)
    ? to.integers(
        "ends",
        sizes.map(() => 2 ** 31 - 1),
      )
    : sizes?.every((size) => size >= 0)
      ? to.step("Add", [starts, length])
      : to.step("Where", [to.step("Less", [length, to.integers("zero", [0])]), end, to.step("Add", [starts, length])]);
  return to.step("Slice", [given(node, to), starts, ends]);
}

const slice: Writer<"slice"> = (node, to) => {
  const [starts, sizes] = [to.numbers(node.inputs[1]), to.numbers(node.inputs[2])];
  if (starts === undefined || sizes === undefined) return finish(node, to, sliceFrom(node, to, sizes));
  const shape = sizesOf(node, to);
  const ends = starts.map((start, i) => start + (shape[i] as number));
  const steps = starts.map(() => 1);
  return finish(node, to, cut(to, given(node, to), shape, { starts, ends, steps }));
};

const stridedSlice: Writer<"stridedSlice"> = (node, to) => {
  const [begin, end, stride] = [1, 2, 3].map((i) => to.numbers(node.inputs[i]));
  const { ellipsisMask, newAxisMask, beginMask, endMask, shrinkAxisMask, offset } = node.attributes;
  if (!begin || !end || !stride || ellipsisMask !== 0 || newAxisMask !== 0) return false;
  const shape = to.tensor(input(node, 0)).shape;
  const has = (mask: number, i: number) => ((mask >> i) & 1) === 1;
  const parts = begin.map((from, i) => {
    const [size, step] = [shape[i] as number, stride[i] as number];
    if (has(shrinkAxisMask, i)) {
      const start = has(beginMask, i) ? 0 : from < 0 ? from + size : from;
      return [start, start + 1, 1] as const;
    }
    const stop = (end[i] as number) + (offset ? from : 0);
    const last = step > 0 ? size : BEFORE_START;
    const first = has(beginMask, i) ? (step > 0 ? 0 : size - 1) : from;
    return [first, has(endMask, i) ? last : stop, step] as const;
  });
  const column = (k: 0 | 1 | 2) => parts.map((each) => each[k]);
  const part = { starts: column(0), ends: column(1), steps: column(2) };
  return finish(node, to, cut(to, given(node, to), sizesOf(node, to), part));
};

/** Every output is a part of one axis, one after the other. */
function parts(node: AnyNode, to: Emitter, source: TensorId, axis: number, isGone: boolean): true {
  const x = to.real(source);
  let at = 0;
  for (const id of node.outputs) {
    const { shape } = to.tensor(id);
    const size = isGone ? 1 : (shape[axis] as number);
    const ends = to.integers("ends", [at + size]);
    const y = to.step("Slice", [x, to.integers("starts", [at]), ends, to.integers("axes", [axis])]);
    to.set(id, isGone ? reshaped(to, y, shape) : y);
    at += size;
  }
  return true;
}

const best =
  (type: "ArgMax" | "ArgMin"): Writer<"argMax" | "argMin"> =>
  (node, to) => {
    const [axis] = to.numbers(node.inputs[1]) ?? [];
    if (axis === undefined) return false;
    const y = to.step(type, [given(node, to)], { axis, keepdims: 0 });
    return cast(output(node as AnyNode), to, y);
  };

const twice = (to: Emitter, x: string) => to.step("Mul", [x, x]);

const gelu: Writer<"gelu"> = (node, to) => {
  const x = given(node, to);
  const scaled = (value: string, by: number) => to.step("Mul", [value, real(to, by)]);
  const cubic = () =>
    scaled(to.step("Add", [x, scaled(to.step("Mul", [twice(to, x), x]), 0.044715)]), Math.sqrt(2 / Math.PI));
  const inner = node.attributes.approximate ? to.step("Tanh", [cubic()]) : to.step("Erf", [scaled(x, Math.SQRT1_2)]);
  return finish(node, to, to.step("Mul", [scaled(x, 0.5), to.step("Add", [inner, real(to, 1)])]));
};

const blocks =
  (type: string, attributes: Readonly<Record<string, OnnxAttribute>>): Writer<"depthToSpace" | "spaceToDepth"> =>
  (node, to) => {
    const own = { blocksize: node.attributes.block, ...attributes };
    return onChannelsFirst(node as AnyNode, to, (x) => to.step(type, [x], own));
  };

/** Writers by kind. */
export const MORE: { readonly [K in OpKind]?: Writer<K> } = {
  resizeBilinear: resize("linear"),
  resizeNearestNeighbor: resize("nearest"),
  slice,
  stridedSlice,
  split: (node, to) => {
    const [axis] = to.numbers(node.inputs[0]) ?? [];
    const x = input(node, 1);
    return axis !== undefined && parts(node, to, x, axisOf(to, x, axis), false);
  },
  splitV: (node, to) => {
    const [axis] = to.numbers(node.inputs[2]) ?? [];
    const x = input(node, 0);
    return axis !== undefined && parts(node, to, x, axisOf(to, x, axis), false);
  },
  unpack: (node, to) => parts(node, to, input(node, 0), axisOf(to, input(node, 0), node.attributes.axis), true),
  pack: (node, to) => {
    const shape = sizesOf(node, to);
    const axis = axisOf(to, output(node), node.attributes.axis);
    const single = shape.map((size, i) => (i === axis ? 1 : size));
    const rows = node.inputs.map((id) => reshaped(to, to.real(id), single));
    return finish(node, to, to.step("Concat", rows, { axis }));
  },
  tile: (node, to) => {
    const times = to.numbers(node.inputs[1]);
    return times !== undefined && finish(node, to, to.step("Tile", [given(node, to), to.integers("times", times)]));
  },
  broadcastTo: (node, to) =>
    finish(node, to, to.step("Expand", [given(node, to), to.integers("shape", sizesOf(node, to))])),
  depthToSpace: blocks("DepthToSpace", { mode: "DCR" }),
  spaceToDepth: blocks("SpaceToDepth", {}),
  cast: (node, to) => cast(output(node), to, to.name(input(node, 0))),
  argMax: best("ArgMax"),
  argMin: best("ArgMin"),
  sum: reduced("ReduceSum"),
  reduceProd: reduced("ReduceProd"),
  floor: unary("Floor"),
  ceil: unary("Ceil"),
  round: unary("Round"),
  sign: unary("Sign"),
  sin: unary("Sin"),
  cos: unary("Cos"),
  square: (node, to) => finish(node, to, twice(to, given(node, to))),
  rsqrt: chain("Sqrt", "Reciprocal"),
  squaredDifference: (node, to) =>
    finish(node, to, twice(to, to.step("Sub", [given(node, to), to.real(input(node, 1))]))),
  pow: pairs("Pow"),
  equal: chain("Equal"),
  notEqual: chain("Equal", "Not"),
  less: chain("Less"),
  lessEqual: chain("LessOrEqual"),
  greater: chain("Greater"),
  greaterEqual: chain("GreaterOrEqual"),
  logicalAnd: chain("And"),
  logicalOr: chain("Or"),
  logicalNot: chain("Not"),
  selectV2: chain("Where"),
  gelu,
  shape: (node, to) => {
    const { shape } = to.tensor(input(node, 0));
    return elementCount(shape) > 0 && cast(output(node), to, to.integers("sizes", shape));
  },
};
