/** Paddings: a value, the edge, what lies at the other end, or a mirror; negative ones cut off. */
import type { TensorId } from "../../../graph.ts";
import { BITS } from "../../../tensor.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import { operands, setIn } from "../elementwise.ts";
import { reorder, toLast } from "../layout.ts";
import { axisOf, typeOf } from "./move.ts";

/** The tensor less what is cut off, and what is added before and after each of its dimensions. */
export function paddings(n: OnnxNode) {
  const x = n.input(0);
  const rank = x.shape.length;
  const list = n.numbers(1) ?? n.ints("pads") ?? n.ints("paddings") ?? n.refuse("paddings", "none");
  const axes = n.numbers(3)?.map((axis) => axisOf(n, axis, rank)) ?? x.shape.map((_, i) => i);
  if (list.length !== 2 * axes.length) n.refuse(`${axes.length} pairs of paddings`, `${list.length} numbers`);
  const pairs = x.shape.map(() => [0, 0] as [number, number]);
  for (const [i, axis] of axes.entries()) pairs[axis] = [list[i] as number, list[i + axes.length] as number];
  const { ids, isLast } = operands(n, [x]);
  const [id = -1 as TensorId] = ids;
  const ordered = isLast ? reorder(pairs, toLast(rank)) : pairs;
  return { cropped: crop(n, id, ordered), ordered, isLast };
}

function pad(n: OnnxNode): void {
  const mode = n.string("mode", "constant");
  const { cropped, ordered, isLast } = paddings(n);
  const type = typeOf(n, cropped);
  const added = n.b.integers(
    ordered.flat().map((size) => Math.max(0, size)),
    [ordered.length, 2],
  );
  const fitsMirror = ordered.every((pair, d) => pair.every((size) => size < (n.b.tensor(cropped).shape[d] as number)));
  if (mode === "edge" || mode === "wrap" || (mode === "reflect" && !fitsMirror))
    return n.rarely("continued padding", n);
  if (mode === "reflect") {
    const [y] = n.add("mirrorPad", [cropped, added], { mode: "reflect" }, [type], n.outputs[0]);
    return setIn(n, isLast, y as TensorId);
  }
  const value = n.numbers(2)?.[0] ?? n.float("value", 0);
  const fill = new DataView(new ArrayBuffer(BITS[type.dtype] / 8));
  if (type.dtype === "float32") fill.setFloat32(0, value, true);
  else if (fill.byteLength === 8) fill.setBigInt64(0, BigInt(value), true);
  else for (let i = 0; i < fill.byteLength; i++) fill.setUint8(i, (value >> (8 * i)) & 255);
  const constant = n.b.constant(type.dtype, [], new Uint8Array(fill.buffer), type.quantization);
  const [y] = n.add("pad", [cropped, added, constant], {}, [type], n.outputs[0]);
  setIn(n, isLast, y as TensorId);
}

/** Negative paddings cut off. */
function crop(n: OnnxNode, id: TensorId, pairs: readonly (readonly [number, number])[]): TensorId {
  if (pairs.every(([before, after]) => before >= 0 && after >= 0)) return id;
  const { shape } = n.b.tensor(id);
  const begins = pairs.map(([before]) => Math.max(0, -before));
  const sizes = pairs.map(([before, after], i) => (shape[i] as number) + Math.min(0, before) + Math.min(0, after));
  return n.add("slice", [id, n.b.integers(begins), n.b.integers(sizes)], {}, [typeOf(n, id)])[0] as TensorId;
}

export const PADS: Conversions = { Pad: pad };
