/**
 * Dynamically quantized products: DynamicQuantizeLinear, MatMulInteger, Cast, Mul by both scales, Add of a bias become one
 * product of float32 with int8 weights, which quantizes on the way. Each link of the chain says what it is; where the chain
 * is another, its integers are computed after all.
 */
import type { Rounding, TensorId } from "../../../graph.ts";
import { BITS, dimensions, elementCount, type Quantization, type Tensor, typedCopy } from "../../../tensor.ts";
import { asValue, type Conversion, type Conversions, numbersOf, type OnnxNode } from "../convert.ts";
import type { Link, Value, Weights } from "../layout.ts";
import { FULL, knownQuantization } from "../quantized.ts";
import { dynamicLstm, type Product, row } from "./recurrent.ts";

const ROUNDING: Rounding = FULL;
const FLOAT = [{ dtype: "float32" }] as const;

const linkOf = (value: Value | undefined): Link | undefined => value?.link;

/** A constant matrix `[K,N]` less its zero points as int8 `[N,K]`, where that holds them. */
function weightsOf(n: OnnxNode, value: Value, zero: Value | undefined): Weights | undefined {
  const tensor: Tensor = n.b.tensor(n.plain(value));
  const { dtype, shape, data } = tensor;
  if (data === undefined || shape.length !== 2 || BITS[dtype] !== 8) return undefined;
  const zeros = zero === undefined ? [0] : n.b.tensor(n.plain(zero)).data && n.numbers(zeroIndex(n, zero));
  const [k, columns] = dimensions(shape, 2);
  if (!zeros || (zeros.length !== 1 && zeros.length !== columns) || k < 1 || k > 32768) return undefined;
  const own = Int32Array.from({ length: columns }, (_, c) => zeros[zeros.length === 1 ? 0 : c] as number);
  const rows = transposed(typedCopy(dtype, data) as Int8Array, own, k);
  return rows && { data: rows, n: columns, k };
}

/** Columns that are transposed together: their rows stay in the cache. */
const TILE = 64;

/** `[K,N]` less a zero point a column as `[N,K]`; `undefined` where a difference is no int8. */
function transposed(values: Int8Array, zeros: Int32Array, k: number): Int8Array | undefined {
  const columns = zeros.length;
  const rows = new Int8Array(columns * k);
  let beyond = 0;
  for (let first = 0; first < columns; first += TILE) {
    const end = Math.min(first + TILE, columns);
    for (let i = 0; i < k; i++)
      for (let c = first; c < end; c++) {
        const w = (values[i * columns + c] as number) - (zeros[c] as number);
        beyond |= w + 128;
        rows[c * k + i] = w;
      }
  }
  return (beyond & ~255) === 0 ? rows : undefined;
}

const zeroIndex = (n: OnnxNode, zero: Value): number => n.inputs.indexOf(zero);

/** The product of the floats x with the weights, and a bias where there is one. */
function hybrid(n: OnnxNode, x: TensorId, w: Weights, scale: readonly number[], bias?: TensorId) {
  const quantization: Quantization = { scale, zeroPoint: scale.map(() => 0), axis: 0 };
  const weights = n.b.constant("int8", [w.n, w.k], w.data, quantization);
  return { weights, y: fullyConnected(n, x, weights, bias) };
}

function fullyConnected(n: OnnxNode, x: TensorId, w: TensorId, bias: TensorId | undefined): TensorId {
  const attributes = { activation: "none", keepDims: true, rounding: ROUNDING } as const;
  return n.b.add(
    "fullyConnected",
    n.where,
    [x, w, ...(bias === undefined ? [] : [bias])],
    attributes,
    FLOAT,
  )[0] as TensorId;
}

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

function matMulInteger(expand: Conversion): Conversion {
  return (n) => {
    const [a, zero] = [linkOf(n.inputs[0]), linkOf(n.inputs[2])];
    const isChain = a?.is === "integers" && zero?.is === "zeroPoint" && a.x === zero.x && isReadBy(n, "Cast");
    const w = isChain ? weightsOf(n, n.input(1), n.inputs[3]) : undefined;
    if (a === undefined || !isChain || w === undefined) return expand(n);
    const compute = (): TensorId => {
      let sums: TensorId | undefined;
      expand({
        ...n,
        setPlain: (_, id) => {
          sums = id;
        },
      });
      return sums as unknown as TensorId;
    };
    const shape = [...n.input(0).shape.slice(0, -1), w.n];
    n.set(0, { shape, dtype: "int32", twins: {}, link: { is: "sums", x: a.x as Value, w, compute } });
  };
}

/** A value that has tensors: those that are only named so far are computed. */
function settled(value: Value): Value {
  const { link, twins } = value;
  if (link?.is === "sums" && twins.plain === undefined && twins.last === undefined) twins.plain = link.compute();
  return value;
}

function cast(expand: Conversion): Conversion {
  return (n) => {
    const link = linkOf(n.inputs[0]);
    if (link?.is !== "sums" || n.int("to", 1) !== 1 || !isReadBy(n, "Mul")) {
      if (n.inputs[0]) settled(n.inputs[0]);
      return expand(n);
    }
    const compute = (): TensorId =>
      n.b.add("cast", n.where, [settled(n.input(0)).twins.plain], {}, FLOAT)[0] as TensorId;
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
        if (scales.scale.length !== 1 && scales.scale.length !== link.w.n) break;
        const x = n.plain(link.x);
        const { weights, y } = hybrid(n, x, link.w, scales.scale);
        return n.set(0, { shape: n.b.tensor(y).shape, twins: { plain: y }, link: { is: "product", x, w: weights } });
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

/** A bias of one value a column, where the product is read by nobody else. */
function add(expand: Conversion): Conversion {
  return (n) => {
    for (const [i, j] of [[0, 1] as const, [1, 0] as const]) {
      const link = linkOf(n.inputs[i]);
      const bias = n.inputs[j];
      if (link?.is !== "product" || bias === undefined || bias.shape.length > 1) continue;
      const { name, shape } = n.input(i);
      const isAlone = n.scope.readers(name).length === 1 && !n.scope.isOutput(name);
      if (!isAlone || elementCount(bias.shape) !== shape.at(-1) || bias.dtype !== "float32") continue;
      return n.setPlain(0, fullyConnected(n, link.x, link.w, n.plain(bias)));
    }
    expand(n);
  };
}

/** A float matrix by int8 weights: A, B, scales of B, zero points of B, bias. Others go by integers and floats. */
function dynamicQuantizeMatMul(quantize: Conversion, multiply: Conversion): Conversion {
  return (n) => {
    const b = knownQuantization(n, n.input(2), undefined, 0);
    const w = b && weightsOf(n, n.input(1), n.inputs[3]);
    if (b !== undefined && w !== undefined) {
      const bias = n.inputs[4] === undefined ? undefined : n.plain(n.input(4));
      return n.setPlain(0, hybrid(n, n.plain(n.input(0)), w, b.scale, bias).y);
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
    const w = b && weightsOf(n, n.input(1), n.inputs[5]);
    if (!isChain || b === undefined || w === undefined || a.x !== scale.x || a.x !== zero.x) return expand(n);
    const bias = n.inputs[6] === undefined ? undefined : n.plain(n.input(6));
    n.setPlain(0, hybrid(n, n.plain(a.x), w, b.scale, bias).y);
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
    ...found("MatMulInteger", matMulInteger),
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
