/**
 * Dynamically quantized products: DynamicQuantizeLinear, MatMulInteger or ConvInteger, Cast, Mul by both scales, Add of a bias become
 * one product of float32 with int8 weights, which quantizes on the way. Each link of the chain says what it is; where the chain
 * is another, its integers are computed after all.
 */
import type { TensorId } from "../../../graph.ts";
import { dimensions, elementCount } from "../../../tensor.ts";
import { asValue, type Conversion, type Conversions, numbersOf, type OnnxNode } from "../convert.ts";
import type { Link, Twins, Value, Weights } from "../layout.ts";
import { FULL, knownQuantization } from "../quantized.ts";
import { outputSizes, windowsOf } from "../window.ts";
import { convolved } from "./conv.ts";
import { fullyConnected, hybrid, kernelsOf, matrixOf, quantized } from "./dynamicWeights.ts";
import { dynamicLstm, type Product, row } from "./recurrent.ts";

const FLOAT = [{ dtype: "float32" }] as const;

const linkOf = (value: Value | undefined): Link | undefined => value?.link;

/** The only reader of output 0, if it is this operator and the caller does not read it too. */
function isReadBy(n: OnnxNode, operator: string): boolean {
  const name = n.outputs[0] ?? "";
  const readers = n.scope.readers(name);
  return readers.length === 1 && readers[0]?.operator === operator && !n.scope.isOutput(name);
}

function dynamicQuantizeLinear(expand: Conversion): Conversion {
  return (n) => {
    const x = n.input(0);
    const parts = ["integers", "scale", "zeroPoint"] as const;
    const set: OnnxNode["set"] = (i, value) => n.set(i, { ...value, link: { is: parts[i] as "scale", x } });
    expand({
      ...n,
      set,
      setPlain: (i, id) => set(i, { shape: n.b.tensor(id).shape, twins: { plain: id } }),
      setLast: (i, id, shape) => set(i, { shape, twins: shape.length < 3 ? { plain: id } : { last: id } }),
    });
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
      const compute = (): Twins => {
        const twins: Twins = {};
        const setPlain = (_: number, id: TensorId) => {
          twins.plain = id;
        };
        const setLast = (_: number, id: TensorId) => {
          twins.last = id;
        };
        expand({ ...n, setPlain, setLast });
        return twins;
      };
      const shape = sumsShape(n, w);
      const x = a.x as Value;
      const multiply = (where: string, weights: TensorId, bias?: TensorId) =>
        product({ ...n, where }, x, w, weights, bias);
      n.set(0, { shape, dtype: "int32", twins: {}, link: { is: "sums", x, w, compute, multiply } });
    };
}

/** A value that has tensors: those that are only named so far are computed. */
function settled(value: Value): Value {
  const { link, twins } = value;
  if (link?.is === "sums" && twins.plain === undefined && twins.last === undefined)
    Object.assign(twins, link.compute());
  return value;
}

function cast(expand: Conversion): Conversion {
  return (n) => {
    const link = linkOf(n.inputs[0]);
    if (link?.is !== "sums" || n.int("to", 1) !== 1 || !isReadBy(n, "Mul")) {
      if (n.inputs[0]) settled(n.inputs[0]);
      return expand(n);
    }
    const compute = (): Twins => {
      const { plain, last } = settled(n.input(0)).twins;
      const [id] = n.b.add("cast", n.where, [plain ?? last], {}, FLOAT) as [TensorId];
      return plain === undefined ? { last: id } : { plain: id };
    };
    n.set(0, { shape: n.input(0).shape, dtype: "float32", twins: {}, link: { ...link, compute } });
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
        return n.set(0, { ...link.multiply(n.where, weights), link: named });
      }
      const known = link?.is === "scale" && other ? knownQuantization(n, other, undefined, 0) : undefined;
      if (link?.is === "scale" && known) {
        const named: Link = { is: "scales", x: link.x, scale: known.scale };
        const set: OnnxNode["set"] = (i, value) => n.set(i, { ...value, link: named });
        return expand({
          ...n,
          set,
          setPlain: (i, id) => set(i, { shape: n.b.tensor(id).shape, twins: { plain: id } }),
        });
      }
    }
    for (const value of values) if (value) settled(value);
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
      const [flat] =
        bias.shape.length === 1 ? [id] : n.b.add("reshape", n.where, [id, n.b.integers([channels])], {}, FLOAT);
      return n.set(0, link.withBias(n.where, flat as TensorId));
    }
    expand(n);
  };
}

/** A float matrix by int8 weights: A, B, scales of B, zero points of B, bias. Others go by integers and floats. */
function dynamicQuantizeMatMul(quantize: Conversion, multiply: Conversion): Conversion {
  return (n) => {
    const b = knownQuantization(n, n.input(2), undefined, 0);
    const w = b && matrixOf(n, n.input(1), n.inputs[3]);
    if (b !== undefined && w !== undefined) {
      const bias = n.inputs[4] === undefined ? undefined : n.plain(n.input(4));
      return n.setPlain(0, hybrid(n, n.plain(n.input(0)), w, b.scale, bias));
    }
    const parts: Value[] = [];
    const take = (i: number, id: TensorId) => {
      const { dtype, shape } = n.b.tensor(id);
      parts[i] = { name: "", dtype, shape, twins: { plain: id } };
    };
    const plain = n.plain(n.input(0));
    const { dtype, shape } = n.b.tensor(plain);
    const x: Value = { name: "", dtype, shape, twins: { plain } };
    quantize({ ...n, inputs: [x], input: () => x, setPlain: take });
    const inputs = [parts[0], n.inputs[1], parts[1], n.inputs[2], parts[2], n.inputs[3], n.inputs[4]];
    multiply({ ...n, inputs, input: (i) => inputs[i] as Value });
  };
}

/** A and B as integers with scales; where A was quantized just before, as DynamicQuantizeMatMul. */
function matMulIntegerToFloat(expand: Conversion): Conversion {
  return (n) => {
    const [a, scale, zero] = [linkOf(n.inputs[0]), linkOf(n.inputs[2]), linkOf(n.inputs[4])];
    const isChain = a?.is === "integers" && scale?.is === "scale" && zero?.is === "zeroPoint";
    const b = isChain ? knownQuantization(n, n.inputs[3], undefined, 0) : undefined;
    const w = b && matrixOf(n, n.input(1), n.inputs[5]);
    if (!isChain || b === undefined || w === undefined || a.x !== scale.x || a.x !== zero.x) return expand(n);
    const bias = n.inputs[6] === undefined ? undefined : n.plain(n.input(6));
    n.setPlain(0, hybrid(n, n.plain(a.x), w, b.scale, bias));
  };
}

/** Products with the quantized weights `[directions, I, 4H]` of a recurrent layer: their scales and zero points are inputs 8 to 11. */
function layerProduct(multiply: Conversion) {
  return (n: OnnxNode): Product =>
    (x, direction, input) => {
      const [i, scale] = input === "W" ? [1, 8] : [2, 10];
      const ids = [x, ...[i, scale, scale + 1].map((at) => row(n, n.plain(n.input(at)), direction))];
      const inputs = ids.map((id) => asValue(n.b, "", id));
      let y: TensorId | undefined;
      const take = (_: number, id: TensorId) => {
        y = id;
      };
      const numbers = (at: number) => inputs[at] && numbersOf(n.b.tensor(n.plain(inputs[at])));
      multiply({ ...n, inputs, numbers, input: (at) => inputs[at] as Value, setPlain: take });
      return y as unknown as TensorId;
    };
}

/** These conversions with the chain looked for. */
export function dynamics(all: Conversions): Conversions {
  const found = (name: string, make: (expand: Conversion) => Conversion): Conversions => {
    const expand = all[name];
    return expand === undefined ? {} : { [name]: make(expand) };
  };
  const [quantize, multiply] = [all.DynamicQuantizeLinear, all["com.microsoft.MatMulIntegerToFloat"]];
  const product = quantize && multiply && dynamicQuantizeMatMul(quantize, multiply);
  return {
    ...all,
    ...found("DynamicQuantizeLinear", dynamicQuantizeLinear),
    ...found(
      "MatMulInteger",
      integerSums((n) => matrixOf(n, n.input(1), n.inputs[3])),
    ),
    ...found(
      "ConvInteger",
      integerSums((n, x) => kernelsOf(n, x, n.input(1), n.inputs[3])),
    ),
    ...found("Cast", cast),
    ...found("Mul", mul),
    ...found("Add", add),
    ...found("com.microsoft.MatMulIntegerToFloat", matMulIntegerToFloat),
    ...(product && {
      "com.microsoft.DynamicQuantizeMatMul": product,
      "com.microsoft.DynamicQuantizeLSTM": dynamicLstm(layerProduct(product)),
    }),
  };
}
