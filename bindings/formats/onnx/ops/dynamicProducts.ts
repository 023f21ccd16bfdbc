/** com.microsoft's products that quantize on the way, and layers of them. */
import type { TensorId } from "../../../graph.ts";
import { asValue, type Conversion, type Conversions, numbersOf, type OnnxNode } from "../convert.ts";
import type { Value } from "../layout.ts";
import { knownQuantization } from "../quantized.ts";
import { fullyConnected, matrixOf, quantized } from "./dynamicWeights.ts";
import { matMulIntegerToFloat as computed } from "./integers.ts";
import { optional } from "./move.ts";
import { dynamicLstm, type Product, row } from "./recurrent.ts";
import { RANGES } from "./saturated.ts";

/** B (input 1) with its scales and zero points as weights, where they are constants. */
function knownWeights(n: OnnxNode, scale: Value | undefined, zero: Value | undefined): TensorId | undefined {
  const b = knownQuantization(n, scale, undefined, 0);
  const w = b && matrixOf(n, n.input(1), zero);
  return b && w && quantized(n, w, b.scale);
}

/** A float matrix by int8 weights: A, B, scales of B, zero points of B, bias. Others go by integers and floats. */
function dynamicQuantizeMatMul(quantize: Conversion, multiply: Conversion): Conversion {
  return (n) => {
    const w = knownWeights(n, n.input(2), n.inputs[3]);
    if (w !== undefined) {
      const bias = optional(n, 4);
      return n.setPlain(0, fullyConnected(n, n.plain(n.input(0)), w, bias));
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
    const [a, scale, zero] = [n.inputs[0]?.link, n.inputs[2]?.link, n.inputs[4]?.link];
    const isChain = a?.is === "integers" && scale?.is === "scale" && zero?.is === "zeroPoint";
    if (!isChain || a.x !== scale.x || a.x !== zero.x) return expand(n);
    const w = knownWeights(n, n.inputs[3], n.inputs[5]);
    if (w === undefined) return expand(n);
    const bias = optional(n, 6);
    n.setPlain(0, fullyConnected(n, n.plain(a.x), w, bias));
  };
}

/**
 * Products with the quantized weights `[directions, I, 4H]` of a recurrent layer: their scales and zero points are inputs 8 to 11.
 * Those of a direction are one tensor for all steps.
 */
function layerProduct(multiply: Conversion) {
  return (n: OnnxNode): Product => {
    const sides = new Map<string, { readonly rows: readonly Value[]; readonly weights: TensorId | undefined }>();
    const among = (inputs: readonly Value[]): OnnxNode => ({
      ...n,
      inputs,
      numbers: (at) => inputs[at] && numbersOf(n.b.tensor(n.plain(inputs[at]))),
      input: (at) => inputs[at] as Value,
    });
    const sideOf = (direction: number, input: "W" | "R") => {
      const [i, scale] = input === "W" ? [1, 8] : [2, 10];
      const rows = [i, scale, scale + 1].map((at) => asValue(n.b, "", row(n, n.plain(n.input(at)), direction)));
      return { rows, weights: knownWeights(among([n.input(0), ...rows]), rows[1], rows[2]) };
    };
    return (x, direction, input) => {
      const key = `${input}${direction}`;
      const side = sides.get(key) ?? sideOf(direction, input);
      sides.set(key, side);
      if (side.weights !== undefined) return fullyConnected(n, x, side.weights, undefined);
      let y: TensorId | undefined;
      const setPlain = (_: number, id: TensorId) => {
        y = id;
      };
      multiply({ ...among([asValue(n.b, "", x), ...side.rows]), setPlain });
      return y as unknown as TensorId;
    };
  };
}

const product = dynamicQuantizeMatMul(RANGES.DynamicQuantizeLinear as Conversion, computed);

export const DYNAMIC_PRODUCTS: Conversions = {
  "com.microsoft.MatMulIntegerToFloat": matMulIntegerToFloat(computed),
  "com.microsoft.DynamicQuantizeMatMul": product,
  "com.microsoft.DynamicQuantizeLSTM": dynamicLstm(layerProduct(product)),
};
