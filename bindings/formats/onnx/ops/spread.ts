/** What repeats its elements. */
import type { TensorId } from "../../../graph.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import { typeOf } from "./move.ts";

/** Broadcasting in both directions. */
function expand(n: OnnxNode): void {
  const x = n.input(0);
  const wanted = n.numbers(1) ?? [];
  const rank = Math.max(wanted.length, x.shape.length);
  const at = (shape: readonly number[], i: number) => shape[i - rank + shape.length] ?? 1;
  const shape = Array.from({ length: rank }, (_, i) => {
    const [a, b] = [at(x.shape, i), at(wanted, i)];
    return a === 1 ? b : b === 1 ? a : b;
  });
  const id = n.plain(x);
  const [y] = n.add("broadcastTo", [id, n.b.integers(shape)], {}, [typeOf(n, id)], n.outputs[0]);
  n.setPlain(0, y as TensorId);
}

function tile(n: OnnxNode): void {
  const id = n.plain(n.input(0));
  const repeats = n.b.integers(n.numbers(1) ?? []);
  n.setPlain(0, n.add("tile", [id, repeats], {}, [typeOf(n, id)], n.outputs[0])[0] as TensorId);
}

export const SPREADS: Conversions = { Expand: expand, Tile: tile };
