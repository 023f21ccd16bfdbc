/** float16 and float64: operators that compute on them do so in float32, and their results are rounded to the type again. */
import type { TensorId } from "../../graph.ts";
import type { DType } from "../../tensor.ts";
import type { Builder } from "./builder.ts";
import type { Twins, Value } from "./layout.ts";
import type { NodeProto } from "./messages.ts";

/** Operators that take any type as it is, or say the type of their result. */
const ANY_TYPE = new Set(
  `BitCast Cast CastLike Concat Constant ConstantOfShape Dropout Expand Flatten Gather GatherElements GatherND Identity If Loop
  Optional OptionalGetElement OptionalHasElement Reshape ReverseSequence Scan SequenceAt SequenceConstruct SequenceEmpty SequenceErase
  SequenceInsert SequenceLength Shape Size Slice Split SplitToSequence ConcatFromSequence Squeeze TensorScatter Tile Transpose Unsqueeze`.split(
    /\s+/,
  ),
);

const isNarrow = (dtype: DType | undefined): dtype is "float16" | "float64" =>
  dtype === "float16" || dtype === "float64";

/** The type that a node's results are rounded to; `undefined` where it computes on others. */
export function narrowOf(
  { operator, domain }: NodeProto,
  inputs: readonly (Value | undefined)[],
): "float16" | "float64" | undefined {
  if (domain === "" && ANY_TYPE.has(operator)) return undefined;
  return inputs.map((value) => value?.dtype).find(isNarrow);
}

/** Both orders of a value in another type. */
export function castTwins(b: Builder, where: string, twins: Twins, dtype: DType): Twins {
  const one = (id: TensorId) => b.add("cast", where, [id], {}, [{ dtype }])[0] as TensorId;
  if (twins.plain !== undefined) return { plain: one(twins.plain) };
  return twins.last === undefined ? {} : { last: one(twins.last) };
}

/** The value as float32 where it is of another width. */
export function widened(b: Builder, where: string, value: Value): Value {
  if (!isNarrow(value.dtype)) return value;
  return { ...value, dtype: "float32", twins: castTwins(b, where, value.twins, "float32") };
}

/** True where a result is float32. */
export function isFloat32(b: Builder, { twins }: Pick<Value, "twins">): boolean {
  const id = twins.plain ?? twins.last;
  return id !== undefined && b.tensor(id).dtype === "float32";
}
