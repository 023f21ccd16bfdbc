/** LabelEncoder: numbers in place of others. */
import type { TensorId } from "../../../graph.ts";
import { type DType, elementCount, type Tensor } from "../../../tensor.ts";
import { type Conversions, numbersOf, type OnnxNode } from "../convert.ts";
import { castAs } from "../ops/cast.ts";
import { entries, longs, reshapedTo } from "../ops/move.ts";
import { tensorOf } from "../tensors.ts";
import { fits, kitOf, tensorNumbers } from "./kit.ts";

/** A list of the node's, under whichever name it has one. */
function listOf(n: OnnxNode, name: "keys" | "values"): Pick<Tensor, "dtype"> & { readonly numbers: readonly number[] } {
  const proto = n.attribute(`${name}_tensor`)?.tensor;
  if (proto !== undefined) {
    const tensor = tensorOf(proto, `${n.where}, ${name}`, n.scope.shared.external);
    return { dtype: tensor.dtype, numbers: numbersOf(tensor) };
  }
  const floats = n.floats(`${name}_floats`) ?? [];
  if (floats.length > 0) return { dtype: "float32", numbers: floats };
  const whole = n.ints(`${name}_int64s`) ?? [];
  return whole.length > 0 ? { dtype: "int64", numbers: whole } : n.refuse(`${name} that are numbers`, "strings");
}

/** What stands for numbers that are no keys. */
function otherwise(n: OnnxNode, dtype: DType): number {
  const [given] = tensorNumbers(n, "default_tensor");
  return given ?? (/^float/.test(dtype) ? n.float("default_float", -0) : n.int("default_int64", -1));
}

/** Numbers as integers that are equal where these are: floats by their bits, with one zero and, from version 4 on, one NaN. */
function comparable(n: OnnxNode, id: TensorId): TensorId {
  const { dtype } = n.b.tensor(id);
  if (!/^float/.test(dtype)) return castAs(n, id, "int64");
  const { add, compared, choose, number, plus } = kitOf(n);
  const x = castAs(n, id, "float32");
  if (n.opset < 4) return x;
  return add("bitcast", [choose(compared("notEqual")(x, x), number(Number.NaN), plus(x, number(0)))], {}, "int32");
}

/** Each number is compared with all keys, and the value of the first that it equals taken. */
function encode(n: OnnxNode): void {
  const { add, at, cast, choose, compared, list, number, more, most } = kitOf(n);
  const { shape } = n.input(0);
  const keys = listOf(n, "keys");
  const values = listOf(n, "values");
  const count = keys.numbers.length;
  fits(n, "values", values.numbers.length, count);
  const table = (numbers: readonly number[], type: DType) =>
    castAs(n, /^float/.test(type) ? list(numbers) : longs(n, numbers), type);
  const total = elementCount(shape);
  entries(n, total * count);
  const x = reshapedTo(n, comparable(n, n.plain(n.input(0))), [total, 1]);
  const is = cast(compared("equal")(x, comparable(n, table(keys.numbers, keys.dtype))));
  const found = at(
    table(values.numbers, values.dtype),
    add("argMax", [is, n.b.integers([1])], {}, "int32"),
    values.dtype,
  );
  const other = table([otherwise(n, values.dtype)], values.dtype);
  const isFound = more(most(is, 1), number(0));
  n.setPlain(0, reshapedTo(n, choose(isFound, found, other, values.dtype), shape));
}

export const ENCODERS: Conversions = { "ai.onnx.ml.LabelEncoder": encode };
