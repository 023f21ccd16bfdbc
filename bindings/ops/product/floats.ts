/** Products of float32 activations: float32 weights, constant or computed, or int8 and int4 ones (hybrid). */
import type { Activation } from "../../graph.ts";
import {
  convF32Params,
  gemmF32Params,
  type PatchesF32,
  type ProductF32,
  panelsF32,
  panelsHybrid,
} from "../../primitives/product/gemmF32.ts";
import { packSparseF32, sparseScratchF32 } from "../../primitives/product/sparseF32.ts";
import { tilesBytes, tilesF32 } from "../../primitives/product/tilesF32.ts";
import { centre } from "../../primitives/product/wide.ts";
import { transformWeightsF32, winogradF32Params, winogradTiles } from "../../primitives/product/winogradF32.ts";
import { BOUNDS } from "../../primitives/requantize/quantization.ts";
import { elementCount, floatsOf, sizeOf, type Tensor } from "../../tensor.ts";
import { type Constrained, inputOf } from "../constraints.ts";
import type { Lowering, Placed } from "../types.ts";
import { type Places, USUAL } from "./floatTypes.ts";
import { packedOnce } from "./packed.ts";

/** True where TFLite's convolutions quantize activations with a zero point: weights of more than one scale. */
export function isPerChannel({ quantization }: Tensor): boolean {
  const scale = quantization?.scale ?? [];
  return scale.some((each) => each !== scale[0]);
}

/** A constant's int8 or int4 numbers. */
export function int8Or4({ dtype, shape, data = new Uint8Array(0) }: Tensor): Int8Array {
  if (dtype !== "int4") return new Int8Array(data.buffer, data.byteOffset, data.byteLength);
  const values = new Int8Array(elementCount(shape));
  for (let i = 0; i < values.length; i++) {
    const byte = data[i >> 1] as number;
    values[i] = ((i & 1 ? byte : byte << 4) << 24) >> 28;
  }
  return values;
}

const hasZeroPoints = ({ quantization }: Tensor): boolean => quantization?.zeroPoint.some((z) => z !== 0) === true;

/** The same less their zero points: int16 where int8 does not hold them. `axis` 0 has the channels. */
function hybridWeights(tensor: Tensor): Int8Array | Int16Array {
  const values = int8Or4(tensor);
  if (!hasZeroPoints(tensor)) return values;
  const { zeroPoint = [] } = tensor.quantization ?? {};
  const channels = sizeOf(tensor, 0);
  const each = values.length / channels;
  const centred = new Int16Array(values.length);
  for (let c = 0; c < channels; c++)
    centre(centred, c * each, each, values, c * each, 1, zeroPoint[zeroPoint.length === 1 ? 0 : c] as number);
  return centred;
}

/** One float scale for each of `channels` channels from `first` on, so many times. */
export function placeScales(
  to: Lowering,
  { quantization }: Tensor,
  first: number,
  channels: number,
  times = 1,
): number {
  const scale = quantization?.scale ?? [1];
  const own = Float32Array.from(
    { length: channels * times },
    (_, i) => scale[scale.length === 1 ? 0 : first + (i % channels)] as number,
  );
  return to.place(new Uint8Array(own.buffer));
}

/** The address of a bias from channel `first` on; none where there is no bias. */
export function biasAt(bias: Placed | undefined, first = 0): { readonly bias?: number } {
  return bias === undefined ? {} : { bias: bias.address + first * 4 };
}

/** What a product is, besides its weights, clamp and bias, which are taken from the node. */
interface FloatProduct extends Pick<ProductF32, "x" | "y" | "m" | "n" | "k" | "xStride" | "yStride"> {
  readonly activation: Activation;
  /** The first output channel. */
  readonly first: number;
  readonly asymmetric: boolean | "onnx";
  /** Of weights with scales: both scales are multiplied before the sum is, as TFLite's matrices and convolutions of one scale have it. */
  readonly scalesFirst?: boolean;
  readonly patches?: PatchesF32;
  readonly places?: Places;
  /** float32 weights `[n][k]` in place of the node's own. */
  readonly data?: Float32Array;
}

/** Lowers a product of the node's weights `[n][k]`, rows `first` to `first + n` of them. */
export function lowerFloatProduct(node: Constrained, to: Lowering, product: FloatProduct): void {
  const { x, y, m, n, k, first, patches, places = USUAL } = product;
  const weights = to.inputs[places.w] as Placed;
  const [lo, hi] = BOUNDS[product.activation];
  const common = { x, y, m, n, k, lo, hi, ...biasAt(to.inputs[places.bias], first), ...stridesOf(product) };
  const note = `${m}x${n}x${k}`;
  if (weights.dtype === "float32") {
    if (patches && lowerWinograd(to, weights, product, { ...common, w: 0 }, patches)) return;
    if (!patches && lowerSparse(to, weights, to.inputs[places.bias], product, { ...common, w: 0 })) return;
    const gemm = { ...common, ...floatWeights(to, weights, product) };
    if (patches) callConv(to, "convF32", gemm, patches, `im2col gemmF32 ${note}`);
    else callGemm(to, "gemmF32", gemm, `gemmF32 ${note}`);
    return;
  }
  const channels = patches?.channels ?? k;
  const source = inputOf(node, places.w);
  const taken = () => hybridWeights(source).subarray(first * k, (first + n) * k);
  const pack = () => panelsHybrid(taken, hasZeroPoints(source) ? 2 : 1, n, k / channels, channels, to.packer);
  const zeros = hasZeroPoints(source) ? source.quantization?.zeroPoint : undefined;
  const form = `hybrid ${first} ${n} ${k} ${channels} ${zeros ?? ""}`;
  const w = to.place(source.data === undefined ? pack() : packedOnce(source.data, form, pack));
  const scaleTable = placeScales(to, weights, first, n);
  const wide = zeros ? { wStep: 1 } : {};
  const { asymmetric, scalesFirst = false } = product;
  const gemm = { ...common, w, scaleTable, asymmetric, scalesFirst, ...wide };
  const byOnnx = product.asymmetric === "onnx" ? ", quantized by onnx" : "";
  if (patches) callConv(to, "convHybrid", gemm, patches, `im2col hybrid ${note}${byOnnx}`);
  else callGemm(to, "gemmHybrid", gemm, `hybrid gemm ${note}${byOnnx}`);
}

/**
 * Appends the convolution by Winograd, where it applies. Sums of whole numbers stay exact: the halves of transformed weights
 * would not fit where float32 just holds them.
 */
function lowerWinograd(
  to: Lowering,
  weights: Placed,
  { n, k, first, data = weights.data && floatsOf(weights).subarray(first * k, (first + n) * k) }: FloatProduct,
  product: ProductF32,
  patches: PatchesF32,
): boolean {
  const tiles = to.optimize === "speed" ? winogradTiles(product, patches) : undefined;
  if (tiles === undefined || data === undefined || data.every(Number.isInteger)) return false;
  const w = to.place(transformWeightsF32(data, n, patches.channels));
  const { params, scratchBytes } = winogradF32Params({ ...product, w }, patches, tiles);
  const note = `winogradF32 ${product.m}x${n}x${k}`;
  to.call({ kernel: "winogradF32", params: { ...params, ...to.scratch(scratchBytes) }, note });
  return true;
}

/** Appends the product without the weights that are zero, where that is faster. */
function lowerSparse(
  to: Lowering,
  weights: Placed,
  bias: Placed | undefined,
  { n, k, first, data = weights.data && floatsOf(weights).subarray(first * k, (first + n) * k) }: FloatProduct,
  product: ProductF32,
): boolean {
  if (data === undefined || (bias !== undefined && bias.data === undefined)) return false;
  const packed = packSparseF32(data, bias && floatsOf(bias).subarray(first, first + n), product);
  if (packed === undefined) return false;
  const { params } = gemmF32Params({ ...product, w: to.place(packed) });
  const note = `sparse gemmF32 ${product.m}x${n}x${k}`;
  to.call({ kernel: "spmmF32", params: { ...params, ...to.scratch(sparseScratchF32(k)) }, note });
  return true;
}

function stridesOf({ xStride, yStride }: FloatProduct): Pick<ProductF32, "xStride" | "yStride"> {
  return { ...(xStride === undefined ? {} : { xStride }), ...(yStride === undefined ? {} : { yStride }) };
}

/** Constant weights as panels, computed ones where they are. */
function floatWeights(to: Lowering, weights: Placed, { n, k, first, data }: FloatProduct) {
  if (weights.data === undefined) return { w: weights.address + first * k * 4, wStep: 4, wColumn: k * 4 };
  if (data !== undefined) return { w: to.place(panelsF32(() => data, n, k)) };
  const pack = () => panelsF32(() => floatsOf(weights).subarray(first * k, (first + n) * k), n, k);
  return { w: to.place(packedOnce(weights.data, `f32 ${first} ${n} ${k}`, pack)) };
}

/** Appends a product; one of no batches' table gets one. */
export function callGemm(to: Lowering, kernel: "gemmF32" | "gemmHybrid", product: ProductF32, note: string): void {
  const offsetsTable = product.offsetsTable ?? to.place(new Uint8Array(12));
  const { params, scratchBytes } = gemmF32Params({ ...product, offsetsTable });
  to.call({ kernel, params: { ...params, ...to.scratch(scratchBytes) }, note });
}

/** Appends a convolution. */
export function callConv(
  to: Lowering,
  kernel: "convF32" | "convHybrid",
  product: ProductF32,
  patches: PatchesF32,
  note: string,
): void {
  const small = kernel === "convF32" && tilesBytes(product, patches, to.optimize) !== undefined;
  const line = patches.kernel[2] * patches.channels * 4;
  const tilesTable = small ? to.place(tilesF32(product, patches, to.place(new Uint8Array(line)))) : 0;
  const { params, scratchBytes } = convF32Params({ ...product, tilesTable }, patches);
  to.call({ kernel, params: { ...params, ...to.scratch(scratchBytes) }, note });
}
