/** Casts between element types. */
import type { TensorId } from "../../../graph.ts";
import type { DType } from "../../../tensor.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import { operands, setIn } from "../elementwise.ts";
import { E8M0, FEW_BITS, SMALL_FLOATS } from "../small.ts";
import { FLOAT, INT64, INT32 as int32, NONE } from "../types.ts";

/** One node of one float output. */
export function real<K extends "add" | "sub" | "mul" | "div">(
  n: OnnxNode,
  kind: K,
  a: TensorId,
  b: TensorId,
): TensorId {
  return n.add(kind, [a, b], NONE as never, FLOAT)[0] as TensorId;
}

/** Any numbers as float32. */
export function toFloat(n: OnnxNode, id: TensorId): TensorId {
  const { dtype } = n.b.tensor(id);
  return dtype === "float32" ? id : (n.add("cast", [id], {}, FLOAT)[0] as TensorId);
}

/** Integers that floats become by their lowest bits as int32. */
const SHORT = /^u?int(8|16)$/;

/** Numbers as this type. */
export function castAs(n: OnnxNode, id: TensorId, dtype: DType): TensorId {
  const { dtype: from } = n.b.tensor(id);
  if (from === dtype) return id;
  let x = id;
  if (SHORT.test(dtype) && /^float/.test(from)) [x] = n.add("cast", [x], {}, int32) as [TensorId];
  // 64 bits without a sign go by the signed ones
  if (dtype === "uint64") {
    const [wide] = n.add("cast", [x], {}, INT64);
    return n.add("bitcast", [wide], {}, [{ dtype }])[0] as TensorId;
  }
  if (from === "uint64") [x] = n.add("bitcast", [x], {}, INT64) as [TensorId];
  return n.add("cast", [x], {}, [{ dtype }], n.outputs[0])[0] as TensorId;
}

/** True for the codes of types that stand for others of fewer bits. */
const isFew = (code: number): boolean =>
  SMALL_FLOATS[code] !== undefined || FEW_BITS[code] !== undefined || code === E8M0;

/** Element types by their codes, from 1 on, as opsets before 6 name them. */
const NAMES = "FLOAT UINT8 INT8 UINT16 INT16 INT32 INT64 STRING BOOL FLOAT16 DOUBLE UINT32 UINT64".split(" ");

function cast(n: OnnxNode): void {
  const named = n.string("to", "");
  const code = named === "" ? n.int("to", 1) : 1 + NAMES.indexOf(named.toUpperCase());
  if (isFew(code)) return n.rarely("cast to few bits", n);
  const { ids, isLast } = operands(n, [n.input(0)]);
  const [x] = ids as [TensorId];
  const dtype = n.typeOf(code);
  const known = n.b.settled(x);
  const isNew = !n.b.isConstant(x) && known.data && !/^float/.test(dtype);
  setIn(n, isLast, castAs(n, isNew ? n.b.declare(known) : x, dtype));
}

export const CASTS: Conversions = { Cast: cast };
