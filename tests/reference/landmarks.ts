/**
 * MediaPipe's operators on landmarks, plainly: points and products of matrices in double precision, one pixel after the other.
 * Source: what its util/tflite/operations compute.
 */

type Matrix = readonly (readonly number[])[];
type Point = readonly [number, number];

const product = (a: Matrix, b: Matrix): Matrix =>
  a.map((row) =>
    (b[0] as readonly number[]).map((_, j) => row.reduce((sum, x, k) => sum + x * (b[k]?.[j] as number), 0)),
  );
const chain = (...all: readonly Matrix[]): Matrix => all.reduce(product);
/** 3 × 3, as all of this is in the plane. */
const rotation = (by: number): Matrix => [
  [Math.cos(by), -Math.sin(by), 0],
  [Math.sin(by), Math.cos(by), 0],
  [0, 0, 1],
];
const diagonal = (x: number, y: number): Matrix => [
  [x, 0, 0],
  [0, y, 0],
  [0, 0, 1],
];
const shifted = (x: number, y: number): Matrix => [
  [1, 0, x],
  [0, 1, y],
  [0, 0, 1],
];
const apply = (m: Matrix, [x, y]: Point): Point => {
  const [a, b] = m.map(([p = 0, q = 0, r = 0]) => p * x + q * y + r);
  return [a as number, b as number];
};
/** Sixteen numbers. */
const whole = ([[a = 0, b = 0, c = 0] = [], [d = 0, e = 0, f = 0] = []]: Matrix) => [
  ...[a, b, 0, c],
  ...[d, e, 0, f],
  ...[0, 0, 1, 0],
  ...[0, 0, 0, 1],
];

const pointOf = (landmarks: ArrayLike<number>, i: number): Point => [
  landmarks[3 * i] as number,
  landmarks[3 * i + 1] as number,
];

function box(points: readonly Point[]) {
  const along = (d: 0 | 1) => {
    const values = points.map((p) => p[d]);
    const [least, most] = [Math.min(...values), Math.max(...values)];
    return { size: most - least, middle: (least + most) / 2 };
  };
  return { x: along(0), y: along(1) };
}

interface Centred {
  readonly left: number;
  readonly right: number;
  readonly subset: readonly number[];
  readonly target: number;
  /** Width and height. */
  readonly output: Point;
  readonly scale: Point;
}

/** Version 2 of Landmarks2TransformMatrix. */
export function centred(
  landmarks: ArrayLike<number>,
  { left, right, subset, target, output, scale }: Centred,
): number[] {
  const [a, b] = [pointOf(landmarks, left), pointOf(landmarks, right)];
  const turn = target - Math.atan2(b[1] - a[1], b[0] - a[0]);
  const { x, y } = box(subset.map((i) => apply(rotation(turn), pointOf(landmarks, i))));
  const centre = apply(rotation(-turn), [x.middle, y.middle]);
  const scaled = diagonal((scale[0] * x.size) / output[0], (scale[1] * y.size) / output[1]);
  return whole(chain(shifted(...centre), rotation(-turn), scaled, shifted(-output[0] / 2, -output[1] / 2)));
}

interface Cornered {
  readonly left: number;
  readonly right: number;
  readonly subset: readonly number[];
  readonly range: number;
  readonly grown: number;
  /** Widths and heights. */
  readonly input: Point;
  readonly output: Point;
}

/** Version 1 of Landmarks2TransformMatrix. */
export function cornered(
  landmarks: ArrayLike<number>,
  { left, right, subset, range, grown, input, output }: Cornered,
): number[] {
  const [a, b] = [pointOf(landmarks, left), pointOf(landmarks, right)];
  const alpha = -Math.atan((b[1] - a[1]) / (b[0] - a[0]));
  const { x, y } = box(subset.map((i) => apply(rotation(alpha), pointOf(landmarks, i))));
  const [u, v] = apply(rotation(-alpha), [x.middle, y.middle]);
  const [halfWidth, halfHeight] = [(input[0] - 1) / 2, (input[1] - 1) / 2];
  const absolute = chain(shifted(halfWidth, halfHeight), diagonal(halfWidth, halfHeight));
  const turned = chain(shifted((2 * u) / range - 1, (2 * v) / range - 1), rotation(-alpha));
  const relative = chain(shifted(-1, -1), diagonal(2 / (output[0] - 1), 2 / (output[1] - 1)));
  return whole(chain(absolute, turned, diagonal((x.size * grown) / range, (y.size * grown) / range), relative));
}

/** TransformLandmarks: points of `dimensions` coordinates. */
export function moved(
  landmarks: ArrayLike<number>,
  dimensions: number,
  matrix: ArrayLike<number>,
  scale = 1,
): number[] {
  const [a, b, , c, d, e, , f] = Array.from(matrix) as [number, number, number, number, number, number, number, number];
  return Array.from({ length: landmarks.length / dimensions }, (_, i) => {
    const [x = 0, y = 0, ...rest] = Array.from(landmarks).slice(i * dimensions, (i + 1) * dimensions);
    return [a * x + b * y + c * scale, d * x + e * y + f * scale, ...rest];
  }).flat();
}

/** A picture `[h, w, c]` read at places that a matrix gives; `offset` is what both pixels' centres are off their corners. */
export function sampled(
  picture: ArrayLike<number>,
  [h, w, c]: readonly [number, number, number],
  matrix: ArrayLike<number>,
  output: readonly [number, number],
  offset: number,
): number[] {
  const f = Math.fround;
  const [m0, m1, , m3, m4, m5, , m7] = Array.from(matrix) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const value = (y: number, x: number, z: number) => (y < h && x < w ? (picture[(y * w + x) * c + z] as number) : 0);
  const shift = (a: number, b: number, s: number) => f(s + f(f(f(a * offset) + f(b * offset)) - offset));
  const out: number[] = [];
  for (let i = 0; i < output[0]; i++)
    for (let j = 0; j < output[1]; j++) {
      const x = f(f(f(m0 * j) + f(m1 * i)) + shift(m0, m1, m3));
      const y = f(f(f(m4 * j) + f(m5 * i)) + shift(m4, m5, m7));
      const inside = x >= 0 && x <= w - 1 && y >= 0 && y <= h - 1;
      const [fx, fy] = [Math.floor(x), Math.floor(y)];
      for (let z = 0; z < c; z++) {
        const row = (at: number) => (1 - (x - fx)) * value(at, fx, z) + (x - fx) * value(at, fx + 1, z);
        out.push(inside ? (y - fy) * row(fy + 1) + (1 - (y - fy)) * row(fy) : 0);
      }
    }
  return out;
}
