/** Positions as angles: RotaryEmbedding of ONNX and of onnxruntime. */
import type { TensorId } from "../../../graph.ts";
import { elementCount } from "../../../tensor.ts";
import type { Conversions, OnnxNode } from "../convert.ts";
import { FLOAT as float, NONE } from "../types.ts";
import { real } from "./cast.ts";
import { columns, heads, joined, joint } from "./heads.ts";
import { cast, longs, reshapedTo, sized } from "./move.ts";

/** Pairs of x `[B,H,S,d]`, neighbours or halves, turned by angles whose cosines and sines are `[B,1,S,≤d/2]`; what is behind them stays. */
export function turned(n: OnnxNode, x: TensorId, c: TensorId, s: TensorId, isPaired: boolean): TensorId {
  const [batch, own, length, width] = sized(n, n.b.tensor(x).shape, 4);
  const half = n.b.tensor(c).shape[3] as number;
  const front = columns(n, x, 0, 2 * half);
  const pairs = isPaired ? reshapedTo(n, front, [batch, own, length, half, 2]) : front;
  const side = (i: number) =>
    isPaired ? reshapedTo(n, columns(n, pairs, i, 1), [batch, own, length, half]) : columns(n, front, i * half, half);
  const [a, b] = [side(0), side(1)];
  const first = real(n, "sub", real(n, "mul", a, c), real(n, "mul", b, s));
  const second = real(n, "add", real(n, "mul", a, s), real(n, "mul", b, c));
  const apart = (y: TensorId) => reshapedTo(n, y, [batch, own, length, half, 1]);
  const done = isPaired
    ? reshapedTo(n, joint(n, [apart(first), apart(second)], 4), [batch, own, length, 2 * half])
    : joint(n, [first, second], 3);
  return width > 2 * half ? joint(n, [done, columns(n, x, 2 * half, width - 2 * half)], 3) : done;
}

/** Rows of a table of cosines or sines at these positions. */
export const anglesAt = (n: OnnxNode, table: TensorId, at: TensorId): TensorId =>
  n.add("gather", [table, at], { axis: 0, batchDims: 0 }, float)[0] as TensorId;

/** Pairs of each head turned by the angles of their position; inputs x, and where caches and positions stand. */
function rotary(places: { positions: number; cos: number; sin: number }) {
  return (n: OnnxNode): void => {
    const x = n.input(0);
    const isFlat = x.shape.length === 3;
    const cosines = n.input(places.cos);
    const half = cosines.shape.at(-1) as number;
    const given = n.int("rotary_embedding_dim", 0);
    const count = n.int("num_heads", 0) || (isFlat ? (x.shape[2] as number) / (given || 2 * half) : 1);
    const id = isFlat ? heads(n, n.plain(x), count) : n.plain(x);
    const [, , length] = sized(n, n.b.tensor(id).shape, 4);
    const cache = (i: number): TensorId => {
      const value = n.input(i);
      let table = n.plain(value);
      if (n.inputs[places.positions] !== undefined) {
        let at = cast(n, n.plain(n.input(places.positions)), "int64");
        if (elementCount(n.b.tensor(at).shape) === 1) {
          const steps = longs(
            n,
            Array.from({ length }, (_, t) => t),
            [1, length],
          );
          at = n.add("add", [steps, reshapedTo(n, at, [1, 1])], NONE, [{ dtype: "int64" }])[0] as TensorId;
        }
        table = anglesAt(n, table, at);
      }
      const { shape } = n.b.tensor(table);
      return reshapedTo(n, table, [shape[0] as number, 1, length, half]);
    };
    const y = turned(n, id, cache(places.cos), cache(places.sin), n.int("interleaved", 0) !== 0);
    n.setPlain(0, isFlat ? joined(n, y) : y);
  };
}

export const ROTARY: Conversions = {
  RotaryEmbedding: rotary({ positions: 3, cos: 1, sin: 2 }),
  "com.microsoft.RotaryEmbedding": rotary({ positions: 1, cos: 2, sin: 3 }),
};
