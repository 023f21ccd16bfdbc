/** Constants, and shapes, which are constants too. */
import type { TensorId } from "../../../graph.ts";
import { BITS, checkShape, elementCount } from "../../../tensor.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import { tensorOf } from "../tensors.ts";
import { entries, longs } from "./move.ts";

function constant(n: OnnxNode): void {
  const { b } = n;
  const tensor = n.attribute("value")?.tensor;
  const one = (name: string) => n.attribute(name);
  if (tensor !== undefined) return n.setPlain(0, b.declare(tensorOf(tensor, n.where, n.scope.shared.external)));
  if (one("value_float")) return n.setPlain(0, b.float(n.float("value_float", 0)));
  if (one("value_int")) return n.setPlain(0, longs(n, [n.int("value_int", 0)], []));
  const floats = n.floats("value_floats");
  if (floats?.length) return n.setPlain(0, b.constant("float32", [floats.length], Float32Array.from(floats)));
  const ints = n.ints("value_ints");
  if (ints !== undefined) return n.setPlain(0, longs(n, ints));
  n.refuse("a constant of numbers", "strings or a sparse tensor");
}

function shape(n: OnnxNode): void {
  const { shape: all } = n.input(0);
  const bound = (value: number) => Math.min(Math.max(value < 0 ? value + all.length : value, 0), all.length);
  const sizes = all.slice(bound(n.int("start", 0)), bound(n.attribute("end")?.int ?? all.length));
  n.setPlain(0, longs(n, sizes));
}

function size(n: OnnxNode): void {
  n.setPlain(0, longs(n, [elementCount(n.input(0).shape)], []));
}

function constantOfShape(n: OnnxNode): void {
  const sizes = n.numbers(0) ?? [];
  const proto = n.attribute("value")?.tensor;
  const value = proto && tensorOf(proto, n.where, {});
  const dtype = value?.dtype ?? "float32";
  checkShape(sizes, dtype, n.where);
  const width = BITS[dtype] / 8;
  const bytes = new Uint8Array(16 * entries(n, (elementCount(sizes) * width) / 16));
  if (value?.data?.some((byte) => byte !== 0))
    for (let at = 0; at < bytes.length; at += width) bytes.set(value.data, at);
  n.setPlain(0, n.b.constant(dtype, sizes, bytes) as TensorId);
}

/** Numbers of a constant range. */
function range(n: OnnxNode): void {
  const ids = [0, 1, 2].map((i) => n.plain(n.input(i)));
  const { dtype } = n.input(0);
  n.setPlain(0, n.add("range", ids, {}, [{ dtype }], n.outputs[0])[0] as TensorId);
}

export const SHAPES: Conversions = {
  Constant: constant,
  Shape: shape,
  Size: size,
  ConstantOfShape: constantOfShape,
  Range: range,
};
