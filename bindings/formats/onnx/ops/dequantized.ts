/** Constants of few bits that become floats when imported, and products of integers less their zero points. */
import type { TensorId } from "../../../graph.ts";
import { elementCount } from "../../../tensor.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import type { Value } from "../layout.ts";
import { BOOL, FLOAT as float } from "../types.ts";
import { real, toFloat } from "./cast.ts";
import { product } from "./matmul.ts";
import { axisOf, reshapedTo } from "./move.ts";
import { tuples } from "./select.ts";

/** x − zero point as float32; a zero point an entry stands along the axis. */
function centred(n: OnnxNode, x: Value, zero: Value | undefined, axis: number): TensorId {
  const id = toFloat(n, n.plain(x));
  if (zero === undefined) return id;
  const count = elementCount(zero.shape);
  const shape = count === 1 ? [] : x.shape.map((_, d) => (d === axis ? count : 1));
  return real(n, "sub", id, reshapedTo(n, toFloat(n, n.plain(zero)), shape));
}

/** The product of two integer matrices less their zero points: exact in float32 below 2^24. */
export function centredProduct(
  n: OnnxNode,
  a: Value,
  az: Value | undefined,
  b: Value,
  bz: Value | undefined,
): TensorId {
  const depth = b.shape.at(-2) ?? 1;
  if (depth * 255 * 128 >= 2 ** 24 && !n.b.isConstant(n.plain(b)))
    n.refuse("sums of integer products below 2^24", `${depth} products`);
  return product(n, centred(n, a, az, a.shape.length - 2), a.shape, centred(n, b, bz, b.shape.length - 1), b.shape);
}

/** Number `i` of `bits` bits each, the first lowest. */
function unpacked(bytes: readonly number[], row: number, i: number, perRow: number, bits: number): number {
  const at = i * bits;
  return ((bytes[row * perRow + (at >> 3)] as number) >> (at & 7)) & ((1 << bits) - 1);
}

/** com.microsoft.MatMulNBits: weights `[N, blocks, bytes]`, a scale and perhaps a zero point a block. */
function matMulNBits(n: OnnxNode): void {
  const x = n.input(0);
  const [depth, columns] = [n.int("K", 0), n.int("N", 0)];
  const [bits, block] = [n.int("bits", 4), n.int("block_size", 32)];
  if (![2, 4, 8].includes(bits) || block < 1) n.refuse("2, 4 or 8 bits in blocks", `${bits} bits, blocks of ${block}`);
  const blocks = Math.ceil(depth / block);
  const packed = n.numbers(1) ?? [];
  const scales = n.numbers(2) ?? [];
  const perRow = Math.ceil((blocks * block * bits) / 8);
  const isFloatZero = n.inputs[3] !== undefined && n.input(3).dtype !== "uint8";
  const zeros = n.numbers(3);
  const zeroBytes = Math.ceil((blocks * bits) / 8);
  if (packed.length !== columns * perRow || scales.length !== columns * blocks)
    n.refuse(
      `${columns}×${perRow} bytes of weights and ${columns}×${blocks} scales`,
      `${packed.length} and ${scales.length}`,
    );
  const order = n.numbers(4);
  const zeroOf = (o: number, b: number): number => {
    if (zeros === undefined) return 1 << (bits - 1);
    return isFloatZero ? (zeros[o * blocks + b] as number) : unpacked(zeros, o, b, zeroBytes, bits);
  };
  const w = new Float32Array(columns * depth);
  for (let o = 0; o < columns; o++)
    for (let k = 0; k < depth; k++) {
      const b = order === undefined ? Math.floor(k / block) : (order[k] as number);
      const q = unpacked(packed, o, k, perRow, bits);
      w[o * depth + k] = (q - zeroOf(o, b)) * (scales[o * blocks + b] as number);
    }
  // of 2 bits onnxruntime has kernels of integers for blocks of 32 to 128 alone
  const isRounded = n.int("accuracy_level", 0) === 4 && !isFloatZero && (bits > 2 || (block >= 32 && block <= 128));
  const a = isRounded ? roundedInBlocks(n, n.plain(x), depth, block) : n.plain(x);
  const inputs = [a, n.b.constant("float32", [columns, depth], w)];
  if (n.inputs[5] !== undefined) inputs.push(n.plain(n.input(5)));
  const attributes = { activation: "none", keepDims: true } as const;
  n.setPlain(0, n.add("fullyConnected", inputs, attributes, float, n.outputs[0])[0] as TensorId);
}

/** The values of four bits of bitsandbytes: floats of four bits, and quantiles of a normal distribution. */
const FP4 = [0, 1 / 192, 2 / 3, 1, 1 / 3, 1 / 2, 1 / 6, 1 / 4];
const NF4 = [
  -1, -0.6961928, -0.52507305, -0.3949175, -0.28444138, -0.18477343, -0.091050036, 0, 0.0795803, 0.1609302, 0.2461123,
  0.33791524, 0.44070983, 0.562617, 0.72295684, 1,
];
const BNB4: Readonly<Record<number, readonly number[]>> = { 0: [...FP4, ...FP4.map((value) => -value)], 1: NF4 };

/** com.microsoft.MatMulBnb4: rows `[N, K]` one after another, the first of two in the upper half of a byte, and the greatest magnitude of each block. */
function matMulBnb4(n: OnnxNode): void {
  const x = n.input(0);
  const [depth, columns, block, type] = [n.int("K", 0), n.int("N", 0), n.int("block_size", 0), n.int("quant_type", 0)];
  const map = BNB4[type] ?? n.refuse("quant_type 0 or 1", `${type}`);
  const [packed, most] = [n.numbers(1) ?? [], n.numbers(2) ?? []];
  const count = columns * depth;
  const [bytes, blocks] = [Math.ceil(count / 2), Math.ceil(count / block)];
  if (x.shape.at(-1) !== depth || packed.length !== bytes || most.length !== blocks)
    n.refuse(
      `rows of ${depth}, ${bytes} bytes and ${blocks} scales`,
      `${x.shape.at(-1)}, ${packed.length} and ${most.length}`,
    );
  if (n.int("transB", 1) === 0) n.refuse("weights of each output together", "transB 0");
  const w = Float32Array.from({ length: count }, (_, i) => {
    const q = ((packed[i >> 1] as number) >> (i & 1 ? 0 : 4)) & 15;
    return Math.fround(map[q] as number) * (most[Math.floor(i / block)] as number);
  });
  const inputs = [n.plain(x), n.b.constant("float32", [columns, depth], w)];
  const attributes = { activation: "none", keepDims: true } as const;
  n.setPlain(0, n.add("fullyConnected", inputs, attributes, float, n.outputs[0])[0] as TensorId);
}

/** Activations as accuracy level 4 has them: int8 by the greatest magnitude of each block, as floats again. */
function roundedInBlocks(n: OnnxNode, x: TensorId, depth: number, block: number): TensorId {
  const { shape } = n.b.tensor(x);
  const rows = elementCount(shape.slice(0, -1));
  const blocks = Math.ceil(depth / block);
  const more = blocks * block - depth;
  let wide = reshapedTo(n, x, [rows, depth]);
  const around = [wide, n.b.integers([0, 0, 0, more], [2, 2]), n.b.float(0)];
  if (more > 0) [wide] = n.add("pad", around, {}, float) as [TensorId];
  const own = reshapedTo(n, wide, [rows, blocks, block]);
  const [sizes] = n.add("abs", [own], {}, float);
  const [most] = n.add("reduceMax", [sizes, n.b.integers([2])], { keepDims: true }, float);
  const scale = real(n, "div", most as TensorId, n.b.float(127));
  const [isZero] = n.add("equal", [most, n.b.float(0)], {}, BOOL);
  // not 1 / scale, which is another float
  const inverse = real(n, "div", n.b.float(127), most as TensorId);
  const [factor] = n.add("selectV2", [isZero, n.b.float(0), inverse], {}, float);
  const [rounded] = n.add("round", [real(n, "mul", own, factor as TensorId)], {}, float);
  const y = reshapedTo(n, real(n, "mul", rounded as TensorId, scale), [rows, blocks * block]);
  if (more === 0) return reshapedTo(n, y, shape);
  const cut = [y, n.b.integers([0, 0]), n.b.integers([rows, depth])];
  return reshapedTo(n, n.add("slice", cut, {}, float)[0] as TensorId, shape);
}

/** Rows of a quantized constant, as floats. */
function gatherBlockQuantized(n: OnnxNode): void {
  const data = n.input(0);
  const rank = data.shape.length;
  const bits = n.int("bits", 4);
  const block = n.int("block_size", 128);
  const isPacked =
    data.dtype === "uint8" && !isNarrow(data) && n.input(2).shape.length === rank && isWide(n, data, block, bits);
  const shape = data.shape.map((size, d) => (isPacked && d === rank - 1 ? (size * 8) / bits : size));
  const axis = axisOf(n, n.int("quantize_axis", rank - 1), rank);
  const values = n.numbers(0) ?? [];
  const scales = n.numbers(2) ?? [];
  const zeros = n.numbers(3);
  const size = shape[axis] as number;
  const inner = elementCount(shape.slice(axis + 1));
  const blocks = Math.ceil(size / block);
  const half = isPacked ? 1 << (bits - 1) : 0;
  const table = Float32Array.from({ length: elementCount(shape) }, (_, i) => {
    const q = isPacked ? unpacked(values, 0, i, 0, bits) : (values[i] as number);
    const at = Math.floor(i / inner) % size;
    const from = (Math.floor(i / inner / size) * blocks + Math.floor(at / block)) * inner + (i % inner);
    const zero = zeros === undefined ? half : isPacked ? unpacked(zeros, 0, from, 0, bits) : (zeros[from] as number);
    return Math.fround((q - zero) * (scales[from] as number));
  });
  const gatherAxis = axisOf(n, n.int("gather_axis", 0), rank);
  const indices = tuples(n, n.plain(n.input(1)), [shape[gatherAxis] as number]);
  const inputs = [n.b.constant("float32", shape, table), indices];
  const attributes = { axis: gatherAxis, batchDims: 0 };
  const y = n.add("gather", inputs, attributes, float, n.outputs[0])[0] as TensorId;
  n.setPlain(
    0,
    n.input(1).shape.length > 0
      ? y
      : reshapedTo(
          n,
          y,
          shape.filter((_, d) => d !== gatherAxis),
        ),
  );
}

/** UINT4 and INT4 of ONNX, which stand one by one when read. */
const isNarrow = ({ code }: Value): boolean => code === 21 || code === 22;

/** True where bytes hold several numbers each: scales stand for more numbers than there are bytes. */
function isWide(n: OnnxNode, data: Value, block: number, bits: number): boolean {
  const last = data.shape.at(-1) ?? 1;
  return (
    (n.input(2).shape.at(-1) ?? 1) * block >= (last * 8) / bits ||
    data.shape.some((_, d) => d === n.int("quantize_axis", 0))
  );
}

export const DEQUANTIZED: Conversions = {
  "com.microsoft.MatMulBnb4": matMulBnb4,
  "com.microsoft.MatMulNBits": matMulNBits,
  "com.microsoft.GatherBlockQuantized": gatherBlockQuantized,
};
