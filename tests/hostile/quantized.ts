/** Random ONNX models of one quantized operator, whose scales and zero points are drawn for ties, saturation and extremes. */
import { buildOnnx, type NodeSpec, type TensorSpec, type ValueSpec } from "../formats/build-onnx.ts";
import { type Next, pick } from "./networks.ts";

type Made = Omit<NodeSpec, "inputs" | "outputs">;

const [FLOAT, UINT8, INT8, INT32] = [1, 2, 3, 6] as const;
const MS = "com.microsoft";

/** Powers of two and their multiples, whose products are ties, and others of any size. */
function scaleOf(next: Next): number {
  const share = next() / 2 ** 32;
  switch (next() % 4) {
    case 0:
      return 2 ** -(next() % 12);
    case 1:
      return (1 + (next() % 255)) * 2 ** -(4 + (next() % 12));
    case 2:
      return Math.fround(Math.exp(-9 * share));
    default:
      return Math.fround(0.0001 + 0.1 * share);
  }
}

/** Bytes of an array: any, extremes, mostly zeros, or small ones. */
export function bytesOf(next: Next, count: number): Uint8Array {
  const style = next() % 4;
  const draw = () => [next(), pick(next, [0, 127, 128, 255, 1]), next() % 3 ? 0 : next(), next() % 16][style] as number;
  return Uint8Array.from({ length: count }, draw);
}

/** Inputs and constants of a model under construction, all of x's type but the output's. */
class Draft {
  readonly initializers: TensorSpec[] = [];
  readonly inputs: ValueSpec[] = [];
  readonly x: 2 | 3;
  readonly y: 2 | 3;

  constructor(readonly next: Next) {
    this.x = pick(next, [UINT8, INT8]);
    this.y = next() % 2 ? this.x : pick(next, [UINT8, INT8]);
  }

  constant(
    name: string,
    dims: readonly number[],
    type: TensorSpec["type"] | typeof INT32,
    raw: ArrayBufferView,
  ): string {
    const bytes = new Uint8Array(raw.buffer, raw.byteOffset, raw.byteLength);
    this.initializers.push({ name, dims, type: type as TensorSpec["type"], raw: bytes });
    return name;
  }

  input(name: string, dims: readonly number[]): string {
    this.inputs.push({ name, type: this.x, dims });
    return name;
  }

  /** A scale and a zero point, or as many as there are channels. */
  affine(name: string, type: 2 | 3, channels?: number): [string, string] {
    const { next } = this;
    const dims = channels === undefined ? [] : [channels];
    const count = channels ?? 1;
    const middle = type === UINT8 ? 128 : 0;
    const zeros = Uint8Array.from({ length: count }, () => pick(next, [middle, middle, 0, 255, 127, 128, next()]));
    const scales = Float32Array.from({ length: count }, () => scaleOf(next));
    return [this.constant(`${name}s`, dims, FLOAT, scales), this.constant(`${name}z`, dims, type, zeros)];
  }
}

/** Operators on one tensor between floats. */
const UNARY = ["Relu", "Sigmoid", "Tanh", "HardSwish", "LeakyRelu", "HardSigmoid", "Neg", "Abs", "GlobalAveragePool"];

/** Windows of a convolution on pictures of a height and width that hold it. */
function windows(next: Next, kernel: number) {
  const pad = next() % 2 ? kernel >> 1 : 0;
  const strides = pick(next, [
    [1, 1],
    [1, 1],
    [2, 2],
  ]);
  return { kernel_shape: [kernel, kernel], pads: [pad, pad, pad, pad], strides };
}

const CHANNELS = [1, 3, 4, 8, 12, 16, 17, 32, 40];
const OUTPUTS = [1, 5, 8, 9, 16, 24, 33, 64];

/** A model: an operator of integers, or one between DequantizeLinear and QuantizeLinear. */
export function quantizedModel(next: Next): { readonly bytes: Uint8Array; readonly inputs: readonly ValueSpec[] } {
  const draft = new Draft(next);
  const c = pick(next, CHANNELS);
  const nodes = pick(next, [convolution, product, pair, single])(draft, c);
  const { inputs, initializers } = draft;
  return { bytes: buildOnnx({ nodes, inputs, outputs: [{ name: "y" }], initializers }, 19), inputs };
}

const dequantize = (x: string, [scale, zero]: readonly string[], y: string, axis = 1): NodeSpec => ({
  operator: "DequantizeLinear",
  inputs: [x, scale as string, zero as string],
  outputs: [y],
  int: { axis },
});

const quantize = (x: string, [scale, zero]: readonly string[]): NodeSpec => ({
  operator: "QuantizeLinear",
  inputs: [x, scale as string, zero as string],
  outputs: ["y"],
});

function bias(draft: Draft, channels: number): readonly string[] {
  if (draft.next() % 2) return [];
  const values = Int32Array.from({ length: channels }, () => (draft.next() % 200001) - 100000);
  return [draft.constant("b", [channels], INT32, values)];
}

function convolution(draft: Draft, c: number): readonly NodeSpec[] {
  const { next } = draft;
  const kernel = pick(next, [1, 1, 2, 3, 3, 5]);
  const isDepthwise = next() % 3 === 0;
  const outputs = isDepthwise ? c : pick(next, OUTPUTS);
  const perOutput = isDepthwise ? 1 : c;
  const x = draft.input("x", [1, c, pick(next, [kernel, kernel + 3, 8]), pick(next, [kernel, kernel + 2, 7 + kernel])]);
  const type = pick(next, [UINT8, INT8, INT8]);
  const size = outputs * perOutput * kernel * kernel;
  const w = draft.constant("w", [outputs, perOutput, kernel, kernel], type, bytesOf(next, size));
  const [xq, yq] = [draft.affine("x", draft.x), draft.affine("y", draft.y)];
  const wq = draft.affine("w", type, next() % 2 ? outputs : undefined);
  const attributes = { ints: windows(next, kernel), int: { group: isDepthwise ? c : 1 } };
  if (next() % 2) {
    const inputs = [x, ...xq, w, ...wq, ...yq, ...bias(draft, outputs)];
    return [{ operator: "QLinearConv", inputs, outputs: ["y"], ...attributes }];
  }
  const between: NodeSpec = { operator: "Conv", inputs: ["xf", "wf"], outputs: ["c"], ...attributes };
  const relu: NodeSpec = { operator: "Relu", inputs: ["c"], outputs: ["r"] };
  const [clipped, last] = next() % 2 ? [[relu], "r"] : [[], "c"];
  return [dequantize(x, xq, "xf"), dequantize(w, wq, "wf", 0), between, ...clipped, quantize(last, yq)];
}

function product(draft: Draft, c: number): readonly NodeSpec[] {
  const { next } = draft;
  const [rows, depth, outputs] = [pick(next, [1, 2, 3, 6, 7, 16]), 4 * c, pick(next, OUTPUTS)];
  const x = draft.input("x", [rows, depth]);
  const type = pick(next, [UINT8, INT8, INT8]);
  const w = draft.constant("w", [depth, outputs], type, bytesOf(next, depth * outputs));
  const [xq, yq] = [draft.affine("x", draft.x), draft.affine("y", draft.y)];
  const wq = draft.affine("w", type, next() % 2 ? outputs : undefined);
  const inputs = [x, ...xq, w, ...wq];
  switch (next() % 3) {
    case 0:
      return [{ operator: "QLinearMatMul", inputs: [...inputs, ...yq], outputs: ["y"] }];
    case 1: {
      const [b = ""] = bias(draft, outputs);
      return [{ operator: "QGemm", domain: MS, inputs: [...inputs, b, ...yq], outputs: ["y"] }];
    }
    default: {
      const between: NodeSpec = { operator: "MatMul", inputs: ["xf", "wf"], outputs: ["c"] };
      return [dequantize(x, xq, "xf"), dequantize(w, wq, "wf"), between, quantize("c", yq)];
    }
  }
}

const picture = ({ next }: Draft, c: number) => [1, c, pick(next, [1, 2, 7]), pick(next, [1, 3, 8, 9])];

function pair(draft: Draft, c: number): readonly NodeSpec[] {
  const { next } = draft;
  const dims = picture(draft, c);
  const operator = pick(next, ["Add", "Sub", "Mul", "QLinearAdd", "QLinearMul", "QLinearConcat"]);
  const isConcat = operator === "QLinearConcat";
  const second =
    isConcat || next() % 2
      ? dims
      : pick(next, [
          [c, 1, 1],
          [1, 1, 1, 1],
        ]);
  const [a, b] = [draft.input("x", dims), draft.input("x2", second)];
  const [aq, bq] = [draft.affine("x", draft.x), draft.affine("x2", draft.x)];
  const yq = draft.affine("y", operator.startsWith("QLinear") ? draft.x : draft.y);
  if (isConcat)
    return [{ operator, domain: MS, inputs: [...yq, a, ...aq, b, ...bq], outputs: ["y"], int: { axis: 1 } }];
  if (operator.startsWith("QLinear"))
    return [{ operator, domain: MS, inputs: [a, ...aq, b, ...bq, ...yq], outputs: ["y"] }];
  const between: NodeSpec = { operator, inputs: ["af", "bf"], outputs: ["c"] };
  return [dequantize(a, aq, "af"), dequantize(b, bq, "bf"), between, quantize("c", yq)];
}

function single(draft: Draft, c: number): readonly NodeSpec[] {
  const { next } = draft;
  const dims = picture(draft, c);
  const x = draft.input("x", dims);
  const xq = draft.affine("x", draft.x);
  if (next() % 2) {
    const between: NodeSpec = { operator: pick(next, UNARY), inputs: ["xf"], outputs: ["c"] };
    return [dequantize(x, xq, "xf"), between, quantize("c", draft.affine("y", draft.y))];
  }
  const inputs = [x, ...xq, ...draft.affine("y", draft.x)];
  const kernel = [Math.min(2, dims[2] as number), Math.min(3, dims[3] as number)];
  const made: Made = pick<Made>(next, [
    { operator: "QLinearAveragePool", ints: { kernel_shape: kernel } },
    { operator: "QLinearGlobalAveragePool" },
    { operator: "QLinearSigmoid" },
    { operator: "QLinearLeakyRelu", float: { alpha: next() / 2 ** 32 } },
    { operator: "QLinearSoftmax", int: { axis: -1, opset: 13 } },
  ]);
  return [{ ...made, domain: MS, inputs, outputs: ["y"] }];
}
