/**
 * Dynamically quantized products: DynamicQuantizeLinear, MatMulInteger or ConvInteger, Cast, Mul by both scales, Add of a bias become
 * one product of float32 with int8 weights, which quantizes on the way. Each link of the chain says what it is; where the chain
 * is another, its integers are computed after all.
 */
import type { TensorId } from "../../../graph.ts";
import { dimensions, elementCount } from "../../../tensor.ts";
import { asValue, type Conversion, type Conversions, type OnnxNode } from "../convert.ts";
import { type Link, type Twins, twinsLater, type Value, type Weights } from "../layout.ts";
import { FULL, knownQuantization } from "../quantized.ts";
import { FLOAT } from "../types.ts";
import { outputSizes, windowsOf } from "../window.ts";
import { ARITHMETIC } from "./arithmetic.ts";
import { CASTS } from "./cast.ts";
import { convolved } from "./conv.ts";
import { fullyConnected, kernelsOf, matrixOf, quantized } from "./dynamicWeights.ts";
import { RANGES } from "./saturated.ts";

const linkOf = (value: Value | undefined): Link | undefined => value?.link;

/** The only reader of output 0, if it is this operator and the caller does not read it too. */
function isReadBy(n: OnnxNode, operator: string): boolean {
  const name = n.outputs[0] ?? "";
  const readers = n.scope.readers(name);
  return readers.length === 1 && readers[0]?.operator === operator && !n.scope.isOutput(name);
}

/** The twins of output i of the node: it is expanded when somebody asks for them. */
function expandedLater(n: OnnxNode, expand: Conversion): (i: number) => Twins {
  let outputs: Twins[] | undefined;
  const made = (): Twins[] => {
    if (outputs !== undefined) return outputs;
    const all: Twins[] = [];
    const set = (i: number, { twins }: Pick<Value, "twins">) => {
      all[i] = twins;
    };
    expand({
      ...n,
      set,
      setPlain: (i, plain) => set(i, { twins: { plain } }),
      setLast: (i, id, { length }) => set(i, { twins: length < 3 ? { plain: id } : { last: id } }),
    });
    outputs = all;
    return all;
  };
  return (i) => twinsLater(() => made()[i] as Twins);
}

function dynamicQuantizeLinear(expand: Conversion): Conversion {
  return (n) => {
    const x = n.input(0);
    const twinsOf = expandedLater(n, expand);
    const parts = [
      ["integers", "uint8", x.shape],
      ["scale", "float32", []],
      ["zeroPoint", "uint8", []],
    ] as const;
    for (const [i, [is, dtype, shape]] of parts.entries())
      n.set(i, { shape, dtype, twins: twinsOf(i), link: { is, x } });
  };
}

/** The product of x with the weights as a constant, of a node that says how. */
function product(n: OnnxNode, x: Value, { shape }: Weights, weights: TensorId, bias: TensorId | undefined) {
  if (shape.length === 2) {
    const plain = fullyConnected(n, n.plain(x), weights, bias);
    return { shape: n.b.tensor(plain).shape, twins: { plain } };
  }
  const last = convolved(n, x, asValue(n.b, "", weights), bias, FULL);
  const [batch, height, width, channels] = dimensions(n.b.tensor(last).shape, 4);
  return { shape: [batch, channels, height, width], twins: { last } };
}

/** `[…,N]` of matrices, `[1,N,H,W]` of convolutions. */
function sumsShape(n: OnnxNode, { shape }: Weights): readonly number[] {
  const x = n.input(0).shape;
  if (shape.length === 2) return [...x.slice(0, -1), shape[0] as number];
  const sizes = x.slice(2);
  return [x[0] as number, shape[0] as number, ...outputSizes(sizes, windowsOf(n, sizes, shape.slice(2)))];
}

/** MatMulInteger and ConvInteger: sums that are computed where nothing else is found of the chain. */
function integerSums(find: (n: OnnxNode, x: Value) => Weights | undefined) {
  return (expand: Conversion): Conversion =>
    (n) => {
      const [a, zero] = [linkOf(n.inputs[0]), linkOf(n.inputs[2])];
      const isChain = a?.is === "integers" && zero?.is === "zeroPoint" && a.x === zero.x && isReadBy(n, "Cast");
      const w = isChain ? find(n, a.x as Value) : undefined;
      if (a === undefined || !isChain || w === undefined) return expand(n);
      const shape = sumsShape(n, w);
      const x = a.x as Value;
      const multiply = (where: string, weights: TensorId, bias?: TensorId) =>
        product({ ...n, where }, x, w, weights, bias);
      n.set(0, { shape, dtype: "int32", twins: expandedLater(n, expand)(0), link: { is: "sums", x, w, multiply } });
    };
}

function cast(expand: Conversion): Conversion {
  return (n) => {
    const link = linkOf(n.inputs[0]);
    if (link?.is !== "sums" || n.int("to", 1) !== 1 || !isReadBy(n, "Mul")) return expand(n);
    const { shape, twins } = n.input(0);
    const floats = twinsLater(() => {
      const { plain, last } = twins;
      const [id] = n.add("cast", [plain ?? last], {}, FLOAT) as [TensorId];
      return plain === undefined ? { last: id } : { plain: id };
    });
    n.set(0, { shape, dtype: "float32", twins: floats, link });
  };
}

function mul(expand: Conversion): Conversion {
  return (n) => {
    const values = [n.inputs[0], n.inputs[1]];
    for (const [one, other] of [values, [...values].reverse()]) {
      const link = linkOf(one);
      const scales = linkOf(other);
      if (link?.is === "sums" && scales?.is === "scales" && scales.x === link.x) {
        if (scales.scale.length !== 1 && (scales.scale.length !== link.w.shape[0] || link.w.shape.length > 2)) break;
        const weights = quantized(n, link.w, scales.scale);
        const withBias = (where: string, bias: TensorId) => link.multiply(where, weights, bias);
        const named: Link = { is: "product", w: link.w, withBias };
        const { shape } = one as Value;
        const twins = twinsLater(() => link.multiply(n.where, weights).twins);
        return n.set(0, { shape, dtype: "float32", twins, link: named });
      }
      const known = link?.is === "scale" && other ? knownQuantization(n, other, undefined, 0) : undefined;
      if (link?.is === "scale" && known) {
        const { shape } = other as Value;
        const twins = expandedLater(n, expand)(0);
        return n.set(0, { shape, dtype: "float32", twins, link: { is: "scales", x: link.x, scale: known.scale } });
      }
    }
    expand(n);
  };
}

/** A bias of one value a channel, where the product is read by nobody else. */
function add(expand: Conversion): Conversion {
  return (n) => {
    for (const [i, j] of [[0, 1] as const, [1, 0] as const]) {
      const link = linkOf(n.inputs[i]);
      const bias = n.inputs[j];
      if (link?.is !== "product" || bias === undefined || bias.dtype !== "float32") continue;
      const { name } = n.input(i);
      const isAlone = n.scope.readers(name).length === 1 && !n.scope.isOutput(name);
      const channels = link.w.shape[0] as number;
      // [N], or [N,1,1] of a convolution
      const rest = link.w.shape.length === 2 ? 0 : 2;
      const from = bias.shape.length - 1 - rest;
      const isBias = elementCount(bias.shape) === channels && bias.shape[from] === channels;
      if (!isAlone || !isBias || (rest === 0 && bias.shape.length > 1)) continue;
      const id = n.plain(bias);
      const [flat] = bias.shape.length === 1 ? [id] : n.add("reshape", [id, n.b.integers([channels])], {}, FLOAT);
      return n.set(0, link.withBias(n.where, flat as TensorId));
    }
    expand(n);
  };
}

const SUMS: Conversion = (n) => n.rarely("sums of integers", n);
const { DynamicQuantizeLinear } = RANGES as { readonly DynamicQuantizeLinear: Conversion };

/** What takes part in the chain. */
export const DYNAMIC: Conversions = {
  DynamicQuantizeLinear: dynamicQuantizeLinear(DynamicQuantizeLinear),
  MatMulInteger: integerSums((n) => matrixOf(n, n.input(1), n.inputs[3]))(SUMS),
  ConvInteger: integerSums((n, x) => kernelsOf(n, x, n.input(1), n.inputs[3]))(SUMS),
  Cast: cast(CASTS.Cast as Conversion),
  Mul: mul(ARITHMETIC.Mul as Conversion),
  Add: add(ARITHMETIC.Add as Conversion),
};
