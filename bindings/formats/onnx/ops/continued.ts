/** Paddings that are elements of x again. */
import type { TensorId } from "../../../graph.ts";
import type { OnnxNode } from "../convert.ts";
import { setIn } from "../elementwise.ts";
import { entries, typeOf } from "./move.ts";
import { paddings } from "./pad.ts";

/** Paddings that are elements of x again: the edge, those of the other end, or those mirrored at the edge. */
function continued(n: OnnxNode, x: TensorId, pairs: readonly (readonly [number, number])[], mode: string): TensorId {
  return pairs.reduce<TensorId>((id, [before, after], axis) => {
    const size = n.b.tensor(id).shape[axis] as number;
    const [lo, hi] = [Math.max(0, before), Math.max(0, after)];
    if (lo + hi === 0) return id;
    if (size === 0) n.refuse("an axis that is not empty", `axis ${axis} of size 0`);
    const around = 2 * Math.max(1, size - 1);
    const indices = Array.from({ length: entries(n, lo + size + hi) }, (_, i) => {
      const at = i - lo;
      if (mode === "edge") return Math.min(Math.max(at, 0), size - 1);
      if (mode === "wrap") return ((at % size) + size) % size;
      const turn = ((at % around) + around) % around;
      return size === 1 ? 0 : Math.min(turn, around - turn);
    });
    const inputs = [id, n.b.integers(indices)];
    return n.add("gather", inputs, { axis, batchDims: 0 }, [typeOf(n, id)])[0] as TensorId;
  }, x);
}

/** Pad in the modes that continue x. */
export function padContinued(n: OnnxNode): void {
  const { cropped, ordered, isLast } = paddings(n);
  setIn(n, isLast, continued(n, cropped, ordered, n.string("mode", "")));
}
