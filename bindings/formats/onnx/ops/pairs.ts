/** QLinearAdd and QLinearMul without kernels: of two constants, and by scales with which results are no numbers. */

import type { TensorId } from "../../../graph.ts";
import type { NodeView } from "../../../ops/types.ts";
import type { Tensor } from "../../../tensor.ts";
import type { OnnxNode } from "../convert.ts";
import { operands, setIn } from "../elementwise.ts";
import { INT32, NONE } from "../types.ts";
import { isByte, QLINEAR } from "./stated.ts";

/** Pairs of bytes. */
const PAIRS = 65536;

/** y of all pairs of bytes, from the least of each, as the operator of the graph computes it: as bytes of int8. */
function resultsOf(n: OnnxNode, kind: "add" | "mul"): Uint8Array {
  const unsigned = n.input(0).dtype === "uint8";
  const tensor = (scale: number, zero: number): Tensor => ({
    name: "",
    dtype: "int8",
    shape: [PAIRS],
    unsigned,
    quantization: { scale: [n.number(scale, 1)], zeroPoint: [n.number(zero, 0) - (unsigned ? 128 : 0)], axis: 0 },
  });
  const view = {
    where: n.where,
    attributes: { ...NONE, rounding: QLINEAR },
    inputs: [tensor(1, 2), tensor(4, 5)],
    outputs: [tensor(6, 7)],
  } as NodeView<"add">;
  const [a, b] = [8, 0].map((by) => Uint8Array.from({ length: PAIRS }, (_, i) => (i >> by) ^ 128));
  return n.b.operators[kind]?.bytes?.(view as never, [a as Uint8Array, b as Uint8Array]) as Uint8Array;
}

/** One entry of a table for each pair of operands, of which those that make no difference are left out. */
export function pairsAny(n: OnnxNode): void {
  const { dtype } = n.input(0);
  const scales = [1, 4, 6].map((i) => n.numbers(i) ?? []);
  if (!isByte(dtype) || !scales.every(([scale = -1, ...more]) => !(scale < 0) && more.length === 0))
    n.refuse("one constant scale, not below 0, for each tensor of 8 bits", "others");
  const results = resultsOf(n, n.operator === "QLinearAdd" ? "add" : "mul");
  const isOfB = results.some((y, i) => y !== results[i & 0xff00]);
  const isOfA = results.some((y, i) => y !== results[i & 0xff]);
  const table = results.filter((_, i) => (isOfA || i < 256) && (isOfB || (i & 255) === 0));
  const least = dtype === "int8" ? -128 : 0;
  const { ids, isLast } = operands(n, [n.input(0), n.input(3)]);
  const [a, b] = [isOfA ? (isOfB ? 256 : 1) : 0, isOfB ? 1 : 0].map((by, i) => {
    const [whole] = n.add("cast", [ids[i]], {}, INT32);
    const [from] = n.add("sub", [whole, n.b.integers([least], [])], NONE, INT32);
    return n.add("mul", [from, n.b.integers([by], [])], NONE, INT32)[0] as TensorId;
  });
  const [places] = n.add("add", [a, b], NONE, INT32);
  const values = n.b.constant(dtype, [table.length], dtype === "int8" ? table : table.map((y) => y ^ 128));
  const [y] = n.add("gather", [values, places], { axis: 0, batchDims: 0 }, [{ dtype }]);
  setIn(n, isLast, y as TensorId);
}
