/** com.microsoft's products that quantize on the way, and layers of them. */
import type { TensorId } from "../../../graph.ts";
import { asValue, type Conversion, type Conversions, numbersOf, type OnnxNode } from "../convert.ts";
import type { Value } from "../layout.ts";
import { knownQuantization } from "../quantized.ts";
import { hybrid, matrixOf } from "./dynamicWeights.ts";
import { matMulIntegerToFloat as computed } from "./integers.ts";
import { dynamicLstm, type Product, row } from "./recurrent.ts";
import { RANGES } from "./saturated.ts";

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
    const [a, scale, zero] = [n.inputs[0]?.link, n.inputs[2]?.link, n.inputs[4]?.link];
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

const product = dynamicQuantizeMatMul(RANGES.DynamicQuantizeLinear as Conversion, computed);

export const DYNAMIC_PRODUCTS: Conversions = {
  "com.microsoft.MatMulIntegerToFloat": matMulIntegerToFloat(computed),
  "com.microsoft.DynamicQuantizeMatMul": product,
  "com.microsoft.DynamicQuantizeLSTM": dynamicLstm(layerProduct(product)),
};
