import { ensure } from "../errors.ts";
import { elementCount, listText, type Tensor } from "../tensor.ts";
import { requireParts } from "./arguments.ts";

/** int8 weights with zero points 0, as calls take them; made by `denseWeights` or `prunedWeights`. */
export interface Weights {
  /** `[N,K]`, `[O,kH,kW,C/groups]`, or `[1,kH,kW,C·multiplier]` for depthwise convolution. */
  readonly shape: readonly number[];
  readonly data: Int8Array;
  /** One, or one per output channel. */
  readonly scale: readonly number[];
  readonly bias: Int32Array | undefined;
  /** How many of the weights are zero. */
  readonly zeros: number;
}

/** What all weights state besides their values. */
export interface WeightOptions {
  /** One scale, or one per output channel. */
  readonly scale: number | readonly number[];
  /** One value per output channel, in units of input scale · weight scale. */
  readonly bias?: Int32Array;
}

/** Weights with all their values, row-major; zeros are found when a call is prepared. */
export interface DenseWeights extends WeightOptions {
  readonly shape: readonly number[];
  readonly data: Int8Array;
}

/**
 * Weights of a matrix `[N,K]` by their blocks that are not zero, block compressed sparse rows: block row i's blocks are
 * number rowStarts[i] up to rowStarts[i+1]; block b begins at column columns[b]·block[1], and its values stand row-major
 * at b·block[0]·block[1]. Blocks of [1,1] are plain compressed sparse rows.
 */
export interface PrunedWeights extends WeightOptions {
  readonly shape: readonly [number, number];
  /** Outputs × inputs of a block; they divide N and K. */
  readonly block: readonly [number, number];
  readonly rowStarts: ArrayLike<number>;
  readonly columns: ArrayLike<number>;
  readonly values: Int8Array;
}

/** Checks and copies dense weights. Errors: INVALID_INPUT. */
export function denseWeights(weights: DenseWeights): Weights {
  requireParts("denseWeights", weights, ["shape", "data", "scale"]);
  const { shape, data, scale, bias } = weights;
  requireSizes(shape);
  ensure(data instanceof Int8Array && data.length === elementCount(shape), "INVALID_INPUT", () => ({
    where: "weights",
    expected: `an Int8Array of ${elementCount(shape)} values for ${listText(shape)}`,
    received: data instanceof Int8Array ? `one of ${data.length}` : typeof data,
  }));
  return finish(shape, data.slice(), scale, bias);
}

/**
 * Checks pruned weights and writes them out. Errors: INVALID_INPUT where the blocks do not tile the shape, their starts
 * do not ascend, or the columns of a block row do not.
 */
export function prunedWeights(weights: PrunedWeights): Weights {
  requireParts("prunedWeights", weights, ["shape", "block", "rowStarts", "columns", "values", "scale"]);
  const { shape, block, rowStarts, columns, values, scale, bias } = weights;
  requireSizes(shape);
  const [n, k] = shape;
  const [height, width] = block;
  const whole = (size: number, part: number) => Number.isInteger(part) && part > 0 && size % part === 0;
  require(shape.length === 2 && whole(n, height) && whole(k, width), "blocks that divide the shape [N,K]", () =>
    `blocks of ${height}x${width} in ${listText(shape)}`);
  const rows = n / height;
  const count = columns.length;
  require(rowStarts.length === rows + 1, `${rows + 1} row starts`, () => `${rowStarts.length}`);
  require(values instanceof Int8Array &&
    values.length === count * height * width, `an Int8Array of ${count * height * width} values`, () =>
    `${values?.length} values`);
  require(rowStarts[0] === 0 && rowStarts[rows] === count, `row starts from 0 to ${count}`, () =>
    `${rowStarts[0]} to ${rowStarts[rows]}`);
  const data = new Int8Array(n * k);
  for (let row = 0; row < rows; row++) {
    const [start, end] = [rowStarts[row] as number, rowStarts[row + 1] as number];
    require(Number.isInteger(end) && end >= start && end <= count, "row starts that ascend", () => `${start}, ${end}`);
    let least = 0;
    for (let b = start; b < end; b++) {
      const column = columns[b] as number;
      require(Number.isInteger(column) &&
        column >= least &&
        column < k / width, `a column from ${least} to ${k / width - 1}, ascending`, () =>
        `${column} in block row ${row}`);
      least = column + 1;
      for (let r = 0; r < height; r++) {
        const from = (b * height + r) * width;
        data.set(values.subarray(from, from + width), (row * height + r) * k + column * width);
      }
    }
  }
  return finish(shape, data, scale, bias);
}

function require(condition: boolean, expected: string, received: () => string): asserts condition {
  ensure(condition, "INVALID_INPUT", () => ({ where: "weights", expected, received: received() }));
}

function requireSizes(shape: readonly number[]): void {
  const sizes = Array.isArray(shape) && shape.length > 0 && shape.every((size) => Number.isInteger(size) && size > 0);
  require(sizes && elementCount(shape) < 2 ** 31, "a shape of whole numbers from 1", () => `[${String(shape)}]`);
}

function finish(
  shape: readonly number[],
  data: Int8Array,
  scale: number | readonly number[],
  bias: Int32Array | undefined,
): Weights {
  const scales = typeof scale === "number" ? [scale] : [...scale];
  const positive = scales.length > 0 && scales.every((s) => Number.isFinite(s) && s > 0);
  require(positive, "finite scales above 0", () => String(scales.find((s) => !(Number.isFinite(s) && s > 0))));
  require(bias === undefined || bias instanceof Int32Array, "a bias as Int32Array", () => typeof bias);
  let zeros = 0;
  for (let i = 0; i < data.length; i++) if (data[i] === 0) zeros++;
  return Object.freeze({ shape: Object.freeze([...shape]), data, scale: scales, bias: bias?.slice(), zeros });
}

/** The weights and their bias as operators see them, scales along dimension `axis`. */
export function weightTensors(weights: Weights, axis: number): readonly (Tensor | undefined)[] {
  const made = Object(weights) as Partial<Weights>;
  const parts = [made.shape, made.scale].every(Array.isArray) && made.data instanceof Int8Array;
  require(parts &&
    (made.bias === undefined || made.bias instanceof Int32Array), "what denseWeights or prunedWeights gives", () =>
    typeof weights === "object" ? "another object" : typeof weights);
  const { shape, data, scale, bias } = weights;
  const bytes = ({ buffer, byteOffset, byteLength }: ArrayBufferView) => new Uint8Array(buffer, byteOffset, byteLength);
  const quantization = { scale, zeroPoint: scale.map(() => 0), axis };
  const tensor: Tensor = { name: "weights", dtype: "int8", shape, quantization, data: bytes(data) };
  return [tensor, bias && { name: "bias", dtype: "int32", shape: [bias.length], data: bytes(bias) }];
}
