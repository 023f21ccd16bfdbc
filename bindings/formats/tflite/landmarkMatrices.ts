/** The matrices that landmarks give: Landmarks2TransformMatrix. */
import type { TensorId } from "../../graph.ts";
import { elementCount, listText, type Tensor } from "../../tensor.ts";
import { listOf, numberOf, positive, type Result, refuse, type Site } from "./landmarkOptions.ts";
import type { Operand, Reals } from "./reals.ts";

/** Landmarks `[N, 3]`, those between which the turn is measured, and those that are to be seen. */
function chosen({ where, inputs, options, m }: Site, landmarks: TensorId, key: string) {
  const { shape } = inputs[0] as Tensor;
  const count = Math.floor(elementCount(shape) / 3);
  const indices = listOf({ where, options }, key);
  const [left, right] = ["left_rotation_idx", "right_rotation_idx"].map((each) => numberOf({ where, options }, each));
  const isInside = (i: number | undefined) => Number.isInteger(i) && (i as number) >= 0 && (i as number) < count;
  if (indices.length === 0 || ![...indices, left, right].every(isInside))
    return refuse(
      where,
      `indices of ${count} landmarks`,
      listText([...indices, left as number, right as number].slice(0, 20)),
    );
  const points = m.shaped(landmarks, count, 3);
  const ends = [left, right].map((i) => m.rows(points, [i as number]));
  const [from, to] = ends as [TensorId, TensorId];
  const subset = m.rows(points, indices);
  return {
    dx: m.sub(m.column(to, 0), m.column(from, 0)),
    dy: m.sub(m.column(to, 1), m.column(from, 1)),
    x: m.column(subset, 0),
    y: m.column(subset, 1),
  };
}

/** Middle and size of points along one dimension. */
function extent(m: Reals, x: TensorId) {
  const [least, most] = [m.extreme("reduceMin", x), m.extreme("reduceMax", x)];
  return { size: m.sub(most, least), middle: m.div(m.add(most, least), { value: 2 }) };
}

/** 4 × 4 of `[a, b, shift]` in its first two rows. */
function matrix(m: Reals, rows: readonly (readonly [TensorId, TensorId, TensorId])[]): Result {
  const cell = (value: number) => m.constant("float32", [1, 1], [value]);
  const top = rows.flatMap(([a, b, shift]) => [a, b, cell(0), shift]);
  const rest = [0, 0, 1, 0, 0, 0, 0, 1].map(cell);
  return { id: m.joined([...top, ...rest], 1), shape: [1, 4, 4] };
}

/** Version 2: pixels of the part → pixels of the picture, which the landmarks are given in. */
export function centreMatrix(site: Site, landmarks: TensorId): Result {
  const { m } = site;
  const { dx, dy, x, y } = chosen(site, landmarks, "subset_idxs");
  const turn = m.sub({ value: numberOf(site, "target_rotation_radians") }, m.atan2(dy, dx));
  const [cos, sin] = [m.one("cos", turn), m.one("sin", turn)];
  const across = extent(m, m.sub(m.mul(cos, x), m.mul(sin, y)));
  const down = extent(m, m.dot(sin, x, cos, y));
  const shift = [
    m.dot(cos, across.middle, sin, down.middle),
    m.sub(m.mul(cos, down.middle), m.mul(sin, across.middle)),
  ];
  const [width, height] = [positive(site, "output_width"), positive(site, "output_height")];
  const scaleX = m.div(m.mul({ value: positive(site, "scale_x") }, across.size), { value: width });
  const scaleY = m.div(m.mul({ value: positive(site, "scale_y") }, down.size), { value: height });
  const row = (a: Operand, b: Operand, by: Operand) => {
    const [own, other] = [m.mul(a, scaleX), m.mul(b, scaleY)];
    return [own, other, m.add(m.dot(own, { value: -width / 2 }, other, { value: -height / 2 }), by)] as const;
  };
  return matrix(m, [row(cos, sin, shift[0] as TensorId), row(m.one("neg", sin), cos, shift[1] as TensorId)]);
}

/** Version 1: the same with a size of the landmarks' coordinates of their own, and corners of pictures on corners. */
export function cornerMatrix(site: Site, landmarks: TensorId): Result {
  const { m } = site;
  const { dx, dy, x, y } = chosen(site, landmarks, "subset");
  const [range, grown] = [positive(site, "landmarks_range"), numberOf(site, "bbox_size_multiplier")];
  const [inputSize, size] = [listOf(site, "input_hw"), listOf(site, "output_hw")];
  if (![...inputSize, ...size].every((n) => n > 0) || inputSize.length !== 2 || size.length !== 2)
    return refuse(site.where, "heights and widths above 0", `${listText(inputSize)} and ${listText(size)}`);
  const angle = m.atan2(m.div(dy, dx), { value: 1 });
  const [cos, sin] = [m.one("cos", angle), m.one("sin", angle)];
  const across = extent(m, m.dot(cos, x, sin, y));
  const down = extent(m, m.sub(m.mul(cos, y), m.mul(sin, x)));
  const middles = [
    m.sub(m.mul(cos, across.middle), m.mul(sin, down.middle)),
    m.dot(sin, across.middle, cos, down.middle),
  ] as const;
  const [scaleX, scaleY] = [across, down].map((each) => m.div(m.mul(each.size, { value: grown }), { value: range }));
  const row = (half: number, a: Operand, b: Operand, middle: Operand) => {
    const shift = m.sub(m.mul(m.div(middle, { value: range }), { value: 2 }), { value: 1 });
    const own = m.mul(m.mul({ value: half }, a), scaleX as TensorId);
    const other = m.mul(m.mul({ value: half }, b), scaleY as TensorId);
    const start = m.sub(m.add(m.mul({ value: half }, shift), { value: half }), m.add(own, other));
    const [h, w] = size as [number, number];
    return [m.mul(own, { value: 2 / (w - 1) }), m.mul(other, { value: 2 / (h - 1) }), start] as const;
  };
  const [h, w] = inputSize as [number, number];
  const rows = [row((w - 1) / 2, cos, m.one("neg", sin), middles[0]), row((h - 1) / 2, sin, cos, middles[1])];
  return matrix(m, rows);
}
