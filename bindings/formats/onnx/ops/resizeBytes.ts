/** Resizing of bytes, as onnxruntime does it: in float32 and truncated, or where it smooths in whole numbers of 22 bits. */
import type { TensorId } from "../../../graph.ts";
import type { Conversion, Conversions, OnnxNode } from "../convert.ts";
import { operands, setIn } from "../elementwise.ts";
import { lastAxis } from "../layout.ts";
import { FLOAT, INT32, NONE } from "../types.ts";
import { along, changesOf, resize, resizeInOrder, tapsOf } from "./resize.ts";
import { captured, inOrder, isByte } from "./stated.ts";

/** Bits of the weights behind the point. */
const BITS = 22;

/** What is chosen stays; bytes and int32 are computed. */
const byteResize: Conversion = (n) => {
  const x = n.input(0);
  const mode = n.string("mode", "nearest");
  const isSmooth = n.int("antialias", 0) !== 0;
  if (mode === "nearest" || !(isByte(x.dtype) || (x.dtype === "int32" && !isSmooth))) return resize(n);
  if (isSmooth) return smoothed(n, mode === "cubic" ? "cubic" : "linear");
  const { ids, isLast } = operands(n, [x]);
  const float = n.add("cast", [ids[0]], {}, FLOAT)[0] as TensorId;
  const resized = captured(n, resizeInOrder, inOrder(n, float, isLast));
  const whole = operands(n, [resized]);
  setIn(n, whole.isLast, n.add("cast", [whole.ids[0]], {}, [{ dtype: x.dtype }])[0] as TensorId);
};

/** Along the last axis first, a byte after each; what is beyond 0 to 255 becomes that, also where bytes have signs. */
function smoothed(n: OnnxNode, mode: "linear" | "cubic"): void {
  const x = n.input(0);
  const { ids, isLast } = operands(n, [x]);
  const transformation = n.string("coordinate_transformation_mode", "half_pixel");
  const add = (kind: "add" | "mul", a: TensorId, b: TensorId) => n.add(kind, [a, b], NONE, INT32)[0] as TensorId;
  const limited = (kind: "minimum" | "maximum", a: TensorId, bound: number) =>
    n.add(kind, [a, n.b.integers([bound], [])], {}, INT32)[0] as TensorId;
  let y = ids[0] as TensorId;
  for (const change of [...changesOf(n)].sort((a, b) => b.axis - a.axis)) {
    const axis = isLast ? lastAxis(change.axis, x.shape.length) : change.axis;
    const whole = n.add("cast", [y], {}, INT32)[0] as TensorId;
    let total = n.b.integers([1 << (BITS - 1)], []);
    for (const { indices, weights } of tapsOf(n, mode, transformation, change)) {
      const shape = x.shape.map((_, d) => (d === axis ? weights.length : 1));
      const factors = n.b.integers(
        [...weights].map((weight) => Math.round(weight * 2 ** BITS)),
        shape,
      );
      total = add("add", add("mul", along(n, whole, axis, n.b.integers([...indices])), factors), total);
    }
    const shifted = n.add("rightShift", [total, n.b.integers([BITS], [])], {}, INT32)[0] as TensorId;
    const clipped = limited("minimum", limited("maximum", shifted, 0), 255);
    y = n.add("cast", [clipped], {}, [{ dtype: x.dtype }])[0] as TensorId;
  }
  setIn(n, isLast, y);
}

export const RESIZES: Conversions = { Resize: byteResize, Upsample: resize };
