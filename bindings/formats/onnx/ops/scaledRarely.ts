/** Operators on integers with constant scales beside them that few networks have. */
import type { TensorId } from "../../../graph.ts";
import type { Conversion, Conversions, OnnxNode } from "../convert.ts";
import { operands } from "../elementwise.ts";
import { permuted, reorder, toLast, toPlain } from "../layout.ts";
import { FLOAT } from "../types.ts";
import { either, give, inOrder, operand, stated, typeOf } from "./stated.ts";

/** Choices between two tensors of bytes. */
function qlinearWhere(n: OnnxNode): boolean {
  const [a, b, y] = [operand(n, 1), operand(n, 4), stated(n, 7, 8)];
  if (a === undefined || b === undefined || y === undefined) return false;
  const { ids, isLast } = operands(n, [n.input(0), a, b]);
  const id = n.add("selectV2", ids, {}, FLOAT)[0] as TensorId;
  return give(n, inOrder(n, id, isLast), y, typeOf(n, 8));
}

/** An operator whose x and y have their channels last in the file. */
const channelsLast =
  (conversion: Conversion): Conversion =>
  (n) => {
    const x = n.input(0);
    const { length } = x.shape;
    const value = { ...x, shape: reorder(x.shape, toPlain(length)), twins: { last: n.plain(x) } };
    const inputs = [value, ...n.inputs.slice(1)];
    const setPlain: OnnxNode["setPlain"] = (i, id) =>
      n.setPlain(i, permuted(n.b, n.where, id, n.b.tensor(id).shape, toLast(length)));
    const input: OnnxNode["input"] = (i) => (i === 0 ? value : n.input(i));
    conversion({ ...n, inputs, input, setPlain, setLast: (i, id) => n.setPlain(i, id) });
  };

/** The conversion of an ordinary operator. */
const ordinary =
  (name: string): Conversion =>
  (n) =>
    n.scope.shared.conversionOf(name)?.(n);

export const RARELY_SCALED: Conversions = {
  "com.microsoft.NhwcMaxPool": channelsLast(ordinary("MaxPool")),
  "com.microsoft.QLinearConv": (n) =>
    (n.int("channels_last", 0) === 0 ? ordinary("QLinearConv") : channelsLast(ordinary("QLinearConv")))(n),
  "com.microsoft.QLinearWhere": either(qlinearWhere),
};
