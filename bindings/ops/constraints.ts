import { type ErrorCode, ensure } from "../errors.ts";
import { type Affine, type Quantized, quantizeMultiplier, RANGE } from "../primitives/requantize/quantization.ts";
import { BITS, type DType, elementCount, listText, perTensor, type Tensor, typeText, zeroOf } from "../tensor.ts";
import { integersOf } from "./values.ts";

/** What a constraint needs of a node to speak of it. */
export interface Constrained {
  readonly where: string;
  readonly inputs: readonly (Tensor | undefined)[];
  readonly outputs: readonly Tensor[];
  readonly attributes?: object;
}

/** What a broken constraint reports. */
interface Broken {
  readonly expected: string;
  readonly received: string;
  readonly hint?: string;
}

/** Throws unless constraint `number` of the operator (C1, C2, … in its documentation) holds. */
export function constrain(
  node: { readonly where: string },
  number: string,
  condition: boolean,
  broken: () => Broken,
  code: ErrorCode = "INVALID_GRAPH",
): asserts condition {
  ensure(condition, code, () => ({ where: `${node.where}, ${number}`, ...broken() }));
}

/** All of them whole numbers within these bounds. */
export function areWhole(values: readonly number[], least: number, most: number): boolean {
  return values.every((value) => Number.isInteger(value) && value >= least && value <= most);
}

/** So many of them, in words: `1 input`, `2 inputs`. */
const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? "" : "s"}`;

const endsText = (inputs: string, outputs: string) => `${inputs} and ${outputs}`;

/** C1: these ends are as they should be. */
function requireEnds(node: Constrained, fits: boolean, inputs: string, outputs: number): void {
  constrain(node, "C1", fits && node.outputs.length === outputs, () => ({
    expected: endsText(inputs, counted(outputs, "output")),
    received: endsText(counted(node.inputs.length, "input"), counted(node.outputs.length, "output")),
  }));
}

/** C1 nearly everywhere: between `least` and `most` inputs, the first `least` of them there, and one output. */
export function requireInputs(node: Constrained, least: number, most = least): void {
  const present = node.inputs.slice(0, least).filter((tensor) => tensor !== undefined).length;
  const text = least === most ? counted(least, "input") : `${least} to ${counted(most, "input")}`;
  requireEnds(node, present === least && node.inputs.length <= most, text, 1);
}

/** C1 of operators of several outputs: that many inputs, all there, and that many outputs, at least one. */
export function requireTensors(node: Constrained, inputs: number, outputs = Math.max(node.outputs.length, 1)): void {
  const fits = node.inputs.length === inputs && node.inputs.every((tensor) => tensor !== undefined);
  requireEnds(node, fits, counted(inputs, "input"), outputs);
}

/** The tensor is no scalar. */
export function requireDimensions(node: Constrained, number: string, { shape }: Tensor): void {
  constrain(node, number, shape.length > 0, () => ({ expected: "at least one dimension", received: "a scalar" }));
}

/** As many values as there are channels, or no bias at all. */
export function requireBias(node: Constrained, number: string, bias: Tensor | undefined, channels: number): void {
  constrain(node, number, bias === undefined || elementCount(bias.shape) === channels, () => ({
    expected: `a bias of ${channels} values`,
    received: typeText(bias),
  }));
}

/** One scale, or one for each channel along the weights' dimension `axis`. */
export function requireChannelScales(
  node: Constrained,
  number: string,
  w: Tensor,
  channels: number,
  axis: number,
): void {
  const { scale = [], axis: along = 0 } = w.quantization ?? {};
  const perChannel = scale.length === channels && (scale.length === 1 || along === axis);
  constrain(node, number, scale.length === 1 || perChannel, () => ({
    expected: `1 scale, or ${channels} along dimension ${axis}`,
    received: `${scale.length} along dimension ${along}`,
  }));
}

/** Input i, which C1 has found. */
export function inputOf(node: Constrained, i: number): Tensor {
  return node.inputs[i] as Tensor;
}

/** Output 0, which C1 has found. */
export function outputOf(node: Constrained): Tensor {
  return node.outputs[0] as Tensor;
}

/** How converters of models call what has activations of these types. */
const WAYS: { readonly [D in DType]?: string } = {
  float32: "float32",
  int8: "full integer (int8) quantization",
  int16: "int16 activations with int8 weights",
};

/** What to do for a tensor of one of these types: converting the model where converters make them, else a cast. */
export function typeHint(dtypes: readonly DType[]): string {
  const ways = dtypes.flatMap((dtype) => WAYS[dtype] ?? []);
  return ways.length > 0
    ? `Convert the model, or this part of it, to ${ways.join(" or ")}.`
    : `Put a CAST to ${dtypes.join(" or ")} before it.`;
}

/** The tensor's type is one of these; UNSUPPORTED otherwise. */
export function requireDType<D extends DType>(
  node: Constrained,
  number: string,
  tensor: Tensor,
  ...dtypes: readonly D[]
): D {
  const fits = dtypes.some((dtype) => dtype === tensor.dtype);
  constrain(
    node,
    number,
    fits,
    () => ({
      expected: `"${tensor.name}" as ${dtypes.join(" or ")}`,
      received: tensor.dtype,
      hint: typeHint(dtypes),
    }),
    "UNSUPPORTED",
  );
  return tensor.dtype as D;
}

/** uint8 numbers that stand for themselves, not for reals. */
export function requirePlain(node: Constrained, number: string, { name, dtype, quantization }: Tensor): void {
  constrain(
    node,
    number,
    dtype !== "uint8" || !quantization?.scale.length,
    () => ({ expected: `"${name}" as int8`, received: "quantized uint8", hint: typeHint(["int8"]) }),
    "UNSUPPORTED",
  );
}

/** One finite positive scale, and a zero point that the type holds. */
export function requireAffine(node: Constrained, number: string, tensor: Tensor): Affine {
  const { scale, zeroPoint } = perTensor(tensor, `${node.where}, ${number}`);
  const { lo, hi } = RANGE[tensor.dtype in RANGE ? (tensor.dtype as Quantized) : "int8"];
  const fits = scale > 0 && Number.isFinite(scale) && Number.isInteger(zeroPoint) && zeroPoint >= lo && zeroPoint <= hi;
  constrain(node, number, fits, () => ({
    expected: `"${tensor.name}" with a finite scale above 0 and a zero point from ${lo} to ${hi}`,
    received: `scale ${scale}, zero point ${zeroPoint}`,
  }));
  return { scale, zeroPoint };
}

/** The zero point of an int16 tensor is 0. */
export function requireSymmetric(node: Constrained, number: string, tensor: Tensor): void {
  const zeroPoint = zeroOf(tensor);
  constrain(node, number, tensor.dtype !== "int16" || zeroPoint === 0, () => ({
    expected: `int16 "${tensor.name}" with zero point 0`,
    received: String(zeroPoint),
  }));
}

/** A ratio of scales that the fixed-point multiplier can hold: finite, not above 2^30. */
export function requireRatio(node: Constrained, number: string, real: number): number {
  // Below 2^29 there is nothing to look at: every channel of every layer comes by here.
  if (Math.abs(real) < 2 ** 29) return real;
  const fits = Number.isFinite(real) && quantizeMultiplier(real).shift <= 30;
  constrain(node, number, fits, () => ({ expected: "a ratio of scales of at most 2^30", received: String(real) }));
  return real;
}

/** Images: `[N,H,W,C]` without empty dimensions. */
export function requireImage(node: Constrained, number: string, { shape }: Tensor): void {
  constrain(node, number, shape.length === 4 && shape.every((size) => size > 0), () => ({
    expected: "[N,H,W,C], none of them 0",
    received: listText(shape),
  }));
}

/** Both tensors have the same scale and zero point. */
export function requireSameQuantization(node: Constrained, number: string, a: Tensor, b: Tensor): void {
  const p = perTensor(a, `${node.where}, ${number}`);
  const q = perTensor(b, `${node.where}, ${number}`);
  constrain(node, number, p.scale === q.scale && p.zeroPoint === q.zeroPoint, () => ({
    expected: `"${b.name}" with scale ${p.scale} and zero point ${p.zeroPoint}, as "${a.name}" has`,
    received: `scale ${q.scale}, zero point ${q.zeroPoint}`,
    hint: "Put a QUANTIZE between them.",
  }));
}

/** Bytes per element of a type that has whole bytes; UNSUPPORTED otherwise. */
export function requireBytes(node: Constrained, number: string, tensor: Tensor): number {
  const bits = BITS[tensor.dtype];
  constrain(
    node,
    number,
    bits >= 8,
    () => ({ expected: `"${tensor.name}" with elements of whole bytes`, received: tensor.dtype }),
    "UNSUPPORTED",
  );
  return bits / 8;
}

/** The bytes of a constant; UNSUPPORTED where it is computed. */
export function requireKnown(
  node: { readonly where: string },
  number: string,
  { name, data }: Tensor,
  expected = `"${name}" to be a constant`,
): Uint8Array {
  constrain(node, number, data !== undefined, () => ({ expected, received: "a computed tensor" }), "UNSUPPORTED");
  return data;
}

/** The values of a constant int32 or int64 tensor. */
export function requireConstant(node: Constrained, number: string, tensor: Tensor): readonly number[] {
  requireDType(node, number, tensor, "int32", "int64");
  requireKnown(node, number, tensor);
  return integersOf(tensor);
}

/** An axis from −rank to rank − 1, as 0 to rank − 1. */
export function requireAxis(node: Constrained, number: string, axis: number, rank: number): number {
  constrain(node, number, Number.isInteger(axis) && axis >= -rank && axis < rank, () => ({
    expected: `an axis from ${-rank} to ${rank - 1}`,
    received: String(axis),
  }));
  return axis < 0 ? axis + rank : axis;
}

/** Input `index` is one constant, by constraint `number`: an axis of that rank, by constraint `inside`. */
export function requireAxisInput(
  node: Constrained,
  number: string,
  index: number,
  rank: number,
  inside = number,
): number {
  const axes = requireConstant(node, number, inputOf(node, index));
  constrain(node, number, axes.length === 1, () => ({ expected: "one axis", received: `${axes.length}` }));
  return requireAxis(node, inside, axes[0] as number, rank);
}
